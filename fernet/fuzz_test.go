package fernet_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/fernetcol/fernetcol/fernet"
)

// FuzzDecrypt: what is accepted is what an encoder emits, byte for byte.
func FuzzDecrypt(f *testing.F) {
	kr, ref := newRing(f, 0, 1), newReference(fakeKey(0))
	for _, n := range []int{0, 1, 15, 16, 17, 31, 32, 100} {
		for _, raw := range []bool{false, true} {
			token := fernet.TokenAt(kr, make([]byte, n), 1<<31, [16]byte{}, raw)
			f.Add(token)
			f.Add(append(bytes.Clone(token), '\n'))
			f.Add(token[:len(token)-1])
		}
		f.Add(toText(ref.forge(0x80, 1, [16]byte{}, make([]byte, n))))
	}
	f.Add([]byte("gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA=="))
	f.Fuzz(func(t *testing.T, token []byte) {
		plaintext, err := kr.Decrypt(token)
		s, errString := kr.DecryptString(string(token))
		if (err == nil) != (errString == nil) || string(plaintext) != s {
			t.Fatal("Decrypt and DecryptString differ")
		}
		if err != nil {
			if err != fernet.ErrInvalidToken || errString != fernet.ErrInvalidToken || plaintext != nil {
				t.Fatalf("errors %v, %v", err, errString)
			}
			return
		}
		raw := rawOf(token)
		id, err := kr.KeyID(token)
		if err != nil {
			t.Fatal(err)
		}
		maker := kr
		if id != kr.PrimaryID() {
			maker = newRing(t, 1)
		}
		if again := fernet.TokenAt(maker, plaintext, timestampOf(token), [16]byte(raw[9:25]), token[0] == 0x80); !bytes.Equal(again, token) {
			t.Fatal("an accepted token does not re-encode to itself")
		}
	})
}

// FuzzDecryptSigned gives every input a valid tag, so that what comes after the
// tag is fuzzed, too: no panic, and exactly the padding that the reference
// accepts.
func FuzzDecryptSigned(f *testing.F) {
	kr, ref := newRing(f, 0), newReference(fakeKey(0))
	f.Add(byte(0x80), uint64(1), []byte{}, false)
	f.Add(byte(0x80), uint64(1), make([]byte, 15), true)
	f.Add(byte(0x80), uint64(1)<<63, bytes.Repeat([]byte{16}, 16), true)
	f.Add(byte(0x80), uint64(1), bytes.Repeat([]byte{32}, 32), true)
	f.Add(byte(0x80), uint64(1), append(make([]byte, 15), 1), true)
	f.Add(byte(0x80), uint64(1), make([]byte, 16), true)
	f.Add(byte(0x81), uint64(1), bytes.Repeat([]byte{16}, 16), true)
	f.Add(byte('g'), uint64(1), bytes.Repeat([]byte{16}, 48), false)
	// encrypt says whether body is the padded plaintext, or what stands in the
	// token.
	f.Fuzz(func(t *testing.T, version byte, at uint64, body []byte, encrypt bool) {
		var iv [16]byte
		binary.LittleEndian.PutUint64(iv[3:], at)
		whole := len(body) > 0 && len(body)%16 == 0
		if encrypt && whole {
			body = ref.seal(at, iv, body)[25 : 25+len(body)]
		}
		var want []byte
		ok := whole && version == 0x80
		if ok {
			want, ok = unpadded(ref.unseal(iv, body))
		}
		bothForms(ref.forge(version, at, iv, body), func(token []byte, form string) {
			got, err := kr.Decrypt(token)
			switch {
			case ok && (err != nil || !bytes.Equal(got, want)):
				t.Fatalf("%s: err %v, want it accepted", form, err)
			case !ok && (err != fernet.ErrInvalidToken || got != nil):
				t.Fatalf("%s: err %v, want exactly ErrInvalidToken", form, err)
			}
			if ok {
				wantOpens(t, kr, token, want, "%s", form)
			}
		})
	})
}

// FuzzParseKey: what parses encodes to itself.
func FuzzParseKey(f *testing.F) {
	f.Add("")
	f.Add(aKey)
	f.Add(aKey + "\n")
	f.Add(aKey[:42] + "9=")
	f.Add("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
	f.Add("++++////++++////++++////++++////++++////++8=")
	f.Fuzz(func(t *testing.T, s string) {
		k, err := fernet.ParseKey(s)
		b, ok := decodeByStandard(s)
		ok = ok && len(b) == 32 && !bytes.Equal(b, make([]byte, 32))
		if ok != (err == nil) {
			t.Fatalf("err %v; the standard library says %v", err, ok)
		}
		if err != nil {
			if !errors.Is(err, fernet.ErrInvalidKey) || !k.IsZero() {
				t.Fatalf("err %v, key zero: %v", err, k.IsZero())
			}
			return
		}
		if k.Encode() != s || base64.URLEncoding.EncodeToString(b) != s {
			t.Fatal("a key that parses does not encode to itself")
		}
	})
}

// FuzzBase64 compares encoding and decoding with the standard library's.
func FuzzBase64(f *testing.F) {
	for _, s := range []string{"", "=", "====", "AAAA", "AA==", "AB==", "AAA=", "AAB=", "A===", "AAAA\n", "-_-_", "+/+/", "AA==AAAA"} {
		f.Add([]byte(s))
		f.Add([]byte("gAAAAABVLTmsBrJWKMzj" + s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := checkEncode(b); err != nil {
			t.Fatal(err)
		}
		if err := checkDecode(string(b)); err != nil {
			t.Fatal(err)
		}
	})
}
