package fernet

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"sync"
)

// The seams by which the tests in package fernet_test fix what is random, and
// see what no caller sees.

const (
	MaxScratch  = maxScratch
	MaxUnix     = maxUnix
	StreamChunk = streamChunk
	Slack       = slack
)

// TokenAt is a token of that time and IV, where Encrypt takes the current time
// and a random IV.
func TokenAt(kr *Keyring, plaintext []byte, timestamp uint64, iv [aes.BlockSize]byte, raw bool) []byte {
	return kr.primary().appendToken(nil, plaintext, timestamp, &iv, form(!raw))
}

// SignedByAny is the check that long tokens pass first, here for short ones.
func SignedByAny(kr *Keyring, token []byte) (asBytes, asString bool) {
	isText := token[0] == firstChar
	return signedByAny(kr, token, isText), signedByAny(kr, string(token), isText)
}

// Hint is the index of the key that kr tries first.
func Hint(kr *Keyring) int { return int(kr.hint.Load()) }

// WatchScratch returns a function that reports whether b stands in the scratch
// buffer of any state that kr has made since. Call it before kr is used, and the
// function while nobody uses kr.
func WatchScratch(kr *Keyring) (holds func(b []byte) bool) {
	var mu sync.Mutex
	var states []*cipherState
	for _, rk := range kr.keys {
		rk.ciphers.New = func() any {
			s := newCipherState(rk)
			mu.Lock()
			defer mu.Unlock()
			states = append(states, s)
			return s
		}
	}
	return func(b []byte) bool {
		mu.Lock()
		defer mu.Unlock()
		for _, s := range states {
			if bytes.Contains(s.scratch[:cap(s.scratch)], b) {
				return true
			}
		}
		return false
	}
}

// WithoutSetIV makes kr use cipher modes as if the standard library's had no
// SetIV. Call it before kr is used.
func WithoutSetIV(kr *Keyring) {
	type bare struct{ cipher.BlockMode }
	for _, rk := range kr.keys {
		rk.ciphers.New = func() any {
			s := newCipherState(rk)
			s.enc = newMode(func(iv []byte) cipher.BlockMode { return bare{cipher.NewCBCEncrypter(rk.block, iv)} })
			s.dec = newMode(func(iv []byte) cipher.BlockMode { return bare{cipher.NewCBCDecrypter(rk.block, iv)} })
			return s
		}
	}
}

func EncodeBase64(src []byte) []byte {
	dst := make([]byte, encodedLen(len(src)))
	encodeBase64(dst, src)
	return dst
}

func DecodedLen(src string) (n int, ok bool) { return decodedLen(src) }

// DecodeBase64 decodes to the beginning of dst.
func DecodeBase64[T text](dst []byte, src T) bool { return decodeBase64(dst, src) }
