//go:build race

package fernet_test

// raceEnabled says that the race detector slows everything down, and that
// sync.Pool drops values at random, so that allocations cannot be counted.
const raceEnabled = true

// Under the race detector, about ten times slower, the largest tests take every
// 7th case, such as the bit of a token to flip, and every 16th byte value. That
// still alters every byte; all cases have their turn without it.
const (
	stride     = 7
	byteStride = 16
)
