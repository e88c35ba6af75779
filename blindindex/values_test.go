package blindindex_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/fernetcol/fernetcol/blindindex"
)

func TestValuesRoundTrip(t *testing.T) {
	t.Parallel()
	for text, vs := range map[string]blindindex.Values{
		"{}":        {},
		"{0a}":      {"0a"},
		"{0a,1b,c}": {"0a", "1b", "c"},
	} {
		stored, err := vs.Value()
		if err != nil || stored != text {
			t.Errorf("%s is stored as %v, %v", text, stored, err)
		}
		for _, src := range []any{text, []byte(text)} {
			read := blindindex.Values{"stale"}
			if err := read.Scan(src); err != nil || read == nil || !slices.Equal(read, vs) {
				t.Errorf("%s is read as %d entries, %v", text, len(read), err)
			}
		}
	}
	if stored, err := blindindex.Values(nil).Value(); err != nil || stored != nil {
		t.Errorf("the nil Values is stored as %v, %v; want NULL", stored, err)
	}
	read := blindindex.Values{"0a"}
	if err := read.Scan(nil); err != nil || read != nil {
		t.Errorf("NULL is read as %d entries, %v", len(read), err)
	}
}

func TestValuesRefusePlaintext(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"CANARY", "0A", "", "0a}", "0a,1b", " 0a", strings.Repeat("0", 33), "\"0a\"", "NULL"} {
		if v, err := (blindindex.Values{"0a", blindindex.Value(bad)}).Value(); err == nil || v != nil || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("an element of %d bytes is stored, or repeated in the error", len(bad))
		}
	}
	for _, bad := range []any{
		"", "{", "}", "0a", "{0a", "0a}", "{CANARY}", "{0A}", "{0a,}", "{,}", "{NULL}", "{0a, 1b}", `{"0a"}`, "{{0a},{1b}}", "[0:1]={0a,1b}",
		[]byte("{zz}"), 7, 1.5, true, []string{"0a"}, "{" + strings.Repeat("0", 33) + "}",
	} {
		read := blindindex.Values{"0a"}
		if err := read.Scan(bad); err == nil || read != nil || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%T: read, left as it was, or repeated in the error", bad)
		}
	}
}
