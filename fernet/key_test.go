package fernet_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/fernetcol/fernetcol/fernet"
)

// aKey is a key with '-' and '_' in it. The last digit before '=' is '8'.
const aKey = "fake-key_for-the-tests_do-not-use-this-one8="

func TestParseKeyAcceptsCanonicalKeys(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		aKey,
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=",
		"AAAAAAAAAAAAAAAAAAAAAA" + strings.Repeat("_", 20) + "8=", // only the encryption half
		strings.Repeat("_", 21) + "wAAAAAAAAAAAAAAAAAAAAA=",       // only the signing half
		strings.Repeat("_", 42) + "8=",
		fernet.GenerateKey().Encode(),
	} {
		k, err := fernet.ParseKey(s)
		if err != nil {
			t.Errorf("a key of %d characters: %v", len(s), err)
		} else if k.Encode() != s || k.IsZero() {
			t.Error("Encode does not return what ParseKey read")
		}
	}
}

func TestParseKeyRefusesAllElse(t *testing.T) {
	t.Parallel()
	withTrailingBits := func(bits int) string {
		return aKey[:42] + string(urlAlphabet[strings.IndexByte(urlAlphabet, aKey[42])|bits]) + "="
	}
	raw, err := base64.URLEncoding.DecodeString(aKey)
	if err != nil {
		t.Fatal(err)
	}
	noInput := regexp.MustCompile(`^fernet: invalid key: (\d+ characters, want 44` +
		`|not canonical URL-safe base64 of 32 bytes|every byte is zero)$`)
	for name, s := range map[string]string{
		"empty":                      "",
		"one character":              "f",
		"one character less":         aKey[:43],
		"one character more":         aKey + "=",
		"30 bytes":                   aKey[:40],
		"31 bytes, 44 characters":    base64.URLEncoding.EncodeToString(raw[:31]),
		"33 bytes, 44 characters":    strings.Replace(aKey, "=", "A", 1),
		"33 bytes":                   base64.URLEncoding.EncodeToString(append(bytes.Clone(raw), 1)),
		"16 bytes":                   base64.URLEncoding.EncodeToString(raw[:16]),
		"64 bytes":                   base64.URLEncoding.EncodeToString(append(bytes.Clone(raw), raw...)),
		"leading space":              " " + aKey,
		"trailing space":             aKey + " ",
		"trailing newline":           aKey + "\n",
		"trailing CR LF":             aKey + "\r\n",
		"space for the first":        " " + aKey[1:],
		"newline for the '='":        aKey[:43] + "\n",
		"newline inside, 44 in all":  aKey[:20] + "\n" + aKey[21:],
		"CR LF inside, 44 in all":    aKey[:20] + "\r\n" + aKey[22:],
		"newline inside":             aKey[:20] + "\n" + aKey[20:],
		"zero byte inside":           aKey[:20] + "\x00" + aKey[21:],
		"'+' for '-'":                strings.Replace(aKey, "-", "+", 1),
		"'/' for '_'":                strings.Replace(aKey, "_", "/", 1),
		"the standard alphabet":      base64.StdEncoding.EncodeToString(raw),
		"no '='":                     aKey[:43] + "A",
		"'=' inside":                 aKey[:20] + "=" + aKey[21:],
		"'=' first":                  "=" + aKey[:43],
		"only '='":                   strings.Repeat("=", 44),
		"trailing bits 01":           withTrailingBits(1),
		"trailing bits 10":           withTrailingBits(2),
		"trailing bits 11":           withTrailingBits(3),
		"all zeros":                  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		"all zeros but the bits":     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=",
		"not ASCII":                  "é" + aKey[2:],
		"44 letters, more bytes":     "é" + aKey[1:],
		"bytes above 0x7f":           strings.Repeat("\xff", 44),
		"hexadecimal":                "66616b652d6b65792d666f722d7465737473212121212121212121212121212121",
		"44 hexadecimal digits":      strings.Repeat("f", 44),
		"the 32 bytes themselves":    string(raw),
		"quoted":                     `"` + aKey + `"`,
		"bytes literal":              "b'" + aKey + "'",
		"two keys":                   aKey + "," + aKey,
		"name and key":               "FERNET_KEY=" + aKey,
		"a password":                 "correct horse battery staple, 44 characters!",
		"full-width characters, 44 ": "ｆａｋｅ" + aKey[12:],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k, err := fernet.ParseKey(s)
			if !errors.Is(err, fernet.ErrInvalidKey) || !k.IsZero() {
				t.Fatalf("err %v, key zero: %v", err, k.IsZero())
			}
			if !noInput.MatchString(err.Error()) {
				t.Error("the error is none of the three sentences that hold nothing of the input but its length")
			}
		})
	}
}

func TestGenerateKeyIsRandom(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	var ones [256]int
	const keys = 2000
	for range keys {
		k := fernet.GenerateKey()
		again, err := fernet.ParseKey(k.Encode())
		if err != nil || !again.Equal(k) || seen[k.Encode()] {
			t.Fatalf("a generated key does not parse back, or came twice: %v", err)
		}
		seen[k.Encode()] = true
		raw, err := base64.URLEncoding.DecodeString(k.Encode())
		if err != nil {
			t.Fatal(err)
		}
		for i := range ones {
			ones[i] += int(raw[i/8] >> (i % 8) & 1)
		}
	}
	for i, n := range ones { // ten standard deviations of 22
		if n < keys/2-220 || n > keys/2+220 {
			t.Errorf("bit %d is set in %d of %d keys", i, n, keys)
		}
	}
}

func TestKeyEqual(t *testing.T) {
	t.Parallel()
	k, err := fernet.ParseKey(fakeKey(0).Encode())
	if err != nil {
		t.Fatal(err)
	}
	var zero fernet.Key
	for _, tt := range []struct {
		name string
		a, b fernet.Key
		want bool
	}{
		{"itself", k, k, true},
		{"the same, parsed again", k, fakeKey(0), true},
		{"another", k, fakeKey(1), false},
		{"the zero Key", k, zero, false},
		{"two zero Keys", zero, zero, true},
	} {
		if tt.a.Equal(tt.b) != tt.want || tt.b.Equal(tt.a) != tt.want {
			t.Errorf("%s: Equal is not %v both ways", tt.name, tt.want)
		}
	}
	// One bit decides, wherever it is.
	raw, err := base64.URLEncoding.DecodeString(k.Encode())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 256 {
		raw[i/8] ^= 1 << (i % 8)
		other, err := fernet.ParseKey(base64.URLEncoding.EncodeToString(raw))
		if err != nil {
			t.Fatal(err)
		}
		if k.Equal(other) || k.ID() == other.ID() {
			t.Errorf("bit %d makes no difference", i)
		}
		raw[i/8] ^= 1 << (i % 8)
	}
}

func TestKeyIDIsPublicAndStable(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for n := range 20 {
		k := fakeKey(n)
		id := k.ID()
		if !regexp.MustCompile(`^[0-9a-f]{16}$`).MatchString(id) || seen[id] || id != k.ID() {
			t.Fatalf("key %d: the ID %q is malformed, not unique or not stable", n, id)
		}
		seen[id] = true
		if form := tracesOf(k).in(id); form != "" {
			t.Errorf("key %d: the ID holds a part of the key: %s", n, form)
		}
	}
	var zero fernet.Key
	if zero.ID() != "" || zero.Encode() != "" || !zero.IsZero() {
		t.Error("the zero Key has an ID or an encoding")
	}
}

func TestNewKeyringRefusesZeroAndRepeatedKeys(t *testing.T) {
	t.Parallel()
	var zero fernet.Key
	a, b, c := fakeKey(0), fakeKey(1), fakeKey(2)
	again, err := fernet.ParseKey(a.Encode())
	if err != nil {
		t.Fatal(err)
	}
	// Made by hand: no generator makes two keys that sign alike.
	half, err := fernet.ParseKey(a.Encode()[:24] + b.Encode()[24:])
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		keys []fernet.Key
		want string
	}{
		{"half a primary", []fernet.Key{a, b, half}, "the retired key 2 has the signing half of the primary key"},
		{"zero alone", []fernet.Key{zero}, "the primary key is the zero Key; use ParseKey or GenerateKey"},
		{"zero primary", []fernet.Key{zero, a}, "the primary key is the zero Key; use ParseKey or GenerateKey"},
		{"zero retired", []fernet.Key{a, b, zero}, "the retired key 2 is the zero Key; use ParseKey or GenerateKey"},
		{"primary again", []fernet.Key{a, again}, "the retired key 1 repeats the primary key (ID " + a.ID() + ")"},
		{"retired again", []fernet.Key{c, a, b, again}, "the retired key 3 repeats the retired key 1 (ID " + a.ID() + ")"},
	} {
		kr, err := fernet.NewKeyring(tt.keys[0], tt.keys[1:]...)
		if kr != nil || !errors.Is(err, fernet.ErrInvalidKey) {
			t.Errorf("%s: err %v, want ErrInvalidKey and no ring", tt.name, err)
		} else if want := "fernet: invalid key: " + tt.want; err.Error() != want {
			t.Errorf("%s: the error is %q, want %q", tt.name, err, want)
		}
	}
}

func TestNewKeyringKeepsItsOwnKeys(t *testing.T) {
	t.Parallel()
	retired := []fernet.Key{fakeKey(1), fakeKey(2)}
	kr, err := fernet.NewKeyring(fakeKey(0), retired...)
	if err != nil {
		t.Fatal(err)
	}
	retired[0], retired[1] = fernet.Key{}, fakeKey(3)
	for n := range 3 {
		wantOpens(t, kr, newRing(t, n).Encrypt([]byte("plaintext")), []byte("plaintext"), "key %d", n)
	}
	wantRefused(t, kr, newRing(t, 3).Encrypt(nil), "the key put in its place")
}
