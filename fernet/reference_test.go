package fernet_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/fernetcol/fernetcol/fernet"
)

// reference is Fernet written a second time, straight from the specification and
// with nothing of the package under test. It also makes what no encoder makes:
// malformed tokens with a valid tag.
type reference struct{ signing, encryption []byte }

func newReference(k fernet.Key) reference {
	b, err := base64.URLEncoding.DecodeString(k.Encode())
	if err != nil {
		panic("an encoded key does not decode")
	}
	return reference{signing: b[:16], encryption: b[16:]}
}

// sign returns b with its tag behind it.
func (r reference) sign(b []byte) []byte {
	mac := hmac.New(sha256.New, r.signing)
	mac.Write(b)
	return mac.Sum(bytes.Clone(b))
}

// forge returns a raw token of exactly those fields, with a valid tag.
func (r reference) forge(version byte, timestamp uint64, iv [16]byte, body []byte) []byte {
	b := binary.BigEndian.AppendUint64([]byte{version}, timestamp)
	b = append(b, iv[:]...)
	return r.sign(append(b, body...))
}

// seal is forge with the encryption of padded, which is whole blocks, as the
// body.
func (r reference) seal(timestamp uint64, iv [16]byte, padded []byte) []byte {
	body := make([]byte, len(padded))
	cipher.NewCBCEncrypter(r.block(), iv[:]).CryptBlocks(body, padded)
	return r.forge(0x80, timestamp, iv, body)
}

// unseal decrypts whole blocks, padding included.
func (r reference) unseal(iv [16]byte, body []byte) []byte {
	padded := make([]byte, len(body))
	cipher.NewCBCDecrypter(r.block(), iv[:]).CryptBlocks(padded, body)
	return padded
}

func (r reference) block() cipher.Block {
	block, err := aes.NewCipher(r.encryption)
	if err != nil {
		panic(err)
	}
	return block
}

// padded returns plaintext with its PKCS #7 padding.
func padded(plaintext []byte) []byte {
	n := 16 - len(plaintext)%16
	return append(bytes.Clone(plaintext), bytes.Repeat([]byte{byte(n)}, n)...)
}

// unpadded is the inverse of padded; ok is false if b is not in its range.
func unpadded(b []byte) (plaintext []byte, ok bool) {
	for n := 1; n <= 16 && n <= len(b); n++ {
		if bytes.Equal(padded(b[:len(b)-n]), b) {
			return b[:len(b)-n], true
		}
	}
	return nil, false
}

func toText(raw []byte) []byte {
	return base64.URLEncoding.AppendEncode(nil, raw)
}

// rawOf returns the raw form of a token in either form.
func rawOf(token []byte) []byte {
	if token[0] == 0x80 {
		return token
	}
	raw, err := base64.URLEncoding.DecodeString(string(token))
	if err != nil {
		panic("not a text token")
	}
	return raw
}

func timestampOf(token []byte) uint64 { return binary.BigEndian.Uint64(rawOf(token)[1:9]) }

// fakeKey returns the nth of the keys that the tests use.
func fakeKey(n int) fernet.Key {
	sum := sha256.Sum256(fmt.Appendf(nil, "fernetcol: fake key %d, for tests only", n))
	k, err := fernet.ParseKey(base64.URLEncoding.EncodeToString(sum[:]))
	if err != nil {
		panic(err)
	}
	return k
}

// newRing returns a ring of fakeKey(n) for each n, the primary key first.
func newRing(t testing.TB, n ...int) *fernet.Keyring {
	t.Helper()
	var encoded []string
	for _, n := range n {
		encoded = append(encoded, fakeKey(n).Encode())
	}
	return ringOf(t, encoded...)
}

// ringOf returns the ring of those encoded keys, the primary key first.
func ringOf(t testing.TB, encoded ...string) *fernet.Keyring {
	t.Helper()
	var keys []fernet.Key
	for _, s := range encoded {
		k, err := fernet.ParseKey(s)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, k)
	}
	kr, err := fernet.NewKeyring(keys[0], keys[1:]...)
	if err != nil {
		t.Fatal(err)
	}
	return kr
}

// seeded returns the test's source of randomness. It is the same in every run,
// unless FERNETCOL_SEED says another.
func seeded(t testing.TB) *rand.Rand { return rand.New(rand.NewPCG(seed(t), 0)) }

func seed(t testing.TB) uint64 {
	t.Helper()
	seed := uint64(1)
	if s := os.Getenv("FERNETCOL_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatalf("FERNETCOL_SEED: %v", err)
		}
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("to see it again, set FERNETCOL_SEED=%d", seed)
		}
	})
	return seed
}

func randomBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, 0, n+8)
	for len(b) < n {
		b = binary.LittleEndian.AppendUint64(b, r.Uint64())
	}
	return b[:n:n]
}

func randomIV(r *rand.Rand) [16]byte { return [16]byte(randomBytes(r, 16)) }

// openings are all the ways to open a token: the tag, then the padding.
var openings = []struct {
	name string
	open func(kr *fernet.Keyring, token []byte) (plaintext []byte, err error)
}{
	{"Decrypt", (*fernet.Keyring).Decrypt},
	{"AppendDecrypt", func(kr *fernet.Keyring, token []byte) ([]byte, error) {
		return kr.AppendDecrypt([]byte{}, token)
	}},
	{"DecryptString", func(kr *fernet.Keyring, token []byte) ([]byte, error) {
		s, err := kr.DecryptString(string(token))
		if err != nil {
			if s != "" {
				return []byte(s), err
			}
			return nil, err
		}
		return []byte(s), nil
	}},
	{"Rotate", func(kr *fernet.Keyring, token []byte) ([]byte, error) {
		rotated, err := kr.Rotate(token)
		if err != nil {
			return rotated, err
		}
		return kr.Decrypt(rotated)
	}},
}

// tagChecks are the ways to ask something of a token that check its tag and
// decrypt nothing.
var tagChecks = []struct {
	name  string
	check func(kr *fernet.Keyring, token []byte) error
}{
	{"KeyID", func(kr *fernet.Keyring, token []byte) error {
		_, err := kr.KeyID(token)
		return err
	}},
	{"ExtractTimestamp", func(kr *fernet.Keyring, token []byte) error {
		_, err := kr.ExtractTimestamp(token)
		return err
	}},
}

// wantOpens checks that every method opens token to plaintext.
func wantOpens(t *testing.T, kr *fernet.Keyring, token, plaintext []byte, format string, args ...any) {
	t.Helper()
	for _, o := range openings {
		got, err := o.open(kr, token)
		if err != nil || !bytes.Equal(got, plaintext) {
			t.Errorf("%s: %s: err %v, plaintext equal: %v", fmt.Sprintf(format, args...), o.name, err, bytes.Equal(got, plaintext))
		}
	}
	for _, c := range tagChecks {
		var want error
		if c.name == "ExtractTimestamp" && timestampOf(token) > fernet.MaxUnix {
			want = fernet.ErrInvalidToken // no time.Time
		}
		if err := c.check(kr, token); err != want {
			t.Errorf("%s: %s: %v", fmt.Sprintf(format, args...), c.name, err)
		}
	}
}

// wantRefused checks that no method accepts token, nor returns anything but
// exactly ErrInvalidToken.
func wantRefused(t *testing.T, kr *fernet.Keyring, token []byte, format string, args ...any) {
	t.Helper()
	wantUnopened(t, kr, token, format, args...)
	for _, c := range tagChecks {
		if err := c.check(kr, token); err != fernet.ErrInvalidToken {
			t.Errorf("%s: %s: err %v, want exactly ErrInvalidToken", fmt.Sprintf(format, args...), c.name, err)
		}
	}
}

// wantUnopened is wantRefused for a token whose tag may be right.
func wantUnopened(t *testing.T, kr *fernet.Keyring, token []byte, format string, args ...any) {
	t.Helper()
	for _, o := range openings {
		got, err := o.open(kr, token)
		if err != fernet.ErrInvalidToken || got != nil {
			t.Errorf("%s: %s: err %v, want exactly ErrInvalidToken; %d bytes of output", fmt.Sprintf(format, args...), o.name, err, len(got))
		}
	}
}
