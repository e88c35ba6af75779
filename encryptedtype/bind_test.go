package encryptedtype_test

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
)

// inner finds what a token of otherRing holds.
func inner(t *testing.T, v driver.Value) string {
	t.Helper()
	p, err := otherRing.Decrypt(tokenBytes(t, v))
	if err != nil {
		t.Fatal(err)
	}
	return string(p)
}

func testBindForms[T driver.Valuer](t *testing.T, v T, plaintext string) {
	p := &v
	for name, arg := range map[string]any{
		"value":               v,
		"pointer":             p,
		"pointer to pointer":  &p,
		"sql.Null":            sql.Null[T]{V: v, Valid: true},
		"pointer to sql.Null": &sql.Null[T]{V: v, Valid: true},
		"sql.Null of pointer": sql.Null[*T]{V: p, Valid: true},
	} {
		if got := inner(t, mustValue(t, encryptedtype.Bind(otherRing, arg))); got != plaintext {
			t.Errorf("%T, %s: another plaintext", v, name)
		}
		if got, err := encryptedtype.Bind(nil, arg).Value(); storable(got) || !errors.Is(err, encryptedtype.ErrNoKeyring) {
			t.Errorf("%T, %s, without a ring: a %T and %v", v, name, got, err)
		}
	}

	var none *T
	for name, arg := range map[string]any{
		"nil":                            nil,
		"nil pointer":                    none,
		"pointer to nil pointer":         &none,
		"sql.Null that is not valid":     sql.Null[T]{V: v},
		"nil pointer to sql.Null":        (*sql.Null[T])(nil),
		"sql.Null of nil pointer":        sql.Null[*T]{Valid: true},
		"pointer to an invalid sql.Null": &sql.Null[T]{V: v},
	} {
		if got, err := encryptedtype.Bind(otherRing, arg).Value(); got != nil || err != nil {
			t.Errorf("%T, %s: a %T and %v", v, name, got, err)
		}
	}
}

func TestBindTakesValuesPointersAndNulls(t *testing.T) {
	t.Parallel()
	testBindForms(t, encryptedtype.EncryptedString("p"), "p")
	testBindForms(t, encryptedtype.EncryptedBytes("p"), "p")
	testBindForms(t, encryptedtype.Encrypted[int]{V: 7}, "7")
	testBindForms(t, encryptedtype.DeterministicString("p"), "p")
}

func TestBindRefusesPlainValuesWithoutQuotingThem(t *testing.T) {
	t.Parallel()
	const canary = "739182465"
	s := canary
	for _, arg := range []any{
		s, &s, (*string)(nil), []byte(s), 739182465, 739182465.0, true, errors.New(s), time.Now(),
		[]string{s}, []encryptedtype.EncryptedString{"x"}, struct{ S string }{s}, map[string]string{s: s},
		sql.Null[string]{V: s, Valid: true}, sql.Null[string]{}, &sql.Null[string]{V: s, Valid: true},
		sql.NullString{String: s, Valid: true},
		encryptedtype.Bind(testRing, encryptedtype.EncryptedString(s)),
		encryptedtype.Into(testRing, &s),
	} {
		v, err := encryptedtype.Bind(testRing, arg).Value()
		if storable(v) || err == nil {
			t.Errorf("%T: a %T and no error", arg, v)
			continue
		}
		checkSays(t, err, fmt.Sprintf("%T", arg))
		checkSays(t, err, "EncryptedString(s)")
		if strings.Contains(err.Error(), canary) {
			t.Errorf("%T: the error quotes the value", arg)
		}
	}
}

func testIntoForms[T driver.Valuer](t *testing.T, v T) {
	token := mustValue(t, encryptedtype.Bind(otherRing, v))
	for _, tt := range []struct {
		name string
		kr   *fernet.Keyring
		src  any
		want func(error) bool
	}{
		{"token", otherRing, token, func(err error) bool { return err == nil }},
		{"NULL", otherRing, nil, func(err error) bool { return err == nil }},
		{"wrong key", testRing, token, func(err error) bool { return errors.Is(err, fernet.ErrInvalidToken) }},
		{"plaintext", otherRing, "plaintext", func(err error) bool { return errors.Is(err, fernet.ErrInvalidToken) }},
		{"another kind", otherRing, int64(1), func(err error) bool { return err != nil && strings.Contains(err.Error(), "int64") }},
		{"no ring", nil, token, func(err error) bool { return errors.Is(err, encryptedtype.ErrNoKeyring) }},
		{"no ring and NULL", nil, nil, func(err error) bool { return errors.Is(err, encryptedtype.ErrNoKeyring) }},
	} {
		t.Run(fmt.Sprintf("%T/%s", v, tt.name), func(t *testing.T) {
			stale := v
			direct, pointer, null := v, &stale, sql.Null[T]{V: v, Valid: true}
			for _, dst := range []any{&direct, &pointer, &null} {
				if err := encryptedtype.Into(tt.kr, dst).Scan(tt.src); !tt.want(err) {
					t.Errorf("%T: %v", dst, err)
				}
			}
			if tt.name == "token" {
				if !reflect.DeepEqual(direct, v) || !reflect.DeepEqual(null.V, v) || !null.Valid || pointer == nil || !reflect.DeepEqual(*pointer, v) {
					t.Error("another value comes back")
				}
				if pointer == &stale {
					t.Error("the value of an earlier row was overwritten")
				}
				return
			}
			if !reflect.ValueOf(direct).IsZero() || pointer != nil || !reflect.ValueOf(null).IsZero() {
				t.Errorf("something is left: direct %v, pointer %v, sql.Null %v (valid %v)",
					!reflect.ValueOf(direct).IsZero(), pointer != nil, !reflect.ValueOf(null.V).IsZero(), null.Valid)
			}
		})
	}
}

func TestIntoTakesPointersToValuesPointersAndNulls(t *testing.T) {
	t.Parallel()
	testIntoForms(t, encryptedtype.EncryptedString("p"))
	testIntoForms(t, encryptedtype.EncryptedBytes("p"))
	testIntoForms(t, encryptedtype.Encrypted[int]{V: 7})
	testIntoForms(t, encryptedtype.DeterministicString("p"))
}

func TestIntoRefusesOtherDestinations(t *testing.T) {
	t.Parallel()
	const canary = "739182465"
	s, b, n, ns, a, p := canary, []byte(canary), sql.Null[string]{V: canary, Valid: true}, sql.NullString{String: canary}, any(canary), new(string)
	es := encryptedtype.EncryptedString(canary)
	pp := new(*encryptedtype.EncryptedString)
	for _, dst := range []any{
		nil, s, es, 7, b, n, func() {}, map[string]string{s: s},
		(*encryptedtype.EncryptedString)(nil), (**encryptedtype.EncryptedString)(nil), (*sql.Null[encryptedtype.EncryptedString])(nil),
		&s, &b, &n, &ns, &a, &p, &pp, encryptedtype.Into(testRing, &es),
	} {
		err := encryptedtype.Into(testRing, dst).Scan(testRing.EncryptString("x"))
		if err == nil {
			t.Errorf("%T accepted", dst)
			continue
		}
		checkSays(t, err, fmt.Sprintf("not %T", dst))
		if strings.Contains(err.Error(), canary) {
			t.Errorf("%T: the error quotes what was there", dst)
		}
	}
	if s != "" || b != nil || n.Valid || a != nil {
		t.Error("a refused destination keeps the value of an earlier row")
	}
}

func TestTwoKeyringsSideBySide(t *testing.T) {
	t.Parallel()
	a, b := testRing.Derive("tenant", "a"), testRing.Derive("tenant", "b")
	forEachType(t, func(t *testing.T, ct columnType) {
		tokenA := mustValue(t, encryptedtype.Bind(a, ct.wrap("of a")))
		tokenB := mustValue(t, encryptedtype.Bind(b, ct.wrap("of b")))
		for _, tt := range []struct {
			name string
			kr   *fernet.Keyring
			src  any
			want string
		}{
			{"a's own", a, tokenA, "of a"},
			{"b's own", b, tokenB, "of b"},
			{"b's under a", a, tokenB, ""},
			{"a's under b", b, tokenA, ""},
		} {
			d := ct.stale()
			err := encryptedtype.Into(tt.kr, d.pointer).Scan(tt.src)
			if (err == nil) != (tt.want != "") || tt.want != "" && d.plaintext() != tt.want || tt.want == "" && !d.isZero() {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
	})
}
