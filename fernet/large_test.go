package fernet_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"github.com/fernetcol/fernetcol/fernet"
)

// allocated returns how many bytes f allocates. No test may run beside it.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Not parallel: it counts the bytes that the whole process allocates.
func TestDecryptRefusesForgedGigabyteWithoutCopy(t *testing.T) {
	size := 1 << 30
	if testing.Short() || strconv.IntSize == 32 {
		size = 256 << 20 // a laptop, or a processor without its own SHA-256
	}
	if raceEnabled {
		size = 64 << 20 // at a tenth of the speed
	}
	const most = 1 << 20 // bytes that a refusal may allocate
	kr := newRing(t, 0).WithMaxTokenLen(size)

	// One gigabyte for all cases. Its bytes are a multiple of three, so that the
	// text has no '=' and 'A' everywhere is canonical.
	blocks := (size/4*3 - fernet.RawTokenLen(0)) / 16
	for fernet.RawTokenLen(16*blocks)%3 != 0 {
		blocks--
	}
	whole := bytes.Repeat([]byte{'A'}, fernet.TokenLen(16*blocks))
	asText := whole[:fernet.TokenLen(16*blocks)]
	asRaw := whole[:fernet.RawTokenLen(16*((len(whole)-fernet.RawTokenLen(0))/16))]
	for _, tt := range []struct {
		name  string
		token []byte
		front []byte // of the token, the rest of which is 'A'
		back  string
	}{
		{"not a token", asText, []byte{'x'}, ""},
		{"text of a wrong length", asText[:len(asText)-8], fernet.TokenAt(kr, nil, 1, [16]byte{}, false)[:60], ""},
		{"forged text", asText, fernet.TokenAt(kr, nil, 1, [16]byte{}, false)[:60], "AAAA"},
		{"text with one bad character, last", asText, fernet.TokenAt(kr, nil, 1, [16]byte{}, false)[:60], "AAA!"},
		{"text with one bad character, early", asText, []byte("gAAAAAAA!"), "AAAA"},
		{"raw of a wrong length", asRaw[:len(asRaw)-8], []byte{0x80}, ""},
		{"forged raw", asRaw, fernet.TokenAt(kr, nil, 1, [16]byte{}, true)[:40], ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			defer func(front, back []byte) {
				copy(whole, front)
				copy(tt.token[len(tt.token)-len(tt.back):], back)
			}(bytes.Clone(whole[:len(tt.front)]), bytes.Repeat([]byte{'A'}, len(tt.back)))
			copy(tt.token, tt.front)
			copy(tt.token[len(tt.token)-len(tt.back):], tt.back)

			var out []byte
			var err error
			if n := allocated(func() { out, err = kr.Decrypt(tt.token) }); n > most {
				t.Errorf("Decrypt allocates %d bytes to refuse %d", n, len(tt.token))
			}
			if err != fernet.ErrInvalidToken || out != nil {
				t.Errorf("Decrypt: err %v, want exactly ErrInvalidToken", err)
			}
			// The token's own bytes as a string: nothing writes to them meanwhile.
			s := unsafe.String(&tt.token[0], len(tt.token))
			if n := allocated(func() { _, err = kr.DecryptString(s) }); n > most {
				t.Errorf("DecryptString allocates %d bytes to refuse %d", n, len(s))
			}
			if err != fernet.ErrInvalidToken {
				t.Errorf("DecryptString: err %v, want exactly ErrInvalidToken", err)
			}
			low := kr.WithMaxTokenLen(fernet.DefaultMaxTokenLen)
			if n := allocated(func() { _, err = low.DecryptString(s) }); n > 10_000 {
				t.Errorf("DecryptString allocates %d bytes to refuse %d, over its limit", n, len(s))
			}
			if !errors.Is(err, fernet.ErrInvalidToken) {
				t.Errorf("DecryptString over its limit: err %v", err)
			}
		})
	}
}

// A longer token takes another path than a short one.
func TestLongTokensRoundTrip(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	const overhead = 57
	atLimit := (fernet.MaxScratch-overhead)/16*16 - 1
	lengths := []int{atLimit, atLimit + 1, 2_500_000}
	if raceEnabled {
		lengths = lengths[1:2] // each takes ten times as long
	}
	for _, n := range lengths {
		t.Run(fmt.Sprintf("%d bytes", n), func(t *testing.T) {
			t.Parallel()
			plaintext := make([]byte, n)
			rand.NewChaCha8([32]byte{byte(n)}).Read(plaintext)
			iv, at := randomIV(r), 1<<31|uint64(r.Uint32())
			kr, old, other := newRing(t, 0, 1), newRing(t, 1), newRing(t, 2)
			for _, raw := range []bool{false, true} {
				token := fernet.TokenAt(old, plaintext, at, iv, raw)
				wantOpens(t, kr, token, plaintext, "raw %v", raw)
				wantRefused(t, other, token, "raw %v, under another key", raw)
				if id, err := kr.KeyID(token); err != nil || id != fakeKey(1).ID() {
					t.Errorf("KeyID = %q, %v", id, err)
				}
				rotated, err := kr.Rotate(token)
				if err != nil || (rotated[0] == 0x80) != raw {
					t.Fatalf("Rotate: err %v, or the form changed", err)
				}
				if got, err := kr.ExtractTimestamp(rotated); err != nil || uint64(got.Unix()) != at {
					t.Errorf("Rotate changes the time: %v", err)
				}
				c := newCanary()
				for _, i := range []int{1, len(token) - 40} {
					token[i] ^= 1
					if !c.refuses(kr, token) {
						t.Errorf("raw %v, byte %d altered: not refused as it should be", raw, i)
					}
					token[i] ^= 1
				}
				if !c.refuses(kr, token[:len(token)-64]) {
					t.Errorf("raw %v, 64 bytes less: not refused as they should be", raw)
				}
			}
			for name, token := range map[string][]byte{
				"EncryptString": []byte(old.EncryptString(string(plaintext))),
				"Encrypt":       old.Encrypt(plaintext),
				"EncryptRaw":    old.EncryptRaw(plaintext),
				"deterministic": old.EncryptDeterministic(plaintext),
			} {
				if got, err := kr.Decrypt(token); err != nil || !bytes.Equal(got, plaintext) {
					t.Errorf("%s does not round-trip: %v", name, err)
				}
			}
		})
	}
}

// The check that long tokens pass first takes them in parts. Here are tokens of
// every length that ends before, on or behind the end of a part.
func TestSignedByAnyAgreesWithDecrypt(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	kr, old := newRing(t, 0, 1), newRing(t, 1)
	check := func(token []byte, want bool, format string, args ...any) {
		t.Helper()
		if asBytes, asString := fernet.SignedByAny(kr, token); asBytes != want || asString != want {
			t.Errorf("%s: %v as bytes, %v as string, want %v", fmt.Sprintf(format, args...), asBytes, asString, want)
		}
	}
	for n := 0; n < 3*fernet.StreamChunk; n += 16 * stride {
		plaintext := randomBytes(r, n)
		for _, raw := range []bool{false, true} {
			token := fernet.TokenAt(old, plaintext, 1, [16]byte{}, raw)
			check(token, true, "%d bytes, raw %v", n, raw)
			i := r.IntN(len(token)-1) + 1
			token[i] ^= 1
			check(token, false, "%d bytes, raw %v, byte %d altered", n, raw, i)
		}
	}
	token := fernet.TokenAt(old, randomBytes(r, 2*fernet.StreamChunk), 1, [16]byte{}, false)
	for end := fernet.StreamChunk; end < len(token); end += fernet.StreamChunk {
		for i := end - 8; i < end+8; i++ {
			original := token[i]
			for _, b := range []byte{'=', '\n', '+', original ^ 1} {
				if token[i] = b; b != original {
					check(token, false, "%q at %d", b, i)
				}
			}
			token[i] = original
			for _, inserted := range []string{"====", "\r\n\r\n", "AA==", "AAA="} {
				check(slices.Concat(token[:i], []byte(inserted), token[i:]), false, "%q inserted at %d", inserted, i)
			}
		}
	}
	check(append(bytes.Clone(token), "AAAA"...), false, "more behind the end")

	// Other spellings of the very bytes that the tag covers.
	for i, b := range token {
		if b == 'A' {
			token[i] = '!'
			check(token, false, "'!' for 'A' at %d", i)
			token[i] = 'A'
		}
	}
	raw := rawOf(token)
	for _, n := range []int{fernet.StreamChunk/4*3 - 1, fernet.StreamChunk/4*3 - 2} {
		check(append(toText(raw[:n]), toText(raw[n:])...), false, "two texts, the first of %d bytes", n)
	}
}

func TestDecryptStringRefusesTokensOverLimit(t *testing.T) {
	t.Parallel()
	kr := newRing(t, 0)
	if kr.MaxTokenLen() != fernet.DefaultMaxTokenLen || fernet.DefaultMaxTokenLen != 64<<20 {
		t.Errorf("the default limit is %d bytes", kr.MaxTokenLen())
	}
	token := kr.EncryptString("plaintext")
	low := kr.WithMaxTokenLen(len(token) - 1)
	_, err := low.DecryptString(token)
	if !errors.Is(err, fernet.ErrInvalidToken) {
		t.Errorf("one byte over the limit: err %v", err)
	}
	const want = "fernet: invalid token: 100 bytes, over the limit of 99 (see Keyring.WithMaxTokenLen)"
	if err.Error() != want {
		t.Errorf("the error is %q, want %q", err, want)
	}
	if got, err := kr.WithMaxTokenLen(len(token)).DecryptString(token); err != nil || got != "plaintext" {
		t.Errorf("exactly at the limit: %v", err)
	}
	if got, err := low.Decrypt([]byte(token)); err != nil || string(got) != "plaintext" {
		t.Errorf("Decrypt has a limit: %v", err)
	}
	if got := low.Derive("context").MaxTokenLen(); got != len(token)-1 {
		t.Errorf("a derived ring has the limit %d, want that of its parent", got)
	}
	if kr.MaxTokenLen() != fernet.DefaultMaxTokenLen {
		t.Error("WithMaxTokenLen changed its receiver")
	}

	long := strings.Repeat("A", fernet.DefaultMaxTokenLen+1)
	if _, err := kr.DecryptString(long[1:]); err != fernet.ErrInvalidToken {
		t.Errorf("at the default limit: %v", err)
	}
	if _, err := kr.DecryptString(long); err == fernet.ErrInvalidToken || !errors.Is(err, fernet.ErrInvalidToken) {
		t.Errorf("over the default limit: %v", err)
	}
}
