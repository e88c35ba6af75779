package reencrypt

import (
	"context"
	"time"
)

// Defaults of [Options].
const (
	DefaultBatchSize   = 1000
	DefaultWorkers     = 2
	DefaultLockTimeout = 250 * time.Millisecond
	DefaultMaxPasses   = 3
	DefaultLease       = 10 * time.Second
	DefaultRetryFor    = time.Minute
)

// Options of [Run], [TakeCensus] and [Retire]. The zero value is good: as fast as
// the database goes, giving way to the application at every lock.
type Options struct {
	// BatchSize is how many rows a transaction changes at most; 0 is
	// [DefaultBatchSize]. Rows with long values make shorter batches.
	BatchSize int
	// Workers is how many connections work at once, over ranges of the key; 0 is
	// [DefaultWorkers]. It is 1 in SQLite, which has one writer at a time.
	Workers int

	// Rate is how many rows a second all workers of this call read together; 0 is no
	// limit.
	Rate int
	// Load is the share of the time that a worker works, above 0 and up to 1: with
	// 0.25 it rests after each batch three times as long as the batch took, which
	// leaves room as the database slows down. 0 is 1.
	Load float64
	// Pause is asked before each batch how long to wait before asking again; 0 goes
	// on. An error ends the call. It is called by one worker at a time.
	Pause func(ctx context.Context) (time.Duration, error)
	// MaxReplicaLag pauses while a standby of this PostgreSQL server is further behind
	// (pg_stat_replication.replay_lag, which needs the role pg_monitor); 0 does not
	// look. Other databases refuse it.
	MaxReplicaLag time.Duration

	// LockTimeout is how long a batch waits for a row that the application has locked,
	// before it gives back its own locks and tries again a little later, at last in
	// smaller batches; 0 is [DefaultLockTimeout], less than the second after which
	// PostgreSQL looks for deadlocks. MySQL rounds it up to whole seconds, SQLite
	// keeps its busy timeout.
	LockTimeout time.Duration
	// RetryFor is for how long a batch is tried again while the database does not
	// answer or refuses a lock, before the call ends with an error; 0 is
	// [DefaultRetryFor]. Calling again resumes.
	RetryFor time.Duration
	// Lease is how long a range stays with a call that does not commit. After it,
	// another call takes the range over; 0 is [DefaultLease]. All calls for one plan
	// must use the same.
	Lease time.Duration
	// MaxPasses is how often the call goes through the table at most until the census
	// finds nothing left to do; 0 is [DefaultMaxPasses].
	MaxPasses int

	// DryRun counts what Run would change, and changes nothing; no checkpoint is kept.
	DryRun bool
	// AllowEmpty allows a table without rows or with nothing but NULL, which is
	// otherwise [ErrNothing].
	AllowEmpty bool

	// Progress is called after each batch, by one worker at a time. The work waits
	// for it.
	Progress func(Progress)
	// Unreadable is called for each value that cannot be read or, encrypted, does not
	// fit its column, while the census is taken: each once, in the order of the key,
	// with nothing kept in memory. It is nil if nobody wants the list.
	Unreadable func(UnreadableRow)
}

func (o Options) withDefaults(d Dialect) Options {
	set := func(p *int, v int) {
		if *p <= 0 {
			*p = v
		}
	}
	wait := func(p *time.Duration, v time.Duration) {
		if *p <= 0 {
			*p = v
		}
	}
	set(&o.BatchSize, DefaultBatchSize)
	set(&o.Workers, DefaultWorkers)
	set(&o.MaxPasses, DefaultMaxPasses)
	wait(&o.LockTimeout, DefaultLockTimeout)
	wait(&o.RetryFor, DefaultRetryFor)
	wait(&o.Lease, DefaultLease)
	if d == SQLite {
		o.Workers = 1
	}
	if o.Load <= 0 || o.Load > 1 {
		o.Load = 1
	}
	return o
}
