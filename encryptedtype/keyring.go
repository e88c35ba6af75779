package encryptedtype

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/fernetcol/fernetcol/fernet"
)

// ErrNoKeyring is returned by Value and Scan when there is no key ring to use:
// neither [SetDefault] nor [Bind] or [Into] named one.
var ErrNoKeyring = errors.New("encryptedtype: no key ring: call SetDefault at start-up, or use Bind and Into")

// The process default, the one global of this module: sql.Scanner is given no
// context to take a ring from.
var defaultKeyring atomic.Pointer[fernet.Keyring]

// SetDefault makes kr the key ring of every value that is not bound to another.
// Call it once, before the first query. It fails if kr is nil, or if a default
// is already set: values would change their key under a running program.
func SetDefault(kr *fernet.Keyring) error {
	if kr == nil {
		return ErrNoKeyring
	}
	if !defaultKeyring.CompareAndSwap(nil, kr) {
		return errors.New("encryptedtype: SetDefault was already called; to use several key rings, use Bind and Into")
	}
	return nil
}

// A column is a value of one of the types of this package.
type column interface {
	// encrypt returns the value to store: a token, or nil for NULL.
	encrypt(kr *fernet.Keyring) (driver.Value, error)
	// redacted is implemented by the types that hold a secret.
	redacted()
}

// A destination is a pointer to one of the types of this package.
type destination interface {
	// decrypt sets the destination from what a driver read. On an error, the
	// destination is zero: what an earlier row left there must not pass for
	// this row's value.
	decrypt(kr *fernet.Keyring, src any) error
}

// value is the Value method of every type.
func value(c column) (driver.Value, error) {
	return valueUnder(defaultKeyring.Load(), c)
}

// valueUnder is value with another key ring.
func valueUnder(kr *fernet.Keyring, c column) (driver.Value, error) {
	if kr == nil {
		return notEncrypted{}, ErrNoKeyring
	}
	v, err := c.encrypt(kr)
	if err != nil {
		return notEncrypted{}, err
	}
	return v, nil
}

// notEncrypted stands beside an error for a caller that does not look at the
// error. No driver takes it. nil would be taken for NULL: GORM, for one, asks a
// Valuer whether it is nil, ignores the error, and writes IS NULL.
type notEncrypted struct{}

// scan is the Scan method of every type.
func scan(d destination, src any) error {
	kr := defaultKeyring.Load()
	if kr == nil {
		d.decrypt(nil, nil) // no more than zero it
		return ErrNoKeyring
	}
	return d.decrypt(kr, src)
}

// checkSize refuses to write what the same ring would refuse to read back.
func checkSize(kr *fernet.Keyring, typ string, tokenLen int) error {
	if limit := kr.MaxTokenLen(); tokenLen > limit {
		return fmt.Errorf("encryptedtype: %s: a token of %d bytes is over the key ring's limit of %d; see fernet.Keyring.WithMaxTokenLen", typ, tokenLen, limit)
	}
	return nil
}

// plaintextString decrypts what a driver read, a text or raw token as string or
// []byte, to a string. NULL is "".
func plaintextString(kr *fernet.Keyring, typ string, src any) (string, error) {
	if token, ok := src.(string); ok {
		p, err := kr.DecryptString(token) // one allocation less than by way of []byte
		if err != nil && passes(token) {
			return token, nil
		}
		if err != nil {
			return "", unreadable(typ, err)
		}
		return p, nil
	}
	p, err := plaintextBytes(kr, typ, src)
	return string(p), err
}

// plaintextBytes is plaintextString to bytes. NULL is nil; every plaintext, the
// empty one too, is not.
func plaintextBytes(kr *fernet.Keyring, typ string, src any) ([]byte, error) {
	var token []byte
	switch v := src.(type) {
	case nil:
		return nil, nil
	case []byte:
		token = v
	case string:
		token = []byte(v)
	default:
		return nil, fmt.Errorf("encryptedtype: %s: the column holds %T, not text or bytes", typ, src)
	}
	if limit := kr.MaxTokenLen(); len(token) > limit { // as kr.DecryptString does
		return nil, unreadable(typ, fmt.Errorf("%w: %d bytes, over the limit of %d", fernet.ErrInvalidToken, len(token), limit))
	}
	p, err := kr.Decrypt(token)
	if err != nil && passes(token) {
		return append([]byte{}, token...), nil // not the driver's
	}
	if err != nil {
		return nil, unreadable(typ, err)
	}
	return p, nil
}

// unreadable wraps fernet.ErrInvalidToken. It cannot say more: what is wrong
// with a token is what an attacker would like to know.
func unreadable(typ string, err error) error {
	return fmt.Errorf("encryptedtype: %s: the stored value is not a token that a key of the ring opens: %w", typ, err)
}
