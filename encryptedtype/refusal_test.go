package encryptedtype_test

import (
	"database/sql/driver"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
)

// checkRefused scans src into a destination that an earlier row has filled, by
// Scan and by Into, and returns the errors.
func checkRefused(t *testing.T, ct columnType, src any) []error {
	t.Helper()
	var errs []error
	for _, into := range []bool{false, true} {
		d := ct.stale()
		scan := d.Scan
		if into {
			scan = encryptedtype.Into(testRing, d.pointer).Scan
		}
		err := scan(src)
		if err == nil {
			t.Fatal("accepted")
		}
		if !d.isZero() {
			t.Errorf("after an error the destination holds something; it is the stored value: %v",
				d.plaintext() == fmt.Sprintf("%s", src))
		}
		errs = append(errs, err)
	}
	return errs
}

func TestScanRefusesWhatIsNotAToken(t *testing.T) {
	t.Parallel()
	token := testRing.EncryptString("plaintext")
	raw := string(testRing.EncryptRaw([]byte("plaintext")))
	flip := func(s string, i int) string {
		b := []byte(s)
		b[i] ^= 1
		return string(b)
	}
	stored := map[string]string{
		"empty":                   "",
		"plaintext":               "alice@example.com",
		"long plaintext":          strings.Repeat("alice@example.com ", 100),
		"JSON":                    `{"street":"1 Example Street"}`,
		"marker":                  encryptedtype.Redacted,
		"prefix of a token":       "gAAAAA",
		"looks like a token":      "gAAAAAB" + strings.Repeat("A", 91) + "==",
		"looks like a raw token":  "\x80" + strings.Repeat("\x00", 72),
		"token cut short":         token[:len(token)-4],
		"token without padding":   strings.TrimRight(token, "="),
		"token and a space":       token + " ",
		"token and a newline":     token + "\n",
		"space and a token":       " " + token,
		"quoted token":            `"` + token + `"`,
		"two tokens":              token + token,
		"token in capitals":       strings.ToUpper(token),
		"token in other alphabet": "+" + token[1:],
		"version changed":         flip(token, 0),
		"time changed":            flip(token, 8),
		"IV changed":              flip(token, 20),
		"body changed":            flip(token, 40),
		"tag changed":             flip(token, 60),
		"raw version changed":     flip(raw, 0),
		"raw time changed":        flip(raw, 5),
		"raw body changed":        flip(raw, 30),
		"raw tag changed":         flip(raw, len(raw)-1),
		"raw token cut short":     raw[:len(raw)-1],
		"raw token in hex":        fmt.Sprintf(`\x%x`, raw),
		"token in base64":         base64.StdEncoding.EncodeToString([]byte(token)),
		"token of another key":    otherRing.EncryptString("plaintext"),
		"raw of another key":      string(otherRing.EncryptRaw([]byte("plaintext"))),
		"token of a derived key":  testRing.Derive("users", "email").EncryptString("plaintext"),
	}
	forEachType(t, func(t *testing.T, ct columnType) {
		for name, s := range stored {
			for _, src := range []any{s, []byte(s)} {
				t.Run(fmt.Sprintf("%s as %T", name, src), func(t *testing.T) {
					for _, err := range checkRefused(t, ct, src) {
						if !errors.Is(err, fernet.ErrInvalidToken) {
							t.Errorf("%v does not wrap fernet.ErrInvalidToken", err)
						}
						checkSays(t, err, ct.name)
						if len(s) > 1 && strings.Contains(err.Error(), s) {
							t.Error("the error quotes what was stored")
						}
					}
				})
			}
		}
		t.Run("nil []byte", func(t *testing.T) { checkRefused(t, ct, []byte(nil)) })
	})
}

// checkSays fails if err does not name the type.
func checkSays(t *testing.T, err error, want string) {
	t.Helper()
	if !strings.HasPrefix(err.Error(), "encryptedtype: ") || !strings.Contains(err.Error(), want) {
		t.Errorf("the error is %q and does not say %q", err, want)
	}
}

func TestScanRefusesOtherKindsAndNamesThem(t *testing.T) {
	t.Parallel()
	type named string
	kinds := map[string]any{
		"int64":     int64(739182465),
		"float64":   float64(739182465.5),
		"bool":      true,
		"time.Time": time.Date(7391, 1, 1, 0, 0, 0, 0, time.UTC),
		"[]string":  []string{testRing.EncryptString("x")},
		"named":     named(testRing.EncryptString("x")), // no driver.Value
	}
	forEachType(t, func(t *testing.T, ct columnType) {
		for kind, src := range kinds {
			t.Run(kind, func(t *testing.T) {
				for _, err := range checkRefused(t, ct, src) {
					checkSays(t, err, kind)
					checkSays(t, err, ct.name)
					if errors.Is(err, fernet.ErrInvalidToken) || strings.Contains(err.Error(), "7391") {
						t.Errorf("the error is %q", err)
					}
				}
			})
		}
	})
}

// The JSON types: what is stored is a token, but not of JSON, or not of T's.
func TestEncryptedRefusesOtherPlaintexts(t *testing.T) {
	t.Parallel()
	const canary = "1234567890123456789012345"
	type shape struct{ N int8 }
	for _, p := range []string{"", "plain " + canary, canary, `{"N":` + canary + `}`, `{"N":"` + canary + `"}`, `{"N":1`, `{"N":1}x`, `[1]`} {
		e := encryptedtype.Encrypted[shape]{V: shape{5}}
		err := e.Scan(testRing.EncryptString(p))
		if err == nil {
			t.Fatalf("%q accepted", p)
		}
		if e != (encryptedtype.Encrypted[shape]{}) {
			t.Errorf("%q leaves the value of an earlier row", p)
		}
		if strings.Contains(err.Error(), "12345") {
			t.Errorf("%q: the error quotes the plaintext", p)
		}
		checkSays(t, err, "Encrypted[encryptedtype_test.shape]")
	}
}

func TestSizeLimitHoldsBothWays(t *testing.T) {
	t.Parallel()
	forEachType(t, func(t *testing.T, ct columnType) {
		token := mustValue(t, ct.wrap(strings.Repeat("x", 100)))
		exact := len(tokenBytes(t, token))
		for _, limit := range []int{0, exact - 1, exact, exact + 1} {
			kr := testRing.WithMaxTokenLen(limit)
			v, errValue := encryptedtype.Bind(kr, ct.wrap(strings.Repeat("x", 100))).Value()
			stale := ct.stale()
			errScan := encryptedtype.Into(kr, stale.pointer).Scan(token)

			if (errValue == nil) != (limit >= exact) || (errScan == nil) != (limit >= exact) {
				t.Errorf("a token of %d bytes under a limit of %d: Value says %v, Scan says %v", exact, limit, errValue, errScan)
			}
			if errValue != nil {
				checkSays(t, errValue, "limit")
				if storable(v) {
					t.Error("Value returns something with its error")
				}
			}
			if errScan != nil && (!stale.isZero() || !errors.Is(errScan, fernet.ErrInvalidToken)) {
				t.Errorf("Scan: zero %v, err %v", stale.isZero(), errScan)
			}
		}
	})
}

// The other form of driver value must not be a way around the limit.
func TestSizeLimitHoldsForEveryForm(t *testing.T) {
	t.Parallel()
	kr := testRing.WithMaxTokenLen(200)
	forEachType(t, func(t *testing.T, ct columnType) {
		for form, src := range forms(t, mustValue(t, ct.wrap(strings.Repeat("x", 300)))) {
			d := ct.stale()
			if err := encryptedtype.Into(kr, d.pointer).Scan(src); !errors.Is(err, fernet.ErrInvalidToken) || !d.isZero() {
				t.Errorf("%s: err %v, zero %v", form, err, d.isZero())
			}
		}
	})
}

func TestValueReturnsNothingStorableWithAnError(t *testing.T) {
	// Not parallel: it takes the process default away.
	defer encryptedtype.ReplaceDefault(testRing.WithMaxTokenLen(10))()
	forEachType(t, func(t *testing.T, ct columnType) {
		for _, v := range []driver.Valuer{ct.wrap("secret"), encryptedtype.Bind(nil, ct.wrap("secret"))} {
			if got, err := v.Value(); storable(got) || err == nil {
				t.Errorf("got a %T, err %v", got, err)
			}
		}
	})
}
