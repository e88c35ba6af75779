// Package benchmarks compares package fernet with its peers, on one key and one
// machine: github.com/fernet/fernet-go (the other Fernet for Go), tink-go's
// AES-CTR-HMAC (other tokens, the same primitives), and a [Floor] of the bare
// standard library.
//
// The program in ratios prints the comparison as tables; the Benchmark functions
// are for benchstat.
package benchmarks

import (
	"bytes"
	"encoding/base64"
	"fmt"

	fernetgo "github.com/fernet/fernet-go"
	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"

	"github.com/fernetcol/fernetcol/fernet"
)

// Sizes are the lengths of plaintext, in bytes, that everything is measured at:
// from a name to a document.
var Sizes = []int{16, 64, 256, 1 << 10, 16 << 10, 1 << 20}

// SizeName returns n as a reader writes it: "16 B", "1 KiB".
func SizeName(n int) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d B", n)
}

// Plaintext returns n bytes to encrypt, always the same.
func Plaintext(n int) []byte { return bytes.Repeat([]byte("fernetcol "), n/10+1)[:n] }

// A Field holds the contenders, all under one key, but for Tink, which makes its
// own. Only Keyring is safe for concurrent use.
type Field struct {
	Keyring  *fernet.Keyring
	FernetGo []*fernetgo.Key // what its VerifyAndDecrypt takes; one key
	Tink     tink.AEAD       // AES-128-CTR with HMAC-SHA256, tag of 32 bytes
	Floor    *Floor
}

// NewField returns contenders under a new key.
func NewField() (*Field, error) {
	key := fernet.GenerateKey()
	keyring, err := fernet.NewKeyring(key)
	if err != nil {
		return nil, err
	}
	peer, err := fernetgo.DecodeKeys(key.Encode())
	if err != nil {
		return nil, fmt.Errorf("benchmarks: key of fernet-go: %w", err)
	}
	secret, err := base64.URLEncoding.DecodeString(key.Encode())
	if err != nil {
		return nil, fmt.Errorf("benchmarks: key of the floor: %w", err)
	}
	floor, err := NewFloor([keySize]byte(secret))
	if err != nil {
		return nil, err
	}
	handle, err := keyset.NewHandle(aead.AES128CTRHMACSHA256KeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("benchmarks: key of Tink: %w", err)
	}
	tinkAEAD, err := aead.New(handle)
	if err != nil {
		return nil, fmt.Errorf("benchmarks: Tink: %w", err)
	}
	return &Field{Keyring: keyring, FernetGo: peer, Tink: tinkAEAD, Floor: floor}, nil
}

// NewRing returns a ring of n new keys, and a second ring of only its last.
func NewRing(n int) (ring, last *fernet.Keyring, err error) {
	keys := make([]fernet.Key, n)
	for i := range keys {
		keys[i] = fernet.GenerateKey()
	}
	if ring, err = fernet.NewKeyring(keys[0], keys[1:]...); err != nil {
		return nil, nil, err
	}
	if last, err = fernet.NewKeyring(keys[n-1]); err != nil {
		return nil, nil, err
	}
	return ring, last, nil
}
