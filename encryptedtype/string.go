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
	_ driver.Valuer    = EncryptedString("")
	_ sql.Scanner      = (*EncryptedString)(nil)
	_ fmt.Formatter    = EncryptedString("")
	_ slog.LogValuer   = EncryptedString("")
	_ json.Unmarshaler = (*EncryptedString)(nil)
)

// An EncryptedString is plaintext in the program and a text token in the
// database, another one each time it is stored. It belongs in a text column
// that holds [TextSize] characters. Convert it with string(s) to take the
// plaintext out; fmt and slog print [Redacted].
//
// A type defined from it (type Email EncryptedString) has none of its methods and
// is stored in the clear; write an alias (type Email = EncryptedString).
type EncryptedString string

const encryptedStringName = "EncryptedString"

// Value returns the token to store, a string. It implements [driver.Valuer].
func (s EncryptedString) Value() (driver.Value, error) { return value(s) }

// Scan sets s to the plaintext of a token, text or raw, given as string or
// []byte. NULL, given as nil, becomes "". Everything else, a value that is not
// a token among it, is an error that wraps [fernet.ErrInvalidToken] or names
// the type, and s is then "". (What wraps it is not: database/sql leaves a
// sql.Null valid, and a pointer set, when Scan fails; [Into] leaves neither.) It
// implements [sql.Scanner].
func (s *EncryptedString) Scan(src any) error { return scan(s, src) }

func (s EncryptedString) encrypt(kr *fernet.Keyring) (driver.Value, error) {
	if err := checkSize(kr, encryptedStringName, fernet.TokenLen(len(s))); err != nil {
		return nil, err
	}
	return kr.EncryptString(string(s)), nil
}

func (s *EncryptedString) decrypt(kr *fernet.Keyring, src any) error {
	p, err := plaintextString(kr, encryptedStringName, src)
	*s = EncryptedString(p)
	return err
}

// GormDataType makes GORM give the field a column of type text, whatever size
// its tag asks for.
func (EncryptedString) GormDataType() string { return gormText }

// UnmarshalJSON reads a JSON string. It refuses [Redacted], which would
// otherwise be saved in place of the value it stands for.
func (s *EncryptedString) UnmarshalJSON(data []byte) error {
	p, err := unmarshalString(encryptedStringName, data, string(*s))
	if err == nil {
		*s = EncryptedString(p)
	}
	return err
}

func (EncryptedString) redacted() {}

// String returns [Redacted]. The plaintext is string(s).
func (EncryptedString) String() string { return Redacted }

// GoString returns [Redacted].
func (EncryptedString) GoString() string { return Redacted }

// Format writes [Redacted].
func (EncryptedString) Format(f fmt.State, _ rune) { redact(f) }

// LogValue returns [Redacted].
func (EncryptedString) LogValue() slog.Value { return slog.StringValue(Redacted) }
