package fernet_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/fernetcol/fernetcol/fernet"
)

// The tokens of this file have a valid tag: whoever holds the signing key, or
// another implementation that is wrong, could have made them. The tag is no
// excuse to accept them, nor to panic.

// bothForms runs f for a raw token and for its text.
func bothForms(raw []byte, f func(token []byte, form string)) {
	f(raw, "raw")
	f(toText(raw), "text")
}

func TestDecryptChecksEveryLastByte(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	kr, ref := newRing(t, 0), newReference(fakeKey(0))
	for blocks := 1; blocks <= 3; blocks++ {
		for last := range 256 {
			// The whole body is that byte, as far as padding could go: only its
			// value decides.
			body := randomBytes(r, 16*blocks)
			for i := range min(max(last, 1), len(body)) {
				body[len(body)-1-i] = byte(last)
			}
			plaintext, ok := unpadded(body)
			if want := last >= 1 && last <= 16; ok != want {
				t.Fatalf("the reference says %v for the last byte %d", ok, last)
			}
			bothForms(ref.seal(1, randomIV(r), body), func(token []byte, form string) {
				if ok {
					wantOpens(t, kr, token, plaintext, "%s, %d blocks, padding of %d", form, blocks, last)
				} else {
					wantUnopened(t, kr, token, "%s, %d blocks, padding of %d", form, blocks, last)
				}
			})
		}
	}
}

func TestDecryptRefusesPaddingThatDisagrees(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	kr, ref := newRing(t, 0), newReference(fakeKey(0))
	for blocks := 1; blocks <= 3; blocks++ {
		for pad := 2; pad <= 16; pad++ {
			for i := 1; i < pad; i++ { // from the end
				for _, wrong := range []byte{0, byte(pad - 1), byte(pad + 1), byte(pad) ^ 0x80, byte(r.Uint32()) | 0x20} {
					body := padded(randomBytes(r, 16*blocks-pad))
					body[len(body)-1-i] = wrong
					bothForms(ref.seal(1, randomIV(r), body), func(token []byte, form string) {
						wantUnopened(t, kr, token, "%s, %d blocks, byte %d of a padding of %d set to %d", form, blocks, i, pad, wrong)
					})
				}
			}
		}
	}
}

// fernet-go accepts two of these: padding of 0, and 32 spaces, which claim to be
// a padding of 32.
func TestDecryptRefusesPaddingThatOthersAccept(t *testing.T) {
	t.Parallel()
	kr, ref := newRing(t, 0), newReference(fakeKey(0))
	for name, body := range map[string][]byte{
		"zeros":                      make([]byte, 16),
		"text, then a zero":          append([]byte("fifteen letters"), 0),
		"zero padding":               append([]byte("text"), make([]byte, 12)...),
		"32 spaces":                  bytes.Repeat([]byte{0x20}, 32),
		"two blocks of 17":           bytes.Repeat([]byte{17}, 32),
		"three blocks, 48":           bytes.Repeat([]byte{48}, 48),
		"ISO 10126":                  append([]byte("text"), 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 9, 12),
		"ANSI X9.23":                 append([]byte("text"), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12),
		"ISO/IEC 7816-4":             append([]byte("text"), 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
		"longer than the only block": bytes.Repeat([]byte{0xff}, 16),
	} {
		bothForms(ref.seal(1, [16]byte{}, body), func(token []byte, form string) {
			wantUnopened(t, kr, token, "%s, %s", form, name)
		})
	}
}

// fernet-go panics on a token whose body is empty.
func TestDecryptChecksEveryBodyLength(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	kr, ref := newRing(t, 0), newReference(fakeKey(0))
	var iv [16]byte
	for n := range 201 {
		for range 20 {
			body := randomBytes(r, n)
			raw := ref.forge(0x80, 1, iv, body)
			bothForms(raw, func(token []byte, form string) {
				if n == 0 || n%16 != 0 {
					wantRefused(t, kr, token, "%s, body of %d bytes", form, n)
				} else if plaintext, ok := unpadded(ref.unseal(iv, body)); ok {
					wantOpens(t, kr, token, plaintext, "%s, body of %d bytes, by chance well padded", form, n)
				} else {
					wantUnopened(t, kr, token, "%s, body of %d bytes", form, n)
				}
			})
		}
	}
}

// A signed message that is too short to hold all the fields.
func TestDecryptRefusesSignedFragments(t *testing.T) {
	t.Parallel()
	kr, ref := newRing(t, 0), newReference(fakeKey(0))
	for n := range 100 {
		signed := make([]byte, n)
		if n > 0 {
			signed[0] = 0x80
		}
		if n == 41 { // one whole block, random in effect: TestDecryptChecksEveryBodyLength
			continue
		}
		bothForms(ref.sign(signed), func(token []byte, form string) {
			wantUnopened(t, kr, token, "%s, %d bytes and their tag", form, n)
		})
	}
}

func TestDecryptRefusesEveryOtherVersion(t *testing.T) {
	t.Parallel()
	kr, ref := newRing(t, 0), newReference(fakeKey(0))
	var iv [16]byte
	plaintext := []byte("plaintext")
	body := ref.seal(1, iv, padded(plaintext))[25:41]
	for version := range 256 {
		bothForms(ref.forge(byte(version), 1, iv, body), func(token []byte, form string) {
			if version == 0x80 {
				wantOpens(t, kr, token, plaintext, "%s, version %#02x", form, version)
			} else {
				wantRefused(t, kr, token, "%s, version %#02x", form, version)
			}
		})
	}
}

// The scratch buffers are pooled, so what they keep outlives the call.
func TestScratchKeepsNoPlaintext(t *testing.T) {
	t.Parallel()
	ref := newReference(fakeKey(1))
	const secret = "sixteen secrets!"
	for _, n := range []int{1, 2, 100, 2000, 20_000} {
		plaintext := bytes.Repeat([]byte(secret), n)
		badPadding := append(bytes.Clone(plaintext), make([]byte, 16)...)
		for _, raw := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d bytes, raw %v", len(plaintext), raw), func(t *testing.T) {
				t.Parallel()
				kr := newRing(t, 0, 1)
				holds := fernet.WatchScratch(kr)
				check := func(doing string) {
					t.Helper()
					if holds([]byte(secret)) {
						t.Errorf("plaintext is in scratch after %s", doing)
					}
				}
				token := fernet.TokenAt(newRing(t, 1), plaintext, 1, [16]byte{}, raw)
				for _, o := range openings {
					if _, err := o.open(kr, token); err != nil {
						t.Fatal(err)
					}
					check(o.name)
				}
				forged := ref.seal(1, [16]byte{}, badPadding)
				if !raw {
					forged = toText(forged)
				}
				for _, o := range openings {
					if _, err := o.open(kr, forged); err != fernet.ErrInvalidToken {
						t.Fatal("bad padding is accepted")
					}
					check(o.name + " of bad padding")
				}
				kr.EncryptString(string(plaintext))
				check("EncryptString")
				kr.EncryptRaw(plaintext)
				kr.Encrypt(plaintext)
				check("Encrypt")
				if _, err := kr.Rotate(kr.EncryptDeterministic(plaintext)); err != nil {
					t.Fatal(err)
				}
				check("Rotate of a deterministic token")
			})
		}
	}
}
