package blindindex

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"

	"github.com/fernetcol/fernetcol/fernet"
)

// MinGram is the least length of a gram in characters. Entries of single characters
// would be a simple substitution cipher of the text.
const MinGram = 2

// ErrTooShort is wrapped by the error for a part that a partial search cannot look
// for, because it is shorter than what the index holds.
var ErrTooShort = errors.New("blindindex: part too short to look for")

// Grams computes the entries of a partial index: one for each run of n characters
// (Unicode code points) in the text, so that a part of n or more can be found
// anywhere in it. The entries stand in a child table (row, entry) or an array column
// ([Values]). It is immutable and safe for concurrent use.
//
// It leaks far more than an index for equality, to everyone who reads the entries
// and without the key:
//
//   - how many different grams each text has, which is nearly its length;
//   - which rows share a gram, and how many: how similar any two texts are;
//   - which grams stand together in one text, and so, as grams overlap, which follow
//     each other: enough to put a text's grams in order like a puzzle;
//   - how often each gram occurs. Grams are few and languages regular, so counting
//     them tells far more than counting whole values.
//
// Anyone who can have a text of their own stored sees which entries it gets, and
// knows those grams in every other row. Take it only for columns where that may be
// known, and with as long an n as the search allows; [Prefixes] leaks less.
type Grams struct {
	index *Index
	n     int
}

// NewGrams returns the partial index called name of a column of a table, with grams
// of n characters, at least [MinGram]; 3 is common. Names, key and n make its entries,
// as for [New]. Options are as for New; Rows counts entries, not texts.
//
// The transforms are applied to the whole text, and to a part before it is looked
// for. They must do to a part what they do to it within a text: [Fold] does, while
// [Lower] does not for the Greek sigma, which at the end of a word becomes another
// letter.
func NewGrams(key fernet.Key, table, column, name string, n int, o Options) (*Grams, error) {
	if n < MinGram {
		return nil, fmt.Errorf("blindindex: index %s has grams of %d characters; they have at least %d", name, n, MinGram)
	}
	index, err := newIndex(key, name, o, purposeGrams, table, column, name, strconv.Itoa(n))
	if err != nil {
		return nil, err
	}
	return &Grams{index: index, n: n}, nil
}

// Name returns the name that [NewGrams] was given.
func (g *Grams) Name() string { return g.index.Name() }

// Digits returns the length of each [Value] in characters.
func (g *Grams) Digits() int { return g.index.Digits() }

// Values returns the entries of a text, what to store for it: distinct, and sorted so
// that their order tells nothing of the text. A text shorter than a gram has none,
// which is not NULL. NULL has NULL, the nil Values.
func (g *Grams) Values(text string) Values {
	return g.entries(g.index.transform(text))
}

// Query returns the entries to look for: every text that contains part has all of
// them. Not every text that has all of them contains part; [Grams.Matches] tells
// after decryption. The error for a part that is shorter than a gram, after the
// transforms, wraps [ErrTooShort] and names the least length.
func (g *Grams) Query(part string) (Values, error) {
	found := g.entries(g.index.transform(part))
	if len(found) == 0 {
		return nil, fmt.Errorf("%w: index %s needs at least %d characters", ErrTooShort, g.Name(), g.n)
	}
	return found, nil
}

// Matches reports whether text contains part, under the transforms of the index. It
// is the filter for what a search finds.
func (g *Grams) Matches(text, part string) bool {
	return strings.Contains(g.index.transform(text), g.index.transform(part))
}

// entries cuts at code points; a byte that is not UTF-8 counts as one.
func (g *Grams) entries(text string) Values {
	found := Values{}
	starts := make([]int, 0, len(text)+1)
	for i := range text {
		starts = append(starts, i)
	}
	starts = append(starts, len(text))
	for i := 0; i+g.n < len(starts); i++ {
		found = append(found, g.index.entry(text[starts[i]:starts[i+g.n]]))
	}
	return found.distinct()
}

func (g *Grams) redacted() string {
	if g == nil {
		return "blindindex.Grams(nil)"
	}
	return "blindindex.Grams(" + g.Name() + ")"
}

// String returns a marker with the name.
func (g *Grams) String() string { return g.redacted() }

// GoString returns the same marker as String.
func (g *Grams) GoString() string { return g.redacted() }

// Format writes the marker, for every verb.
func (g *Grams) Format(f fmt.State, _ rune) { io.WriteString(f, g.redacted()) }

// LogValue returns the marker as a slog value.
func (g *Grams) LogValue() slog.Value { return slog.StringValue(g.redacted()) }
