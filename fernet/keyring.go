package fernet

import (
	"crypto/hmac"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"
)

// A Keyring encrypts under its primary key and decrypts what any of its keys
// encrypted. It is immutable and safe for concurrent use; make a new one to
// change the keys. It holds prepared ciphers: make one per set of keys, and keep
// it.
type Keyring struct {
	keys        []*ringKey // the primary first
	maxTokenLen int

	// hint is the index of the key that opened the last token. Neighbouring
	// rows were mostly written under one key, so it is the one to try first.
	hint atomic.Int32
}

// NewKeyring returns a ring whose primary key encrypts and whose retired keys
// only decrypt. It refuses the zero Key, the same key twice, and two keys with the
// same signing half, with an error that wraps [ErrInvalidKey] and says which one.
func NewKeyring(primary Key, retired ...Key) (*Keyring, error) {
	keys := append([]Key{primary}, retired...)
	kr := &Keyring{maxTokenLen: DefaultMaxTokenLen}
	for i, k := range keys {
		if k.IsZero() {
			return nil, fmt.Errorf("%w: the %s is the zero Key; use ParseKey or GenerateKey", ErrInvalidKey, place(i))
		}
		for j, earlier := range keys[:i] {
			if k.Equal(earlier) {
				return nil, fmt.Errorf("%w: the %s repeats the %s (ID %s)", ErrInvalidKey, place(i), place(j), k.ID())
			}
			// The tag alone says under which key a token is.
			if hmac.Equal(k.signing(), earlier.signing()) {
				return nil, fmt.Errorf("%w: the %s has the signing half of the %s", ErrInvalidKey, place(i), place(j))
			}
		}
		kr.keys = append(kr.keys, newRingKey(k, k.onceID()))
	}
	return kr, nil
}

func place(i int) string {
	if i == 0 {
		return "primary key"
	}
	return fmt.Sprintf("retired key %d", i)
}

// Derive returns a ring in which every key is replaced by a subkey for context,
// made by HKDF-SHA256: tokens of one context do not open in another, nor in the
// ring itself. Each element counts for itself, so ("ab", "c") and ("a", "bc")
// differ. [Keyring.KeyID] of the result still gives the IDs of the keys of kr.
// Deriving costs some microseconds a key; keep the result.
func (kr *Keyring) Derive(context ...string) *Keyring {
	derived := &Keyring{maxTokenLen: kr.maxTokenLen}
	for _, rk := range kr.keys {
		k := newKey(rk.key.derive(keySize, labelDerive, context...))
		derived.keys = append(derived.keys, newRingKey(k, rk.id))
	}
	return derived
}

// WithMaxTokenLen returns a ring of the same keys that refuses, in
// [Keyring.DecryptString] and in the column types, a token longer than n bytes.
// The other methods have no limit.
func (kr *Keyring) WithMaxTokenLen(n int) *Keyring {
	return &Keyring{keys: kr.keys, maxTokenLen: n}
}

// MaxTokenLen returns the limit that [Keyring.WithMaxTokenLen] set, or
// [DefaultMaxTokenLen].
func (kr *Keyring) MaxTokenLen() int { return kr.maxTokenLen }

// PrimaryID returns the [Key.ID] of the key that encrypts.
func (kr *Keyring) PrimaryID() string { return kr.primary().id() }

// KeyID returns the [Key.ID] of the key that opens token, or [ErrInvalidToken].
// It checks the tag and decrypts nothing.
func (kr *Keyring) KeyID(token []byte) (string, error) {
	s := authenticate(kr, token, nil)
	if s == nil {
		return "", ErrInvalidToken
	}
	defer s.close()
	return s.rk.id(), nil
}

// ExtractTimestamp returns when token was made, in UTC and to the second, once
// its tag is found right; else [ErrInvalidToken]. A token dated later than
// time.Time can hold (the year 292277024627) gives ErrInvalidToken too.
func (kr *Keyring) ExtractTimestamp(token []byte) (time.Time, error) {
	s := authenticate(kr, token, nil)
	if s == nil {
		return time.Time{}, ErrInvalidToken
	}
	defer s.close()
	ts := timestamp(s.raw)
	if ts > maxUnix {
		return time.Time{}, ErrInvalidToken
	}
	return time.Unix(int64(ts), 0).UTC(), nil
}

// Rotate returns a new token of the same plaintext and time under the primary
// key, in the same form: text stays text and raw stays raw, and a deterministic
// token stays one. A token already under the primary key gets a new IV. If no
// key opens it, the error is [ErrInvalidToken].
func (kr *Keyring) Rotate(token []byte) ([]byte, error) {
	s, plaintext := open(kr, token, nil)
	if s == nil {
		return nil, ErrInvalidToken
	}
	defer s.erase()
	f := form(token[0] != version)
	ts := timestamp(s.raw)
	if ts == 0 && s.rk.isDeterministic(s.iv(), plaintext) {
		return kr.primary().deterministicToken(plaintext, f), nil
	}
	return kr.primary().appendToken(nil, plaintext, ts, nil, f), nil
}

func (kr *Keyring) primary() *ringKey {
	kr.check()
	return kr.keys[0]
}

func (kr *Keyring) likely() int {
	kr.check()
	return int(kr.hint.Load())
}

// check stops a caller who made a Keyring without NewKeyring, with a message
// instead of an index out of range.
func (kr *Keyring) check() {
	if kr == nil || len(kr.keys) == 0 {
		panic("fernet: use of a Keyring that NewKeyring did not make")
	}
}

func (kr *Keyring) redacted() string {
	if kr == nil || len(kr.keys) == 0 {
		return "fernet.Keyring(empty)"
	}
	return fmt.Sprintf("fernet.Keyring(REDACTED, primary ID %s, %d retired)", kr.PrimaryID(), len(kr.keys)-1)
}

// String returns a marker with the primary key's ID.
func (kr *Keyring) String() string { return kr.redacted() }

// GoString returns the same marker as String.
func (kr *Keyring) GoString() string { return kr.redacted() }

// Format writes the marker, for every verb.
func (kr *Keyring) Format(f fmt.State, _ rune) { io.WriteString(f, kr.redacted()) }

// LogValue returns the marker as a slog value.
func (kr *Keyring) LogValue() slog.Value { return slog.StringValue(kr.redacted()) }
