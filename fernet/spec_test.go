package fernet_test

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fernetcol/fernetcol/fernet"
)

// specVector is a case of the files that the Fernet specification publishes
// (https://github.com/fernet/spec).
type specVector struct {
	Desc   string    `json:"desc"`
	Token  string    `json:"token"`
	Now    time.Time `json:"now"`
	TTL    int64     `json:"ttl_sec"`
	IV     []int     `json:"iv"`
	Src    string    `json:"src"`
	Secret string    `json:"secret"`
}

func specVectors(t *testing.T, file string, want int) []specVector {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "spec", file))
	if err != nil {
		t.Fatal(err)
	}
	var vectors []specVector
	if err := json.Unmarshal(b, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) != want {
		t.Fatalf("%s: %d vectors, want %d", file, len(vectors), want)
	}
	return vectors
}

func (v specVector) ttl() time.Duration { return time.Duration(v.TTL) * time.Second }

func TestEncryptGeneratesSpecVectors(t *testing.T) {
	t.Parallel()
	for _, v := range specVectors(t, "generate.json", 1) {
		var iv [16]byte
		for i, b := range v.IV {
			iv[i] = byte(b)
		}
		got := fernet.TokenAt(ringOf(t, v.Secret), []byte(v.Src), uint64(v.Now.Unix()), iv, false)
		if string(got) != v.Token {
			t.Error("the token differs from the specification's")
		}
	}
}

func TestDecryptVerifiesSpecVectors(t *testing.T) {
	t.Parallel()
	for _, v := range specVectors(t, "verify.json", 1) {
		kr := ringOf(t, v.Secret)
		got, err := kr.DecryptAtTime([]byte(v.Token), v.ttl(), v.Now)
		if err != nil || string(got) != v.Src {
			t.Errorf("DecryptAtTime: err %v, plaintext equal: %v", err, string(got) == v.Src)
		}
		wantOpens(t, kr, []byte(v.Token), []byte(v.Src), "without a TTL")
	}
}

func TestDecryptRefusesSpecInvalidVectors(t *testing.T) {
	t.Parallel()
	byAge := []string{"far-future TS (unacceptable clock skew)", "expired TTL"}
	for _, v := range specVectors(t, "invalid.json", 11) {
		t.Run(v.Desc, func(t *testing.T) {
			t.Parallel()
			kr := ringOf(t, v.Secret)
			got, err := kr.DecryptAtTime([]byte(v.Token), v.ttl(), v.Now)
			if err != fernet.ErrInvalidToken || got != nil {
				t.Errorf("DecryptAtTime: err %v, %d bytes of output", err, len(got))
			}
			if slices.Contains(byAge, v.Desc) {
				if _, err := kr.Decrypt([]byte(v.Token)); err != nil {
					t.Errorf("without a TTL: %v; only its age is wrong", err)
				}
				return
			}
			wantUnopened(t, kr, []byte(v.Token), "without a TTL")
		})
	}
}

// This token was posted on the web in 2015, made by Python's cryptography.
func TestDecryptOpensTokenFrom2015(t *testing.T) {
	t.Parallel()
	v := specVector{
		Secret: "BP04_l7C3wByNiEaEiseNiP0ZrqZ7s3qL-mkG8eHlJY=",
		Token: "gAAAAABVLTmsBrJWKMzjn4pDlRwtk1j3TFcF1lrRlXo8_ASbR42vEiAcagNKR3cqp6ypSdPPyMozGi2T10px" +
			"qKISxwVYqMqoEIaScr310glx55vUk_l6eLc=",
		Src: "Snape kills Dumbledore.",
	}
	kr := ringOf(t, v.Secret)
	wantOpens(t, kr, []byte(v.Token), []byte(v.Src), "the token of 2015")
	got, err := kr.ExtractTimestamp([]byte(v.Token))
	if want := time.Date(2015, 4, 14, 16, 0, 44, 0, time.UTC); err != nil || got != want {
		t.Errorf("ExtractTimestamp = %v, %v; want %v", got, err, want)
	}
}

// The reference is a second implementation of the specification.
func TestEncryptEqualsReference(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	kr, ref := newRing(t, 0), newReference(fakeKey(0))
	for n := range 600 {
		plaintext, iv, timestamp := randomBytes(r, n), randomIV(r), r.Uint64()
		want := ref.seal(timestamp, iv, padded(plaintext))
		if !bytes.Equal(fernet.TokenAt(kr, plaintext, timestamp, iv, true), want) {
			t.Errorf("%d bytes: the raw token differs", n)
		}
		if !bytes.Equal(fernet.TokenAt(kr, plaintext, timestamp, iv, false), toText(want)) {
			t.Errorf("%d bytes: the text token differs", n)
		}
		if got := fernet.RawTokenLen(n); got != len(want) {
			t.Errorf("RawTokenLen(%d) = %d, want %d", n, got, len(want))
		}
		if got := fernet.TokenLen(n); got != len(toText(want)) {
			t.Errorf("TokenLen(%d) = %d, want %d", n, got, len(toText(want)))
		}
	}
}

// The database recognises a text token by these six characters.
func TestTextTokenPrefixHoldsBelow2To36(t *testing.T) {
	t.Parallel()
	kr := newRing(t, 0)
	for timestamp, want := range map[uint64]bool{
		0: true, 1: true, 1 << 31: true, 1 << 32: true, 1<<36 - 1: true,
		1 << 36: false, 1 << 63: false, math.MaxUint64: false,
	} {
		token := fernet.TokenAt(kr, nil, timestamp, [16]byte{}, false)
		if got := strings.HasPrefix(string(token), "gAAAAA"); got != want {
			t.Errorf("timestamp %d: prefix %v, want %v", timestamp, got, want)
		}
	}
	if year := time.Unix(1<<36, 0).UTC().Year(); year != 4147 {
		t.Errorf("2^36 is in the year %d; the documentation says 4147", year)
	}
}
