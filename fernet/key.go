package fernet

import (
	"crypto/hmac"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
)

// Sizes of a key, in bytes (Fernet specification, "Key Format").
const (
	keySize     = 32
	signingSize = 16 // the first half signs
	idSize      = 8  // bytes of a key ID, printed as 16 hexadecimal digits
)

// keyChars is the length of an encoded key, the last character a '='.
const keyChars = 44

// ErrInvalidKey is wrapped by every error about a key: one that does not parse,
// is zero, or signs like another of its ring. No such error holds any part of a
// key.
var ErrInvalidKey = errors.New("fernet: invalid key")

// A Key is a Fernet key: 16 bytes that sign and 16 bytes that encrypt. The zero
// Key is no key; [NewKeyring] refuses it. A Key is immutable and safe for
// concurrent use.
//
// Printed by fmt or slog, a Key shows a fixed marker and its [Key.ID]; in an
// unexported field of another struct, where fmt calls no methods, an address. A
// Key cannot be compared with == or reflect.DeepEqual; use [Key.Equal].
type Key struct {
	// secret returns the bytes. They are behind a function because fmt, which
	// calls no methods on unexported fields of other structs, can follow a
	// pointer there: %s of such a struct prints the bytes that it points to.
	// It also makes == impossible, which is not constant in time.
	secret func() *[keySize]byte
}

// GenerateKey returns a new random key from the operating system's generator.
// Keep [Key.Encode] of it where the data is not: without the key, what it
// encrypted is lost.
func GenerateKey() Key {
	b := new([keySize]byte)
	rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return keyOf(b)
}

// ParseKey reads a key in the form that [Key.Encode] and Python's
// Fernet.generate_key write: 44 characters, the canonical URL-safe base64 of 32
// bytes. Any other spelling, surrounding white space included, and a key of
// only zero bytes give an error that wraps [ErrInvalidKey] and says what is
// wrong without repeating s.
func ParseKey(s string) (Key, error) {
	if len(s) != keyChars {
		return Key{}, fmt.Errorf("%w: %d characters, want %d", ErrInvalidKey, len(s), keyChars)
	}
	var buf [keySize + slack]byte
	if n, ok := decodedLen(s); !ok || n != keySize || !decodeBase64(buf[:], s) {
		return Key{}, fmt.Errorf("%w: not canonical URL-safe base64 of %d bytes", ErrInvalidKey, keySize)
	}
	k := newKey(buf[:keySize])
	if hmac.Equal(k.secret()[:], make([]byte, keySize)) {
		return Key{}, fmt.Errorf("%w: every byte is zero", ErrInvalidKey)
	}
	return k, nil
}

// newKey copies keySize bytes.
func newKey(b []byte) Key {
	c := [keySize]byte(b)
	return keyOf(&c)
}

func keyOf(b *[keySize]byte) Key {
	return Key{secret: func() *[keySize]byte { return b }}
}

// Encode returns the key's 44 characters. It is the only way to take the secret
// out of a Key. The zero Key encodes to "".
func (k Key) Encode() string {
	if k.IsZero() {
		return ""
	}
	out := make([]byte, keyChars)
	encodeBase64(out, k.secret()[:])
	return string(out)
}

// ID returns the key's public fingerprint: 16 hexadecimal digits that identify
// the key and tell nothing of it (HKDF-SHA256 of the key, under a label of its
// own). It is safe to log and to store. The zero Key has the ID "".
func (k Key) ID() string {
	if k.IsZero() {
		return ""
	}
	return hex.EncodeToString(k.derive(idSize, labelKeyID))
}

// IsZero reports whether k is the zero Key.
func (k Key) IsZero() bool { return k.secret == nil }

// Equal reports in constant time whether two keys are the same.
func (k Key) Equal(other Key) bool {
	if k.IsZero() || other.IsZero() {
		return k.IsZero() && other.IsZero()
	}
	return hmac.Equal(k.secret()[:], other.secret()[:])
}

func (k Key) signing() []byte    { return k.secret()[:signingSize] }
func (k Key) encryption() []byte { return k.secret()[signingSize:] }

func (k Key) redacted() string {
	if k.IsZero() {
		return "fernet.Key(zero)"
	}
	return "fernet.Key(REDACTED, ID " + k.ID() + ")"
}

// String returns the marker that stands for the key in print.
func (k Key) String() string { return k.redacted() }

// GoString returns the marker that stands for the key in print.
func (k Key) GoString() string { return k.redacted() }

// Format writes the marker, for every verb.
func (k Key) Format(f fmt.State, _ rune) { io.WriteString(f, k.redacted()) }

// LogValue returns the marker as a slog value.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.redacted()) }

// onceID returns a function that computes the key's ID on its first call.
func (k Key) onceID() func() string { return sync.OnceValue(k.ID) }
