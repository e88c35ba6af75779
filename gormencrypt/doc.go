// Package gormencrypt makes GORM store tokens and read back plaintext on every
// path, for fields of package encryptedtype and for plain fields with the tag
// gorm:"serializer:fernet".
//
//	type Person struct {
//		ID    int64
//		Email string `gorm:"serializer:fernet" fernet:"index:EmailIndex,lower"`
//		EmailIndex blindindex.Value `gorm:"uniqueIndex"`
//	}
//
//	db, err := gorm.Open(…)
//	err = db.Use(gormencrypt.New(keyprovider.Static(kr), gormencrypt.Options{
//		Models: []any{&Person{}}, IndexKey: indexKey,
//	}))
//
// # What it does
//
// A Valuer or a serializer alone sees only the values that GORM hands it, which
// leaves out maps, single-column updates, conditions and raw SQL. The plugin works
// on the clauses of a statement at the last moment before it is sent. Each value
// for an encrypted column is encrypted once, whatever path it took, and its blind
// indexes get their entries. A comparison with the column asks the index, or, of a
// deterministic column, gets the value's tokens under every key of the ring.
// What would store plaintext, and what has no answer, is an error that wraps
// [ErrRefused] and names the column and the way out. Statement.Vars and logs hold
// tokens.
//
// # Keys
//
// The key ring of a statement is that of its context ([WithKeyring]), else that of
// the [Provider]. The process default of package encryptedtype plays no part. Blind
// indexes have a key of their own ([Options]).
//
// # What it does not see
//
// Statements that do not go through the handle: db.DB(), other clients. The CHECK
// that AutoMigrate adds makes the database refuse what does not look like a token.
// [Verify] says where one is missing. A row that the application reads with
// Rows.Scan itself, not ScanRows, is a token.
//
// docs/gorm.md has the tables: what is encrypted, answered, refused. docs/search.md
// is about indexes.
package gormencrypt
