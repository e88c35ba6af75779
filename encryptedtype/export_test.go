package encryptedtype

import (
	"time"

	"github.com/fernetcol/fernetcol/fernet"
)

// ReplaceDefault makes kr the process default, or leaves the process without one
// if kr is nil, until restore is called. A test that calls it cannot be parallel.
func ReplaceDefault(kr *fernet.Keyring) (restore func()) {
	old := defaultKeyring.Swap(kr)
	return func() { defaultKeyring.Store(old) }
}

// EndReadThrough moves the end to the past.
func EndReadThrough(r *ReadThrough) { r.until = time.Now().Add(-time.Second) }
