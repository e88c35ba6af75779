package blindindex_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/fernetcol/fernetcol/blindindex"
)

func FuzzValueScan(f *testing.F) {
	for _, text := range append(notValues[:12], "", "0", "0a", strings.Repeat("f", 32)) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		entry := text != "" && len(text) <= 32 && strings.Trim(text, "0123456789abcdef") == ""
		for _, src := range []any{text, []byte(text)} {
			v := blindindex.Value("0a")
			err := v.Scan(src)
			if (err == nil) != entry || err != nil && v != "" {
				t.Fatalf("read as %q, %v", v, err)
			}
			if err == nil {
				if stored, err := v.Value(); err != nil || stored != text {
					t.Fatalf("what is read is stored as %v, %v", stored, err)
				}
			}
		}
		if stored, err := blindindex.Value(text).Value(); text != "" && (err == nil) != entry || err != nil && stored != nil {
			t.Fatalf("stored as %v, %v", stored, err)
		}
	})
}

func FuzzValuesScan(f *testing.F) {
	for _, text := range []string{"{}", "{0a}", "{0a,1b}", "{0a,}", "{,}", "{{0a}}", `{"0a"}`, "{NULL}", "", "{", "[1:1]={0a}", "{0A}", array(0, 0, nil), array(1, 0, []uint32{2, 1}, "0a", "1b")} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		vs := blindindex.Values{"0a"}
		if err := vs.Scan(text); err != nil {
			if vs != nil {
				t.Fatal("entries beside the error")
			}
			return
		}
		stored, err := vs.Value()
		if err != nil {
			t.Fatalf("what is read cannot be stored: %v", err)
		}
		if strings.HasPrefix(text, "{") && stored != text {
			t.Fatalf("what is read is stored as %v", stored)
		}
		var again blindindex.Values
		if err := again.Scan(stored); err != nil || !slices.Equal(again, vs) {
			t.Fatalf("what is stored is read as %v, %v", again, err)
		}
	})
}

func FuzzParseTransform(f *testing.F) {
	for _, name := range []string{"lower", "fold", "nfc", "nfkc", "trim", "digits", "lastfour", "domain", "prefix=3", "prefix=", "prefix=+1", "prefix=01", "Lower", ""} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		tr, err := blindindex.ParseTransform(name)
		if err != nil {
			if tr.String() != "" {
				t.Fatal("a transform beside the error")
			}
			return
		}
		if tr.String() != name {
			t.Fatalf("%q is read and written as %q", name, tr)
		}
	})
}

// A value that was transformed before it came here has the same entry.
func FuzzTransforms(f *testing.F) {
	for _, text := range append(somewhatEqual, "\u0345\u03a3", "\u1100\u1161\u11a8", strings.Repeat("\u0327", 70), "İIıi", "ꭰᎠ", "a\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80") {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range []string{"lower", "fold", "nfc", "nfkc", "trim", "digits", "lastfour", "domain", "prefix=3"} {
			tr := parseTransforms(t, []string{name})[0]
			once := transformed(t, tr, text)
			if twice := transformed(t, tr, once); twice != once {
				t.Errorf("%s of %+q is %+q, and then %+q", name, text, once, twice)
			}
			if utf8.ValidString(text) && !utf8.ValidString(once) {
				t.Errorf("%s of %+q is not UTF-8", name, text)
			}
		}
		if own := strings.ToUpper(text); fuzzIndex.Matches(text, own) != (fuzzIndex.Value(text) == fuzzIndex.Value(own)) {
			t.Error("Matches and the entries disagree")
		}
		for _, v := range fuzzGrams.Values(text) {
			if len(v) != 32 {
				t.Error("an entry has another length")
			}
		}
		if query, err := fuzzGrams.Query(text); err == nil && !hasAll(fuzzGrams.Values(text), query) {
			t.Error("a text does not contain itself")
		}
	})
}

var (
	fuzzIndex = must(blindindex.New(testKey, "t", "c", "n", blindindex.Options{Transforms: []blindindex.Transform{blindindex.Trim, blindindex.NFKC, blindindex.Fold}}))
	fuzzGrams = must(blindindex.NewGrams(testKey, "t", "c", "n", 3, folded))
)
