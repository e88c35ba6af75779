package encryptedtype

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/fernetcol/fernetcol/fernet"
)

// A ReadThrough is permission to read values that were never encrypted, while a column
// is migrated from plaintext. It is safe for concurrent use.
type ReadThrough struct {
	until time.Time
	count atomic.Int64
}

// The process's permission, beside its default ring: Scan is given nothing to take one
// from.
var readThrough atomic.Pointer[ReadThrough]

// SetReadThrough lets Scan, in all types of this package and with every key ring, take
// a stored value that cannot be a token for plaintext, until the given time. It is the
// first of four steps that turn a column of plaintext into tokens under a running
// application (docs/rotation.md); do not leave it in a program.
//
// It is closed where it may be: a value that begins like a token and that no key opens
// (cut off, altered, or its key missing) is an error as ever, and from the given time
// on so is plaintext. What is written is always encrypted.
//
// Whoever can write to the database can make such a program read plaintext of their
// own, which a token does not allow; that is why there is an end. SetReadThrough fails
// if until is not ahead, and if it was called before.
func SetReadThrough(until time.Time) (*ReadThrough, error) {
	if !until.After(time.Now()) {
		return nil, errors.New("encryptedtype: SetReadThrough needs an end that is ahead; to read tokens only, do not call it")
	}
	r := &ReadThrough{until: until}
	if !readThrough.CompareAndSwap(nil, r) {
		return nil, errors.New("encryptedtype: SetReadThrough was already called")
	}
	return r, nil
}

// Count returns how many plaintext values were read so far. Once the column is
// migrated it stays where it is.
func (r *ReadThrough) Count() int64 { return r.count.Load() }

// Until returns the end.
func (r *ReadThrough) Until() time.Time { return r.until }

// passes reports whether a value that no key opens may be read as it is.
func passes[T string | []byte](value T) bool {
	r := readThrough.Load()
	if r == nil || fernet.MaybeToken(value) || !time.Now().Before(r.until) {
		return false
	}
	r.count.Add(1)
	return true
}
