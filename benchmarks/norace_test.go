//go:build !race

package benchmarks_test

// raceEnabled says that sync.Pool drops values at random, so that allocations
// cannot be counted.
const raceEnabled = false
