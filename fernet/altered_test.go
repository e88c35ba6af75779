package fernet_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/fernetcol/fernetcol/fernet"
)

// canary is a dst with content, and with room for every plaintext of these
// tests, to see that a refused token changes nothing of it.
type canary struct{ whole, want []byte }

func newCanary() *canary {
	want := bytes.Repeat([]byte{0xc5}, 600)
	return &canary{whole: bytes.Clone(want), want: want}
}

func (c *canary) dst() []byte { return c.whole[:7] }

func (c *canary) changed() bool { return !bytes.Equal(c.whole, c.want) }

// refuses reports whether AppendDecrypt and DecryptString refuse token with
// exactly ErrInvalidToken and leave nothing behind. It is wantRefused for
// millions of tokens.
func (c *canary) refuses(kr *fernet.Keyring, token []byte) bool {
	out, err := kr.AppendDecrypt(c.dst(), token)
	if err != fernet.ErrInvalidToken || out != nil || c.changed() {
		return false
	}
	s, err := kr.DecryptString(string(token))
	return err == fernet.ErrInvalidToken && s == ""
}

// eachToken runs f for a token, in both forms, of every plaintext length from 0
// to most, in parallel.
func eachToken(t *testing.T, most int, f func(t *testing.T, kr *fernet.Keyring, token []byte)) {
	t.Helper()
	r := seeded(t)
	kr := newRing(t, 0)
	const group = 32
	for first := 0; first <= most; first += group {
		var tokens [][]byte
		for n := first; n <= min(first+group-1, most); n++ {
			for _, raw := range []bool{false, true} {
				plaintext := randomBytes(r, n)
				token := fernet.TokenAt(kr, plaintext, 1<<31, randomIV(r), raw)
				wantOpens(t, kr, token, plaintext, "unaltered")
				tokens = append(tokens, token)
			}
		}
		t.Run(fmt.Sprintf("from %d bytes", first), func(t *testing.T) {
			t.Parallel()
			for _, token := range tokens {
				f(t, kr, token)
			}
		})
	}
}

func TestDecryptRefusesEveryFlippedBit(t *testing.T) {
	t.Parallel()
	eachToken(t, 256, func(t *testing.T, kr *fernet.Keyring, token []byte) {
		c := newCanary()
		for n := 0; n < 8*len(token); n += stride {
			i, bit := n/8, n%8
			token[i] ^= 1 << bit
			if !c.refuses(kr, token) {
				t.Errorf("bit %d of byte %d of %d, flipped: not refused as it should be", bit, i, len(token))
			}
			token[i] ^= 1 << bit
		}
		for _, i := range []int{0, 1, 8, 9, 24, 25, len(token) / 2, len(token) - 33, len(token) - 1} {
			token[i] ^= 1
			wantRefused(t, kr, token, "byte %d of %d altered", i, len(token))
			token[i] ^= 1
		}
	})
}

func TestDecryptRefusesEveryOtherByte(t *testing.T) {
	t.Parallel()
	eachToken(t, 32, func(t *testing.T, kr *fernet.Keyring, token []byte) {
		c := newCanary()
		for i, original := range token {
			for b := i % byteStride; b < 256; b += byteStride {
				if token[i] = byte(b); token[i] != original && !c.refuses(kr, token) {
					t.Errorf("byte %d of %d set to %#02x: not refused as it should be", i, len(token), b)
				}
			}
			token[i] = original
		}
	})
}

func TestDecryptRefusesEveryTruncation(t *testing.T) {
	t.Parallel()
	eachToken(t, 256, func(t *testing.T, kr *fernet.Keyring, token []byte) {
		c := newCanary()
		for n := range token {
			if !c.refuses(kr, token[:n]) {
				t.Errorf("the first %d of %d bytes: not refused as they should be", n, len(token))
			}
			if !c.refuses(kr, token[n+1:]) {
				t.Errorf("all but the first %d of %d bytes: not refused as they should be", n+1, len(token))
			}
		}
	})
}

func TestDecryptRefusesEveryExtension(t *testing.T) {
	t.Parallel()
	eachToken(t, 64, func(t *testing.T, kr *fernet.Keyring, token []byte) {
		c := newCanary()
		for b := range 256 {
			if !c.refuses(kr, append(bytes.Clone(token), byte(b))) {
				t.Errorf("%#02x behind %d bytes: not refused as it should be", b, len(token))
			}
			if !c.refuses(kr, append([]byte{byte(b)}, token...)) {
				t.Errorf("%#02x before %d bytes: not refused as it should be", b, len(token))
			}
		}
		for n := 2; n <= 256; n++ {
			for _, fill := range []byte{0, ' ', '=', 'A', 0xff} {
				if !c.refuses(kr, append(bytes.Clone(token), bytes.Repeat([]byte{fill}, n)...)) {
					t.Errorf("%d times %#02x behind %d bytes: not refused as it should be", n, fill, len(token))
				}
			}
		}
		wantRefused(t, kr, append(bytes.Clone(token), token...), "twice the token")
		wantRefused(t, kr, append(bytes.Clone(token), 0), "token and a zero byte")
	})
}

func TestDecryptRefusesWhatIsNoToken(t *testing.T) {
	t.Parallel()
	kr := newRing(t, 0, 1, 2)
	wantRefused(t, kr, nil, "nil")
	wantRefused(t, kr, []byte{}, "empty")
	for n := range 400 {
		for _, first := range []byte{0, 'g', 0x80, 0xff, '=', '{'} {
			for _, fill := range []byte{0, ' ', '=', 'A', 0x80, 0xff} {
				token := bytes.Repeat([]byte{fill}, n+1)
				token[0] = first
				wantRefused(t, kr, token, "%#02x and %d times %#02x", first, n, fill)
			}
		}
	}
	r := seeded(t)
	for i := range 20_000 {
		token := randomBytes(r, r.IntN(300)+1)
		if i%2 == 0 {
			token[0] = 0x80
		}
		wantRefused(t, kr, token, "%d random bytes", len(token))
	}
}

func TestDecryptLeavesTokenUnchanged(t *testing.T) {
	t.Parallel()
	eachToken(t, 64, func(t *testing.T, kr *fernet.Keyring, token []byte) {
		before := bytes.Clone(token)
		for _, o := range openings {
			if _, err := o.open(kr, token); err != nil || !bytes.Equal(token, before) {
				t.Errorf("%s: err %v, or the token changed", o.name, err)
			}
		}
		token[len(token)/2] ^= 1
		before = bytes.Clone(token)
		wantRefused(t, kr, token, "altered")
		if !bytes.Equal(token, before) {
			t.Error("a refused token changed")
		}
	})
}
