package keyprovider

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/fernetcol/fernetcol/fernet"
)

// maxFileSize is far above any key file, in bytes. It keeps a wrong path, such
// as a device, from being read without end.
const maxFileSize = 1 << 20

// FromFile returns the key ring in the file at path: one key a line, the primary
// key first. Empty lines and lines that begin with # are ignored. The error
// wraps [ErrNoKeys] if there is no key in it, [fernet.ErrInvalidKey] if a line
// is not a key or stands twice, and an error of package os if the file cannot be
// read.
//
// A file that others may read is refused: its mode must give nothing to group
// and others (0600), or, if root owns it, no more than reading to the group
// (0640, as Kubernetes mounts a secret for an fsGroup). On Windows the check
// does not apply.
func FromFile(path string) (*fernet.Keyring, error) {
	content, err := readPrivate(path)
	if err != nil {
		return nil, err
	}
	return keyring(path, splitLines(content))
}

// readPrivate returns the content of a file that others may not read.
func readPrivate(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("keyprovider: %w", err)
	}
	defer f.Close()
	// The open file, so that what is checked is what is read.
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("keyprovider: %w", err)
	}
	if info.IsDir() {
		return "", fmt.Errorf("keyprovider: %s is a directory; give the key file in it", path)
	}
	if !private(info) {
		return "", fmt.Errorf("keyprovider: %s has mode %04o, so others may read the keys; run: chmod 600 %s", path, info.Mode().Perm(), path)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	if err != nil {
		return "", fmt.Errorf("keyprovider: %w", err)
	}
	if len(data) > maxFileSize {
		return "", fmt.Errorf("keyprovider: %s is larger than %d bytes; it is not a key file", path, maxFileSize)
	}
	return string(data), nil
}

// splitLines takes the content of a key file apart.
func splitLines(content string) []entry {
	var entries []entry
	for i, line := range strings.Split(content, "\n") {
		text := trim(line)
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		entries = append(entries, entry{place: fmt.Sprintf("line %d", i+1), text: text})
	}
	return entries
}
