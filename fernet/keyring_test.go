package fernet_test

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fernetcol/fernetcol/fernet"
)

// Every length up to beyond the parts in which a long string is encoded.
func TestRoundTripAtEveryLength(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	kr := newRing(t, 0)
	dst := []byte("before")
	for n := 0; n < 6500; n += 1 + n/1000*(stride-1) {
		plaintext := randomBytes(r, n)
		for name, token := range map[string][]byte{
			"Encrypt":              kr.Encrypt(plaintext),
			"EncryptAtTime":        kr.EncryptAtTime(plaintext, time.Unix(1, 0)),
			"EncryptRaw":           kr.EncryptRaw(plaintext),
			"EncryptString":        []byte(kr.EncryptString(string(plaintext))),
			"AppendEncrypt":        kr.AppendEncrypt(nil, plaintext),
			"EncryptDeterministic": kr.EncryptDeterministic(plaintext),
		} {
			want := fernet.TokenLen(n)
			if name == "EncryptRaw" {
				want = fernet.RawTokenLen(n)
			}
			if len(token) != want {
				t.Errorf("%s of %d bytes: %d bytes, want %d", name, n, len(token), want)
			}
			got, err := kr.AppendDecrypt(dst, token)
			if err != nil || !bytes.HasPrefix(got, dst) || !bytes.Equal(got[len(dst):], plaintext) {
				t.Errorf("%s of %d bytes does not come back: %v", name, n, err)
			}
			if n < 100 {
				wantOpens(t, kr, token, plaintext, "%s of %d bytes", name, n)
			}
		}
	}
}

func TestEncryptNeverRepeatsAnIV(t *testing.T) {
	t.Parallel()
	kr := newRing(t, 0)
	seen := map[string]bool{}
	for range 5000 {
		for _, raw := range [][]byte{kr.EncryptRaw(nil), kr.EncryptRaw(nil)} {
			iv := string(raw[9:25])
			if seen[iv] {
				t.Fatal("an IV came twice")
			}
			seen[iv] = true
		}
	}
	token := kr.Encrypt([]byte("plaintext"))
	rotated, err := kr.Rotate(token)
	if err != nil || bytes.Equal(rotated, token) {
		t.Errorf("Rotate under the same key keeps the IV: %v", err)
	}
}

func TestDecryptReturnsNewMemory(t *testing.T) {
	t.Parallel()
	kr := newRing(t, 0)
	for _, n := range []int{0, 1, 100} {
		plaintext := bytes.Repeat([]byte{'p'}, n)
		for _, token := range [][]byte{kr.Encrypt(plaintext), kr.EncryptRaw(plaintext)} {
			a, err := kr.Decrypt(token)
			if err != nil || a == nil {
				t.Fatalf("%d bytes: nil, or err %v", n, err)
			}
			b, err := kr.Decrypt(token)
			if err != nil {
				t.Fatal(err)
			}
			clear(a[:cap(a)])
			kr.Encrypt(bytes.Repeat([]byte{'q'}, n))
			if !bytes.Equal(b, plaintext) {
				t.Errorf("%d bytes: two results share memory", n)
			}
		}
	}
	if out, err := kr.AppendDecrypt(nil, kr.Encrypt(nil)); err != nil || out == nil {
		t.Errorf("AppendDecrypt of nothing to nil: nil, or err %v", err)
	}
}

// What lies in dst's spare capacity is read before it is written over.
func TestAppendWorksInPlace(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	kr := newRing(t, 0, 1)
	for n := range 300 {
		plaintext := randomBytes(r, n)
		buf := append(make([]byte, 0, fernet.TokenLen(n)+n), plaintext...)
		token := kr.AppendEncrypt(buf[:0], buf)
		if &token[0] != &buf[:1][0] {
			t.Fatalf("%d bytes: AppendEncrypt left a dst with room", n)
		}
		got, err := kr.AppendDecrypt(token[:0], token)
		if err != nil || !bytes.Equal(got, plaintext) {
			t.Errorf("%d bytes do not come back in place: %v", n, err)
		}
		if n > 0 && &got[0] != &token[0] {
			t.Errorf("%d bytes: AppendDecrypt left a dst with room", n)
		}
	}
	// Beyond the token, nothing is written.
	spare := bytes.Repeat([]byte{0xc5}, 500)
	token := kr.AppendEncrypt(spare[:3], []byte("plaintext"))
	if len(token) != 3+fernet.TokenLen(9) || bytes.Count(spare, []byte{0xc5}) < 500-fernet.TokenLen(9) {
		t.Error("AppendEncrypt writes before or beyond its token")
	}
}

func TestWrongKeyIsRefused(t *testing.T) {
	t.Parallel()
	kr, other := newRing(t, 0, 1, 2), newRing(t, 3, 4)
	for n := range 50 {
		for _, raw := range []bool{false, true} {
			wantRefused(t, other, fernet.TokenAt(kr, make([]byte, n), 1, [16]byte{}, raw), "%d bytes, raw %v", n, raw)
		}
	}
	// Each half of the key counts: another half that encrypts cannot decrypt, and
	// another half that signs does not authenticate.
	a, b := fakeKey(0).Encode(), fakeKey(1).Encode()
	token := kr.Encrypt(bytes.Repeat([]byte("plaintext"), 10))
	wantRefused(t, ringOf(t, b[:20]+a[20:]), token, "another signing half")
	for _, opened := range openings {
		got, err := opened.open(ringOf(t, a[:24]+b[24:]), token)
		if err == nil && bytes.Contains(got, []byte("plaintext")) {
			t.Errorf("%s opens a token under another encryption half", opened.name)
		}
	}
}

func TestKeyIDNamesTheKeyOfEachToken(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	const keys = 10
	kr := newRing(t, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
	makers := make([]*fernet.Keyring, keys)
	for i := range makers {
		makers[i] = newRing(t, i)
	}
	for range 3000 {
		i, raw := r.IntN(keys), r.IntN(2) == 0
		plaintext := randomBytes(r, r.IntN(64))
		token := fernet.TokenAt(makers[i], plaintext, 1, randomIV(r), raw)
		id, err := kr.KeyID(token)
		if err != nil || id != fakeKey(i).ID() {
			t.Fatalf("key %d: KeyID %q, %v", i, id, err)
		}
		if fernet.Hint(kr) != i {
			t.Fatalf("key %d is not the one to try first after it opened a token, but %d", i, fernet.Hint(kr))
		}
		wantOpens(t, kr, token, plaintext, "key %d", i)
		token[r.IntN(len(token))] ^= 1
		wantRefused(t, kr, token, "key %d, altered", i)
	}
}

func TestConcurrentUseOfOneRing(t *testing.T) {
	t.Parallel()
	const goroutines, keys = 8, 5
	kr := newRing(t, 0, 1, 2, 3, 4)
	seed := seeded(t).Uint64()
	var wg sync.WaitGroup
	for g := range goroutines {
		maker := newRing(t, g%keys)
		wg.Go(func() {
			for i := range 400 {
				n := int(seed>>(i%32)&0x7f) * (g + 1)
				plaintext := bytes.Repeat([]byte{byte(g)}, n)
				for _, token := range [][]byte{maker.Encrypt(plaintext), maker.EncryptRaw(plaintext), maker.EncryptDeterministic(plaintext)} {
					got, err := kr.Decrypt(token)
					if err != nil || !bytes.Equal(got, plaintext) {
						t.Errorf("goroutine %d: err %v, or another's plaintext", g, err)
						return
					}
					if id, err := kr.KeyID(token); err != nil || id != fakeKey(g%keys).ID() {
						t.Errorf("goroutine %d: KeyID %q, %v", g, id, err)
						return
					}
					rotated, err := kr.Rotate(token)
					if err != nil {
						t.Errorf("goroutine %d: Rotate: %v", g, err)
						return
					}
					if id, err := kr.KeyID(rotated); err != nil || id != kr.PrimaryID() {
						t.Errorf("goroutine %d: rotated to %q, %v", g, id, err)
						return
					}
					token[len(token)-1] ^= 1
					if _, err := kr.Decrypt(token); err != fernet.ErrInvalidToken {
						t.Errorf("goroutine %d: an altered token gives %v", g, err)
						return
					}
				}
				if s, err := kr.DecryptString(kr.EncryptString(string(plaintext))); err != nil || s != string(plaintext) {
					t.Errorf("goroutine %d: strings: %v", g, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestRotateKeepsTimeFormAndDeterminism(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	old, kr, primary := newRing(t, 1), newRing(t, 0, 1), newRing(t, 0)
	for n := 0; n < 200; n += stride {
		plaintext := randomBytes(r, n)
		for _, raw := range []bool{false, true} {
			for _, at := range []uint64{0, 1, 1_700_000_000, 1 << 36, 1 << 63, 1<<64 - 1} {
				token := fernet.TokenAt(old, plaintext, at, randomIV(r), raw)
				rotated, err := kr.Rotate(token)
				if err != nil {
					t.Fatalf("%d bytes, time %d: %v", n, at, err)
				}
				wantOpens(t, primary, rotated, plaintext, "%d bytes, time %d", n, at)
				if (rotated[0] == 0x80) != raw {
					t.Errorf("%d bytes, raw %v: the form changed", n, raw)
				}
				if timestampOf(rotated) != at {
					t.Errorf("%d bytes: the time %d changed", n, at)
				}
				if bytes.Equal(rotated, fernet.TokenAt(kr, plaintext, at, [16]byte(rawOf(token)[9:25]), raw)) {
					t.Errorf("%d bytes, time %d: the IV is still the same", n, at)
				}
				if string(rotated) == string(kr.EncryptDeterministic(plaintext)) {
					t.Errorf("%d bytes, time %d: became deterministic", n, at)
				}
			}
		}
		// A deterministic token has the timestamp 0: this one is another's.
		iv := [16]byte(rawOf(old.EncryptDeterministic(plaintext))[9:25])
		rotated, err := kr.Rotate(fernet.TokenAt(old, plaintext, 1, iv, false))
		if err != nil || timestampOf(rotated) != 1 {
			t.Errorf("%d bytes: a token with a deterministic IV changed its time: %v", n, err)
		}
		for _, from := range []*fernet.Keyring{old, kr} {
			token := from.EncryptDeterministic(plaintext)
			if rotated, err := kr.Rotate(token); err != nil || !bytes.Equal(rotated, kr.EncryptDeterministic(plaintext)) {
				t.Errorf("%d bytes: no longer deterministic: %v", n, err)
			}
			if rotated, err := kr.Rotate(rawOf(token)); err != nil || !bytes.Equal(rotated, rawOf(kr.EncryptDeterministic(plaintext))) {
				t.Errorf("%d bytes, raw: no longer deterministic: %v", n, err)
			}
		}
	}
}

func TestRotateDoesNotRevive(t *testing.T) {
	t.Parallel()
	old, kr := newRing(t, 1), newRing(t, 0, 1)
	made := time.Unix(1_700_000_000, 0)
	rotated, err := kr.Rotate(old.EncryptAtTime([]byte("plaintext"), made))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kr.DecryptAtTime(rotated, time.Minute, made.Add(time.Hour)); err != fernet.ErrInvalidToken {
		t.Errorf("a rotated token lives longer than its original: %v", err)
	}
}

// The package leans on a method of the standard library's modes that is not part
// of cipher.BlockMode, and must work without.
func TestModesWithoutSetIV(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	kr, without := newRing(t, 0, 1), newRing(t, 0, 1)
	fernet.WithoutSetIV(without)
	for n := range 100 {
		plaintext, iv := randomBytes(r, n), randomIV(r)
		token := fernet.TokenAt(without, plaintext, 1, iv, false)
		if !bytes.Equal(token, fernet.TokenAt(kr, plaintext, 1, iv, false)) {
			t.Fatalf("%d bytes: the token differs", n)
		}
		wantOpens(t, without, token, plaintext, "%d bytes", n)
	}
}

func TestZeroKeyringPanicsWithAMessage(t *testing.T) {
	t.Parallel()
	token := newRing(t, 0).Encrypt(nil)
	for name, use := range map[string]func(kr *fernet.Keyring){
		"Encrypt":              func(kr *fernet.Keyring) { kr.Encrypt(nil) },
		"EncryptString":        func(kr *fernet.Keyring) { kr.EncryptString("") },
		"EncryptDeterministic": func(kr *fernet.Keyring) { kr.EncryptDeterministic(nil) },
		"DeterministicTokens":  func(kr *fernet.Keyring) { kr.DeterministicTokens(nil) },
		"Decrypt":              func(kr *fernet.Keyring) { kr.Decrypt(token) },
		"KeyID":                func(kr *fernet.Keyring) { kr.KeyID(token) },
		"PrimaryID":            func(kr *fernet.Keyring) { kr.PrimaryID() },
	} {
		for _, kr := range []*fernet.Keyring{nil, {}} {
			func() {
				defer func() {
					if got := fmt.Sprint(recover()); !strings.Contains(got, "a Keyring that NewKeyring did not make") {
						t.Errorf("%s: panics with %q", name, got)
					}
				}()
				use(kr)
			}()
		}
	}
}
