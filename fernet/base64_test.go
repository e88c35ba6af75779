package fernet_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/fernetcol/fernetcol/fernet"
)

// decodeByStandard is the standard library's answer, made as strict as ours: no
// CR and LF, and not the empty string, which is no token.
func decodeByStandard(s string) ([]byte, bool) {
	b, err := base64.URLEncoding.Strict().DecodeString(s)
	return b, err == nil && s != "" && !strings.ContainsAny(s, "\r\n")
}

// checkDecode compares every way to decode s with the standard library.
func checkDecode(s string) error {
	want, wantOK := decodeByStandard(s)
	n, ok := fernet.DecodedLen(s)
	if !ok {
		if wantOK {
			return fmt.Errorf("%d characters: the length alone is refused", len(s))
		}
		return nil
	}
	const guard = 8
	// Behind what may be written stands a guard. For the decoding in place, dst
	// begins with src.
	dst := bytes.Repeat([]byte{0xc5}, n+fernet.Slack+guard)
	fromBytes := bytes.Clone(dst)
	inPlace := append([]byte(s), make([]byte, fernet.Slack)...)
	okString := fernet.DecodeBase64(dst[:n+fernet.Slack], s)
	okBytes := fernet.DecodeBase64(fromBytes[:n+fernet.Slack], []byte(s))
	okInPlace := fernet.DecodeBase64(inPlace[:n+fernet.Slack], inPlace[:len(s)])
	if okString != wantOK || okBytes != wantOK || okInPlace != wantOK {
		return fmt.Errorf("%d characters: string %v, bytes %v, in place %v, want %v", len(s), okString, okBytes, okInPlace, wantOK)
	}
	for _, b := range [][]byte{dst, fromBytes} {
		if !bytes.Equal(b[n+fernet.Slack:], bytes.Repeat([]byte{0xc5}, guard)) {
			return fmt.Errorf("%d characters: writes beyond the slack", len(s))
		}
	}
	if !wantOK {
		return nil
	}
	if n != len(want) || !bytes.Equal(dst[:n], want) || !bytes.Equal(fromBytes[:n], want) || !bytes.Equal(inPlace[:n], want) {
		return fmt.Errorf("%d characters: the bytes differ", len(s))
	}
	if string(fernet.EncodeBase64(want)) != s {
		return fmt.Errorf("%d characters: does not re-encode to itself", len(s))
	}
	return nil
}

func checkEncode(b []byte) error {
	got := string(fernet.EncodeBase64(b))
	if got != base64.URLEncoding.EncodeToString(b) {
		return fmt.Errorf("%d bytes: the encoding differs", len(b))
	}
	return checkDecode(got)
}

func TestBase64AgreesWithStandardLibrary(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	for n := range 101 {
		for range 200 {
			if err := checkEncode(randomBytes(r, n)); err != nil {
				t.Error(err)
			}
		}
	}
	for range 2000 / stride {
		if err := checkEncode(randomBytes(r, r.IntN(5000))); err != nil {
			t.Error(err)
		}
	}
}

func TestBase64AgreesOnEveryCharacter(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	for n := 1; n <= 40; n++ { // beyond the 16 characters that decode at once
		s := fernet.EncodeBase64(randomBytes(r, n))
		for i, original := range s {
			for b := i % byteStride; b < 256; b += byteStride {
				s[i] = byte(b)
				if err := checkDecode(string(s)); err != nil {
					t.Errorf("%#02x at %d: %v", b, i, err)
				}
			}
			s[i] = original
		}
	}
}

func TestBase64AgreesOnEveryLastQuantum(t *testing.T) {
	t.Parallel()
	const chars = "AQgwBCDxyz019-_=+/\n\x00\xff"
	for _, front := range []string{"", "AAAA", "gAAAAAAAAAAAAAAAAAAA"} {
		for a := range len(chars) {
			for b := range len(chars) {
				for c := range len(chars) {
					for d := range len(chars) {
						s := front + string([]byte{chars[a], chars[b], chars[c], chars[d]})
						if err := checkDecode(s); err != nil {
							t.Errorf("%q: %v", s, err)
						}
					}
				}
			}
		}
	}
}

func TestBase64AgreesOnRandomText(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	const chars = urlAlphabet + "====\n\r+/ "
	for range 50_000 / stride {
		s := make([]byte, r.IntN(60))
		for i := range s {
			s[i] = chars[r.IntN(len(chars))]
		}
		if err := checkDecode(string(s)); err != nil {
			t.Error(err)
		}
	}
}
