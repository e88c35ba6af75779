package encryptedtype

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"

	"github.com/fernetcol/fernetcol/fernet"
)

var (
	_ driver.Valuer    = Encrypted[int]{}
	_ sql.Scanner      = (*Encrypted[int])(nil)
	_ fmt.Formatter    = Encrypted[int]{}
	_ slog.LogValuer   = Encrypted[int]{}
	_ json.Marshaler   = Encrypted[int]{}
	_ json.Unmarshaler = (*Encrypted[int])(nil)
)

// Encrypted holds a Go value that is, in the database, a text token of its JSON:
//
//	type Patient struct {
//		Born    encryptedtype.Encrypted[time.Time]
//		Address encryptedtype.Encrypted[Address]
//	}
//
// What comes back is what package json makes of it: unexported fields are lost,
// and in an interface a number is a float64. A nil pointer or map in V is the
// JSON null, encrypted; for NULL, use *Encrypted[T] or sql.Null[Encrypted[T]].
// fmt and slog print [Redacted] for the whole of it.
type Encrypted[T any] struct {
	// V is the plaintext.
	V T
}

// name tells an error's reader the type, which is the program's and no secret.
func (Encrypted[T]) name() string { return fmt.Sprintf("Encrypted[%v]", reflect.TypeFor[T]()) }

// Value returns the token to store, a string. A value that JSON cannot hold is
// an error. It implements [driver.Valuer].
func (e Encrypted[T]) Value() (driver.Value, error) { return value(e) }

// Scan sets e to the value in a token, text or raw, given as string or []byte.
// NULL, given as nil, becomes the zero value. Everything else, JSON of another
// shape among it, is an error as in [EncryptedString.Scan], and e is then zero.
// It implements [sql.Scanner].
func (e *Encrypted[T]) Scan(src any) error { return scan(e, src) }

func (e Encrypted[T]) encrypt(kr *fernet.Keyring) (driver.Value, error) {
	p, err := e.MarshalJSON()
	if err != nil {
		return nil, err
	}
	if err := checkSize(kr, e.name(), fernet.TokenLen(len(p))); err != nil {
		return nil, err
	}
	return string(kr.Encrypt(p)), nil
}

func (e *Encrypted[T]) decrypt(kr *fernet.Keyring, src any) error {
	*e = Encrypted[T]{}
	p, err := plaintextBytes(kr, e.name(), src)
	if err != nil || p == nil {
		return err
	}
	var fresh T
	if json.Unmarshal(p, &fresh) != nil {
		return fmt.Errorf("encryptedtype: %s: the stored value is JSON of another shape", e.name())
	}
	e.V = fresh
	return nil
}

// GormDataType makes GORM give the field a column of type text.
func (Encrypted[T]) GormDataType() string { return gormText }

// MarshalJSON writes the JSON of V, in the clear.
func (e Encrypted[T]) MarshalJSON() ([]byte, error) {
	p, err := json.Marshal(e.V)
	if err != nil {
		// Not passed on: the errors of package json quote the value.
		return nil, fmt.Errorf("encryptedtype: %s: the value cannot be written as JSON", e.name())
	}
	return p, nil
}

// UnmarshalJSON reads V. It refuses [Redacted].
func (e *Encrypted[T]) UnmarshalJSON(data []byte) error {
	if err := refuseMarker(e.name(), data); err != nil {
		return err
	}
	var fresh T
	if json.Unmarshal(data, &fresh) != nil {
		return fmt.Errorf("encryptedtype: %s: the JSON value is of another shape", e.name())
	}
	e.V = fresh
	return nil
}

func (Encrypted[T]) redacted() {}

// String returns [Redacted]. The plaintext is e.V.
func (Encrypted[T]) String() string { return Redacted }

// GoString returns [Redacted].
func (Encrypted[T]) GoString() string { return Redacted }

// Format writes [Redacted].
func (Encrypted[T]) Format(f fmt.State, _ rune) { redact(f) }

// LogValue returns [Redacted].
func (Encrypted[T]) LogValue() slog.Value { return slog.StringValue(Redacted) }
