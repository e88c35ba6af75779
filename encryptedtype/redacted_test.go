package encryptedtype_test

import (
	"bytes"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log"
	"strings"
	"testing"
	"text/template"

	"github.com/fernetcol/fernetcol/encryptedtype"
)

// canary is the plaintext that must not be printed.
const canary = "CANARY-739182465"

// showsCanary reports whether s holds a part of canary as text, or all of it as
// fmt prints bytes.
func showsCanary(s string) bool {
	digits := strings.NewReplacer(" ", "", ",", "", "0x", "", "0X", "").Replace(s)
	return strings.Contains(s, "CANARY") || strings.Contains(s, "739182465") ||
		strings.Contains(strings.ToLower(digits), fmt.Sprintf("%x", "CANARY")) ||
		strings.Contains(s, strings.Trim(fmt.Sprint([]byte("CANARY")), "[]"))
}

// verbs is every verb, with flags, width and precision; %p and %w are not for
// strings (see TestPrintLimits).
func verbs() []string {
	var all []string
	for _, c := range "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" {
		if c == 'p' || c == 'w' {
			continue
		}
		for _, flags := range []string{"", "+", "#", "-", " ", "0", "+#", "# ", "10", "-40", "040", ".3", "10.3", "+#-40.30", "[1]"} {
			all = append(all, "%"+flags+string(c))
		}
	}
	return all
}

// secrets returns every type's value of a plaintext, Bind and Into among them.
func secrets(t *testing.T, plaintext string) map[string]any {
	all := map[string]any{"Encrypted[string]": encryptedtype.Encrypted[string]{V: plaintext}}
	for _, ct := range columnTypes {
		v := ct.wrap(plaintext)
		d := ct.stale()
		if err := d.Scan(mustValue(t, v)); err != nil {
			t.Fatal(err)
		}
		all[ct.name] = v
		all["*"+ct.name] = d.pointer
		all["Bind of "+ct.name] = encryptedtype.Bind(testRing, v)
		all["Into of "+ct.name] = encryptedtype.Into(testRing, d.pointer)
	}
	return all
}

func TestEveryVerbPrintsTheMarker(t *testing.T) {
	t.Parallel()
	for name, v := range secrets(t, canary) {
		for _, verb := range verbs() {
			if strings.HasSuffix(verb, "T") {
				continue // the type, which fmt prints itself
			}
			if got := fmt.Sprintf(verb, v); got != encryptedtype.Redacted {
				t.Errorf("%s: %s does not print the marker; the plaintext is shown: %v", name, verb, showsCanary(got))
			}
		}
		if got := fmt.Sprintf("%T", v); showsCanary(got) {
			t.Errorf("%s: %%T shows the plaintext", name)
		}
	}
}

func TestPrintFunctionsPrintTheMarker(t *testing.T) {
	t.Parallel()
	for name, v := range secrets(t, canary) {
		var logged bytes.Buffer
		log.New(&logged, "", 0).Print(v)
		wrapped := fmt.Errorf("row 7: %v", v)
		for how, got := range map[string]string{
			"Sprint":      fmt.Sprint(v),
			"Sprintln":    strings.TrimSuffix(fmt.Sprintln(v), "\n"), // as testing.T.Log
			"Append":      string(fmt.Append(nil, v)),
			"String":      v.(fmt.Stringer).String(),
			"GoString":    v.(fmt.GoStringer).GoString(),
			"package log": strings.TrimSuffix(logged.String(), "\n"),
			"an error":    strings.TrimPrefix(wrapped.Error(), "row 7: "),
			"error chain": strings.TrimPrefix(fmt.Errorf("outer: %w", errors.Join(wrapped)).Error(), "outer: row 7: "),
			"a template":  execute(t, "{{.}}", v),
			"printf":      execute(t, `{{printf "%+v" .}}`, v),
			"html":        execute(t, "{{html .}}", v),
		} {
			if got != encryptedtype.Redacted {
				t.Errorf("%s: %s does not print the marker; the plaintext is shown: %v", name, how, showsCanary(got))
			}
		}
		for _, format := range []string{
			"an argument too many",
			"%*v %.*v %[2]*[1]v",        // as width and precision
			"%! %[9]v %[1]v %[x]v %z %", // malformed
			"%v %s %d %q %#v %x %X %+v",
		} {
			args := []any{v, v, []any{v}, [1]any{&v}, map[string]any{"k": v}, []any{&struct{ X any }{v}}}
			if showsCanary(fmt.Sprintf(format, args...)) {
				t.Errorf("%s: the format %q shows the plaintext", name, format)
			}
		}
	}
}

func execute(t *testing.T, text string, data any) string {
	t.Helper()
	var b strings.Builder
	if err := template.Must(template.New("").Parse(text)).Execute(&b, data); err != nil {
		t.Error(err)
	}
	return b.String()
}

// containers returns v in everything that can hold it in exported fields. slot
// is one place for both plaintexts of the test: fmt prints its address.
func containers[T interface {
	comparable
	driver.Valuer
}](v T, slot *T) map[string]any {
	*slot = v
	type exported struct {
		ID   int
		V    T
		Name string
	}
	type besideUnexported struct {
		before []int
		V      T
		after  map[string]int
	}
	type embedding struct {
		exported
		P *T
	}
	e := exported{1, v, "n"}
	return map[string]any{
		"struct":           e,
		"*struct":          &e,
		"unexported too":   besideUnexported{[]int{1}, v, map[string]int{"a": 1}},
		"embedding":        embedding{e, slot},
		"pointer field":    struct{ P *T }{slot},
		"pointer":          slot,
		"any field":        struct{ X any }{v},
		"slice":            []T{v, v},
		"slice of pointer": []*T{slot},
		"slice of any":     []any{1, v, slot},
		"array":            [2]T{v},
		"map value":        map[string]T{"k": v},
		"map key":          map[T]int{v: 1},
		"map of any":       map[any]any{v: v},
		"sql.Null":         sql.Null[T]{V: v, Valid: true},
		"nested":           map[string][]struct{ E exported }{"k": {{e}}},
		"Encrypted":        encryptedtype.Encrypted[T]{V: v},
		"Bind":             struct{ A driver.Valuer }{encryptedtype.Bind(testRing, v)},
		"Into":             []sql.Scanner{encryptedtype.Into(nil, slot)},
		"error":            fmt.Errorf("wrapped: %w", fmt.Errorf("in: %v", v)).Error(),
	}
}

// What is printed may not depend on the plaintext at all.
func testContainers[T interface {
	comparable
	driver.Valuer
}](t *testing.T, v, other T) {
	slot := new(T)
	var into [2]map[string]string
	for i, v := range []T{v, other} {
		into[i] = map[string]string{}
		for name, c := range containers(v, slot) {
			if name == "Into" {
				c = fmt.Sprint(c) // its own address differs
			}
			for _, verb := range verbs() {
				into[i][name+" "+verb] = fmt.Sprintf(verb, c)
			}
			into[i][name+" Sprintln"] = fmt.Sprintln(c)
		}
	}
	for how, got := range into[0] {
		if got != into[1][how] {
			t.Errorf("%T, %s: what is printed depends on the plaintext", v, how)
		}
		if showsCanary(got) {
			t.Errorf("%T, %s: the plaintext is shown", v, how)
		}
	}
}

func TestContainersPrintNothingOfThePlaintext(t *testing.T) {
	t.Parallel()
	testContainers(t, encryptedtype.EncryptedString(canary), "other")
	testContainers(t, encryptedtype.DeterministicString(canary), "other")
	testContainers(t, encryptedtype.Encrypted[string]{V: canary}, encryptedtype.Encrypted[string]{V: "other"})
}

func TestEncryptedBytesInContainersPrintNothingOfThePlaintext(t *testing.T) {
	t.Parallel()
	v := encryptedtype.EncryptedBytes(canary)
	type record struct {
		B encryptedtype.EncryptedBytes
		P *encryptedtype.EncryptedBytes
		n []int
	}
	r := record{v, &v, []int{1}}
	for _, verb := range verbs() {
		for _, c := range []any{r, &r, []record{r}, []encryptedtype.EncryptedBytes{v}, map[int]any{1: v}} {
			if showsCanary(fmt.Sprintf(verb, c)) {
				t.Errorf("%T: %s shows the plaintext", c, verb)
			}
		}
	}
}

func TestPointersInsideValuesPrintAsAddresses(t *testing.T) {
	t.Parallel()
	type user struct {
		S encryptedtype.EncryptedString
		s encryptedtype.EncryptedString
	}
	u := &user{canary, canary}
	for _, verb := range []string{"%v", "%+v", "%#v", "%d", "%x", "%X", "%b", "%o"} {
		for _, c := range []any{[]*user{u}, struct{ U *user }{u}, struct{ u *user }{u}, map[string]any{"u": u}, &u} {
			if showsCanary(fmt.Sprintf(verb, c)) {
				t.Errorf("%T: %s shows the plaintext", c, verb)
			}
		}
	}
}

// The limits that the package documentation states, and no others. If a later Go
// lifts one, the documentation can promise more.
func TestPrintLimits(t *testing.T) {
	t.Parallel()
	type user struct{ S encryptedtype.EncryptedString }
	v := encryptedtype.EncryptedString(canary)
	u := &user{v}
	for _, tt := range []struct {
		format string
		arg    any
	}{
		{"%v", struct{ s encryptedtype.EncryptedString }{v}},
		{"%p", v},
		{"%w", v},
		{"%s", []*user{u}},
		{"%q", struct{ U *user }{u}},
		{"%s", struct{ u *user }{u}},
		{"%s", struct {
			b *encryptedtype.Encrypted[string]
		}{&encryptedtype.Encrypted[string]{V: canary}}},
	} {
		if !showsCanary(fmt.Sprintf(tt.format, tt.arg)) || !showsCanary(fmt.Errorf(tt.format, tt.arg).Error()) {
			t.Errorf("%s of a %T no longer shows the plaintext; the package documentation says that it does", tt.format, tt.arg)
		}
	}
	if showsCanary(fmt.Sprintf("%s %s", []*encryptedtype.EncryptedString{&v}, []*encryptedtype.Encrypted[string]{{V: canary}})) {
		t.Error("pointers to the types themselves show the plaintext")
	}
}
