package blindindex_test

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"github.com/fernetcol/fernetcol/blindindex"
)

// fits computes 2 ≤ rows / 2^min(bits, input) ≤ √rows in whole numbers:
// 2·2^b ≤ rows, and rows² ≤ rows · 2^2b.
func fits(rows int64, bits, input int) bool {
	b := bits
	if input > 0 {
		b = min(bits, input)
	}
	r := big.NewInt(rows)
	return new(big.Int).Lsh(big.NewInt(2), uint(b)).Cmp(r) <= 0 && r.Cmp(new(big.Int).Lsh(big.NewInt(1), uint(2*b))) <= 0
}

func TestLengthsAreThoseOfTheFormula(t *testing.T) {
	t.Parallel()
	var many []int64
	for r := int64(1); r <= 300; r++ {
		many = append(many, r)
	}
	for shift := 9; shift < 63; shift++ {
		many = append(many, 1<<shift-1, 1<<shift, 1<<shift+1)
	}
	many = append(many, 1_000_000, 50_000_000, math.MaxInt64)
	for _, rows := range many {
		for _, input := range []int{0, 1, 2, 3, 5, 8, 10, 16, 20, 31, 32, 33, 64, 127, 128, 1000} {
			var first, last int
			for bits := 1; bits < blindindex.MaxBits; bits++ {
				if fits(rows, bits, input) {
					if first == 0 {
						first = bits
					}
					last = bits
				}
			}
			shortest, longest, err := blindindex.Lengths(rows, input)
			if shortest != first || longest != last || (err != nil) != (first == 0) || err != nil && !errors.Is(err, blindindex.ErrLength) {
				t.Fatalf("%d rows, %d bits of input: %d to %d, %v; want %d to %d", rows, input, shortest, longest, err, first, last)
			}
		}
	}
}

func TestLengthsRefuseNonsense(t *testing.T) {
	t.Parallel()
	for _, rows := range []int64{0, -1, math.MinInt64} {
		_, _, err := blindindex.Lengths(rows, 0)
		wantError(t, "rows", err, blindindex.ErrLength, "give the number of rows")
	}
	_, _, err := blindindex.Lengths(1000, -1)
	wantError(t, "input", err, blindindex.ErrLength, "-1 bits of input")
	_, _, err = blindindex.Lengths(3, 0)
	wantError(t, "few rows", err, blindindex.ErrLength, "3 rows", "values of any size")
}

func TestCoincidences(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		rows        int64
		bits, input int
		want        float64
	}{
		{1000, 1, 0, 500}, {1 << 20, 10, 0, 1024}, {1 << 20, 20, 0, 1}, {1 << 20, 30, 10, 1024}, {1 << 20, 10, 30, 1024},
		{1, 128, 0, math.Pow(2, -128)}, {0, 8, 0, 0}, {1 << 62, 62, 0, 1},
	} {
		if got := blindindex.Coincidences(tt.rows, tt.bits, tt.input); got != tt.want {
			t.Errorf("%d rows, %d bits over %d: %v, want %v", tt.rows, tt.bits, tt.input, got, tt.want)
		}
	}
}
