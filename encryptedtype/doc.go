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
//	255           440           329
//	1,000         1420          1065
//	49,000        65420         49065    the most that fits MySQL's TEXT
//
// [TextSize] and [BytesSize] give the size for any length. PostgreSQL, SQLite
// and MySQL in strict mode never shorten a token. MySQL in non-strict mode does,
// with no more than a warning, and the plaintext is lost; [CheckText] is a
// constraint with which the database refuses a shortened token.
//
// # What is printed
//
// Passed to fmt or slog, the types print [Redacted], never the plaintext. Two
// limits follow from how fmt works, and go vet reports the second: an unexported
// field of another struct is printed by its kind, without asking its methods,
// and so are the verbs %p and %w, which no string has. [ReplaceAttr] covers the
// first for slog. JSON, XML and gob carry the plaintext, because a marker there
// would come back and be saved; so a field of these types inside a JSON column
// is stored in the clear. Encrypt the whole column instead, with [Encrypted].
//
// # Security
//
// What a token protects and what it does not, its length among it, is said in
// package fernet. A Go string cannot be erased; plaintext stays in memory until
// it is collected.
package encryptedtype
