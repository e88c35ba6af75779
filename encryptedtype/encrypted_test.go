package encryptedtype_test

import (
	"database/sql/driver"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fernetcol/fernetcol/encryptedtype"
)

type address struct {
	Street string            `json:"street"`
	Lines  []string          `json:"lines,omitempty"`
	Extra  map[string]any    `json:"extra,omitempty"`
	Parent *address          `json:"parent,omitempty"`
	Since  time.Time         `json:"since"`
	Skip   string            `json:"-"`
	Tags   map[string]string `json:"tags"`
}

// throughDatabase stores v and reads it back over the value of an earlier row.
func throughDatabase[T any](t *testing.T, v, stale T) T {
	t.Helper()
	token := mustValue(t, encryptedtype.Encrypted[T]{V: v})
	e := encryptedtype.Encrypted[T]{V: stale}
	if err := e.Scan(token); err != nil {
		t.Fatalf("%T: %v", v, err)
	}
	return e.V
}

func TestEncryptedKeepsValues(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("", 5*60*60+45*60)
	since := time.Date(2026, 2, 28, 23, 59, 59, 123456789, zone)
	full := address{
		Street: "1 Example Street <b>&\u2028",
		Lines:  []string{"", "second"},
		Extra:  map[string]any{"n": 1.5, "null": nil},
		Parent: &address{Street: "parent", Since: since.UTC()},
		Since:  since,
	}
	stale := address{Street: "stale", Lines: []string{"stale"}, Skip: "stale", Tags: map[string]string{"stale": "stale"}, Parent: &full}
	if diff := cmp.Diff(full, throughDatabase(t, full, stale)); diff != "" {
		t.Error(diff)
	}
	if got := throughDatabase(t, &full, &stale); got == nil || got.Street != full.Street {
		t.Error("pointer to a struct")
	}
	if got := throughDatabase(t, since, time.Now()); !got.Equal(since) || got.Format(time.RFC3339Nano) != since.Format(time.RFC3339Nano) {
		t.Errorf("time: %v", got)
	}
	for _, n := range []int64{math.MinInt64, -1, 0, 1<<53 + 1, math.MaxInt64} {
		if got := throughDatabase(t, n, 5); got != n {
			t.Errorf("int64 %d comes back as %d", n, got)
		}
	}
	if got := throughDatabase(t, uint64(math.MaxUint64), 5); got != math.MaxUint64 {
		t.Errorf("uint64 comes back as %d", got)
	}
	for _, f := range []float64{0, math.SmallestNonzeroFloat64, 0.1, -math.MaxFloat64} {
		if got := throughDatabase(t, f, 5); got != f {
			t.Errorf("float64 %g comes back as %g", f, got)
		}
	}
	if got := throughDatabase(t, []int{3, 1, 2}, []int{9, 9, 9, 9}); !reflect.DeepEqual(got, []int{3, 1, 2}) {
		t.Errorf("slice: %v", got)
	}
	if got := throughDatabase(t, map[string]int{"a": 1}, map[string]int{"stale": 9}); !reflect.DeepEqual(got, map[string]int{"a": 1}) {
		t.Errorf("map: %v", got)
	}
	if got := throughDatabase[any](t, map[string]any{"n": 1}, "stale"); !reflect.DeepEqual(got, map[string]any{"n": 1.0}) {
		t.Errorf("any: %v", got)
	}
	if got := throughDatabase(t, json.RawMessage(`{"n":12345678901234567890}`), nil); string(got) != `{"n":12345678901234567890}` {
		t.Errorf("raw JSON: %s", got)
	}
	if got := throughDatabase(t, json.Number("12345678901234567890"), ""); got != "12345678901234567890" {
		t.Errorf("number: %s", got)
	}
}

func TestEncryptedNilIsEncryptedNull(t *testing.T) {
	t.Parallel()
	if got := throughDatabase[*int](t, nil, new(int)); got != nil {
		t.Error("nil pointer")
	}
	if got := throughDatabase[map[string]int](t, nil, map[string]int{"stale": 1}); got != nil {
		t.Error("nil map")
	}
	if got := throughDatabase[[]int](t, nil, []int{1}); got != nil {
		t.Error("nil slice")
	}
	if got := throughDatabase[any](t, nil, "stale"); got != nil {
		t.Error("nil interface")
	}
	if got := throughDatabase(t, []int{}, nil); got == nil {
		t.Error("an empty slice comes back nil")
	}
}

func TestEncryptedHoldsTheOtherTypes(t *testing.T) {
	t.Parallel()
	type record struct {
		Email encryptedtype.EncryptedString
		Photo encryptedtype.EncryptedBytes
		Inner encryptedtype.Encrypted[int]
	}
	r := record{Email: "a@example.com", Photo: []byte{0, 255}, Inner: encryptedtype.Encrypted[int]{V: 7}}
	if got := throughDatabase(t, r, record{Email: "stale"}); !reflect.DeepEqual(got, r) {
		t.Error("another record comes back")
	}
}

// What package json cannot write is not stored, and its errors, which quote the
// value, are not passed on.
func TestEncryptedRefusesWhatJSONCannotHold(t *testing.T) {
	t.Parallel()
	type node struct {
		Canary string
		Next   *node
	}
	loop := &node{Canary: canary}
	loop.Next = loop
	refuse := func(name string, e driver.Valuer, typ string) {
		v, err := e.Value()
		if storable(v) || err == nil {
			t.Errorf("%s: a %T and no error", name, v)
			return
		}
		checkSays(t, err, typ)
		if strings.Contains(err.Error(), canary) || strings.Contains(err.Error(), "NaN") || strings.Contains(err.Error(), "Inf") {
			t.Errorf("%s: the error quotes the value: %v", name, err)
		}
	}
	refuse("NaN", encryptedtype.Encrypted[float64]{V: math.NaN()}, "Encrypted[float64]")
	refuse("infinity", encryptedtype.Encrypted[float64]{V: math.Inf(1)}, "Encrypted[float64]")
	refuse("channel", encryptedtype.Encrypted[chan int]{V: make(chan int)}, "Encrypted[chan int]")
	refuse("channel in any", encryptedtype.Encrypted[any]{V: make(chan int)}, "Encrypted[interface {}]")
	refuse("cycle", encryptedtype.Encrypted[*node]{V: loop}, "Encrypted[*encryptedtype_test.node]")
	refuse("raw JSON", encryptedtype.Encrypted[json.RawMessage]{V: json.RawMessage(canary)}, "Encrypted[json.RawMessage]")
	refuse("number", encryptedtype.Encrypted[json.Number]{V: canary}, "Encrypted[json.Number]")
	refuse("own marshaler", encryptedtype.Encrypted[failing]{V: canary}, "Encrypted[encryptedtype_test.failing]")
}

// failing is a value whose own MarshalJSON fails and quotes it.
type failing string

func (f failing) MarshalJSON() ([]byte, error) { return nil, &quotingError{string(f)} }

type quotingError struct{ s string }

func (e *quotingError) Error() string { return "cannot write " + e.s }
