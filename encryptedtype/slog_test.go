package encryptedtype_test

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fernetcol/fernetcol/encryptedtype"
)

type handlerFunc func(*bytes.Buffer, *slog.HandlerOptions) slog.Handler

var handlers = map[string]handlerFunc{
	"text": func(b *bytes.Buffer, o *slog.HandlerOptions) slog.Handler { return slog.NewTextHandler(b, o) },
	"JSON": func(b *bytes.Buffer, o *slog.HandlerOptions) slog.Handler { return slog.NewJSONHandler(b, o) },
}

// logged returns the line that a handler writes of v, alone, in a group and as
// an attribute of the logger.
func logged(h handlerFunc, o *slog.HandlerOptions, v any) string {
	var b bytes.Buffer
	l := slog.New(h(&b, o))
	l.With("before", v).WithGroup("g").With("in", v).Info("message", "v", v, slog.Group("inner", "v", v))
	return b.String()
}

func TestSlogPrintsTheMarker(t *testing.T) {
	t.Parallel()
	for hname, h := range handlers {
		for _, o := range []*slog.HandlerOptions{nil, {ReplaceAttr: encryptedtype.ReplaceAttr}} {
			for name, v := range secrets(t, canary) {
				line := logged(h, o, v)
				if strings.Count(line, encryptedtype.Redacted) != 4 || showsCanary(line) {
					t.Errorf("%s, %s handler, ReplaceAttr %v: the plaintext is shown: %v", name, hname, o != nil, showsCanary(line))
				}
			}
		}
	}
}

type (
	profile struct {
		ID    int                           `json:"id"`
		Email encryptedtype.EncryptedString `json:"email,omitempty"`
		//lint:ignore SA5008 package json documents this way to the name "-"
		Dash   int                          `json:"-,"`
		Secret encryptedtype.EncryptedBytes `json:"-"`
		Plain  string                       `json:",omitempty"`
		hidden encryptedtype.DeterministicString
	}
	base struct {
		ID      int
		Created time.Time `json:"created"`
	}
	embedder struct {
		base
		*profile
		Email encryptedtype.Encrypted[string] `json:"Email"`
		Tags  []string
	}
	withUnexported struct{ s encryptedtype.EncryptedString }
	tree           struct {
		Email    encryptedtype.EncryptedString
		Parent   *tree
		Children []*tree
	}
	selfEmbedding struct {
		*selfEmbedding
		Email encryptedtype.EncryptedString
	}
)

func newProfile() profile {
	return profile{ID: 7, Email: canary, Secret: []byte(canary), Dash: 3, Plain: "plain", hidden: canary}
}

// family returns a tree in which everyone points to everyone, so that the paths
// through it cannot be counted.
func family(size int) *tree {
	root := &tree{Email: canary}
	all := []*tree{root}
	for range size {
		all = append(all, &tree{Email: canary, Parent: root})
	}
	for _, member := range all {
		member.Children = slices.Clone(all)
	}
	return root
}

func logSecrets() map[string]any {
	p := newProfile()
	loop := &tree{Email: canary}
	loop.Parent = loop
	embedded := &selfEmbedding{Email: canary}
	embedded.selfEmbedding = embedded
	selfMap := map[string]any{"p": p}
	selfMap["self"] = selfMap
	selfSlice := []any{nil, p}
	selfSlice[0] = selfSlice
	var nested any = &p
	for range 100 {
		nested = []any{nested}
	}
	return map[string]any{
		"struct":                p,
		"pointer":               &p,
		"pointer to pointer":    func() any { pp := &p; return &pp }(),
		"unexported":            withUnexported{canary},
		"unexported of pointer": &withUnexported{canary},
		"unexported in slice":   []withUnexported{{canary}},
		"unexported struct":     struct{ in withUnexported }{withUnexported{canary}},
		"unexported interface":  struct{ in any }{withUnexported{canary}},
		"unexported map":        struct{ in map[string]any }{map[string]any{"k": p}},
		"unexported array":      struct{ in [1][]any }{[1][]any{{p}}},
		"slice":                 []profile{p, p},
		"slice of strings":      []encryptedtype.EncryptedString{canary},
		"slice of pointers":     []*profile{&p, nil},
		"slice of any":          []any{1, "a", &p, nil},
		"array":                 [2]profile{p},
		"map value":             map[string]profile{"a": p},
		"map key":               map[encryptedtype.EncryptedString]int{canary: 1},
		"map key struct":        map[withUnexported]int{{canary}: 1},
		"map of int":            map[int]any{1: &p},
		"interface":             struct{ X any }{p},
		"error field":           struct{ E error }{secretError{canary}},
		"Encrypted in struct": struct {
			E encryptedtype.Encrypted[string]
		}{encryptedtype.Encrypted[string]{V: canary}},
		"sql.Null":              sql.Null[encryptedtype.EncryptedString]{V: canary, Valid: true},
		"Bind":                  []any{encryptedtype.Bind(nil, encryptedtype.EncryptedString(canary))},
		"Bind of a plain value": struct{ a driver.Valuer }{encryptedtype.Bind(nil, canary)},
		"Into":                  struct{ D sql.Scanner }{encryptedtype.Into(nil, &p.Email)},
		"embedding":             embedder{base{1, time.Time{}}, &p, encryptedtype.Encrypted[string]{V: canary}, nil},
		"embedded type":         struct{ encryptedtype.EncryptedString }{canary},
		"two embedded types": struct {
			encryptedtype.EncryptedString
			encryptedtype.DeterministicString
		}{canary, canary},
		"deep":           nested,
		"loop":           loop,
		"loop in itself": embedded,
		"loop of maps":   selfMap,
		"loop of slices": selfSlice,
		"a family":       family(50),
		"the same twice": []*profile{&p, &p},
	}
}

// secretError is an error that holds a secret and does not tell it.
type secretError struct{ Email encryptedtype.EncryptedString }

func (e secretError) Error() string { return fmt.Sprintf("no mail to %v", e.Email) }

func TestReplaceAttrKeepsPlaintextOutOfLogs(t *testing.T) {
	t.Parallel()
	for hname, h := range handlers {
		for name, v := range logSecrets() {
			line := logged(h, &slog.HandlerOptions{ReplaceAttr: encryptedtype.ReplaceAttr}, v)
			if showsCanary(line) {
				t.Errorf("%s, %s handler: the plaintext is shown", name, hname)
			}
			if strings.Contains(line, "!ERROR") || strings.Contains(line, "!PANIC") || len(line) > 20<<20 {
				t.Errorf("%s, %s handler: %d bytes, %.200s", name, hname, len(line), line)
			}
		}
	}
}

// replaced returns what ReplaceAttr makes of v.
func replaced(v any) any {
	return encryptedtype.ReplaceAttr(nil, slog.Any("k", v)).Value.Any()
}

func TestReplaceAttrNamesFieldsAsJSONDoes(t *testing.T) {
	t.Parallel()
	const r = encryptedtype.Redacted
	p := newProfile()
	created := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	profileMap := map[string]any{"id": 7, "email": r, "-": 3, "Plain": "plain"}
	loop := &tree{Email: canary, Children: []*tree{nil}}
	loop.Parent = loop
	for name, tt := range map[string]struct{ in, want any }{
		"struct":     {p, profileMap},
		"pointers":   {[]*profile{&p, nil, &p}, []any{profileMap, (*profile)(nil), profileMap}},
		"map":        {map[int]any{1: p, 2: created, 3: nil}, map[string]any{"1": profileMap, "2": created, "3": nil}},
		"map key":    {map[encryptedtype.EncryptedString]int{canary: 1}, map[string]any{r: 1}},
		"unexported": {struct{ A, b any }{1, p}, map[string]any{"A": 1}},
		"loop":       {loop, map[string]any{"Email": r, "Parent": "[cycle]", "Children": []*tree{nil}}},
		"embedding": {
			embedder{base{1, created}, &p, encryptedtype.Encrypted[string]{V: canary}, []string{"a"}},
			map[string]any{"ID": 1, "created": created, "id": 7, "email": r, "-": 3, "Plain": "plain", "Email": r, "Tags": []string{"a"}},
		},
		"nil embedded": {
			embedder{Email: encryptedtype.Encrypted[string]{V: canary}},
			map[string]any{"ID": 0, "created": time.Time{}, "Email": r, "Tags": []string(nil)},
		},
		"embedded in itself": {&selfEmbedding{&selfEmbedding{nil, canary}, canary}, map[string]any{"Email": r}},
	} {
		if diff := cmp.Diff(tt.want, replaced(tt.in)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestReplaceAttrLeavesOtherAttributesAlone(t *testing.T) {
	t.Parallel()
	type record struct {
		A int `json:"a"`
		b []string
		C map[string]time.Time
		P *record
		E error
		X any
		F func()
	}
	loop := &record{A: 1, b: []string{"x"}, X: make(chan int)}
	loop.P = loop
	for _, v := range []any{
		nil, 1, 2.5, "text", true, time.Now(), time.Second, []byte("bytes"), make([]int, 1000), map[string]any{"a": []any{1}},
		record{A: 1}, &record{P: &record{}}, loop, []*record{loop, nil}, errors.New("x"), (*record)(nil), struct{}{},
		(*encryptedtype.EncryptedString)(nil), struct {
			P *encryptedtype.EncryptedString
		}{}, []encryptedtype.EncryptedString{},
		map[string]encryptedtype.EncryptedBytes(nil), struct{ p *profile }{new(profile)}, struct{ p any }{&profile{}}, new(http.Request), http.DefaultClient,
	} {
		a := slog.Any("k", v)
		got := encryptedtype.ReplaceAttr([]string{"g"}, a)
		if got.Key != a.Key || got.Value.Kind() != a.Value.Kind() || reflect.TypeOf(got.Value.Any()) != reflect.TypeOf(a.Value.Any()) {
			t.Errorf("%T becomes %T", v, got.Value.Any())
			continue
		}
		if v != nil && reflect.TypeOf(v).Kind() == reflect.Pointer && got.Value.Any() != v {
			t.Errorf("%T is another one", v)
		}
	}
	for _, a := range []slog.Attr{slog.Int("n", 1), slog.String("s", "x"), slog.Group("g", "a", 1), slog.Time("t", time.Now()), {}} {
		if got := encryptedtype.ReplaceAttr(nil, a); !got.Equal(a) {
			t.Errorf("%v becomes %v", a, got)
		}
	}
}

// An error is printed by its Error method, which would be lost.
func TestReplaceAttrKeepsErrorMessages(t *testing.T) {
	t.Parallel()
	for hname, h := range handlers {
		line := logged(h, &slog.HandlerOptions{ReplaceAttr: encryptedtype.ReplaceAttr}, fmt.Errorf("send: %w", secretError{canary}))
		if strings.Count(line, "send: no mail to [encrypted]") != 4 || showsCanary(line) {
			t.Errorf("%s handler: the plaintext is shown: %v", hname, showsCanary(line))
		}
	}
}

// Behind the pointers in unexported fields of a context, a request or a pool,
// other goroutines are at work. The race detector sees to this test.
func TestReplaceAttrDoesNotReadLiveObjects(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://example.com", nil)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 200 {
			_, stop := context.WithCancel(ctx) // changes ctx's map of children
			stop()
		}
	}()
	for range 200 {
		replaced(r)
	}
	<-done
}

func TestReplaceAttrEndsOnWhatCannotBePrinted(t *testing.T) {
	t.Parallel()
	out, err := json.Marshal(replaced(family(50)))
	if err != nil || !strings.Contains(string(out), "[too long]") || !strings.Contains(string(out), "[cycle]") {
		t.Errorf("%d bytes, %v", len(out), err)
	}
}
