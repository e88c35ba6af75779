package blindindex_test

import (
	"strings"
	"testing"

	"github.com/fernetcol/fernetcol/blindindex"
)

func TestParseTransformReadsWhatStringWrites(t *testing.T) {
	t.Parallel()
	for name, tr := range map[string]blindindex.Transform{
		"lower": blindindex.Lower, "fold": blindindex.Fold, "nfc": blindindex.NFC, "nfkc": blindindex.NFKC, "trim": blindindex.Trim,
		"digits": blindindex.Digits, "lastfour": blindindex.LastFour, "domain": blindindex.Domain,
		"prefix=1": blindindex.Prefix(1), "prefix=12": blindindex.Prefix(12),
	} {
		read, err := blindindex.ParseTransform(name)
		if err != nil || read.String() != name || tr.String() != name {
			t.Errorf("%s is read as %s, %v, and written as %s", name, read, err, tr)
			continue
		}
		const text = " Ärger@STRASSE.example 0123456 "
		if transformed(t, read, text) != transformed(t, tr, text) {
			t.Errorf("the transform read as %s is another one", name)
		}
	}
}

func TestParseTransformRefuses(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "Lower", "lower ", "lowercase", "email", "prefix", "last", "sha256"} {
		_, err := blindindex.ParseTransform(name)
		wantError(t, name, err, blindindex.ErrTransform, "there are lower, fold, nfc, nfkc, trim, digits, lastfour, domain and prefix=n")
	}
	for _, name := range []string{"prefix=", "prefix=0", "prefix=-1", "prefix=x", "prefix=1.5", "prefix=99999999999999999999", "prefix= 3", "prefix=+3", "prefix=03"} {
		_, err := blindindex.ParseTransform(name)
		wantError(t, name, err, blindindex.ErrTransform, "as in prefix=3")
	}
}

// Where a sigma stands in a text does not change what it becomes.
func TestLowerKnowsTheEndOfAWordInLongTexts(t *testing.T) {
	t.Parallel()
	for n := range 400 {
		before := strings.Repeat("ẞ", n) + " "
		if got, want := transformed(t, blindindex.Lower, before+"ΟΔΟΣ\u00ad. Α"), strings.Repeat("ß", n)+" οδος\u00ad. α"; got != want {
			t.Fatalf("behind %d characters, the word becomes %+q", n+1, got[2*n:])
		}
	}
}

func TestCherokeeLettersFoldAlike(t *testing.T) {
	t.Parallel()
	for small, capital := range map[rune]rune{0xab70: 0x13a0, 0xabbf: 0x13ef, 0x13f8: 0x13f0, 0x13fd: 0x13f5} {
		for _, c := range []rune{small, capital} {
			if got := transformed(t, blindindex.Fold, string(c)); got != string(capital) {
				t.Errorf("%U folds to %+q, want %U", c, got, capital)
			}
		}
	}
}

func TestCustomTransform(t *testing.T) {
	t.Parallel()
	reverse := blindindex.Custom("reverse", func(s string) string {
		b := []byte(s)
		for i := range len(b) / 2 {
			b[i], b[len(b)-1-i] = b[len(b)-1-i], b[i]
		}
		return string(b)
	})
	ix := newIndex(t, blindindex.Options{Transforms: []blindindex.Transform{reverse, blindindex.Prefix(2)}})
	if !ix.Matches("abcd", "xxcd") || ix.Matches("abcd", "abxx") || ix.Value("abcd") != ix.Value("xxcd") || reverse.String() != "reverse" {
		t.Error("transforms are not applied in their order")
	}
}

func TestPartsOfTexts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ transform, in, out string }{
		{"lastfour", "", ""}, {"lastfour", "abc", "abc"}, {"lastfour", "abcd", "abcd"}, {"lastfour", "abcde", "bcde"}, {"lastfour", "a\xff\xfe\xfdbc", "\xfe\xfdbc"},
		{"domain", "a@b", "b"}, {"domain", "a@b@c", "c"}, {"domain", "none", "none"}, {"domain", "a@", ""}, {"domain", "", ""},
		{"prefix=2", "", ""}, {"prefix=2", "a", "a"}, {"prefix=2", "ab", "ab"}, {"prefix=2", "üabc", "üa"}, {"prefix=2", "\xff\xfe\xfd", "\xff\xfe"},
		{"digits", "١٢3４", "3"}, {"digits", "\xff1\xfe", "1"},
		{"trim", "\xff \u3000", "\xff"},
	} {
		if got := transformed(t, parseTransforms(t, []string{tt.transform})[0], tt.in); got != tt.out {
			t.Errorf("%s of %+q is %+q, want %+q", tt.transform, tt.in, got, tt.out)
		}
	}
}
