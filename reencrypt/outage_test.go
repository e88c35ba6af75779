package reencrypt_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"github.com/fernetcol/fernetcol/internal/dbtest"
	"github.com/fernetcol/fernetcol/reencrypt"
)

// throughOutages calls Run, there and back, while writers write, and cut is called
// after a random number of batches, times times. No call may fail.
func throughOutages(t *testing.T, f *fixture, times int, cut func()) {
	t.Helper()
	c := newCrowd(f, 600)
	c.start()
	target, other := f.key, f.oldKey
	var batches, wait, done, runs int
	run := func() {
		runs++
		plan := reencrypt.Plan{Table: "people", Columns: []reencrypt.Column{
			{Name: "secret", Keyring: ring(t, target, other), Plaintext: true}}}
		_, err := reencrypt.Run(context.Background(), f.SQL, f.d, plan, reencrypt.Options{
			BatchSize: 10, MaxPasses: 3, Lease: time.Second,
			Progress: func(reencrypt.Progress) {
				if batches++; batches >= wait && done < times {
					batches, wait = 0, rand.IntN(20)
					done++
					cut()
				}
			},
		})
		if err != nil && !errors.Is(err, reencrypt.ErrNotComplete) { // the writers use both keys
			t.Fatal(err)
		}
	}
	for done < times && !t.Failed() {
		run()
		target, other = other, target
	}
	c.end()
	run()
	got := c.check(target)
	t.Logf("%d outages in %d runs, %d writes, of %d the answer was lost: %d lost, %d corrupt, %d plaintext",
		done, runs, c.writes.Load(), c.doubts.Load(), got.lost, got.corrupt, got.plaintext)
	wantZero(t, got)
}

func TestRunOutlivesServerRestarts(t *testing.T) {
	db, restart := dbtest.RestartablePostgres(t)
	throughOutages(t, newFixture(t, db), 10, restart)
}

func TestRunOutlivesCutConnections(t *testing.T) {
	t.Run("postgres", func(t *testing.T) {
		f := newFixture(t, dbtest.Postgres(t))
		admin := f.Reopen(t)
		throughOutages(t, f, 20, func() {
			rows, err := admin.SQL.Query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
			if err != nil {
				t.Error("cannot cut connections")
				return
			}
			for rows.Next() {
			}
			rows.Close()
		})
	})
	t.Run("mysql", func(t *testing.T) {
		f := newFixture(t, dbtest.MySQL(t))
		admin := f.Reopen(t)
		throughOutages(t, f, 20, func() {
			rows, err := admin.SQL.Query("SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()")
			if err != nil {
				t.Error("cannot list connections")
				return
			}
			var ids []int64
			for rows.Next() {
				var id int64
				if rows.Scan(&id) == nil {
					ids = append(ids, id)
				}
			}
			rows.Close()
			for _, id := range ids {
				admin.SQL.Exec(fmt.Sprint("KILL ", id)) // one that has ended is no error here
			}
		})
	})
}

// A runner that is frozen with its ranges, and perhaps in a transaction, is overtaken
// by another; when it wakes up, it writes nothing that is not its own any more.
func TestAFrozenRunIsOvertakenAndHarmless(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // there is no SIGSTOP
	}
	for _, tt := range []struct {
		name  string
		open  func(testing.TB) *dbtest.Database
		times int
	}{{"postgres", dbtest.Postgres, 4}, {"mysql", dbtest.MySQL, 2}} { // whose locks wait for seconds
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, tt.open(t))
			c := newCrowd(f, 400)
			target, other := f.key, f.oldKey
			const lease = 300 * time.Millisecond
			woken := 0
			for range tt.times {
				frozen := f.runner(target, other, lease, 4)
				if !frozen.batch() {
					t.Fatal("a runner did not begin")
				}
				time.Sleep(time.Duration(rand.IntN(10_000)) * time.Microsecond)
				signal(t, frozen.Cmd, "STOP")
				second := f.runner(target, other, lease, 4)
				second.drain()
				second.Wait()
				signal(t, frozen.Cmd, "CONT")
				frozen.drain()
				frozen.Wait()
				for _, r := range []*runner{frozen, second} {
					if code := r.ProcessState.ExitCode(); code != 0 && code != exitNotComplete {
						t.Errorf("a runner ended with %d", code)
					}
				}
				woken++
				// Rows that a frozen transaction held were passed over.
				last := f.runner(target, other, lease, 4)
				last.drain()
				if err := last.Wait(); err != nil {
					t.Fatal("the last runner did not come to its end: ", err)
				}
				wantZero(t, c.check(target))
				if n := f.strings("SELECT count(*) FROM " + reencrypt.StateTable)[0][0]; n != "0" {
					t.Errorf("%s rows are left in the state table", n)
				}
				target, other = other, target
			}
			t.Logf("%d runners frozen and woken", woken)
		})
	}
}

// signal sends by the process's own number, with kill: package syscall has no SIGSTOP
// on Windows, for which this file must compile.
func signal(t *testing.T, cmd *exec.Cmd, name string) {
	t.Helper()
	if err := exec.Command("kill", "-"+name, fmt.Sprint(cmd.Process.Pid)).Run(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Logf("cannot send SIG%s: the runner had ended", name)
	}
}

func TestTwoRunsShareTheWork(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		f := newFixture(t, db)
		const n = 600
		f.users(n)
		both := make(chan struct{}, 2)
		gate := make(chan struct{})
		go func() {
			<-both
			<-both
			close(gate)
		}()
		type outcome struct {
			r   *reencrypt.Result
			err error
		}
		outcomes := make(chan outcome, 2)
		for range 2 {
			go func() {
				arrived := false
				r, err := reencrypt.Run(context.Background(), f.SQL, f.d, f.plan(), reencrypt.Options{
					BatchSize: 5, Workers: 2,
					Pause: func(context.Context) (time.Duration, error) {
						if !arrived { // no batch of one before the other is there
							arrived = true
							both <- struct{}{}
							<-gate
						}
						return 0, nil
					},
				})
				outcomes <- outcome{r, err}
			}()
		}
		var sum reencrypt.Counts
		var rows []int64
		for range 2 {
			o := <-outcomes
			if o.err != nil {
				t.Fatal(o.err)
			}
			sum = plus(sum, o.r.Counts)
			rows = append(rows, o.r.Counts.Rows)
		}
		sum.Conflicts = 0
		if want := (reencrypt.Counts{Rows: n, Rotated: n - n/10, Null: n / 10}); sum != want {
			t.Errorf("together they count %+v, want %+v", sum, want)
		}
		t.Logf("rows of each: %v", rows)
		for _, row := range f.strings("SELECT id, email FROM users WHERE email IS NOT NULL") {
			var id int
			fmt.Sscan(row[0], &id)
			f.opens(f.kr, row[1], plain(id))
		}
	})
}

// A run whose range was taken over while it stood still commits nothing of it: no row
// is counted twice.
func TestAnOvertakenRunCommitsNothing(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		t.Parallel()
		f := newFixture(t, db)
		const n = 100
		f.users(n)
		type stop struct{ reached, release chan struct{} }
		// start runs, and stands still after its first batch.
		start := func(s stop) chan *reencrypt.Result {
			done := make(chan *reencrypt.Result, 1)
			go func() {
				first := true
				r, err := reencrypt.Run(context.Background(), f.SQL, f.d, f.plan(), reencrypt.Options{
					BatchSize: 5, Workers: 1, Lease: time.Millisecond,
					Progress: func(reencrypt.Progress) {
						if first {
							first = false
							close(s.reached)
							<-s.release
						}
					},
				})
				if err != nil {
					t.Error(err)
				}
				done <- r
			}()
			<-s.reached
			return done
		}
		a, b := stop{make(chan struct{}), make(chan struct{})}, stop{make(chan struct{}), make(chan struct{})}
		first := start(a)
		time.Sleep(20 * time.Millisecond) // past the lease, so that the second takes the first range
		second := start(b)
		close(a.release)
		one := <-first
		close(b.release)
		two := <-second
		if sum := plus(one.Counts, two.Counts); sum.Rows != n || sum.Rotated != n-n/10 || sum.Current != 0 {
			t.Errorf("together they count %+v", sum)
		}
	})
}

func plus(a, b reencrypt.Counts) reencrypt.Counts {
	a.Rows += b.Rows
	a.Rotated += b.Rotated
	a.Null += b.Null
	a.Current += b.Current
	a.Conflicts += b.Conflicts
	return a
}
