package fernet

import (
	"crypto/aes"
	"crypto/hmac"
	"crypto/sha256"
	"hash"
)

// EncryptDeterministic returns the one text token that plaintext has under the
// primary key: equal plaintexts give equal tokens, so that a database can
// compare, group and keep unique what it cannot read. It is an ordinary Fernet
// token, which [Keyring.Decrypt] and every other implementation opens, with the
// timestamp 0 and with the IV derived from the plaintext by a key of its own
// (docs/format.md).
//
// Whoever sees the column sees which rows are equal and how often each value
// occurs; with few or skewed values that can be enough to guess them. Where
// nothing has to be compared, use [Keyring.Encrypt].
func (kr *Keyring) EncryptDeterministic(plaintext []byte) []byte {
	return kr.primary().deterministicToken(plaintext, formText)
}

// DeterministicTokens returns the deterministic text token of plaintext under
// every key of the ring, the primary key's first: the values to look for while
// not every row has been rotated.
func (kr *Keyring) DeterministicTokens(plaintext []byte) [][]byte {
	kr.check()
	tokens := make([][]byte, len(kr.keys))
	for i, rk := range kr.keys {
		tokens[i] = rk.deterministicToken(plaintext, formText)
	}
	return tokens
}

func (rk *ringKey) deterministicToken(plaintext []byte, f form) []byte {
	iv := rk.deterministicIV(plaintext)
	return rk.appendToken(nil, plaintext, 0, &iv, f)
}

// isDeterministic reports whether iv is that of a deterministic token of
// plaintext under rk.
func (rk *ringKey) isDeterministic(iv, plaintext []byte) bool {
	want := rk.deterministicIV(plaintext)
	return hmac.Equal(want[:], iv)
}

// deterministicIV is the first 16 bytes of HMAC-SHA256 of the plaintext: the
// synthetic IV construction of RFC 5297, section 2, with another PRF. Its key
// serves nothing else.
func (rk *ringKey) deterministicIV(plaintext []byte) (iv [aes.BlockSize]byte) {
	m := rk.deterministic.Get().(*ivMAC)
	defer rk.deterministic.Put(m)
	m.mac.Reset()
	m.mac.Write(plaintext)
	copy(iv[:], m.mac.Sum(m.sum[:0]))
	return iv
}

// ivMAC is a pooled HMAC under the deterministic subkey of one key.
type ivMAC struct {
	mac hash.Hash
	sum [sha256.Size]byte
}

func newIVMAC(k Key) *ivMAC {
	return &ivMAC{mac: newHMAC(k.derive(sha256.Size, labelDeterministic))}
}
