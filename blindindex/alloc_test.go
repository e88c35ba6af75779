//go:build !race

package blindindex_test

import (
	"runtime/debug"
	"strings"
	"testing"

	"github.com/fernetcol/fernetcol/blindindex"
)

// Not parallel, and without a garbage collector, which empties the pool.
func TestAllocations(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	plain := newIndex(t, blindindex.Options{})
	lower := newIndex(t, blindindex.Options{Transforms: []blindindex.Transform{blindindex.Trim, blindindex.Lower}})
	short := newIndex(t, blindindex.Options{Bits: 12, Rows: 1 << 20})
	long := strings.Repeat("x", 1<<20)
	for _, tt := range []struct {
		name string
		want float64
		f    func()
	}{
		{"Value", 1, func() { plain.Value("ada@example.com") }},
		{"Value of a long text", 1, func() { plain.Value(long) }},
		{"Value in 12 bits", 1, func() { short.Value("ada@example.com") }},
		{"Value of lower-case ASCII", 1, func() { lower.Value("ada@example.com") }},
		{"Matches", 0, func() { lower.Matches("ada@example.com", "bob@example.com") }},
	} {
		if got := testing.AllocsPerRun(100, tt.f); got != tt.want {
			t.Errorf("%s: %v allocations, want %v", tt.name, got, tt.want)
		}
	}
}
