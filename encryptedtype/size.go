package encryptedtype

import (
	"strings"

	"github.com/fernetcol/fernetcol/fernet"
)

// TextSize returns how many characters, all ASCII, a text column must hold for
// the token of n bytes of plaintext. For [EncryptedString], n counts the bytes
// of UTF-8; for [Encrypted], those of the JSON.
func TextSize(n int) int { return fernet.TokenLen(n) }

// BytesSize returns how many bytes a binary column must hold for the token of n
// bytes of plaintext.
func BytesSize(n int) int { return fernet.RawTokenLen(n) }

// CheckText returns a condition for a CHECK constraint, in SQL that PostgreSQL,
// SQLite 3.43, MySQL 8.0.16 and MariaDB 10.2 or later share, which holds if the text
// column is NULL or has the outward shape of a token: how it begins, its length,
// and the padding that goes with the length. So the database itself refuses
// plaintext, whoever writes it, and a token that MySQL in non-strict mode cut
// off at the column's width. It cannot tell a token that was cut to the length of
// another one, which a width of 12 more than a multiple of 64 does, and some that
// [TextSize] returns: give the column a width that is no multiple of 4, such as
// TextSize(n)+1 or 255.
//
// column is put into the SQL as it is: quote it as your database wants, and take
// it from your program only.
//
//	ALTER TABLE users ADD CONSTRAINT email_is_token CHECK ( … )
func CheckText(column string) string {
	// With k blocks of ciphertext a raw token has 57+16k bytes. In base64 that
	// is, by k modulo 3: 36 more than a multiple of 64 characters and "==" at
	// the end, 56 and "=", or 12 and no padding.
	return strings.ReplaceAll("@ IS NULL OR (SUBSTR(@, 1, 6) = 'gAAAAA' AND OCTET_LENGTH(@) >= 100 AND "+
		"CASE OCTET_LENGTH(@) % 64 WHEN 36 THEN @ LIKE '%==' "+
		"WHEN 56 THEN @ LIKE '%=' AND @ NOT LIKE '%==' "+
		"WHEN 12 THEN @ NOT LIKE '%=' ELSE 1 = 0 END)", "@", column)
}

// CheckBytes is [CheckText] for binary columns. It tests the length only, because
// the databases share no way to write a byte: of plaintext it stops 15 of 16
// lengths, and of cut-off tokens all, if the column's width is not 9 more than a
// multiple of 16. BytesSize(n)+1 is a safe width.
func CheckBytes(column string) string {
	// 57 bytes around whole blocks of 16, of which there is at least one.
	return strings.ReplaceAll("@ IS NULL OR (LENGTH(@) >= 73 AND LENGTH(@) % 16 = 9)", "@", column)
}
