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
	_ driver.Valuer    = DeterministicString("")
	_ sql.Scanner      = (*DeterministicString)(nil)
	_ fmt.Formatter    = DeterministicString("")
	_ slog.LogValuer   = DeterministicString("")
	_ json.Unmarshaler = (*DeterministicString)(nil)
)

// A DeterministicString is plaintext in the program and, in the database, the
// one text token that it has under the primary key
// ([fernet.Keyring.EncryptDeterministic]). Equality, IN, UNIQUE, GROUP BY and
// joins work on the tokens:
//
//	SELECT … WHERE email = $1   -- with DeterministicString("a@example.com")
//
// Whoever reads the column sees which rows are equal and how many; do not use it
// for a column with few possible values. Give a MySQL column a binary collation
// (ascii_bin), for tokens differ in case.
//
// While rows under a retired key remain, a comparison with the value itself
// misses them: compare with [DeterministicString.Tokens]. UNIQUE holds among the
// rows of one key.
type DeterministicString string

const deterministicStringName = "DeterministicString"

// Value returns the token to store or to compare with, a string. It implements
// [driver.Valuer].
func (s DeterministicString) Value() (driver.Value, error) { return value(s) }

// Tokens returns the token that s has under every key of kr, the primary key's
// first: what to give to IN, so that a row is found whichever key it was
// written under.
func (s DeterministicString) Tokens(kr *fernet.Keyring) []string {
	tokens := kr.DeterministicTokens([]byte(s))
	out := make([]string, len(tokens))
	for i, t := range tokens {
		out[i] = string(t)
	}
	return out
}

// Scan sets s to the plaintext of a token, deterministic or not, as
// [EncryptedString.Scan] does. It implements [sql.Scanner].
func (s *DeterministicString) Scan(src any) error { return scan(s, src) }

func (s DeterministicString) encrypt(kr *fernet.Keyring) (driver.Value, error) {
	if err := checkSize(kr, deterministicStringName, fernet.TokenLen(len(s))); err != nil {
		return nil, err
	}
	return string(kr.EncryptDeterministic([]byte(s))), nil
}

func (s *DeterministicString) decrypt(kr *fernet.Keyring, src any) error {
	p, err := plaintextString(kr, deterministicStringName, src)
	*s = DeterministicString(p)
	return err
}

// GormDataType makes GORM give the field a column of type text. MySQL wants a
// length for a column that is indexed: add a tag such as
// gorm:"type:varchar(255)", with [TextSize] in mind.
func (DeterministicString) GormDataType() string { return gormText }

// UnmarshalJSON reads a JSON string. It refuses [Redacted].
func (s *DeterministicString) UnmarshalJSON(data []byte) error {
	p, err := unmarshalString(deterministicStringName, data, string(*s))
	if err == nil {
		*s = DeterministicString(p)
	}
	return err
}

func (DeterministicString) redacted() {}

// String returns [Redacted]. The plaintext is string(s).
func (DeterministicString) String() string { return Redacted }

// GoString returns [Redacted].
func (DeterministicString) GoString() string { return Redacted }

// Format writes [Redacted].
func (DeterministicString) Format(f fmt.State, _ rune) { redact(f) }

// LogValue returns [Redacted].
func (DeterministicString) LogValue() slog.Value { return slog.StringValue(Redacted) }
