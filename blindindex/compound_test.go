package blindindex_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/fernetcol/fernetcol/blindindex"
)

func columns(names ...string) []blindindex.CompoundColumn {
	var list []blindindex.CompoundColumn
	for _, n := range names {
		list = append(list, blindindex.CompoundColumn{Name: n})
	}
	return list
}

func newCompound(t testing.TB, o blindindex.Options, cols ...blindindex.CompoundColumn) *blindindex.Compound {
	t.Helper()
	c, err := blindindex.NewCompound(testKey, "people", "name_birth", cols, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCompoundCountsEachPartForItself(t *testing.T) {
	t.Parallel()
	two := newCompound(t, blindindex.Options{}, columns("a", "b")...)
	seen := map[blindindex.Value][]string{}
	for _, parts := range [][]string{
		{"ab", "c"}, {"a", "bc"}, {"abc", ""}, {"", "abc"}, {"c", "ab"}, {"", ""}, {"a\x00", "bc"},
		// What the length prefix of "b" in ("a", "b") looks like from the inside.
		{"a\x00\x00\x00\x00\x00\x00\x00\x01b", ""}, {"a", "b"},
	} {
		v := must(two.Value(parts...))
		if earlier, ok := seen[v]; ok {
			t.Errorf("%q and %q have the same entry", earlier, parts)
		}
		if seen[v] = parts; must(two.Value(parts...)) != v {
			t.Errorf("%q has two entries", parts)
		}
	}
}

func TestCompoundEntriesDependOnWhatItIsOf(t *testing.T) {
	t.Parallel()
	argon := blindindex.Argon2id{Time: 1, MemoryKiB: 8, Threads: 1}
	seen := map[blindindex.Value]string{}
	add := func(name string, v blindindex.Value) {
		if earlier, ok := seen[v]; ok {
			t.Errorf("%s and %s have the same entry", name, earlier)
		}
		seen[v] = name
	}
	entry := func(c *blindindex.Compound, err error) blindindex.Value {
		return must(must(c, err).Value(slices.Repeat([]string{"x"}, len(c.Columns()))...))
	}
	add("plain", entry(blindindex.NewCompound(testKey, "t", "n", columns("a", "b"), blindindex.Options{})))
	add("key", entry(blindindex.NewCompound(otherKey, "t", "n", columns("a", "b"), blindindex.Options{})))
	add("table", entry(blindindex.NewCompound(testKey, "u", "n", columns("a", "b"), blindindex.Options{})))
	add("name", entry(blindindex.NewCompound(testKey, "t", "m", columns("a", "b"), blindindex.Options{})))
	add("order", entry(blindindex.NewCompound(testKey, "t", "n", columns("b", "a"), blindindex.Options{})))
	add("column", entry(blindindex.NewCompound(testKey, "t", "n", columns("a", "c"), blindindex.Options{})))
	add("more columns", entry(blindindex.NewCompound(testKey, "t", "n", columns("a", "b", "c"), blindindex.Options{})))
	add("Argon2id", entry(blindindex.NewCompound(testKey, "t", "n", columns("a", "b"), blindindex.Options{Argon2id: &argon})))
	add("a column called as Argon2id", entry(blindindex.NewCompound(testKey, "t", "n", columns("a", "b", argon.String()), blindindex.Options{})))
	// An index of one column of the text that the parts make.
	for _, input := range []string{"xx", "\x00\x00\x00\x00\x00\x00\x00\x01x\x00\x00\x00\x00\x00\x00\x00\x01x"} {
		add("single", must(blindindex.New(testKey, "t", "a", "n", blindindex.Options{})).Value(input))
		add("single called as a compound", must(blindindex.New(testKey, "t", "n", "2", blindindex.Options{})).Value(input))
	}
}

func TestCompoundTransformsEachColumnByItsOwn(t *testing.T) {
	t.Parallel()
	c := newCompound(t, blindindex.Options{},
		blindindex.CompoundColumn{Name: "name", Transforms: []blindindex.Transform{blindindex.Trim, blindindex.Lower}},
		blindindex.CompoundColumn{Name: "phone", Transforms: []blindindex.Transform{blindindex.Digits}})
	a, b := []string{" Ada ", "+49 30"}, []string{"ada", "4930"}
	if must(c.Value(a...)) != must(c.Value(b...)) || !c.Matches(a, b) {
		t.Error("parts that are equal after the transforms differ")
	}
	for _, other := range [][]string{{"4930", "ada"}, {"ada", "4931"}, {"adb", "4930"}, {"ada"}, {"ada", "4930", ""}, nil} {
		if c.Matches(a, other) || c.Matches(other, a) {
			t.Errorf("Matches takes %q for another row", other)
		}
	}
	if c.Matches(nil, nil) {
		t.Error("Matches takes nothing for a row")
	}
	if !slices.Equal(c.Columns(), []string{"name", "phone"}) || c.Lossy() || c.Truncated() || c.Digits() != 32 || c.Bits() != 128 || c.Name() != "name_birth" {
		t.Error("the compound index describes itself wrongly")
	}
	lossy := newCompound(t, blindindex.Options{Bits: 16, Rows: 1 << 20}, append(columns("a"), blindindex.CompoundColumn{Name: "b", Transforms: []blindindex.Transform{blindindex.LastFour}})...)
	if !lossy.Lossy() || !lossy.Truncated() || lossy.Digits() != 4 || len(must(lossy.Value("", ""))) != 4 {
		t.Error("a short index of a part describes itself wrongly")
	}
}

func TestCompoundKeepsNothingOfItsCallers(t *testing.T) {
	t.Parallel()
	cols := columns("a", "b")
	cols[0].Transforms = []blindindex.Transform{blindindex.Lower}
	c := newCompound(t, blindindex.Options{}, cols...)
	before := must(c.Value("A", "B"))
	cols[0].Transforms[0] = blindindex.Trim
	cols[1].Transforms = []blindindex.Transform{blindindex.Lower}
	c.Columns()[0] = "changed"
	if must(c.Value("A", "B")) != before || c.Columns()[0] != "a" {
		t.Error("the index changes with the slices that it was made of")
	}
}

func TestCompoundRefusesBadInput(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		cols []blindindex.CompoundColumn
		o    blindindex.Options
		is   error
		says string
	}{
		{name: "no column", says: "at least 2"},
		{name: "one column", cols: columns("a"), says: "at least 2"},
		{name: "a column twice", cols: columns("a", "b", "a"), says: "column a twice"},
		{name: "a column without a name", cols: columns("a", ""), says: "names"},
		{name: "transforms in Options", cols: columns("a", "b"), o: blindindex.Options{Transforms: []blindindex.Transform{blindindex.Lower}}, is: blindindex.ErrTransform, says: "to its columns"},
		{name: "a zero transform", cols: append(columns("a"), blindindex.CompoundColumn{Name: "b", Transforms: []blindindex.Transform{blindindex.Lower, {}}}), is: blindindex.ErrTransform, says: "transform 2 is the zero Transform (column b"},
		{name: "a length out of range", cols: columns("a", "b"), o: blindindex.Options{Bits: 100, Rows: 1000}, is: blindindex.ErrLength, says: "take 5 to 8"},
		{name: "Argon2id without passes", cols: columns("a", "b"), o: blindindex.Options{Argon2id: &blindindex.Argon2id{}}, says: "Argon2id needs"},
	} {
		c, err := blindindex.NewCompound(testKey, "t", "n", tt.cols, tt.o)
		wantError(t, tt.name, err, tt.is, tt.says)
		if c != nil {
			t.Errorf("%s: an index beside the error", tt.name)
		}
	}
	_, err := blindindex.NewCompound(noKey, "t", "n", columns("a", "b"), blindindex.Options{})
	wantError(t, "no key", err, blindindex.ErrNoKey)

	c := newCompound(t, blindindex.Options{}, columns("a", "b")...)
	for _, parts := range [][]string{nil, {"CANARY"}, {"CANARY", "CANARY", "CANARY"}} {
		v, err := c.Value(parts...)
		wantError(t, "another number of parts", err, nil, "name_birth", "2 columns")
		if v != "" || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%d parts: an entry beside the error, or a part in it", len(parts))
		}
	}
}
