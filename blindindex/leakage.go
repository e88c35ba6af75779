package blindindex

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
)

// The bounds at which [Leakage.Warnings] warns. They are where to look closer, not
// where safety begins: what may be known is for whoever answers for the data to say.
const (
	// FewDistinct: a column with fewer distinct values than this can be named by
	// counting and little more.
	FewDistinct = 1000
	// LargeShare: a value that more than this share of the rows has stands out
	// whatever the rest looks like.
	LargeShare = 0.01
	// GuessedShare: more than this share of the rows is named right by rank alone.
	GuessedShare = 0.01
)

// largestGroups is how many sizes [Leakage.Largest] has at most.
const largestGroups = 10

// A Group is how many groups of a size a column has. Size is the number of rows with
// one entry, Count the number of entries that so many rows have.
type Group struct {
	Size, Count int64
}

// Leakage is what an index column gives away to whoever reads it: numbers only, no
// entry. [Audit] measures a column, [Measure] a histogram.
type Leakage struct {
	Rows     int64   // rows with an entry
	Nulls    int64   // rows without
	Distinct int64   // different entries
	Largest  []int64 // rows in each of the largest groups, at most ten, the largest first

	// Smallest is the smallest anonymity set: how many rows have the entry that
	// fewest have. A value that is known to be in the column hides its row among no
	// fewer than these. 0 if there are no rows.
	Smallest int64

	// Guessed is how many rows an attacker is expected to name rightly who knows
	// exactly how often each value occurs, and matches values to entries by rank.
	// Of k groups of one size m none stands out; whoever deals their k values out to
	// them at random gets one of them right on average, so m rows, whatever k is.
	// Guessed is the sum of the different sizes. Who knows more, such as another
	// column of the same rows, guesses more.
	Guessed int64
}

// Measure returns what a column gives away whose groups have these sizes, beside a
// number of NULLs. Groups of the same size may stand apart; those without rows or
// without a count are left out.
func Measure(groups []Group, nulls int64) *Leakage {
	sorted := slices.DeleteFunc(slices.Clone(groups), func(g Group) bool { return g.Size < 1 || g.Count < 1 })
	slices.SortFunc(sorted, func(a, b Group) int { return int(min(max(b.Size-a.Size, -1), 1)) })
	l := &Leakage{Nulls: max(nulls, 0)}
	for i, g := range sorted {
		l.Rows += g.Size * g.Count
		l.Distinct += g.Count
		l.Smallest = g.Size
		if i == 0 || sorted[i-1].Size != g.Size {
			l.Guessed += g.Size
		}
		for n := int64(0); n < g.Count && len(l.Largest) < largestGroups; n++ {
			l.Largest = append(l.Largest, g.Size)
		}
	}
	return l
}

// LargestShare returns the share of the rows, from 0 to 1, that the largest group
// has.
func (l *Leakage) LargestShare() float64 {
	if len(l.Largest) == 0 {
		return 0
	}
	return float64(l.Largest[0]) / float64(l.Rows)
}

// GuessedShare returns the share of the rows, from 0 to 1, that Guessed is.
func (l *Leakage) GuessedShare() float64 {
	if l.Rows == 0 {
		return 0
	}
	return float64(l.Guessed) / float64(l.Rows)
}

// Warnings returns a sentence for each bound that the column is on the wrong side of:
// [FewDistinct], [LargeShare], [GuessedShare]. None means that no bound is crossed,
// not that nothing leaks. A column whose values all differ has none: there is
// nothing to count.
func (l *Leakage) Warnings() []string {
	var found []string
	if l.Distinct == l.Rows {
		return nil
	}
	if l.Distinct < FewDistinct {
		found = append(found, fmt.Sprintf("%d distinct values are fewer than %d: counting can name them", l.Distinct, FewDistinct))
	}
	if share := l.LargestShare(); share > LargeShare {
		found = append(found, fmt.Sprintf("the most frequent value has %s of the rows, more than %s: it stands out", percent(share), percent(LargeShare)))
	}
	if share := l.GuessedShare(); share > GuessedShare {
		found = append(found, fmt.Sprintf("%s of the rows can be named by rank, more than %s", percent(share), percent(GuessedShare)))
	}
	return found
}

func percent(share float64) string { return fmt.Sprintf("%.3g%%", share*100) }

// String returns the measures as a table for people, a line for each, and the
// warnings under it. Its form may change.
func (l *Leakage) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "rows\t%d\n", l.Rows)
	fmt.Fprintf(w, "NULL\t%d\n", l.Nulls)
	fmt.Fprintf(w, "distinct values\t%d\n", l.Distinct)
	fmt.Fprintf(w, "largest groups\t%s\n", strings.Trim(fmt.Sprint(l.Largest), "[]"))
	fmt.Fprintf(w, "smallest anonymity set\t%d\n", l.Smallest)
	fmt.Fprintf(w, "guessed by rank\t%d (%s)\n", l.Guessed, percent(l.GuessedShare()))
	w.Flush()
	for _, warning := range l.Warnings() {
		fmt.Fprintf(&b, "warning: %s\n", warning)
	}
	return b.String()
}
