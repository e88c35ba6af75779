package blindindex_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/fernetcol/fernetcol/blindindex"
)

func newGrams(t testing.TB, n int, o blindindex.Options) *blindindex.Grams {
	t.Helper()
	g, err := blindindex.NewGrams(testKey, "users", "name", "name_grams", n, o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func newPrefixes(t testing.TB, shortest, longest int, o blindindex.Options) *blindindex.Prefixes {
	t.Helper()
	p, err := blindindex.NewPrefixes(testKey, "users", "name", "name_prefixes", shortest, longest, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var folded = blindindex.Options{Transforms: []blindindex.Transform{blindindex.Fold}}

// alphabet has characters of one to four bytes and a byte that is no character.
var alphabet = []string{"a", "b", "ü", "東", "𝄞", "\xff"}

// texts returns every text of up to n elements of alphabet.
func texts(n int) []string {
	all, last := []string{""}, []string{""}
	for range n {
		var longer []string
		for _, t := range last {
			for _, c := range alphabet {
				longer = append(longer, t+c)
			}
		}
		all, last = append(all, longer...), longer
	}
	return all
}

func hasAll(entries, want blindindex.Values) bool {
	for _, v := range want {
		if !slices.Contains(entries, v) {
			return false
		}
	}
	return true
}

// A search that misses a row is worse than one that finds too many.
func TestGramsFindEveryTextThatContainsThePart(t *testing.T) {
	t.Parallel()
	g := newGrams(t, 2, blindindex.Options{})
	all := texts(4)
	entries := map[string]blindindex.Values{}
	for _, text := range all {
		entries[text] = g.Values(text)
	}
	falsePositives := 0
	for _, part := range texts(3) {
		query, err := g.Query(part)
		if len(split(part)) < 2 {
			wantError(t, "a short part", err, blindindex.ErrTooShort, "name_grams", "at least 2 characters")
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range all {
			found, contains := hasAll(entries[text], query), contains(text, part)
			if contains && !found {
				t.Errorf("%q is not found by %q", text, part)
			}
			if g.Matches(text, part) != contains {
				t.Errorf("Matches(%q, %q) = %v", text, part, !contains)
			}
			if found && !contains {
				falsePositives++
			}
		}
	}
	if falsePositives == 0 {
		t.Error("no search finds too much, so that the filter is not tested")
	}
}

// split takes a text of alphabet apart, without the code under test.
func split(text string) []string {
	var list []string
	for text != "" {
		for _, c := range alphabet {
			if strings.HasPrefix(text, c) {
				list, text = append(list, c), text[len(c):]
				break
			}
		}
	}
	return list
}

// contains is by characters.
func contains(text, part string) bool {
	t, p := split(text), split(part)
	for i := 0; i+len(p) <= len(t); i++ {
		if slices.Equal(t[i:i+len(p)], p) {
			return true
		}
	}
	return false
}

func TestPrefixesFindEveryTextThatBeginsWithThePart(t *testing.T) {
	t.Parallel()
	p := newPrefixes(t, 2, 3, blindindex.Options{})
	all := append(texts(3), "abüa", "abüb", "abüab", "aaaa")
	entries := map[string]blindindex.Values{}
	for _, text := range all {
		entries[text] = p.Values(text)
	}
	for _, part := range all {
		query, err := p.Query(part)
		n := len(split(part))
		if n < 2 {
			wantError(t, "a short part", err, blindindex.ErrTooShort, "name_prefixes", "at least 2 characters")
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		cut := strings.Join(split(part)[:min(n, 3)], "")
		for _, text := range all {
			if found, begins := slices.Contains(entries[text], query), strings.HasPrefix(text, cut); found != begins {
				t.Errorf("%q finds %q: %v", part, text, found)
			}
			if begins := strings.HasPrefix(text, part); p.Matches(text, part) != begins {
				t.Errorf("Matches(%q, %q) = %v", text, part, !begins)
			}
		}
	}
}

func TestPartialEntriesAreDistinctAndSorted(t *testing.T) {
	t.Parallel()
	g, p := newGrams(t, 3, blindindex.Options{}), newPrefixes(t, 1, 4, blindindex.Options{})
	for _, tt := range []struct {
		text            string
		grams, prefixes int
	}{
		{"", 0, 0}, {"a", 0, 1}, {"ab", 0, 2}, {"abc", 1, 3}, {"abcd", 2, 4}, {"abcde", 3, 4},
		{"aaaaaaaaaa", 1, 4}, {"abcabcabc", 3, 4}, {"東京都庁", 2, 4}, {"\xff\xfe\xfd", 1, 3},
	} {
		for name, got := range map[string]struct {
			entries blindindex.Values
			want    int
		}{"grams": {g.Values(tt.text), tt.grams}, "prefixes": {p.Values(tt.text), tt.prefixes}} {
			if got.entries == nil || len(got.entries) != got.want {
				t.Errorf("%q has %d %s, want %d; nil, which is NULL: %v", tt.text, len(got.entries), name, got.want, got.entries == nil)
			}
			if !slices.IsSorted(got.entries) || len(slices.Compact(slices.Clone(got.entries))) != len(got.entries) {
				t.Errorf("the %s of %q are not sorted, or not distinct", name, tt.text)
			}
			for _, v := range got.entries {
				if len(v) != g.Digits() || len(v) != p.Digits() {
					t.Errorf("an entry of %q has another length", tt.text)
				}
			}
		}
	}
}

func TestPartialSearchTransformsTextAndPart(t *testing.T) {
	t.Parallel()
	g, p := newGrams(t, 3, folded), newPrefixes(t, 3, 6, folded)
	query := must(g.Query("STRASS"))
	if !hasAll(g.Values("Hauptstraße 5"), query) || !g.Matches("Hauptstraße 5", "STRASS") {
		t.Error("the grams of a folded part are not those of the text")
	}
	if v := must(p.Query("straß")); !slices.Contains(p.Values("STRASSE"), v) || !p.Matches("STRASSE", "straß") {
		t.Error("the prefix of a folded part is not one of the text")
	}
	// A part is as long as its transforms leave it.
	digits := blindindex.Options{Transforms: []blindindex.Transform{blindindex.Digits}}
	if _, err := newGrams(t, 3, digits).Query("1-2-x"); err == nil {
		t.Error("grams: two digits are taken for three")
	}
	if _, err := newPrefixes(t, 3, 6, digits).Query("1-2-x"); err == nil {
		t.Error("prefixes: two digits are taken for three")
	}
	// The limit that the documentation states: Lower takes a Greek sigma at the end
	// of a part for the end of a word. Fold does not.
	lower := newGrams(t, 3, blindindex.Options{Transforms: []blindindex.Transform{blindindex.Lower}})
	if hasAll(lower.Values("ΟΔΟΣΑΜ"), must(lower.Query("ΔΟΣ"))) {
		t.Error("Lower finds a sigma within a word; the documentation says that it does not")
	}
	if !hasAll(g.Values("ΟΔΟΣΑΜ"), must(g.Query("ΔΟΣ"))) {
		t.Error("Fold does not find a sigma within a word")
	}
}

func TestPartialIndexesShareNoEntries(t *testing.T) {
	t.Parallel()
	const text = "abc"
	o := blindindex.Options{}
	grams := func(key any, table, column, name string, n int, text string) blindindex.Value {
		k := testKey
		if key == "other" {
			k = otherKey
		}
		return must(must(blindindex.NewGrams(k, table, column, name, n, o)).Query(text))[0]
	}
	all := map[blindindex.Value]string{}
	for name, v := range map[string]blindindex.Value{
		"grams":         grams("", "t", "c", "n", 3, text),
		"another key":   grams("other", "t", "c", "n", 3, text),
		"another table": grams("", "u", "c", "n", 3, text),
		"column":        grams("", "t", "d", "n", 3, text),
		"name":          grams("", "t", "c", "m", 3, text),
		"n":             grams("", "t", "c", "n", 2, "ab"),
		"prefixes":      must(must(blindindex.NewPrefixes(testKey, "t", "c", "n", 3, 3, o)).Query(text)),
		"prefixes key":  must(must(blindindex.NewPrefixes(otherKey, "t", "c", "n", 3, 3, o)).Query(text)),
		"single":        must(blindindex.New(testKey, "t", "c", "n", o)).Value(text),
		"single prefix": must(blindindex.New(testKey, "t", "c", "n", blindindex.Options{Transforms: []blindindex.Transform{blindindex.Prefix(3)}})).Value("abx"),
	} {
		if earlier, ok := all[v]; ok {
			t.Errorf("%s and %s share an entry", name, earlier)
		}
		all[v] = name
	}
}

func TestPrefixEntriesStayWhenTheLengthsChange(t *testing.T) {
	t.Parallel()
	narrow, wide := newPrefixes(t, 3, 4, blindindex.Options{}), newPrefixes(t, 2, 9, blindindex.Options{})
	if !hasAll(wide.Values("abcdefghijkl"), narrow.Values("abcdefghijkl")) {
		t.Error("another range of lengths changes the entries")
	}
}

func TestPartialIndexesRefuseBadInput(t *testing.T) {
	t.Parallel()
	ok := blindindex.Options{}
	bad := blindindex.Options{Transforms: []blindindex.Transform{{}}}
	for _, n := range []int{-1, 0, 1} {
		_, err := blindindex.NewGrams(testKey, "t", "c", "n", n, ok)
		wantError(t, "short grams", err, nil, "at least 2", "index n")
	}
	_, err := blindindex.NewGrams(testKey, "t", "", "n", 3, ok)
	wantError(t, "no column", err, nil, "names")
	_, err = blindindex.NewGrams(noKey, "t", "c", "n", 3, ok)
	wantError(t, "no key", err, blindindex.ErrNoKey)
	_, err = blindindex.NewGrams(testKey, "t", "c", "n", 3, bad)
	wantError(t, "zero transform", err, blindindex.ErrTransform)

	for _, r := range [][2]int{{0, 3}, {-1, -1}, {4, 3}, {1, 0}} {
		_, err := blindindex.NewPrefixes(testKey, "t", "c", "n", r[0], r[1], ok)
		wantError(t, "bad lengths", err, nil, "at least 1", "index n")
	}
	_, err = blindindex.NewPrefixes(testKey, "", "c", "n", 3, 4, ok)
	wantError(t, "no table", err, nil, "names")
	_, err = blindindex.NewPrefixes(noKey, "t", "c", "n", 3, 4, ok)
	wantError(t, "no key", err, blindindex.ErrNoKey)
	_, err = blindindex.NewPrefixes(testKey, "t", "c", "n", 3, 4, bad)
	wantError(t, "zero transform", err, blindindex.ErrTransform)

	const canary = "CA"
	for _, err := range []error{second(newGrams(t, 3, ok).Query(canary)), second(newPrefixes(t, 3, 4, ok).Query(canary))} {
		if err == nil || strings.Contains(err.Error(), canary) {
			t.Error("the error for a short part has the part in it, or there is none")
		}
	}
}

func second[T any](_ T, err error) error { return err }
