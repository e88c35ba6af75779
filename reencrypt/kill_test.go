package reencrypt_test

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/fernetcol/fernetcol/internal/dbtest"
)

// killsEnv sets how often a runner is killed on each database: `make kills` has 2,000.
const killsEnv = "FERNETCOL_KILLS"

func kills(t *testing.T, standard int) int {
	t.Helper()
	s := os.Getenv(killsEnv)
	if s == "" {
		return standard
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		t.Fatalf("%s is not a number of kills", killsEnv)
	}
	return n
}

// A runner is killed at random instants, again and again, while writers write: the
// next one goes on where it stood. When one comes to its end the keys change places,
// so that there is always work.
func TestKilledAtAnyInstantLosesNothing(t *testing.T) {
	for _, tt := range []struct {
		open  func(testing.TB) *dbtest.Database
		name  string
		kills int
	}{
		{dbtest.Postgres, "postgres", 200}, {dbtest.SQLite, "sqlite", 50}, {dbtest.MySQL, "mysql", 50},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, tt.open(t))
			const rows, batch = 1500, 10
			c := newCrowd(f, rows)
			want := kills(t, tt.kills)
			target, other := f.key, f.oldKey
			job := &watched{t: t, target: target}
			var killed, ended, halfDone, checked int
			c.start()
			for killed < want && !t.Failed() {
				r := f.runner(target, other, time.Millisecond, batch)
				// Now and then one comes to its end, for a new first pass.
				spare := rand.IntN(12) == 0
				if r.batch() && !spare {
					// Somewhere in the next batches: at a random instant of reading,
					// writing, committing or claiming.
					time.AfterFunc(time.Duration(rand.IntN(20_000))*time.Microsecond, func() { r.Process.Kill() })
				}
				r.drain()
				r.Wait()
				if code := r.ProcessState.ExitCode(); code == -1 {
					killed++
					n, ok := c.halfDone(job)
					halfDone += n
					if ok {
						checked++
					}
					continue
				} else if code != 0 && code != exitNotComplete {
					t.Fatalf("a runner failed with %d", code)
				}
				ended++
				target, other = other, target
				job = &watched{t: t, target: target}
			}
			c.end()
			// Nobody kills the last one, and nobody writes.
			r := f.runner(target, other, time.Millisecond, batch)
			r.drain()
			if err := r.Wait(); err != nil {
				t.Fatal("the last runner did not come to its end: ", err)
			}
			got := c.check(target)
			got.halfDone = halfDone
			t.Logf("%d kills, %d runs came to their end, %d writes of %d writers (%d changed the key): "+
				"%d lost, %d corrupt, %d plaintext; %d half-done after %d kills in a first pass", killed, ended, c.writes.Load(), writers, c.moves.Load(),
				got.lost, got.corrupt, got.plaintext, got.halfDone, checked)
			wantZero(t, got)
			if c.doubts.Load() > 0 || c.writes.Load() == 0 || checked == 0 {
				t.Errorf("%d writes failed, %d were done, %d checkpoints were looked at", c.doubts.Load(), c.writes.Load(), checked)
			}
		})
	}
}
