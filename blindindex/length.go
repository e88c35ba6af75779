package blindindex

import (
	"errors"
	"fmt"
	"math"
)

// MaxBits is the length of an index value in bits if no shorter one is asked for.
// At that length no two values are expected to meet, however many rows there are.
const MaxBits = 128

const maxDigits = MaxBits / 4

// ErrLength is wrapped by the error for a length that does not fit the rows.
var ErrLength = errors.New("blindindex: length out of range")

// Coincidences returns how many rows with another value a lookup also finds on
// average, in a table of so many rows: rows / 2^min(bits, inputBits). inputBits is
// how many bits a value has: log2 of how many there are, if all are alike
// frequent; 0 if that is not known and large.
func Coincidences(rows int64, bits, inputBits int) float64 {
	if inputBits > 0 {
		bits = min(bits, inputBits)
	}
	return math.Ldexp(float64(rows), -bits)
}

// Lengths returns the shortest and the longest truncated index, in bits, with which
// a lookup in a table of so many rows finds between 2 coincidences and the square
// root of rows. Fewer, and an index tells almost as much as a whole one; more, and a
// lookup reads too much of the table. inputBits is as for [Coincidences]. If no
// length does, the error wraps [ErrLength].
//
// The rule is about values that are many and alike frequent, such as random
// numbers. A short index is no protection for a column with few or skewed values,
// such as a country, a given name or a diagnosis: the most frequent value still has
// the most frequent entry, whatever its length, and whoever reads the column can
// count. [Audit] says how much such a column gives away.
func Lengths(rows int64, inputBits int) (shortest, longest int, err error) {
	if rows < 1 {
		return 0, 0, fmt.Errorf("%w: %d rows; give the number of rows that the table will have", ErrLength, rows)
	}
	if inputBits < 0 {
		return 0, 0, fmt.Errorf("%w: %d bits of input", ErrLength, inputBits)
	}
	for bits := 1; bits < MaxBits; bits++ {
		effective := bits
		if inputBits > 0 {
			effective = min(bits, inputBits)
		}
		if !fits(rows, effective) {
			continue
		}
		if shortest == 0 {
			shortest = bits
		}
		longest = bits
	}
	if shortest == 0 {
		return 0, 0, fmt.Errorf("%w: with %d rows and %s, no short index has between 2 and %.0f coincidences; leave the length out, for %d bits",
			ErrLength, rows, inputText(inputBits), math.Sqrt(float64(rows)), MaxBits)
	}
	return shortest, longest, nil
}

// fits reports whether rows / 2^bits lies between 2 and the square root of rows, in
// whole numbers, as large counts of rows have no float64 of their own.
func fits(rows int64, bits int) bool {
	return bits < 62 && rows >= 2<<bits && (bits > 31 || rows <= 1<<(2*bits))
}

func inputText(bits int) string {
	if bits == 0 {
		return "values of any size"
	}
	return fmt.Sprintf("values of %d bits", bits)
}

// checkLength reports a length that an index of so many rows must not have.
func checkLength(bits int, rows int64, inputBits int) error {
	if bits < 1 || bits > MaxBits {
		return fmt.Errorf("%w: %d bits; an index has 1 to %d", ErrLength, bits, MaxBits)
	}
	if bits == MaxBits {
		return nil
	}
	if rows == 0 {
		return fmt.Errorf("%w: %d bits without the number of rows; a short index needs Rows, or leave the length out, for %d bits", ErrLength, bits, MaxBits)
	}
	shortest, longest, err := Lengths(rows, inputBits)
	if err != nil {
		return err
	}
	if bits < shortest || bits > longest {
		return fmt.Errorf("%w: %d bits for %d rows and %s; take %d to %d, or leave the length out, for %d",
			ErrLength, bits, rows, inputText(inputBits), shortest, longest, MaxBits)
	}
	return nil
}
