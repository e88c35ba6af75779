package blindindex

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"
)

// A Transform changes a text before it is indexed, so that values which differ only
// in what it takes away have the same entry. It is immutable and safe for
// concurrent use. The zero Transform is refused.
//
// Stored values depend on what a transform does to a text. Those of this package
// never change; of characters that are not assigned yet (Unicode 15 with Go 1.26),
// Unicode may change the case and the normal form when it assigns them. A byte that
// is not UTF-8 is kept, or becomes U+FFFD, or is dropped, always the same.
type Transform struct {
	name  string
	apply func(string) string
	// part says that it keeps a part of the value, so that different values are
	// equal under it.
	part bool
}

// The transforms. [ParseTransform] gives their names in tags.
var (
	// Lower maps to lower case by the full rules of Unicode, in no particular
	// language: as Python's str.lower. By these rules a capital sigma at the end of
	// a word becomes another letter than within one. What ends a word is looked for
	// no further than 30 characters that do not count.
	Lower = Transform{name: "lower", apply: lower}
	// Fold maps by Unicode's full case folding: as Python's str.casefold. "Straße"
	// and "STRASSE" become equal, which under Lower they do not, and so do all
	// forms of sigma.
	Fold = Transform{name: "fold", apply: fold}
	// NFC composes characters: Unicode Normalization Form C. More than 30 combining
	// characters in a row are broken up by U+034F (UAX #15, Stream-Safe Text).
	NFC = Transform{name: "nfc", apply: norm.NFC.String}
	// NFKC composes characters and replaces compatibility forms, such as full-width
	// letters and ligatures: Unicode Normalization Form KC, with U+034F as in NFC.
	NFKC = Transform{name: "nfkc", apply: norm.NFKC.String}
	// Trim takes white space (Unicode's White_Space) off both ends. Python's
	// str.strip takes off U+001C to U+001F as well.
	Trim = Transform{name: "trim", apply: func(s string) string { return strings.TrimFunc(s, unicode.IsSpace) }}
	// Digits keeps the digits 0 to 9 alone, and those of no other script.
	Digits = Transform{name: "digits", apply: digits}
	// LastFour keeps the last four characters (code points).
	LastFour = Transform{name: "lastfour", apply: lastFour, part: true}
	// Domain keeps what follows the last @, or all if there is none.
	Domain = Transform{name: "domain", apply: func(s string) string { return s[strings.LastIndexByte(s, '@')+1:] }, part: true}
)

// Prefix keeps the first n characters (code points). With n below 1 it is the zero Transform.
func Prefix(n int) Transform {
	if n < 1 {
		return Transform{}
	}
	return Transform{name: "prefix=" + strconv.Itoa(n), part: true, apply: func(s string) string {
		n := n
		for i := range s {
			if n == 0 {
				return s[:i]
			}
			n--
		}
		return s
	}}
}

// Custom is a transform of your own. It must give the same result for the same
// text for ever, and be safe for concurrent use. name is what errors and tags call
// it.
func Custom(name string, apply func(string) string) Transform {
	return Transform{name: name, apply: apply}
}

// String returns the name.
func (t Transform) String() string { return t.name }

// ErrTransform is wrapped by the error for a transform that does not exist.
var ErrTransform = errors.New("blindindex: unknown transform")

// ParseTransform returns the transform of a name: lower, fold, nfc, nfkc, trim,
// digits, lastfour, domain, or prefix=n.
func ParseTransform(name string) (Transform, error) {
	for _, t := range []Transform{Lower, Fold, NFC, NFKC, Trim, Digits, LastFour, Domain} {
		if t.name == name {
			return t, nil
		}
	}
	if n, ok := strings.CutPrefix(name, "prefix="); ok {
		// One spelling of each length: a name says which transform it is.
		if n, err := strconv.Atoi(n); err == nil && Prefix(n).name == name {
			return Prefix(n), nil
		}
		return Transform{}, fmt.Errorf("%w: a prefix has a length of at least 1 character, as in prefix=3", ErrTransform)
	}
	return Transform{}, fmt.Errorf("%w: %q; there are lower, fold, nfc, nfkc, trim, digits, lastfour, domain and prefix=n", ErrTransform, name)
}

// checkTransforms refuses a list with a zero Transform.
func checkTransforms(list []Transform) error {
	for i, t := range list {
		if t.apply == nil {
			return fmt.Errorf("%w: transform %d is the zero Transform", ErrTransform, i+1)
		}
	}
	return nil
}

// transform applies a list in its order.
func transform(list []Transform, text string) string {
	for _, t := range list {
		text = t.apply(text)
	}
	return text
}

// lossy reports whether one of a list keeps a part of the value.
func lossy(list []Transform) bool {
	return slices.ContainsFunc(list, func(t Transform) bool { return t.part })
}

func lower(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	// In one piece. Caser.String works on chunks, and forgets at their borders
	// whether a sigma ends a word.
	dst := make([]byte, maxGrowth*len(s))
	n, _, err := cases.Lower(language.Und).Transform(dst, []byte(s), true)
	if err != nil {
		panic("blindindex: lower: " + err.Error()) // dst is large enough
	}
	return string(dst[:n])
}

// maxGrowth is how many times longer a text may become in lower case, in bytes: a
// byte that is not UTF-8 may become U+FFFD.
const maxGrowth = 3

func fold(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	return strings.Map(foldCherokee, cases.Fold().String(s))
}

// foldCherokee maps small Cherokee letters to capital ones, which is how Unicode
// folds them. cases.Fold exchanges the two (golang.org/x/text v0.44.0), so that they
// would not become equal.
func foldCherokee(r rune) rune {
	switch {
	case 0xab70 <= r && r <= 0xabbf:
		return r - 0xab70 + 0x13a0
	case 0x13f8 <= r && r <= 0x13fd:
		return r - 8
	}
	return r
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return r
		}
		return -1
	}, s)
}

func lastFour(s string) string {
	end := len(s)
	for range 4 {
		_, size := utf8.DecodeLastRuneInString(s[:end])
		end -= size
	}
	return s[end:]
}
