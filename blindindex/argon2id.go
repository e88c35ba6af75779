package blindindex

import (
	"errors"
	"fmt"

	"golang.org/x/crypto/argon2"
)

// Argon2id (RFC 9106, version 0x13) makes an index slow: whoever has the index key
// pays for every guess. It is for values with little entropy, such as a national
// number, and costs every write and lookup the same. Its parameters are part of what
// the index key is derived for: others make another index.
//
// It is no function of FIPS 140-3. GODEBUG=fips140=only does not stop it, because it
// is not in Go's own module: whoever must comply leaves it out.
type Argon2id struct {
	Time      uint32 // passes over the memory, at least 1
	MemoryKiB uint32 // at least 8 for each thread
	Threads   uint8  // at least 1
}

// DefaultArgon2id is 19 MiB, two passes, one thread: the least that OWASP's Password
// Storage Cheat Sheet advises.
var DefaultArgon2id = Argon2id{Time: 2, MemoryKiB: 19 * 1024, Threads: 1}

// String returns the name that holds the parameters, such as
// "argon2id-v19-m19456-t2-p1". It is part of the derivation and frozen.
func (a Argon2id) String() string {
	return fmt.Sprintf("argon2id-v%d-m%d-t%d-p%d", argon2.Version, a.MemoryKiB, a.Time, a.Threads)
}

func (a Argon2id) check() error {
	if a.Time < 1 || a.Threads < 1 || a.MemoryKiB < 8*uint32(a.Threads) {
		return errors.New("blindindex: Argon2id needs at least 1 pass, 1 thread and 8 KiB for each thread; DefaultArgon2id is a good choice")
	}
	return nil
}

func (a Argon2id) stretch(in, salt []byte) []byte {
	return argon2.IDKey(in, salt, a.Time, a.MemoryKiB, a.Threads, 32)
}
