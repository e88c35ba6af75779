//go:build race

package integration_test

// raceEnabled says that the race detector slows everything down.
const raceEnabled = true

// madeRows is how many of manyRows the library makes. Under the race detector a row
// costs it ten times as much, and the pure Go SQLite thirty times; the databases
// make the others.
const madeRows = 20_000
