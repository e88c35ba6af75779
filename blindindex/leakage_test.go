package blindindex_test

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fernetcol/fernetcol/blindindex"
)

func TestMeasure(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		groups []blindindex.Group
		nulls  int64
		want   blindindex.Leakage
	}{
		{name: "empty"},
		{name: "only NULL", nulls: 7, want: blindindex.Leakage{Nulls: 7}},
		{
			name: "one value", groups: []blindindex.Group{{Size: 40, Count: 1}}, nulls: 2,
			want: blindindex.Leakage{Rows: 40, Nulls: 2, Distinct: 1, Largest: []int64{40}, Smallest: 40, Guessed: 40},
		},
		{
			name: "all different", groups: []blindindex.Group{{Size: 1, Count: 5000}},
			want: blindindex.Leakage{Rows: 5000, Distinct: 5000, Largest: []int64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, Smallest: 1, Guessed: 1},
		},
		{
			name: "skewed and unsorted", groups: []blindindex.Group{{Size: 3, Count: 4}, {Size: 100, Count: 1}, {Size: 7, Count: 2}},
			want: blindindex.Leakage{Rows: 126, Distinct: 7, Largest: []int64{100, 7, 7, 3, 3, 3, 3}, Smallest: 3, Guessed: 110},
		},
		{
			name: "sizes apart, and groups that are none", groups: []blindindex.Group{{Size: 3, Count: 1}, {Size: 0, Count: 9}, {Size: 3, Count: 1}, {Size: 5, Count: 0}, {Size: -1, Count: 1}}, nulls: -1,
			want: blindindex.Leakage{Rows: 6, Distinct: 2, Largest: []int64{3, 3}, Smallest: 3, Guessed: 3},
		},
		{
			name: "sizes beyond 32 bits", groups: []blindindex.Group{{Size: 1 << 40, Count: 1}, {Size: 1, Count: 1 << 40}},
			want: blindindex.Leakage{Rows: 1 << 41, Distinct: 1<<40 + 1, Largest: []int64{1 << 40, 1, 1, 1, 1, 1, 1, 1, 1, 1}, Smallest: 1, Guessed: 1<<40 + 1},
		},
	} {
		groups := slices.Clone(tt.groups)
		if diff := cmp.Diff(&tt.want, blindindex.Measure(tt.groups, tt.nulls)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
		if !slices.Equal(groups, tt.groups) {
			t.Errorf("%s: Measure changed its argument", tt.name)
		}
	}
}

// The closed form against an attacker who deals values out to entries of the same
// size at random.
func TestGuessedIsWhatAnAttackerGetsOnAverage(t *testing.T) {
	t.Parallel()
	groups := []blindindex.Group{{Size: 50, Count: 1}, {Size: 9, Count: 3}, {Size: 4, Count: 10}, {Size: 1, Count: 40}}
	want := blindindex.Measure(groups, 0).Guessed
	const rounds = 20_000
	random := rand.New(rand.NewPCG(1, 2))
	right := int64(0)
	for range rounds {
		for _, g := range groups {
			for entry, value := range random.Perm(int(g.Count)) {
				if entry == value {
					right += g.Size
				}
			}
		}
	}
	// The standard deviation of one round is about 10 rows, of the mean 0.07.
	if mean := float64(right) / rounds; mean < float64(want)-1 || mean > float64(want)+1 {
		t.Errorf("the attacker names %.2f rows on average, Guessed is %d", mean, want)
	}
}

func TestWarningsKeepToTheirBounds(t *testing.T) {
	t.Parallel()
	const distinct, rank, large = "distinct values are fewer", "named by rank", "most frequent value"
	for _, tt := range []struct {
		name   string
		groups []blindindex.Group
		want   []string
	}{
		{name: "empty"},
		{name: "many different values", groups: []blindindex.Group{{Size: 1, Count: 100_000}}},
		{name: "few, and all different", groups: []blindindex.Group{{Size: 1, Count: 2}}},
		{name: "distinct at the bound", groups: []blindindex.Group{{Size: 2, Count: 1}, {Size: 1, Count: 999}}},
		{name: "distinct below", groups: []blindindex.Group{{Size: 2, Count: 1}, {Size: 1, Count: 998}}, want: []string{distinct}},
		{name: "share and rank at the bound", groups: []blindindex.Group{{Size: 1000, Count: 1}, {Size: 99, Count: 1000}}, want: []string{rank}},
		{name: "share at the bound", groups: []blindindex.Group{{Size: 100, Count: 100}}, want: []string{distinct}},
		{name: "share above", groups: []blindindex.Group{{Size: 1001, Count: 1}, {Size: 1, Count: 98_999}}, want: []string{large, rank}},
		{name: "two values", groups: []blindindex.Group{{Size: 60, Count: 1}, {Size: 40, Count: 1}}, want: []string{distinct, large, rank}},
	} {
		l := blindindex.Measure(tt.groups, 0)
		got := l.Warnings()
		if len(got) != len(tt.want) {
			t.Errorf("%s: warnings %q, want %q", tt.name, got, tt.want)
			continue
		}
		for i, w := range tt.want {
			if !strings.Contains(got[i], w) {
				t.Errorf("%s: warning %q, want one about %q", tt.name, got[i], w)
			}
		}
	}
	two := blindindex.Measure([]blindindex.Group{{Size: 60, Count: 1}, {Size: 40, Count: 1}}, 0)
	if two.LargestShare() != 0.6 || two.GuessedShare() != 1 {
		t.Errorf("shares %v and %v, want 0.6 and 1", two.LargestShare(), two.GuessedShare())
	}
	if none := blindindex.Measure(nil, 3); none.LargestShare() != 0 || none.GuessedShare() != 0 {
		t.Error("a column without rows has a share of them")
	}
}

func TestLeakagePrintsAsATable(t *testing.T) {
	t.Parallel()
	l := blindindex.Measure([]blindindex.Group{{Size: 60, Count: 1}, {Size: 20, Count: 2}}, 5)
	const want = `rows                    100
NULL                    5
distinct values         3
largest groups          60 20 20
smallest anonymity set  20
guessed by rank         80 (80%)
warning: 3 distinct values are fewer than 1000: counting can name them
warning: the most frequent value has 60% of the rows, more than 1%: it stands out
warning: 80% of the rows can be named by rank, more than 1%
`
	if diff := cmp.Diff(want, l.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	b, err := json.Marshal(l)
	if err != nil || string(b) != `{"Rows":100,"Nulls":5,"Distinct":3,"Largest":[60,20,20],"Smallest":20,"Guessed":80}` {
		t.Errorf("as JSON: %s, %v", b, err)
	}
}
