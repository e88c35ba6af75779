package benchmarks_test

import (
	"fmt"
	"testing"

	fernetgo "github.com/fernet/fernet-go"

	"github.com/fernetcol/fernetcol/benchmarks"
	"github.com/fernetcol/fernetcol/fernet"
)

// ringSizes are the numbers of keys that rings are measured with.
var ringSizes = []int{1, 3, 10}

// eachRing runs f at every size of plaintext and of ring. The tokens are under
// the ring's last key: after the first, a ring that remembers which key opened
// it should cost what one key costs.
func eachRing(b *testing.B, f func(b *testing.B, ring *fernet.Keyring, plaintext, token []byte)) {
	for _, size := range benchmarks.Sizes {
		for _, n := range ringSizes {
			b.Run(fmt.Sprintf("size=%d/keys=%d", size, n), func(b *testing.B) {
				ring, last, err := benchmarks.NewRing(n)
				if err != nil {
					b.Fatal(err)
				}
				plaintext := benchmarks.Plaintext(size)
				token := last.Encrypt(plaintext)
				b.SetBytes(int64(size))
				b.ReportAllocs()
				f(b, ring, plaintext, token)
			})
		}
	}
}

func BenchmarkEncrypt(b *testing.B) {
	eachRing(b, func(b *testing.B, ring *fernet.Keyring, plaintext, _ []byte) {
		for b.Loop() {
			ring.Encrypt(plaintext)
		}
	})
}

func BenchmarkAppendEncrypt(b *testing.B) {
	eachRing(b, func(b *testing.B, ring *fernet.Keyring, plaintext, token []byte) {
		dst := make([]byte, 0, len(token))
		for b.Loop() {
			ring.AppendEncrypt(dst, plaintext)
		}
	})
}

func BenchmarkEncryptString(b *testing.B) {
	eachRing(b, func(b *testing.B, ring *fernet.Keyring, plaintext, _ []byte) {
		s := string(plaintext)
		for b.Loop() {
			ring.EncryptString(s)
		}
	})
}

func BenchmarkDecrypt(b *testing.B) {
	eachRing(b, func(b *testing.B, ring *fernet.Keyring, _, token []byte) {
		for b.Loop() {
			if _, err := ring.Decrypt(token); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkAppendDecrypt(b *testing.B) {
	eachRing(b, func(b *testing.B, ring *fernet.Keyring, plaintext, token []byte) {
		dst := make([]byte, 0, len(plaintext))
		for b.Loop() {
			if _, err := ring.AppendDecrypt(dst, token); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecryptString(b *testing.B) {
	eachRing(b, func(b *testing.B, ring *fernet.Keyring, _, token []byte) {
		s := string(token)
		for b.Loop() {
			if _, err := ring.DecryptString(s); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkAppendDecryptMixedKeys reads tokens that take turns between the keys
// of the ring, so that remembering the last key never helps: the worst case.
func BenchmarkAppendDecryptMixedKeys(b *testing.B) {
	const size = 64
	for _, n := range ringSizes {
		b.Run(fmt.Sprintf("size=%d/keys=%d", size, n), func(b *testing.B) {
			keys := make([]fernet.Key, n)
			tokens := make([][]byte, n)
			for i := range keys {
				keys[i] = fernet.GenerateKey()
				kr, err := fernet.NewKeyring(keys[i])
				if err != nil {
					b.Fatal(err)
				}
				tokens[i] = kr.Encrypt(benchmarks.Plaintext(size))
			}
			ring, err := fernet.NewKeyring(keys[0], keys[1:]...)
			if err != nil {
				b.Fatal(err)
			}
			dst := make([]byte, 0, size)
			b.SetBytes(size)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, err := ring.AppendDecrypt(dst, tokens[i%n]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkPeerEncrypt and BenchmarkPeerDecrypt measure the others, with one
// key.
func BenchmarkPeerEncrypt(b *testing.B) {
	eachPeer(b, func(p peer, plaintext, _ []byte) {
		p.encrypt(plaintext)
	})
}

func BenchmarkPeerDecrypt(b *testing.B) {
	eachPeer(b, func(p peer, _, token []byte) {
		p.decrypt(token)
	})
}

type peer struct {
	name             string
	encrypt, decrypt func(in []byte) []byte // nil if it fails
}

func peers(f *benchmarks.Field, room []byte) []peer {
	return []peer{
		{
			"fernet-go",
			func(plaintext []byte) []byte {
				token, err := fernetgo.EncryptAndSign(plaintext, f.FernetGo[0])
				if err != nil {
					return nil
				}
				return token
			},
			func(token []byte) []byte { return fernetgo.VerifyAndDecrypt(token, 0, f.FernetGo) },
		},
		{
			"tink",
			func(plaintext []byte) []byte {
				ciphertext, err := f.Tink.Encrypt(plaintext, nil)
				if err != nil {
					return nil
				}
				return ciphertext
			},
			func(ciphertext []byte) []byte {
				plaintext, err := f.Tink.Decrypt(ciphertext, nil)
				if err != nil {
					return nil
				}
				return plaintext
			},
		},
		{
			"floor",
			func(plaintext []byte) []byte { return f.Floor.AppendEncrypt(room[:0], plaintext) },
			func(token []byte) []byte { return f.Floor.AppendDecrypt(room[:0], token) },
		},
	}
}

func eachPeer(b *testing.B, f func(p peer, plaintext, token []byte)) {
	field := newField(b)
	for _, size := range benchmarks.Sizes {
		plaintext := benchmarks.Plaintext(size)
		for _, p := range peers(field, make([]byte, fernet.TokenLen(size))) {
			token := append([]byte(nil), p.encrypt(plaintext)...)
			if len(token) == 0 || string(p.decrypt(token)) != string(plaintext) {
				b.Fatalf("%s does not open its own token of %s", p.name, benchmarks.SizeName(size))
			}
			b.Run(fmt.Sprintf("size=%d/peer=%s", size, p.name), func(b *testing.B) {
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					f(p, plaintext, token)
				}
			})
		}
	}
}

func newField(tb testing.TB) *benchmarks.Field {
	tb.Helper()
	f, err := benchmarks.NewField()
	if err != nil {
		tb.Fatal(err)
	}
	return f
}
