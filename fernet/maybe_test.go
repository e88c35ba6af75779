package fernet_test

import (
	"testing"
	"time"

	"github.com/fernetcol/fernetcol/fernet"
)

func TestMaybeTokenKnowsTokensWholeAndCutOff(t *testing.T) {
	t.Parallel()
	kr, err := fernet.NewKeyring(fernet.GenerateKey())
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range [][]byte{
		kr.Encrypt(nil), kr.EncryptRaw(nil), kr.EncryptDeterministic([]byte("a")),
		kr.EncryptAtTime(nil, time.Unix(1<<36-1, 0)),
	} {
		for _, n := range []int{len(token), 20, 6} {
			if !fernet.MaybeToken(token[:n]) || !fernet.MaybeToken(string(token[:n])) {
				t.Errorf("the first %d of %d bytes are not taken for a token", n, len(token))
			}
		}
	}
	for _, plain := range []string{"", "g", "gAAAA", "gAAAAB", "ada@example.com", "\x80", "\x80\x00\x00\x01", "GAAAAA"} {
		if fernet.MaybeToken(plain) {
			t.Errorf("%q is taken for a token", plain)
		}
	}
}
