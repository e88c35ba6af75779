package reencrypt_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/fernetcol/fernetcol/internal/dbtest"
	"github.com/fernetcol/fernetcol/reencrypt"
)

// What lives at the end of a pass over 20,000 rows is what lived at its beginning.
func TestMemoryDoesNotGrowWithTheTable(t *testing.T) {
	f := newFixture(t, dbtest.SQLite(t))
	const n = 20_000
	f.users(n)
	live := func() uint64 {
		runtime.GC()
		runtime.GC() // what the first one's finalizers held
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	var early, late uint64
	_, err := reencrypt.Run(context.Background(), f.SQL, f.d, f.plan(), reencrypt.Options{
		BatchSize: 500,
		Progress: func(p reencrypt.Progress) {
			switch {
			case p.Phase == reencrypt.PhaseRewrite && p.Counts.Rows == 2000:
				early = live()
			case p.Phase == reencrypt.PhaseCensus && p.Counts.Rows == n:
				late = live()
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	// The rows between the two have 2 MiB of tokens.
	const slack = 512 << 10
	if early == 0 || late > early+slack {
		t.Errorf("the heap grew from %d to %d bytes", early, late)
	}
}

// Rows of a megabyte each are not held a thousand at a time.
func TestLongValuesMakeShortBatches(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		f := newFixture(t, db)
		f.exec("CREATE TABLE users (id int PRIMARY KEY, email " + f.TextType() + ")")
		const n, size = 4, 1 << 20
		value := make([]byte, size)
		for id := range n {
			f.exec("INSERT INTO users VALUES (?, ?)", id, string(f.old.Encrypt(value)))
		}
		var batches int
		o := reencrypt.Options{Workers: 1, Progress: func(p reencrypt.Progress) {
			if p.Phase == reencrypt.PhaseRewrite {
				batches++
			}
		}}
		r := f.run(f.plan(), o)
		if r.Counts.Rotated != n || batches < n {
			t.Errorf("%d batches, counts %+v", batches, r.Counts)
		}
	})
}
