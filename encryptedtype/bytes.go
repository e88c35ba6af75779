package encryptedtype

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/fernetcol/fernetcol/fernet"
)

var (
	_ driver.Valuer    = EncryptedBytes(nil)
	_ sql.Scanner      = (*EncryptedBytes)(nil)
	_ fmt.Formatter    = EncryptedBytes(nil)
	_ slog.LogValuer   = EncryptedBytes(nil)
	_ json.Unmarshaler = (*EncryptedBytes)(nil)
)

// EncryptedBytes is plaintext in the program and a raw token, without base64, in
// the database. It belongs in a binary column (bytea, BLOB) that holds
// [BytesSize] bytes. As database/sql does with []byte, nil is stored as NULL,
// and an empty slice that is not nil is a value, encrypted like any other.
// Convert it with []byte(b) to take the plaintext out; fmt and slog print
// [Redacted].
type EncryptedBytes []byte

const encryptedBytesName = "EncryptedBytes"

// Value returns the token to store, a []byte, or nil if b is nil. It implements
// [driver.Valuer].
func (b EncryptedBytes) Value() (driver.Value, error) { return value(b) }

// Scan sets b to a new slice with the plaintext of a token, raw or text, given
// as []byte or string. NULL, given as nil, becomes nil. Everything else is an
// error as in [EncryptedString.Scan], and b is then nil. It implements
// [sql.Scanner].
func (b *EncryptedBytes) Scan(src any) error { return scan(b, src) }

func (b EncryptedBytes) encrypt(kr *fernet.Keyring) (driver.Value, error) {
	if b == nil {
		return nil, nil
	}
	if err := checkSize(kr, encryptedBytesName, fernet.RawTokenLen(len(b))); err != nil {
		return nil, err
	}
	return kr.EncryptRaw(b), nil
}

func (b *EncryptedBytes) decrypt(kr *fernet.Keyring, src any) error {
	p, err := plaintextBytes(kr, encryptedBytesName, src)
	*b = p
	return err
}

// GormDataType makes GORM give the field a binary column.
func (EncryptedBytes) GormDataType() string { return gormBytes }

// UnmarshalJSON reads what package json writes for a []byte: a string of
// standard base64, or null for nil. It refuses [Redacted].
func (b *EncryptedBytes) UnmarshalJSON(data []byte) error {
	if err := refuseMarker(encryptedBytesName, data); err != nil {
		return err
	}
	var p []byte
	if json.Unmarshal(data, &p) != nil {
		return fmt.Errorf("encryptedtype: %s: the JSON value is not a string of base64", encryptedBytesName)
	}
	*b = p
	return nil
}

func (EncryptedBytes) redacted() {}

// String returns [Redacted]. The plaintext is []byte(b).
func (EncryptedBytes) String() string { return Redacted }

// GoString returns [Redacted].
func (EncryptedBytes) GoString() string { return Redacted }

// Format writes [Redacted].
func (EncryptedBytes) Format(f fmt.State, _ rune) { redact(f) }

// LogValue returns [Redacted].
func (EncryptedBytes) LogValue() slog.Value { return slog.StringValue(Redacted) }
