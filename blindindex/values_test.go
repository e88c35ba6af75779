package blindindex_test

import (
	"encoding/binary"
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

// array is what PostgreSQL sends for an array in the binary form.
func array(dimensions, null uint32, numbers []uint32, elements ...string) string {
	b := binary.BigEndian.AppendUint32(nil, dimensions)
	b = binary.BigEndian.AppendUint32(b, null)
	b = binary.BigEndian.AppendUint32(b, 25) // text
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	for _, e := range elements {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(e))), e...)
	}
	return string(b)
}

func TestValuesReadBinaryArrays(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text string
		want blindindex.Values
	}{
		{array(0, 0, nil), blindindex.Values{}},
		{array(1, 0, []uint32{1, 1}, "0a"), blindindex.Values{"0a"}},
		{array(1, 0, []uint32{3, 1}, "0a", "1b2c", "f"), blindindex.Values{"0a", "1b2c", "f"}},
	} {
		var read blindindex.Values
		if err := read.Scan([]byte(tt.text)); err != nil || read == nil || !slices.Equal(read, tt.want) {
			t.Errorf("%d entries are read, want %d: %v", len(read), len(tt.want), err)
		}
	}
	good := array(1, 0, []uint32{2, 1}, "0a", "1b")
	bad := []string{
		array(1, 1, []uint32{2, 1}, "0a", "1b"), array(2, 0, []uint32{1, 1, 1, 1}, "0a"), array(1, 0, []uint32{3, 1}, "0a", "1b"), array(1, 0, []uint32{1, 1}, "0a", "1b"),
		array(1, 0, []uint32{1, 1}, "CANARY"), array(1, 0, []uint32{1, 1}, ""), array(1, 0, []uint32{0, 1}), array(1, 0, []uint32{1 << 31, 1}, "0a"),
		array(0, 0, []uint32{1, 1}, "0a"), array(1, 0, []uint32{1, 1, 1<<32 - 1}), array(1, 0, []uint32{1, 1, 1<<31 - 1}), good + "\x00",
	}
	for i := range len(good) {
		bad = append(bad, good[:i])
	}
	for i, text := range bad {
		read := blindindex.Values{"0a"}
		if err := read.Scan(text); err == nil || read != nil || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("malformed array %d is read, left as it was, or repeated in the error", i)
		}
	}
}
