package keyprovider

import (
	"fmt"
	"os"
	"strings"

	"github.com/fernetcol/fernetcol/fernet"
)

// FromEnv returns the key ring in the environment variable called name: keys
// separated by commas, the primary key first, white space around each ignored.
// The error wraps [ErrNoKeys] if the variable is not set or empty, and
// [fernet.ErrInvalidKey] if an entry is not a key or stands twice.
//
// The variable stays set, and child processes inherit it: unset it with
// os.Unsetenv if the program starts any that should not have it.
func FromEnv(name string) (*fernet.Keyring, error) {
	list := os.Getenv(name)
	if trim(list) == "" {
		return nil, fmt.Errorf("keyprovider: the environment variable %s is not set: %w", name, ErrNoKeys)
	}
	return keyring("environment variable "+name, splitList(list))
}

// splitList takes a comma-separated list apart. An empty entry stays one, so
// that it is reported.
func splitList(list string) []entry {
	var entries []entry
	for i, text := range strings.Split(list, ",") {
		entries = append(entries, entry{place: fmt.Sprintf("entry %d", i+1), text: trim(text)})
	}
	return entries
}
