package blindindex

import (
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/fernetcol/fernetcol/fernet"
)

// Prefixes computes the entries of a partial index: one for each beginning of the
// text, from the shortest length to the longest, so that texts which begin with a
// part can be found. The entries stand in a child table (row, entry) or an array
// column ([Values]). It is immutable and safe for concurrent use.
//
// It leaks more than an index for equality, to everyone who reads the entries and
// without the key:
//
//   - how long each text is, up to the longest length;
//   - which rows begin alike, and for how many characters: the whole tree of
//     beginnings, with the number of rows under each;
//   - how often each beginning occurs, which for short ones is a statistic that
//     anyone can look up, such as the first letters of surnames.
//
// Anyone who can have a text of their own stored learns which rows begin like it.
// Take a shortest length that many values share no more than you would tell, and a
// longest no longer than the search needs.
type Prefixes struct {
	index             *Index
	shortest, longest int
}

// NewPrefixes returns the partial index called name of a column of a table, of the
// beginnings of shortest to longest characters (Unicode code points). Names and key
// make its entries, as for [New]. The lengths do not: when they change, entries are
// added or become useless, and the others stay. Options are as for New; Rows counts
// entries, not texts. What [NewGrams] says of transforms goes for these.
func NewPrefixes(key fernet.Key, table, column, name string, shortest, longest int, o Options) (*Prefixes, error) {
	if shortest < 1 || longest < shortest {
		return nil, fmt.Errorf("blindindex: index %s has prefixes of %d to %d characters; the shortest is at least 1, and the longest no shorter", name, shortest, longest)
	}
	index, err := newIndex(key, name, o, purposePrefixes, table, column, name)
	if err != nil {
		return nil, err
	}
	return &Prefixes{index: index, shortest: shortest, longest: longest}, nil
}

// Name returns the name that [NewPrefixes] was given.
func (p *Prefixes) Name() string { return p.index.Name() }

// Digits returns the length of each [Value] in characters.
func (p *Prefixes) Digits() int { return p.index.Digits() }

// Values returns the entries of a text, what to store for it: distinct, and sorted so
// that their order tells nothing of the text. A text shorter than the shortest prefix
// has none, which is not NULL. NULL has NULL, the nil Values.
func (p *Prefixes) Values(text string) Values {
	found := Values{}
	p.each(p.index.transform(text), func(beginning string) {
		found = append(found, p.index.entry(beginning))
	})
	return found.distinct()
}

// Query returns the entry to look for: every text that begins with part has it. A
// part that is longer than the longest prefix is cut to it, so that other texts have
// it too; [Prefixes.Matches] tells after decryption. The error for a part that is
// shorter than the shortest, after the transforms, wraps [ErrTooShort] and names the
// least length.
func (p *Prefixes) Query(part string) (Value, error) {
	var last string
	p.each(p.index.transform(part), func(beginning string) { last = beginning })
	if last == "" {
		return "", fmt.Errorf("%w: index %s needs at least %d characters", ErrTooShort, p.Name(), p.shortest)
	}
	return p.index.entry(last), nil
}

// Matches reports whether text begins with part, under the transforms of the index.
// It is the filter for what a search finds.
func (p *Prefixes) Matches(text, part string) bool {
	return strings.HasPrefix(p.index.transform(text), p.index.transform(part))
}

// each calls f for the beginnings that have entries, the shortest first.
func (p *Prefixes) each(text string, f func(string)) {
	n := 0 // characters before i
	for i := range text {
		if n >= p.shortest {
			f(text[:i])
		}
		if n == p.longest {
			return
		}
		n++
	}
	if n >= p.shortest {
		f(text)
	}
}

func (p *Prefixes) redacted() string {
	if p == nil {
		return "blindindex.Prefixes(nil)"
	}
	return "blindindex.Prefixes(" + p.Name() + ")"
}

// String returns a marker with the name.
func (p *Prefixes) String() string { return p.redacted() }

// GoString returns the same marker as String.
func (p *Prefixes) GoString() string { return p.redacted() }

// Format writes the marker, for every verb.
func (p *Prefixes) Format(f fmt.State, _ rune) { io.WriteString(f, p.redacted()) }

// LogValue returns the marker as a slog value.
func (p *Prefixes) LogValue() slog.Value { return slog.StringValue(p.redacted()) }
