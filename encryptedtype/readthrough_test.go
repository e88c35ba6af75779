package encryptedtype_test

import (
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
)

// readThroughEnv makes TestReadThrough the process that is permitted, which the other
// tests must not be.
const readThroughEnv = "FERNETCOL_TEST_READTHROUGH"

func TestReadThrough(t *testing.T) {
	if os.Getenv(readThroughEnv) == "" {
		exe, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(exe, "-test.run=^TestReadThrough$")
		cmd.Env = append(os.Environ(), readThroughEnv+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}

	var s encryptedtype.EncryptedString
	if err := s.Scan("ada"); !errors.Is(err, fernet.ErrInvalidToken) {
		t.Errorf("before: %v", err)
	}
	if _, err := encryptedtype.SetReadThrough(time.Now()); err == nil {
		t.Error("an end that has passed is taken")
	}
	// Long enough for what follows, whatever the machine does meanwhile.
	r, err := encryptedtype.SetReadThrough(time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := encryptedtype.SetReadThrough(time.Now().Add(time.Hour)); err == nil {
		t.Error("a second call is taken")
	}

	if err := s.Scan("ada"); err != nil || s != "ada" {
		t.Errorf("string: %v", err)
	}
	src := []byte("ada")
	var b encryptedtype.EncryptedBytes
	if err := b.Scan(src); err != nil || string(b) != "ada" {
		t.Errorf("bytes: %v", err)
	}
	if src[0] = 'x'; b[0] != 'a' {
		t.Error("the plaintext is the driver's memory")
	}
	var d encryptedtype.DeterministicString
	if err := d.Scan(""); err != nil {
		t.Errorf("empty: %v", err)
	}
	var e encryptedtype.Encrypted[int]
	if err := encryptedtype.Into(otherRing, &e).Scan("7"); err != nil || e.V != 7 {
		t.Errorf("JSON: %v", err)
	}
	if r.Count() != 4 {
		t.Errorf("counted %d, want 4", r.Count())
	}

	// Closed: tokens whole and cut off, and what is no text.
	token := testRing.EncryptString("ada")
	foreign := otherRing.EncryptString("ada")
	for _, src := range []any{foreign, foreign[:50], token[:len(token)-1], otherRing.EncryptRaw([]byte("ada")), 7} {
		if err := s.Scan(src); err == nil || s != "" {
			t.Errorf("%T was read", src)
		}
	}
	if err := s.Scan(token); err != nil || s != "ada" {
		t.Errorf("a token: %v", err)
	}
	if v, err := s.Value(); err != nil || !fernet.MaybeToken(v.(string)) {
		t.Error("what is written is not encrypted")
	}
	if r.Count() != 4 {
		t.Errorf("counted %d, want 4", r.Count())
	}
	encryptedtype.EndReadThrough(r)
	if err := s.Scan("ada"); !errors.Is(err, fernet.ErrInvalidToken) || s != "" {
		t.Errorf("after the end: %v", err)
	}
}
