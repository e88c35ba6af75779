package fernet_test

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/fernetcol/fernetcol/fernet"
)

const urlAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// spellingTokens returns, by the number of '=' at its end, a text token that also
// has '-' and '_' in it.
func spellingTokens(t *testing.T, kr *fernet.Keyring) map[int][]byte {
	t.Helper()
	tokens := map[int][]byte{}
	for n, end := range []string{"", "=", "=="} {
		var iv [16]byte
		for !bytes.ContainsRune(tokens[n], '-') || !bytes.ContainsRune(tokens[n], '_') {
			// 1, 2 and 3 blocks end in 2, 1 and 0.
			tokens[n] = fernet.TokenAt(kr, make([]byte, 16*(2-n)), 1, iv, false)
			iv[0]++
		}
		if got := string(bytes.TrimLeft(tokens[n], urlAlphabet)); got != end {
			t.Fatalf("%d blocks end in %q, want %q", 3-n, got, end)
		}
		wantOpens(t, kr, tokens[n], make([]byte, 16*(2-n)), "the canonical spelling")
	}
	return tokens
}

// Python discards what is not in the alphabet, and the standard library, even in
// Strict mode, line ends: for both, all these are one token.
func TestDecryptRefusesInsertedCharacters(t *testing.T) {
	t.Parallel()
	kr := newRing(t, 0)
	for _, token := range spellingTokens(t, kr) {
		c := newCanary()
		for _, junk := range []string{
			"\n", "\r", "\r\n", "\r\n\r\n", "\n\n\n\n", " ", "    ", "\t", "\x00", "\x00\x00\x00\x00", ".", "!!!!", "%",
			"=", "==", "====", "+", "/", "\x80", "\xff", "é", "\u200b", "A", "AAAA", "\ufeff",
		} {
			for i := range len(token) + 1 {
				altered := slices.Concat(token[:i], []byte(junk), token[i:])
				if !c.refuses(kr, altered) {
					t.Errorf("%q at %d of %d: not refused as it should be", junk, i, len(token))
				}
			}
			wantRefused(t, kr, append([]byte(junk), token...), "%q before", junk)
			wantRefused(t, kr, append(bytes.Clone(token), junk...), "%q behind", junk)
		}
	}
}

func TestDecryptRefusesEveryOtherCharacter(t *testing.T) {
	t.Parallel()
	kr := newRing(t, 0)
	for _, token := range spellingTokens(t, kr) {
		c := newCanary()
		for i, original := range token {
			for b := i % byteStride; b < 256; b += byteStride {
				if strings.IndexByte(urlAlphabet, byte(b)) < 0 && byte(b) != original {
					token[i] = byte(b)
					if !c.refuses(kr, token) {
						t.Errorf("%#02x at %d of %d: not refused as it should be", b, i, len(token))
					}
				}
			}
			token[i] = original
		}
	}
}

func TestDecryptRefusesStandardAlphabet(t *testing.T) {
	t.Parallel()
	kr := newRing(t, 0)
	toStandard := strings.NewReplacer("-", "+", "_", "/")
	for _, token := range spellingTokens(t, kr) {
		wantRefused(t, kr, []byte(toStandard.Replace(string(token))), "the standard alphabet")
		wantRefused(t, kr, bytes.Replace(token, []byte("-"), []byte("+"), 1), "a single '+'")
		wantRefused(t, kr, bytes.Replace(token, []byte("_"), []byte("/"), 1), "a single '/'")
	}
}

func TestDecryptRefusesOtherPadding(t *testing.T) {
	t.Parallel()
	kr := newRing(t, 0)
	for pads, token := range spellingTokens(t, kr) {
		bare := bytes.TrimRight(token, "=")
		for n := range 9 {
			if n != pads {
				wantRefused(t, kr, append(bytes.Clone(bare), strings.Repeat("=", n)...), "%d times '=' for %d", n, pads)
			}
		}
		for _, end := range []string{"=A", "==A", "==trailingdata", "=\n", "==\n", "==\r\n", "==AAAA", "A===", "=A==", "%3D%3D"} {
			wantRefused(t, kr, append(bytes.Clone(bare), end...), "%q at the end", end)
		}
	}
}

// The last character before '=' carries four or two bits that encode nothing.
func TestDecryptRefusesTrailingBits(t *testing.T) {
	t.Parallel()
	kr := newRing(t, 0)
	for pads, token := range spellingTokens(t, kr) {
		if pads == 0 {
			continue
		}
		want, err := base64.URLEncoding.DecodeString(string(token))
		if err != nil {
			t.Fatal(err)
		}
		last := len(token) - pads - 1
		digit := strings.IndexByte(urlAlphabet, token[last])
		spellings := 1<<(2*pads) - 1
		for bits := 1; bits <= spellings; bits++ {
			token[last] = urlAlphabet[digit|bits]
			if got, err := base64.URLEncoding.DecodeString(string(token)); err != nil || !bytes.Equal(got, want) {
				t.Fatal("that is no other spelling of the same bytes; the test is wrong")
			}
			wantRefused(t, kr, token, "%d times '=', trailing bits %b", pads, bits)
		}
	}
}

func TestDecryptRefusesWrappedTokens(t *testing.T) {
	t.Parallel()
	kr := newRing(t, 0)
	for _, token := range spellingTokens(t, kr) {
		s := string(token)
		for name, altered := range map[string]string{
			"lines of 64":   s[:64] + "\n" + s[64:],
			"lines of 76":   s[:76] + "\r\n" + s[76:] + "\r\n",
			"quotes":        `"` + s + `"`,
			"bytes literal": "b'" + s + "'",
			"upper case":    strings.ToUpper(s),
			"lower case":    strings.ToLower(s),
			"base64 twice":  base64.URLEncoding.EncodeToString(token),
			"UTF-16":        strings.Join(strings.Split(s, ""), "\x00") + "\x00",
			"a data URL":    "data:;base64," + s,
			"pgx's hex":     `\x` + s,
		} {
			wantRefused(t, kr, []byte(altered), "%s", name)
		}
		// A raw token has one spelling, too: its bytes.
		raw, err := base64.URLEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		for _, end := range []string{"\x00", "\n", "=", "\x80"} {
			wantRefused(t, kr, append(bytes.Clone(raw), end...), "raw and %q", end)
		}
	}
}
