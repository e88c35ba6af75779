package encryptedtype_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"testing"

	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
)

// FuzzScan gives to Scan what a database could hold. Either it is refused and
// the destination is zero, or it is a canonical token, and of the plaintext that
// came out.
func FuzzScan(f *testing.F) {
	for _, p := range []string{"", "a", "null", `"Lw=="`, "0123456789abcdef"} {
		// Deterministic tokens, so that the seeds are the same in every process.
		token := testRing.EncryptDeterministic([]byte(p))
		raw, err := base64.URLEncoding.AppendDecode(nil, token)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(token)
		f.Add(raw)
		f.Add(append(token, '\n'))
		f.Add(bytes.TrimRight(token, "="))
		f.Add(otherRing.EncryptDeterministic([]byte(p)))
		f.Add([]byte(p))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		given := bytes.Clone(src)
		for _, ct := range columnTypes {
			for _, v := range []any{src, string(src)} {
				d := ct.stale()
				err := d.Scan(v)
				if !bytes.Equal(src, given) {
					t.Fatalf("%s: Scan changed what it was given", ct.name)
				}
				if err != nil {
					// A token of what is not JSON is the one other error.
					if !errors.Is(err, fernet.ErrInvalidToken) && ct.name != "Encrypted" {
						t.Errorf("%s of a %T: %v", ct.name, v, err)
					}
					if !d.isZero() {
						t.Errorf("%s of a %T: something is left after an error", ct.name, v)
					}
					continue
				}
				checkToken(t, ct, src, d.plaintext())
			}
		}
	})
}

// checkToken fails unless src, which Scan accepted, is a token of plaintext in
// the one spelling that a token has.
func checkToken(t *testing.T, ct columnType, src []byte, plaintext string) {
	t.Helper()
	p, err := testRing.Decrypt(src)
	if err != nil {
		t.Fatalf("%s accepts what the key ring does not: %v", ct.name, err)
	}
	if ct.name != "Encrypted" && string(p) != plaintext {
		t.Errorf("%s: not the plaintext of the token", ct.name)
	}
	raw := src
	if src[0] != 0x80 {
		raw = make([]byte, base64.URLEncoding.DecodedLen(len(src)))
		n, err := base64.URLEncoding.Strict().Decode(raw, src)
		if err != nil || base64.URLEncoding.EncodeToString(raw[:n]) != string(src) {
			t.Fatalf("%s accepts a token that is not canonical", ct.name)
		}
		raw = raw[:n]
	}
	if raw[0] != 0x80 || len(raw) != encryptedtype.BytesSize(len(p)) {
		t.Errorf("%s accepts %d bytes as the token of %d", ct.name, len(raw), len(p))
	}
}

// FuzzRoundTrip: whatever it looks like, what the program holds comes back.
func FuzzRoundTrip(f *testing.F) {
	f.Add("")
	f.Add("\xff\x00")
	f.Add(string(testRing.EncryptDeterministic(nil)))
	f.Fuzz(func(t *testing.T, plaintext string) {
		for _, ct := range columnTypes {
			d := ct.stale()
			if err := d.Scan(mustValue(t, ct.wrap(plaintext))); err != nil || d.plaintext() != plaintext {
				t.Errorf("%s: %v", ct.name, err)
			}
		}
	})
}

// FuzzUnmarshalJSON: what is accepted is a string of JSON and not the marker, and
// comes back from its own JSON.
func FuzzUnmarshalJSON(f *testing.F) {
	for _, s := range []string{`""`, `"a"`, `"[encrypted]"`, `"\u005bencrypted]"`, `null`, `1`, `{"a":[1]}`, `"\ud800"`, "\"\xff\"", ``} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		const old = "old"
		s, e := encryptedtype.EncryptedString(old), encryptedtype.Encrypted[any]{V: old}
		if err := s.UnmarshalJSON(data); err != nil && s != old {
			t.Error("EncryptedString changes on an error")
		} else if err == nil && s == encryptedtype.Redacted {
			t.Error("EncryptedString takes the marker")
		}
		if err := e.UnmarshalJSON(data); err != nil {
			if e.V != old {
				t.Error("Encrypted changes on an error")
			}
			return
		}
		if e.V == encryptedtype.Redacted {
			t.Error("Encrypted takes the marker")
		}
		first, err := e.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		var again encryptedtype.Encrypted[any]
		if err := again.UnmarshalJSON(first); err != nil {
			t.Fatal(err)
		}
		if second, err := again.MarshalJSON(); err != nil || !bytes.Equal(first, second) {
			t.Errorf("its JSON comes back as other JSON: %v", err)
		}
	})
}
