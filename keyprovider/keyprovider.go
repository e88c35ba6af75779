package keyprovider

import (
	"errors"
	"fmt"
	"strings"

	"github.com/fernetcol/fernetcol/fernet"
)

// ErrNoKeys is wrapped by the error for a source that holds no key at all: a
// variable that is not set or empty, or a file of only comments.
var ErrNoKeys = errors.New("no keys")

// entry is one key as its source spells it, and where it stands there.
type entry struct {
	place string // "entry 2", "line 7"
	text  string
}

// keyring makes a ring of the entries of a source, the primary key first.
func keyring(source string, entries []entry) (*fernet.Keyring, error) {
	keys, err := parse(source, entries)
	if err != nil {
		return nil, err
	}
	return fernet.NewKeyring(keys[0], keys[1:]...)
}

// parse returns the keys of the entries of a source, at least one.
func parse(source string, entries []entry) ([]fernet.Key, error) {
	if len(entries) == 0 {
		return nil, fmt.Errorf("keyprovider: %s: %w", source, ErrNoKeys)
	}
	keys := make([]fernet.Key, len(entries))
	for i, e := range entries {
		k, err := fernet.ParseKey(e.text)
		if err != nil {
			return nil, fmt.Errorf("keyprovider: %s: %s: %w", source, e.place, err)
		}
		for j, earlier := range keys[:i] {
			if k.Equal(earlier) {
				return nil, fmt.Errorf("keyprovider: %s: %s repeats %s: %w", source, e.place, entries[j].place, fernet.ErrInvalidKey)
			}
		}
		keys[i] = k
	}
	return keys, nil
}

// trim takes away what editors and shells leave around a key. A key itself has
// no white space.
func trim(s string) string { return strings.Trim(s, " \t\r\n") }
