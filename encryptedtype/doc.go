// Package encryptedtype provides column types that are plaintext in the program
// and Fernet tokens in the database.
//
// Declare a model field as [EncryptedString] and set the key ring once:
//
//	type User struct {
//		ID    int64
//		Email encryptedtype.EncryptedString
//	}
//
//	err := encryptedtype.SetDefault(kr) // kr from keyprovider.FromEnv or fernet.NewKeyring
//
// From then on database/sql, GORM and whatever else speaks driver.Valuer and
// sql.Scanner store a token and read back the plaintext.
//
// # Types
//
//   - [EncryptedString] is a string, for text columns.
//   - [EncryptedBytes] is a []byte, for binary columns (bytea, BLOB), where it
//     takes a quarter less room.
//   - [Encrypted] holds any Go value, as JSON inside the token.
//   - [DeterministicString] is a string that the database can compare for
//     equality and keep unique, at the price of showing which rows are equal.
//
// The empty string is encrypted like any other. NULL stays NULL: use a pointer
// or sql.Null[EncryptedString].
//
// # Key rings
//
// Where nothing else says which ring to use, it is the process default. Without
// one, Value and Scan both fail with [ErrNoKeyring]; nothing is ever stored in
// the clear because a key was missing. [Bind] and [Into] name the ring at the
// call, for programs that use several or want no default.
//
// # Column sizes
//
// A token is longer than its plaintext and its column must hold all of it:
//
//	plaintext     text column   binary column
//	(bytes)       (characters)  (bytes)
//	0 to 15       100           73
//	16 to 31      120           89
//	32 to 47      140           105
//	100           228           169
//	255           420           313
//	1,000         1420          1065
//	49,087        65528         49145    the most that fits MySQL's TEXT
//
// [TextSize] and [BytesSize] give the size for any length; make a column wider by
// one or more. PostgreSQL, SQLite and MySQL in strict mode refuse a token that
// does not fit. MySQL in non-strict mode, or told to IGNORE errors, cuts it off
// with no more than a warning, and the plaintext is lost; [CheckText] and
// [CheckBytes] are constraints with which the database refuses a cut-off token.
//
// GORM makes the columns of these types text, or binary for EncryptedBytes. In
// MySQL, text holds 64 KiB: tag longer fields gorm:"type:longtext". For a sql.Null
// of one of these types GORM looks at the type inside: tag it gorm:"type:text".
// Of PostgreSQL's types, char(n) pads a token, which is then an error to read.
//
// # What is printed
//
// Passed to fmt or slog, the types print [Redacted], never the plaintext. There
// are three limits, because fmt does not always ask a value's methods. It prints
// by its kind
//
//   - an unexported field of another struct;
//   - a value given to the verbs %p and %w, which are for pointers and errors;
//   - a struct behind a pointer inside another value, if the verb is not one for
//     pointers: a []*User with %s or %q. With %v, %+v and %#v it is an address.
//
// go vet reports the last, and %w; [ReplaceAttr] covers the first for slog. JSON,
// XML and gob carry the plaintext, because a marker there would come back and be
// saved; so a value of these types inside something that is stored as JSON or XML
// is stored in the clear: a field of a struct, an element of a slice that pgx is
// given for a jsonb column. Encrypt the whole column instead, with [Encrypted].
//
// # Security
//
// What a token protects and what it does not, its length among it, is said in
// package fernet. A Go string cannot be erased; plaintext stays in memory until
// it is collected.
package encryptedtype
