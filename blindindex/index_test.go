package blindindex_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/fernetcol/fernetcol/blindindex"
	"github.com/fernetcol/fernetcol/fernet"
)

var chains = [][]blindindex.Transform{
	nil,
	{blindindex.Lower},
	{blindindex.Trim, blindindex.NFKC, blindindex.Fold},
	{blindindex.Digits},
	{blindindex.LastFour},
	{blindindex.Lower, blindindex.Domain},
	{blindindex.Prefix(2)},
}

// somewhatEqual are texts of which some become equal under each of chains.
var somewhatEqual = []string{
	"", "a", "A", " a", "a@b.org", "A@B.ORG", "c@b.org", "straße", "STRASSE", "Strasse", "e\u0301", "\u00e9", "É",
	"0301234", "030-1234", "1234", "ﬁ", "fi", "ΟΔΟΣ", "οδος", "\xff", "\ufffd", "\x00", "a\x00", strings.Repeat("x", 9999), strings.Repeat("x", 10000),
}

func TestEntriesAreEqualExactlyWhereTransformedTextsAre(t *testing.T) {
	t.Parallel()
	for n, chain := range chains {
		ix := newIndex(t, blindindex.Options{Transforms: chain})
		for _, a := range somewhatEqual {
			for _, b := range somewhatEqual {
				want := a
				wantB := b
				for _, tr := range chain {
					want, wantB = transformed(t, tr, want), transformed(t, tr, wantB)
				}
				if got := ix.Value(a) == ix.Value(b); got != (want == wantB) {
					t.Errorf("chain %d: the entries of %.20q and %.20q are equal: %v", n, a, b, got)
				}
				if got := ix.Matches(a, b); got != (want == wantB) {
					t.Errorf("chain %d: Matches(%.20q, %.20q) = %v", n, a, b, got)
				}
			}
		}
	}
}

func TestEntriesDependOnKeyTableColumnAndName(t *testing.T) {
	t.Parallel()
	argon := blindindex.Argon2id{Time: 1, MemoryKiB: 8, Threads: 1}
	seen := map[blindindex.Value]string{}
	for name, ix := range map[string]*blindindex.Index{
		"plain":           must(blindindex.New(testKey, "ab", "c", "d", blindindex.Options{})),
		"key":             must(blindindex.New(otherKey, "ab", "c", "d", blindindex.Options{})),
		"random key":      must(blindindex.New(fernet.GenerateKey(), "ab", "c", "d", blindindex.Options{})),
		"boundary":        must(blindindex.New(testKey, "a", "bc", "d", blindindex.Options{})),
		"other boundary":  must(blindindex.New(testKey, "ab", "cd", "d", blindindex.Options{})),
		"table":           must(blindindex.New(testKey, "abx", "c", "d", blindindex.Options{})),
		"case of table":   must(blindindex.New(testKey, "AB", "c", "d", blindindex.Options{})),
		"column":          must(blindindex.New(testKey, "ab", "x", "d", blindindex.Options{})),
		"name":            must(blindindex.New(testKey, "ab", "c", "x", blindindex.Options{})),
		"changed places":  must(blindindex.New(testKey, "c", "ab", "d", blindindex.Options{})),
		"Argon2id":        must(blindindex.New(testKey, "ab", "c", "d", blindindex.Options{Argon2id: &argon})),
		"other Argon2id":  must(blindindex.New(testKey, "ab", "c", "d", blindindex.Options{Argon2id: &blindindex.Argon2id{Time: 2, MemoryKiB: 8, Threads: 1}})),
		"Argon2id's name": must(blindindex.New(testKey, "ab", "c", argon.String(), blindindex.Options{})),
	} {
		for _, text := range []string{"", "a", "Ada@example.com"} {
			v := ix.Value(text)
			if earlier, ok := seen[v]; ok {
				t.Errorf("%s and %s have an entry in common", name, earlier)
			}
			seen[v] = name
		}
	}
	a, b := must(blindindex.New(testKey, "t", "c", "n", blindindex.Options{})), must(blindindex.New(testKey, "t", "c", "n", blindindex.Options{}))
	if a.Value("x") != b.Value("x") {
		t.Error("two indexes of the same names have different entries")
	}
}

// Transforms that leave the text as it is change no entry: they are not part of the
// derivation.
func TestTransformsAreNotPartOfTheDerivation(t *testing.T) {
	t.Parallel()
	plain, lower := newIndex(t, blindindex.Options{}), newIndex(t, blindindex.Options{Transforms: []blindindex.Transform{blindindex.Lower}})
	if plain.Value("ada") != lower.Value("ada") || plain.Value("Ada") == lower.Value("Ada") {
		t.Error("the entry is not that of the transformed text")
	}
}

func TestShortEntryIsTheBeginningOfTheWholeOne(t *testing.T) {
	t.Parallel()
	bitsOf := func(v blindindex.Value) string {
		var b strings.Builder
		for _, c := range v {
			fmt.Fprintf(&b, "%04b", strings.IndexRune("0123456789abcdef", c))
		}
		return b.String()
	}
	whole := newIndex(t, blindindex.Options{})
	for bits := 1; bits < blindindex.MaxBits; bits++ {
		ix := newIndex(t, ofBits(bits))
		for _, text := range numbered(20) {
			long, short := bitsOf(whole.Value(text)), bitsOf(ix.Value(text))
			if len(short) != ix.Digits()*4 || len(short)-bits > 3 || short[:bits] != long[:bits] || strings.Trim(short[bits:], "0") != "" {
				t.Errorf("%d bits: %s, want the beginning of %s", bits, short, long)
			}
		}
	}
}

func TestNoEntryIsEmpty(t *testing.T) {
	t.Parallel()
	nothing := blindindex.Custom("nothing", func(string) string { return "" })
	for _, ix := range []*blindindex.Index{
		newIndex(t, blindindex.Options{}),
		newIndex(t, ofBits(1)),
		newIndex(t, blindindex.Options{Transforms: []blindindex.Transform{nothing}}),
		newIndex(t, blindindex.Options{Argon2id: &blindindex.Argon2id{Time: 1, MemoryKiB: 8, Threads: 1}}),
	} {
		for _, text := range []string{"", " ", "a"} {
			if v := ix.Value(text); len(v) != ix.Digits() || v == "" {
				t.Errorf("the entry of %q has %d characters", text, len(v))
			}
			if _, err := ix.Value(text).Value(); err != nil {
				t.Errorf("an entry cannot be stored: %v", err)
			}
		}
	}
}

func TestIndexDescribesItself(t *testing.T) {
	t.Parallel()
	for bits, digits := range map[int]int{1: 1, 4: 1, 5: 2, 8: 2, 9: 3, 127: 32, 128: 32} {
		if ix := newIndex(t, ofBits(bits)); ix.Digits() != digits || ix.Bits() != bits || ix.Truncated() != (bits < 128) || ix.Name() != "email_index" {
			t.Errorf("%d bits: %d digits, %d bits, truncated %v, name %s", bits, ix.Digits(), ix.Bits(), ix.Truncated(), ix.Name())
		}
	}
	for _, tr := range []blindindex.Transform{blindindex.LastFour, blindindex.Domain, blindindex.Prefix(9)} {
		if !newIndex(t, blindindex.Options{Transforms: []blindindex.Transform{blindindex.Lower, tr}}).Lossy() {
			t.Errorf("an index with %s is not of a part of the value", tr)
		}
	}
	if newIndex(t, blindindex.Options{Transforms: []blindindex.Transform{blindindex.Lower, blindindex.Fold, blindindex.NFC, blindindex.NFKC, blindindex.Trim, blindindex.Digits}}).Lossy() {
		t.Error("an index of whole values is of a part")
	}
}

func TestNewRefusesBadInput(t *testing.T) {
	t.Parallel()
	good := blindindex.Options{}
	for _, tt := range []struct {
		name                string
		key                 fernet.Key
		table, column, self string
		o                   blindindex.Options
		is                  error
		says                []string
	}{
		{"no key", noKey, "t", "c", "n", good, blindindex.ErrNoKey, []string{"index n", "fernet.GenerateKey"}},
		{"no table", testKey, "", "c", "n", good, nil, []string{"names of its table"}},
		{"no column", testKey, "t", "", "n", good, nil, []string{"names of its table"}},
		{"no name", testKey, "t", "c", "", good, nil, []string{"names of its table"}},
		{"zero transform", testKey, "t", "c", "n", blindindex.Options{Transforms: []blindindex.Transform{blindindex.Lower, {}}}, blindindex.ErrTransform, []string{"transform 2", "index n"}},
		{"transform of no function", testKey, "t", "c", "n", blindindex.Options{Transforms: []blindindex.Transform{blindindex.Custom("own", nil)}}, blindindex.ErrTransform, []string{"transform 1"}},
		{"prefix of nothing", testKey, "t", "c", "n", blindindex.Options{Transforms: []blindindex.Transform{blindindex.Prefix(0)}}, blindindex.ErrTransform, []string{"transform 1"}},
		{"negative length", testKey, "t", "c", "n", blindindex.Options{Bits: -1}, blindindex.ErrLength, []string{"-1 bits", "1 to 128", "index n"}},
		{"length above all", testKey, "t", "c", "n", blindindex.Options{Bits: 129}, blindindex.ErrLength, []string{"129 bits", "1 to 128"}},
		{"short without rows", testKey, "t", "c", "n", blindindex.Options{Bits: 127}, blindindex.ErrLength, []string{"needs Rows", "128 bits"}},
		{"below the range", testKey, "t", "c", "n", blindindex.Options{Bits: 9, Rows: 1_000_000}, blindindex.ErrLength, []string{"take 10 to 18"}},
		{"above the range", testKey, "t", "c", "n", blindindex.Options{Bits: 19, Rows: 1_000_000}, blindindex.ErrLength, []string{"take 10 to 18"}},
		{"no range", testKey, "t", "c", "n", blindindex.Options{Bits: 1, Rows: 3}, blindindex.ErrLength, []string{"3 rows", "leave the length out"}},
		{"no range for the input", testKey, "t", "c", "n", blindindex.Options{Bits: 10, Rows: 1_000_000, InputBits: 3}, blindindex.ErrLength, []string{"values of 3 bits"}},
		{"negative rows", testKey, "t", "c", "n", blindindex.Options{Bits: 10, Rows: -1}, blindindex.ErrLength, []string{"-1 rows"}},
		{"negative input", testKey, "t", "c", "n", blindindex.Options{Bits: 10, Rows: 1000, InputBits: -1}, blindindex.ErrLength, []string{"-1 bits of input"}},
	} {
		ix, err := blindindex.New(tt.key, tt.table, tt.column, tt.self, tt.o)
		wantError(t, tt.name, err, tt.is, tt.says...)
		if ix != nil {
			t.Errorf("%s: an index beside the error", tt.name)
		}
	}
	for _, bits := range []int{10, 18} {
		if _, err := blindindex.New(testKey, "t", "c", "n", blindindex.Options{Bits: bits, Rows: 1_000_000}); err != nil {
			t.Errorf("%d bits at the end of the range: %v", bits, err)
		}
	}
}

func TestArgon2idBounds(t *testing.T) {
	t.Parallel()
	for a, ok := range map[blindindex.Argon2id]bool{
		{}:                                            false,
		{Time: 0, MemoryKiB: 8, Threads: 1}:           false,
		{Time: 1, MemoryKiB: 8, Threads: 0}:           false,
		{Time: 1, MemoryKiB: 7, Threads: 1}:           false,
		{Time: 1, MemoryKiB: 8, Threads: 1}:           true,
		{Time: 1, MemoryKiB: 8*255 - 1, Threads: 255}: false,
		{Time: 1, MemoryKiB: 8 * 255, Threads: 255}:   true,
		blindindex.DefaultArgon2id:                    true,
	} {
		_, err := blindindex.New(testKey, "t", "c", "n", blindindex.Options{Argon2id: &a})
		if ok && err != nil {
			t.Errorf("%s: %v", a, err)
		}
		if !ok {
			wantError(t, a.String(), err, nil, "1 pass, 1 thread and 8 KiB for each thread", "index n")
		}
	}
	if got := blindindex.DefaultArgon2id.String(); got != "argon2id-v19-m19456-t2-p1" {
		t.Errorf("the default is called %s; the name is frozen", got)
	}
}

func TestIndexKeepsNothingOfItsCallers(t *testing.T) {
	t.Parallel()
	transforms := []blindindex.Transform{blindindex.Lower}
	a := blindindex.Argon2id{Time: 1, MemoryKiB: 8, Threads: 1}
	ix := newIndex(t, blindindex.Options{Transforms: transforms, Argon2id: &a})
	before := ix.Value("ADA")
	transforms[0], a.Time = blindindex.Digits, 2
	if ix.Value("ADA") != before {
		t.Error("the index changes with the options that it was made of")
	}
}

func TestIndexIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	ix := newIndex(t, blindindex.Options{Transforms: []blindindex.Transform{blindindex.Trim, blindindex.Fold, blindindex.NFKC}})
	g, c := newGrams(t, 3, folded), newCompound(t, blindindex.Options{}, columns("a", "b")...)
	texts := append(numbered(50), "Straße", "ΟΔΟΣ", strings.Repeat("ü", 5000))
	want := make([]blindindex.Value, len(texts))
	for i, text := range texts {
		want[i] = ix.Value(text)
	}
	grams, pair := g.Values("Hauptstraße"), must(c.Value("x", "y"))
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for round := range 20 {
				for i := range texts {
					i := (i + worker*7 + round) % len(texts)
					if ix.Value(texts[i]) != want[i] {
						t.Error("an entry is another one beside other goroutines")
						return
					}
				}
				if got := g.Values("Hauptstraße"); len(got) != len(grams) || got[0] != grams[0] || must(c.Value("x", "y")) != pair {
					t.Error("a gram or compound entry is another one beside other goroutines")
					return
				}
			}
		})
	}
	wg.Wait()
}

// R random values in L bits meet as often as Coincidences says. The seed and the key
// are fixed, so that the outcome is always the same; it was not chosen.
func TestShortEntriesMeetAsOftenAsComputed(t *testing.T) {
	t.Parallel()
	const rows = 100_000
	random := rand.New(rand.NewPCG(1, 1))
	for _, bits := range []int{9, 12, 15} {
		ix := newIndex(t, blindindex.Options{Bits: bits, Rows: rows})
		groups := map[blindindex.Value]float64{}
		for range rows {
			groups[ix.Value(fmt.Sprint(random.Uint64()))]++
		}
		// The mean, over the rows, of the other rows with the same entry. There are
		// rows²/2^(bits+1) pairs that meet, ± its root.
		pairs := 0.0
		for _, n := range groups {
			pairs += n * (n - 1) / 2
		}
		want := blindindex.Coincidences(rows, bits, 0)
		deviation := 6 * math.Sqrt(want*rows/2) / (rows / 2)
		if got := pairs / (rows / 2); math.Abs(got-want) > deviation+want/rows {
			t.Errorf("%d bits: %.3f coincidences a row, want %.3f ± %.3f", bits, got, want, deviation)
		}
		if len(groups) > 1<<bits {
			t.Errorf("%d bits: %d entries", bits, len(groups))
		}
	}
}
