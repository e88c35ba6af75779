package benchmarks_test

import (
	"bytes"
	"testing"

	fernetgo "github.com/fernet/fernet-go"

	"github.com/fernetcol/fernetcol/benchmarks"
	"github.com/fernetcol/fernetcol/fernet"
)

// TestContendersReadEachOther shows that all measure the same work: each opens
// the tokens of all the others.
func TestContendersReadEachOther(t *testing.T) {
	t.Parallel()
	f := newField(t)
	for _, size := range append([]int{0, 1, 15, 17}, benchmarks.Sizes...) {
		plaintext := benchmarks.Plaintext(size)
		theirs, err := fernetgo.EncryptAndSign(plaintext, f.FernetGo[0])
		if err != nil {
			t.Fatal(err)
		}
		tokens := map[string][]byte{
			"Keyring":   f.Keyring.Encrypt(plaintext),
			"fernet-go": theirs,
			"floor":     f.Floor.AppendEncrypt(make([]byte, 0, fernet.TokenLen(size)), plaintext),
		}
		for maker, token := range tokens {
			if len(token) != fernet.TokenLen(size) {
				t.Errorf("%s, %d bytes: token of %d characters, want %d", maker, size, len(token), fernet.TokenLen(size))
			}
			ours, err := f.Keyring.Decrypt(token)
			if err != nil || !bytes.Equal(ours, plaintext) {
				t.Errorf("Keyring does not read %s, %d bytes: %v", maker, size, err)
			}
			if got := fernetgo.VerifyAndDecrypt(token, 0, f.FernetGo); !bytes.Equal(got, plaintext) {
				t.Errorf("fernet-go does not read %s, %d bytes", maker, size)
			}
			room := make([]byte, 0, fernet.TokenLen(size))
			if got := f.Floor.AppendDecrypt(room, token); got == nil || !bytes.Equal(got, plaintext) {
				t.Errorf("the floor does not read %s, %d bytes", maker, size)
			}
		}
	}
}

func TestContendersRejectAlteredToken(t *testing.T) {
	t.Parallel()
	f := newField(t)
	token := f.Keyring.Encrypt(benchmarks.Plaintext(64))
	token[40] ^= 1
	if _, err := f.Keyring.Decrypt(token); err == nil {
		t.Error("Keyring reads it")
	}
	if fernetgo.VerifyAndDecrypt(token, 0, f.FernetGo) != nil {
		t.Error("fernet-go reads it")
	}
	if f.Floor.AppendDecrypt(make([]byte, 0, len(token)), token) != nil {
		t.Error("the floor reads it")
	}
}

func TestTinkReadsItsOwn(t *testing.T) {
	t.Parallel()
	f := newField(t)
	for _, size := range benchmarks.Sizes {
		plaintext := benchmarks.Plaintext(size)
		ciphertext, err := f.Tink.Encrypt(plaintext, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := f.Tink.Decrypt(ciphertext, nil)
		if err != nil || !bytes.Equal(got, plaintext) {
			t.Errorf("%s: %v", benchmarks.SizeName(size), err)
		}
	}
}

func TestNewRingReadsTokensOfItsLastKey(t *testing.T) {
	t.Parallel()
	for _, n := range ringSizes {
		ring, last, err := benchmarks.NewRing(n)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ring.Decrypt(last.Encrypt(nil)); err != nil {
			t.Errorf("%d keys: %v", n, err)
		}
		if single := ring.PrimaryID() == last.PrimaryID(); single != (n == 1) {
			t.Errorf("%d keys: the last key is the primary: %v", n, single)
		}
	}
}

// TestAllocations is not parallel: testing.AllocsPerRun counts those of every
// goroutine.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool forget")
	}
	f := newField(t)
	for _, size := range benchmarks.Sizes {
		plaintext := benchmarks.Plaintext(size)
		token := f.Keyring.Encrypt(plaintext)
		plainString, tokenString := string(plaintext), string(token)
		room := make([]byte, 0, len(token))
		for _, c := range []struct {
			name string
			want float64
			run  func()
		}{
			{"AppendEncrypt", 0, func() { f.Keyring.AppendEncrypt(room, plaintext) }},
			{"AppendDecrypt", 0, func() { f.Keyring.AppendDecrypt(room, token) }},
			{"Encrypt", 1, func() { f.Keyring.Encrypt(plaintext) }},
			{"Decrypt", 1, func() { f.Keyring.Decrypt(token) }},
			{"EncryptString", 1, func() { f.Keyring.EncryptString(plainString) }},
			{"DecryptString", 1, func() { f.Keyring.DecryptString(tokenString) }},
			{"floor's AppendEncrypt", 0, func() { f.Floor.AppendEncrypt(room, plaintext) }},
			{"floor's AppendDecrypt", 0, func() { f.Floor.AppendDecrypt(room, token) }},
		} {
			if got := testing.AllocsPerRun(100, c.run); got != c.want {
				t.Errorf("%s, %s: %v allocations, want %v", c.name, benchmarks.SizeName(size), got, c.want)
			}
		}
	}
}
