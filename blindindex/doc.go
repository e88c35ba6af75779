// Package blindindex makes keyed indexes for equality search on encrypted columns:
// a second column holds HMAC-SHA256 of the value, under an index key, and answers
// what the tokens cannot.
//
//	key, err := keyprovider.IndexKeyFromEnv("FERNET_INDEX_KEY")
//	idx, err := blindindex.New(key, "users", "email", "email_index", blindindex.Options{
//		Transforms: []blindindex.Transform{blindindex.Lower},
//	})
//	db.Exec("INSERT INTO users (email, email_index) VALUES ($1, $2)", encryptedtype.EncryptedString(email), idx.Value(email))
//	db.Query("SELECT id, email FROM users WHERE email_index = $1", idx.Value("ada@example.com"))
//
// With GORM, package gormencrypt fills and asks index columns by itself.
//
// [NewCompound] makes an index over several columns. [NewGrams] and [NewPrefixes] make
// partial ones, which find a part of a text, and give away far more. What no index
// answers, such as an order or a range, [Top] does on decrypted rows.
//
// # Keys
//
// The index key is one of its own, beside those that encrypt: rotating those changes
// no entry, and a UNIQUE constraint stays enforced throughout. An index is computed
// anew only when the index key or a transform changes.
//
// # Security properties
//
// Without the index key, an entry tells nothing of its value. Whoever reads the
// column sees which rows are equal, and how often each value occurs; with few or
// skewed values, and a guess at how often each should occur, that can be enough to
// name them. [Audit] measures it. A short index does not prevent it. Whoever holds
// the index key can try values one by one; [Argon2id] makes that slow.
//
// docs/search.md has the whole account.
package blindindex
