// Package fernet encrypts and authenticates short and long messages as Fernet
// tokens, the format of Python's cryptography module, with key rings that
// rotate and with the derived, raw and deterministic forms that an encrypted
// database column needs.
//
// Two calls do most of the work:
//
//	kr, err := fernet.NewKeyring(key)    // key from ParseKey or GenerateKey
//	token := kr.Encrypt(plaintext)       // safe to store and to send
//	plaintext, err := kr.Decrypt(token)  // ErrInvalidToken unless untouched
//
// # Keys
//
// A [Key] is 32 random bytes, written as 44 characters of URL-safe base64. A
// [Keyring] holds one primary key, which encrypts, and any number of retired
// keys, which only decrypt. [Keyring.Rotate] moves a token to the primary key.
// [Keyring.Derive] makes an independent ring for a named purpose, such as one
// table and column.
//
// # Security properties
//
// A token hides its plaintext (AES-128-CBC under a random IV) and cannot be
// made or altered without the key (HMAC-SHA256 over everything else in it).
// Decryption accepts exactly the tokens that an encoder emits: one altered,
// added or missing bit, any other spelling of the same bytes, and any padding
// but the right one give [ErrInvalidToken], always the same error, and no
// output.
//
// # What it does not protect
//
// The length of the plaintext, to within 16 bytes, and the time of encryption,
// to the second, are readable by anyone who holds a token. A token is not tied
// to its place: whoever can write to the database can copy a token from one row
// to another, which [Keyring.Derive] confines to the rows of one context. A
// deterministic token ([Keyring.EncryptDeterministic]) also shows which values
// are equal. Keys stay in memory while the program uses them, and Go gives no
// way to erase every copy.
//
// # Compatibility
//
// Tokens and keys are those of the Fernet specification
// (https://github.com/fernet/spec/blob/master/Spec.md, version 0x80) and of
// Python's cryptography.fernet; a key ring corresponds to its MultiFernet. The
// primitives are those of the standard library, and the package works with
// GODEBUG=fips140=only.
package fernet
