package encryptedtype_test

import (
	"bytes"
	"database/sql/driver"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/fernetcol/fernetcol/encryptedtype"
)

var plaintexts = map[string]string{
	"empty":          "",
	"1 byte":         "a",
	"15 bytes":       strings.Repeat("a", 15),
	"16 bytes":       strings.Repeat("a", 16),
	"17 bytes":       strings.Repeat("a", 17),
	"NUL":            "\x00",
	"NUL inside":     "a\x00b",
	"invalid UTF-8":  "\xff\xfe\x80\xc3(",
	"not ASCII":      "Grüße, 世界 🔑",
	"quotes":         `it's "quoted" \ and ; -- commented`,
	"the marker":     encryptedtype.Redacted,
	"JSON null":      "null",
	"white space":    " \t\r\n",
	"token prefix":   "gAAAAAB",
	"raw token byte": "\x80",
	"1 MiB":          strings.Repeat("0123456789abcdef", 1<<16),
}

func TestValueIsATokenOfThePlaintext(t *testing.T) {
	t.Parallel()
	forEachType(t, func(t *testing.T, ct columnType) {
		for name, p := range plaintexts {
			v := mustValue(t, ct.wrap(p))
			switch token := v.(type) {
			case string:
				if ct.raw || !strings.HasPrefix(token, "gAAAAA") {
					t.Errorf("%s: the token is a string and begins with %.6q", name, token)
				}
			case []byte:
				if !ct.raw || token[0] != 0x80 {
					t.Errorf("%s: the token is a []byte and begins with %#x", name, token[0])
				}
			default:
				t.Errorf("%s: the token is a %T", name, v)
			}
			got, err := testRing.Decrypt(tokenBytes(t, v))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			want := p
			if ct.name == "Encrypted" {
				want = `"` + base64.StdEncoding.EncodeToString([]byte(p)) + `"`
			}
			if string(got) != want {
				t.Errorf("%s: the token holds another plaintext", name)
			}
		}
	})
}

func TestScanReturnsWhatValueStored(t *testing.T) {
	t.Parallel()
	forEachType(t, func(t *testing.T, ct columnType) {
		for name, p := range plaintexts {
			for form, src := range forms(t, mustValue(t, ct.wrap(p))) {
				d := ct.stale()
				if err := d.Scan(src); err != nil {
					t.Errorf("%s from %s: %v", name, form, err)
				} else if d.plaintext() != p {
					t.Errorf("%s from %s: another plaintext comes back", name, form)
				}
			}
		}
	})
}

// forms returns a token in every form in which a driver may give it back.
func forms(t testing.TB, token driver.Value) map[string]any {
	t.Helper()
	b := tokenBytes(t, token)
	text, raw := b, b
	if b[0] == 0x80 {
		text = base64.URLEncoding.AppendEncode(nil, b)
	} else {
		var err error
		if raw, err = base64.URLEncoding.AppendDecode(nil, b); err != nil {
			t.Fatal(err)
		}
	}
	return map[string]any{
		"a text token as string": string(text),
		"a text token as []byte": text,
		"a raw token as string":  string(raw),
		"a raw token as []byte":  raw,
	}
}

func TestScanReadsTokensOfRetiredKeys(t *testing.T) {
	t.Parallel()
	retired := keyring(exampleOld)
	forEachType(t, func(t *testing.T, ct columnType) {
		d := ct.stale()
		if err := d.Scan(mustValue(t, encryptedtype.Bind(retired, ct.wrap("old")))); err != nil || d.plaintext() != "old" {
			t.Errorf("err %v, equal %v", err, d.plaintext() == "old")
		}
	})
}

// What the program holds is plaintext, whatever it looks like.
func TestValueEncryptsWhatLooksEncryptedAlready(t *testing.T) {
	t.Parallel()
	forEachType(t, func(t *testing.T, ct columnType) {
		for _, first := range []driver.Value{
			testRing.EncryptString("inner"),
			string(testRing.EncryptRaw([]byte("inner"))),
			string(testRing.EncryptDeterministic([]byte("inner"))),
		} {
			token := first.(string)
			v := mustValue(t, ct.wrap(token))
			if bytes.Equal(tokenBytes(t, v), []byte(token)) {
				t.Error("a token was stored as it is")
			}
			d := ct.stale()
			if err := d.Scan(v); err != nil || d.plaintext() != token {
				t.Errorf("the token does not come back as it was: %v", err)
			}
		}
	})
}

func TestNullScansToZero(t *testing.T) {
	t.Parallel()
	forEachType(t, func(t *testing.T, ct columnType) {
		d := ct.stale()
		if err := d.Scan(nil); err != nil {
			t.Fatal(err)
		}
		if !d.isZero() {
			t.Error("NULL leaves what was there")
		}
	})
}

func TestNilEncryptedBytesIsNullAndEmptyIsNot(t *testing.T) {
	t.Parallel()
	if v := mustValue(t, encryptedtype.EncryptedBytes(nil)); v != nil {
		t.Errorf("nil is stored as a %T", v)
	}
	v := mustValue(t, encryptedtype.EncryptedBytes{})
	if v == nil {
		t.Fatal("the empty value is stored as NULL")
	}
	b := encryptedtype.EncryptedBytes("stale")
	if err := b.Scan(v); err != nil || b == nil || len(b) != 0 {
		t.Errorf("the empty value comes back with length %d, nil %v, err %v", len(b), b == nil, err)
	}
}

// A driver may overwrite the bytes that it gave to Scan when the next row is
// read.
func TestScanKeepsNothingOfTheDriversBytes(t *testing.T) {
	t.Parallel()
	forEachType(t, func(t *testing.T, ct columnType) {
		src := tokenBytes(t, mustValue(t, ct.wrap("kept")))
		before := bytes.Clone(src)
		d := ct.stale()
		if err := d.Scan(src); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(src, before) {
			t.Error("Scan changed the driver's bytes")
		}
		clear(src)
		if d.plaintext() != "kept" {
			t.Error("the value changed with the driver's bytes")
		}
	})
}

func TestOnlyDeterministicTokensRepeat(t *testing.T) {
	t.Parallel()
	forEachType(t, func(t *testing.T, ct columnType) {
		a := tokenBytes(t, mustValue(t, ct.wrap("same")))
		b := tokenBytes(t, mustValue(t, ct.wrap("same")))
		if bytes.Equal(a, b) != (ct.name == "DeterministicString") {
			t.Errorf("two tokens of one plaintext: equal is %v", bytes.Equal(a, b))
		}
	})
}

func TestTokensCoverEveryKeyOfTheRing(t *testing.T) {
	t.Parallel()
	s := encryptedtype.DeterministicString("a@example.com")
	tokens := s.Tokens(testRing)
	if len(tokens) != 2 || tokens[0] == tokens[1] {
		t.Fatalf("%d tokens, or equal ones", len(tokens))
	}
	for i, kr := range []string{exampleNew, exampleOld} {
		if tokens[i] != mustValue(t, encryptedtype.Bind(keyring(kr), s)) {
			t.Errorf("token %d is not what that key stores", i)
		}
	}
}

func TestGormDataType(t *testing.T) {
	t.Parallel()
	forEachType(t, func(t *testing.T, ct columnType) {
		want := "text"
		if ct.raw {
			want = "bytes"
		}
		if got := ct.wrap("").(interface{ GormDataType() string }).GormDataType(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
