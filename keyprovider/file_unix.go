//go:build unix

package keyprovider

import (
	"io/fs"
	"syscall"
)

// The permission bits that a key file must not have.
const (
	groupAndOthers        fs.FileMode = 0o077
	groupChangesAndOthers fs.FileMode = 0o037
)

// private reports whether only the owner may read the file; see FromFile. The
// exception for root is that of PostgreSQL for its server key.
func private(info fs.FileInfo) bool {
	perm := info.Mode().Perm()
	if perm&groupAndOthers == 0 {
		return true
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Uid == 0 && perm&groupChangesAndOthers == 0
}
