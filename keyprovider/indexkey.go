package keyprovider

import (
	"errors"
	"fmt"
	"os"

	"github.com/fernetcol/fernetcol/fernet"
)

// IndexKeyFromEnv returns the one key in the environment variable called name, by
// custom FERNET_INDEX_KEY, for package blindindex. It has the form of an encryption
// key, and must be another one: what rotates those must not change an index. The
// errors are those of [FromEnv]; a second key is an error too, because an index has
// one.
func IndexKeyFromEnv(name string) (fernet.Key, error) {
	list := os.Getenv(name)
	if trim(list) == "" {
		return fernet.Key{}, fmt.Errorf("keyprovider: the environment variable %s is not set: %w", name, ErrNoKeys)
	}
	return single("environment variable "+name, splitList(list))
}

// IndexKeyFromFile returns the one key in the file at path, as IndexKeyFromEnv does.
// The file has the form, and its mode the limits, of [FromFile].
func IndexKeyFromFile(path string) (fernet.Key, error) {
	content, err := readPrivate(path)
	if err != nil {
		return fernet.Key{}, err
	}
	return single(path, splitLines(content))
}

var errSeveral = errors.New("it holds several keys, but an index has one; give a new key a variable or file of its own")

func single(source string, entries []entry) (fernet.Key, error) {
	keys, err := parse(source, entries)
	if err != nil {
		return fernet.Key{}, err
	}
	if len(keys) > 1 {
		return fernet.Key{}, fmt.Errorf("keyprovider: %s: %w", source, errSeveral)
	}
	return keys[0], nil
}
