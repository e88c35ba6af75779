package fernet

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"sync"
)

// maxScratch is the largest scratch buffer that a cipherState keeps, in bytes.
// A larger token costs an allocation of its own.
const maxScratch = 2 << 20

// ringKey is one key of a ring with all that can be prepared of it. It is
// immutable and safe for concurrent use.
type ringKey struct {
	key   Key
	id    func() string // of the key the user gave, for a derived key too
	block cipher.Block

	ciphers       sync.Pool // of *cipherState
	deterministic sync.Pool // of *ivMAC
}

func newRingKey(k Key, id func() string) *ringKey {
	block, err := aes.NewCipher(k.encryption())
	if err != nil {
		panic("fernet: AES: " + err.Error()) // only for other key sizes
	}
	rk := &ringKey{key: k, id: id, block: block}
	rk.ciphers.New = func() any { return newCipherState(rk) }
	rk.deterministic.New = func() any { return newIVMAC(rk.key) }
	return rk
}

func (rk *ringKey) get() *cipherState { return rk.ciphers.Get().(*cipherState) }

// ivSetter is the method by which the standard library's CBC modes start again
// under another IV, without a new allocation. It is not part of
// cipher.BlockMode.
type ivSetter interface {
	cipher.BlockMode
	SetIV(iv []byte)
}

// freshMode stands in where the library's mode has no SetIV: it makes a new one
// each time.
type freshMode struct {
	cipher.BlockMode
	make func(iv []byte) cipher.BlockMode
}

func (m *freshMode) SetIV(iv []byte) { m.BlockMode = m.make(iv) }

func newMode(make func(iv []byte) cipher.BlockMode) ivSetter {
	mode := make(zeroIV[:])
	if s, ok := mode.(ivSetter); ok {
		return s
	}
	return &freshMode{BlockMode: mode, make: make}
}

var zeroIV [aes.BlockSize]byte

// cipherState is what one call needs of a key, and the token that the call is
// about: used by one goroutine at a time, and pooled.
type cipherState struct {
	rk       *ringKey
	mac      hash.Hash
	enc, dec ivSetter

	tag [tagSize]byte
	// scratch holds tokens while they are made or opened. It keeps no plaintext
	// after the call.
	scratch []byte
	raw     []byte // the token before base64, in scratch
}

func newCipherState(rk *ringKey) *cipherState {
	return &cipherState{
		rk:  rk,
		mac: newHMAC(rk.key.signing()),
		enc: newMode(func(iv []byte) cipher.BlockMode {
			return cipher.NewCBCEncrypter(rk.block, iv)
		}),
		dec: newMode(func(iv []byte) cipher.BlockMode {
			return cipher.NewCBCDecrypter(rk.block, iv)
		}),
	}
}

// newHMAC returns an HMAC-SHA256 whose padded keys are already hashed: crypto/hmac
// keeps that state from the first Reset on.
func newHMAC(key []byte) hash.Hash {
	mac := hmac.New(sha256.New, key)
	mac.Reset()
	return mac
}

// close hands s back to its pool. The caller keeps nothing of it.
func (s *cipherState) close() {
	if cap(s.scratch) > maxScratch {
		s.scratch = nil
	}
	s.raw = nil
	s.rk.ciphers.Put(s)
}

// room returns the scratch buffer with length n, and slack bytes of capacity
// behind it.
func (s *cipherState) room(n int) []byte {
	if cap(s.scratch) < n+slack {
		s.scratch = make([]byte, n+slack+n/8)
	}
	return s.scratch[:n]
}

func (s *cipherState) iv() []byte   { return s.raw[ivOffset:bodyOffset] }
func (s *cipherState) body() []byte { return s.raw[bodyOffset : len(s.raw)-tagSize] }

// authentic reports whether the token ends in the tag of what stands before.
func (s *cipherState) authentic() bool {
	n := len(s.raw) - tagSize
	s.mac.Reset()
	s.mac.Write(s.raw[:n])
	return hmac.Equal(s.mac.Sum(s.tag[:0]), s.raw[n:])
}
