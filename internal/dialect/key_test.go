package dialect_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fernetcol/fernetcol/internal/dialect"
)

func TestKeysSurviveTheCheckpoint(t *testing.T) {
	t.Parallel()
	for _, k := range []dialect.Key{
		nil, {"1"}, {int64(1)}, {int64(math.MaxInt64), int64(math.MinInt64)}, {""}, {"é\u2028\"\\", "\x00"}, {"not \xff UTF-8"},
		{[]byte{}}, {[]byte("\x00\xff")}, {0.1, math.Inf(1), math.Copysign(0, -1), math.MaxFloat64, math.SmallestNonzeroFloat64}, {"a", int64(2), 3.5, []byte("b")},
	} {
		text, err := json.Marshal(k)
		if err != nil {
			t.Fatal(err)
		}
		var back dialect.Key
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if d := cmp.Diff(k, back); d != "" {
			t.Errorf("%s: %s", text, d)
		}
	}
	for _, text := range []string{`[{}]`, `[{"f":"x"}]`, `[{"b":"!"}]`, `[[1]]`, `[1.5]`, `{}`, `[{"f":"NaN"}]`} {
		var k dialect.Key
		if err := json.Unmarshal([]byte(text), &k); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
}

func TestKeysPrintForPeople(t *testing.T) {
	t.Parallel()
	if got := (dialect.Key{int64(7), "a", []byte{0xde, 0xad}}).String(); got != "7,a,dead" {
		t.Errorf("got %s", got)
	}
}
