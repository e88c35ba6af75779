package encryptedtype

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"log/slog"
	"reflect"
	"strings"

	"github.com/fernetcol/fernetcol/fernet"
)

// Bind returns v as a query argument that is encrypted under kr, whatever the
// process default:
//
//	db.Exec("INSERT INTO users (email) VALUES ($1)", encryptedtype.Bind(kr, u.Email))
//
// v is a value of one of this package's types, a pointer to one (nil is NULL),
// or a sql.Null of one. Anything else, a plain string among it, is an error when
// the query runs: what is meant to be encrypted says so in its type. A nil kr is
// [ErrNoKeyring].
func Bind(kr *fernet.Keyring, v any) driver.Valuer { return bound{kr: kr, v: v} }

// Into returns dst as a destination for Scan that is decrypted with kr, whatever
// the process default:
//
//	err := row.Scan(&u.ID, encryptedtype.Into(kr, &u.Email))
//
// dst is a pointer to one of this package's types, to a pointer to one (which
// NULL sets to nil, and a value to a new one), or to a sql.Null of one. Anything
// else is an error from Scan. On an error, what dst points to is zero.
func Into(kr *fernet.Keyring, dst any) sql.Scanner { return &bound{kr: kr, v: dst} }

// bound is a value or a destination with its key ring.
type bound struct {
	kr *fernet.Keyring
	v  any
}

// Value implements [driver.Valuer].
func (b bound) Value() (driver.Value, error) {
	if b.kr == nil {
		return notEncrypted{}, ErrNoKeyring
	}
	v := reflect.ValueOf(b.v)
	if v.IsValid() && !IsColumn(v.Type()) {
		return notEncrypted{}, fmt.Errorf("encryptedtype: Bind takes a value of an encrypted type, not %T; convert it, as in EncryptedString(s)", b.v)
	}
	for {
		if !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
			return nil, nil
		}
		if v.Kind() == reflect.Pointer {
			v = v.Elem()
			continue
		}
		if c, ok := v.Interface().(column); ok {
			return valueUnder(b.kr, c)
		}
		if !v.FieldByName("Valid").Bool() {
			return nil, nil
		}
		v = v.FieldByName("V")
	}
}

// Scan implements [sql.Scanner].
func (b *bound) Scan(src any) error {
	dst := reflect.ValueOf(b.v)
	if dst.Kind() != reflect.Pointer || dst.IsNil() {
		return fmt.Errorf("encryptedtype: Into takes a pointer to an encrypted type, not %T", b.v)
	}
	// What dst points to: T, *T or sql.Null[T].
	target, inner := dst.Elem(), dst
	target.SetZero()
	switch {
	case target.Kind() == reflect.Pointer:
		inner = reflect.New(target.Type().Elem())
	case isNull(target.Type()):
		inner = target.FieldByName("V").Addr()
	}
	d, ok := inner.Interface().(destination)
	if !ok {
		return fmt.Errorf("encryptedtype: Into takes a pointer to an encrypted type, not %T", b.v)
	}

	if b.kr == nil {
		return ErrNoKeyring
	}
	if src == nil {
		return nil
	}
	if err := d.decrypt(b.kr, src); err != nil {
		return err
	}
	switch {
	case target.Kind() == reflect.Pointer:
		target.Set(inner)
	case isNull(target.Type()):
		target.FieldByName("Valid").SetBool(true)
	}
	return nil
}

// IsColumn reports whether t is one of this package's types, a pointer to one, or
// a sql.Null of one: what [Bind] encrypts.
func IsColumn(t reflect.Type) bool {
	switch {
	case t.Implements(columnType):
		return true
	case t.Kind() == reflect.Pointer:
		return IsColumn(t.Elem())
	case isNull(t):
		v, _ := t.FieldByName("V")
		return IsColumn(v.Type)
	}
	return false
}

// isNull reports whether t is some sql.Null[T].
func isNull(t reflect.Type) bool {
	return t.PkgPath() == "database/sql" && strings.HasPrefix(t.Name(), "Null[")
}

// String returns [Redacted].
func (bound) String() string { return Redacted }

// GoString returns [Redacted].
func (bound) GoString() string { return Redacted }

// Format writes [Redacted].
func (bound) Format(f fmt.State, _ rune) { redact(f) }

// LogValue returns [Redacted].
func (bound) LogValue() slog.Value { return slog.StringValue(Redacted) }
