package reencrypt_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fernetcol/fernetcol/internal/dbtest"
	"github.com/fernetcol/fernetcol/reencrypt"
)

func TestAWriterWithTheOldKeyMakesTheRunIncompleteByName(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		t.Parallel()
		f := newFixture(t, db)
		f.users(40)
		o := small
		o.Workers, o.MaxPasses = 1, 2
		o.Progress = func(p reencrypt.Progress) {
			if p.Phase == reencrypt.PhaseRewrite { // behind the run, each time
				f.exec("UPDATE users SET email = ? WHERE id = 1", f.old.EncryptString("late"))
			}
		}
		r, err := reencrypt.Run(context.Background(), f.SQL, f.d, f.plan(), o)
		if !errors.Is(err, reencrypt.ErrNotComplete) || !strings.Contains(err.Error(), "users.email: 1 values left (1 under key "+f.oldKey.ID()+")") {
			t.Errorf("got %v", err)
		}
		if r.Passes != 2 || r.Census.Columns[0].Pending != 1 {
			t.Errorf("%d passes, census %+v", r.Passes, r.Census)
		}
		c, err := reencrypt.Retire(context.Background(), f.SQL, f.d, f.plan(), f.oldKey.ID(), reencrypt.Options{})
		if !errors.Is(err, reencrypt.ErrKeyInUse) || c == nil || !strings.Contains(err.Error(), "users.email: 1 values need key "+f.oldKey.ID()) {
			t.Errorf("retire: %v", err)
		}
		f.run(f.plan(), small)
		if _, err := reencrypt.Retire(context.Background(), f.SQL, f.d, f.plan(), f.oldKey.ID(), reencrypt.Options{}); err != nil {
			t.Errorf("retire: %v", err)
		}
		if _, err := reencrypt.Retire(context.Background(), f.SQL, f.d, f.plan(), f.key.ID(), reencrypt.Options{}); !errors.Is(err, reencrypt.ErrRefused) {
			t.Errorf("retire the primary key: %v", err)
		}
	})
}

// A row that moves behind the checkpoint is for the next pass.
func TestAKeyThatChangesDuringTheRunIsNotMissed(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		t.Parallel()
		f := newFixture(t, db)
		f.users(40)
		o := small
		o.Workers = 1
		moved := false
		o.Progress = func(p reencrypt.Progress) {
			if !moved {
				moved = true
				f.exec("UPDATE users SET id = -1 WHERE id = 39")
			}
		}
		r := f.run(f.plan(), o)
		if r.Passes != 2 || r.Counts.Rotated != 36 {
			t.Errorf("%d passes, counts %+v", r.Passes, r.Counts)
		}
	})
}

func TestAStoppedRunResumes(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		t.Parallel()
		f := newFixture(t, db)
		f.users(200)
		ctx, stop := context.WithCancel(context.Background())
		o := small
		batches := 0
		o.Progress = func(reencrypt.Progress) {
			if batches++; batches == 5 {
				stop()
			}
		}
		first, err := reencrypt.Run(ctx, f.SQL, f.d, f.plan(), o)
		if !errors.Is(err, reencrypt.ErrStopped) || !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
		if first.Counts.Rows == 0 || first.Counts.Rows >= 200 {
			t.Fatalf("counts %+v", first.Counts)
		}
		p, err := reencrypt.Check(context.Background(), f.SQL, f.d, f.plan())
		if err != nil || p.Resumable == nil || *p.Resumable != first.Counts {
			t.Errorf("resumable %+v, %v, want %+v", p.Resumable, err, first.Counts)
		}
		// The ranges were given back: nothing waits for the lease.
		o = small
		o.Lease = time.Hour
		second := f.run(f.plan(), o)
		if second.Resumed != first.Counts {
			t.Errorf("resumed %+v, want %+v", second.Resumed, first.Counts)
		}
		if sum := plus(first.Counts, second.Counts); sum.Rows != 200 || sum.Rotated != 180 || sum.Current != 0 {
			t.Errorf("together %+v", sum)
		}
	})
}

func TestADryRunChangesNothing(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		t.Parallel()
		f := newFixture(t, db)
		f.users(40)
		before := fmt.Sprint(f.strings("SELECT * FROM users ORDER BY id"))
		o := small
		o.DryRun = true
		r := f.run(f.plan(), o)
		if want := (reencrypt.Counts{Rows: 40, Rotated: 36, Null: 4}); r.Counts != want {
			t.Errorf("counts %+v, want %+v", r.Counts, want)
		}
		if fmt.Sprint(f.strings("SELECT * FROM users ORDER BY id")) != before {
			t.Error("a row was changed")
		}
		if _, err := f.SQL.Exec("SELECT * FROM " + reencrypt.StateTable); err == nil {
			t.Error("there is a state table")
		}
	})
}

// The others go on while a row is locked, and the run says that one is left.
func TestALockedRowIsPassedOver(t *testing.T) {
	for name, open := range map[string]func(testing.TB) *dbtest.Database{"postgres": dbtest.Postgres, "mysql": dbtest.MySQL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, open(t))
			f.users(20)
			tx, err := f.SQL.Begin()
			if err != nil {
				t.Fatal(err)
			}
			defer tx.Rollback()
			if _, err := tx.Exec("SELECT id FROM users WHERE id = 7 FOR UPDATE"); err != nil {
				t.Fatal(err)
			}
			o := reencrypt.Options{BatchSize: 10, LockTimeout: 20 * time.Millisecond, MaxPasses: 1}
			r, err := reencrypt.Run(context.Background(), f.SQL, f.d, f.plan(), o)
			if !errors.Is(err, reencrypt.ErrNotComplete) || r.Counts.Rotated != 17 || r.Counts.Conflicts != 1 {
				t.Errorf("got %v, counts %+v", err, r.Counts)
			}
			tx.Rollback()
			f.run(f.plan(), o)
		})
	}
}

func TestProgressAndThrottles(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		t.Parallel()
		f := newFixture(t, db)
		f.users(60)
		var last reencrypt.Progress
		pauses, asked := 0, 0
		o := reencrypt.Options{
			BatchSize: 10, Rate: 2000, Load: 0.5, Lease: 30 * time.Millisecond,
			Progress: func(p reencrypt.Progress) {
				if p.Phase == reencrypt.PhaseRewrite {
					last = p
				}
				if p.Total < 60 && db.Dialect != "mysql" || p.Rate <= 0 || p.Left < 0 { // InnoDB only estimates
					t.Errorf("progress %+v", p)
				}
			},
			Pause: func(context.Context) (time.Duration, error) {
				if asked++; asked%3 == 1 {
					pauses++
					return 50 * time.Millisecond, nil // longer than the lease
				}
				return 0, nil
			},
		}
		if db.Dialect == "postgres" {
			o.MaxReplicaLag = time.Second
		}
		f.run(f.plan(), o)
		if want := (reencrypt.Counts{Rows: 60, Rotated: 54, Null: 6}); last.Counts != want || pauses < 3 {
			t.Errorf("%d pauses, the last progress is %+v", pauses, last)
		}
		broken := errors.New("the hook is broken")
		o.Pause = func(context.Context) (time.Duration, error) { return 0, broken }
		if _, err := reencrypt.Run(context.Background(), f.SQL, f.d, f.plan(), o); !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
	})
}

func TestTheCensusCountsByKey(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		t.Parallel()
		f := newFixture(t, db)
		f.exec("CREATE TABLE users (id int PRIMARY KEY, email " + f.TextType() + ")")
		at := time.Unix(1_000_000_000, 0).UTC()
		for id, v := range []any{f.old.EncryptString("a"), string(f.old.EncryptAtTime([]byte("b"), at)), f.kr.EncryptString("c"),
			string(f.kr.EncryptDeterministic([]byte("d"))), nil, "plain", "gAAAAA broken", f.kr.Derive("x").EncryptString("e")} {
			f.exec("INSERT INTO users VALUES (?, ?)", id, v)
		}
		c := f.census(f.plan(reencrypt.Column{Name: "email", Keyring: f.kr, Sources: []reencrypt.Source{{Bind: []string{"x"}}}})).Columns[0]
		if len(c.Keys) != 3 {
			t.Fatalf("got %+v", c)
		}
		target, old, bound := c.Keys[0], c.Keys[1], c.Keys[2]
		if target.KeyID != f.key.ID() || !target.Target || target.Rows != 2 ||
			old.KeyID != f.oldKey.ID() || old.Rows != 2 || !old.Oldest.Equal(at) || bound.Bind != "x" || bound.Rows != 1 ||
			c.Null != 1 || c.Plaintext != 1 || c.Unreadable != 1 || c.Deterministic != 1 || c.Pending != 3 || !c.Oldest.Equal(at) {
			t.Errorf("got %+v", c)
		}
	})
}

// SQLite in memory, and a pool of one connection: a run must not wait for a second.
func TestOneConnectionIsEnough(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		t.Parallel()
		f := newFixture(t, db)
		f.users(60)
		f.SQL.SetMaxOpenConns(1)
		f.run(f.plan(), small)
	})
}
