package reencrypt

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"github.com/fernetcol/fernetcol/internal/dialect"
)

// Run brings the table to what the plan says, while others keep writing to it, and
// proves it with a census. It is safe to stop at any instant and to call again, also
// while another call for the same plan runs.
//
// When ctx ends, the batches under way are finished, and the error wraps [ErrStopped]
// and the context's error. A nil error means that the census found nothing that the
// plan would change, and nothing unreadable; see [ErrRefused], [ErrNothing],
// [ErrUnreadable] and [ErrNotComplete] for the others. The Result is never nil.
//
// Run takes [Options.Workers] connections of db at once and no others while it holds
// one.
func Run(ctx context.Context, db *sql.DB, d Dialect, p Plan, o Options) (*Result, error) {
	o = o.withDefaults(d)
	result := &Result{}
	life, cancel := newLife(ctx)
	defer cancel()
	j, _, err := prepare(life, db, d, p, o, !o.DryRun)
	if err != nil {
		return result, err
	}
	r := newRun(j, &o, life)
	if o.DryRun {
		census, err := r.takeCensus(&result.Counts)
		if err != nil {
			return result, r.failed(err)
		}
		return result, emptiness(census, o)
	}
	if err := r.start(result); err != nil {
		return result, r.failed(err)
	}
	for {
		if err := r.rewrite(result); err != nil {
			return result, r.failed(err)
		}
		if result.Census, err = r.takeCensus(nil); err != nil {
			return result, r.failed(err)
		}
		again, err := r.endPass(result)
		if err != nil {
			return result, r.failed(err)
		}
		if !again {
			return result, r.verdict(result.Census)
		}
	}
}

// A run is one call of Run.
type run struct {
	j         *job
	o         *Options
	life      *life
	store     store
	owner     string // random
	throttle  *throttle
	tracker   *tracker
	rangeRows int
	pass      int // of the job, which other calls may have begun

	mu      sync.Mutex
	mine    map[int64]bool // the ranges that workers of this call hold
	done    Counts
	refusal string
}

func newRun(j *job, o *Options, life *life) *run {
	// Enough ranges for all workers to the end, and not so many that finding where
	// they begin would cost much.
	const rangesAWorker, batchesARange = 4, 50
	size := int64(o.BatchSize)
	return &run{
		j: j, o: o, life: life, store: store{j}, owner: rand.Text(),
		throttle:  &throttle{o: o, life: life},
		tracker:   &tracker{report: o.Progress, total: j.table.Rows},
		rangeRows: int(min(max(j.table.Rows/int64(o.Workers*rangesAWorker), size), batchesARange*size)),
		mine:      map[int64]bool{},
	}
}

func (r *run) session() *session { return &session{j: r.j, o: r.o, life: r.life} }

// mayTake decides whether a range that is not done is free. This call knows which of
// its own are in work: one that is not was left over by a commit whose answer was
// lost.
func (r *run) mayTake(s *slot, age int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch s.owner {
	case "":
		return true
	case r.owner:
		return !r.mine[s.n]
	}
	return age > r.o.Lease.Milliseconds()
}

// hold marks a range as in work, if no worker of this call has it.
func (r *run) hold(n int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mine[n] {
		return false
	}
	r.mine[n] = true
	return true
}

func (r *run) drop(n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.mine, n)
}

func (r *run) committed(c Counts) {
	r.mu.Lock()
	r.done.add(c)
	r.mu.Unlock()
	r.tracker.add(c)
}

// start finds the job where it stands, or begins it.
func (r *run) start(result *Result) error {
	s := r.session()
	defer s.close()
	if err := s.retry(func(c *sql.Conn) error { return r.store.create(r.life.hard, c) }); err != nil {
		return err
	}
	return s.retry(func(c *sql.Conn) error {
		row, err := r.store.job(r.life.hard, c)
		if err == nil && row == nil {
			begun := r.store.begin(r.life.hard, c)
			if row, err = r.store.job(r.life.hard, c); err == nil && row == nil {
				err = begun
			}
		}
		if err != nil {
			return err
		}
		r.pass = row.state.Pass
		result.Resumed, err = r.store.total(r.life.hard, c)
		return err
	})
}

// rewrite goes through the table once, with what other calls do of it.
func (r *run) rewrite(result *Result) error {
	resumed := Counts{}
	if result.Passes == 0 {
		resumed = result.Resumed
	}
	result.Passes++
	r.tracker.begin(PhaseRewrite, r.pass, resumed)

	// One worker that fails stops the others, after their batches.
	soft, cancel := context.WithCancel(r.life.soft)
	defer cancel()
	life := &life{soft: soft, hard: r.life.hard}
	r.throttle.life = life
	defer func() { r.throttle.life = r.life }()

	errs := make([]error, r.o.Workers)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			s := &session{j: r.j, o: r.o, life: life}
			w := &worker{r: r, j: r.j, s: s, reader: reader{s: s, e: newExaminer(r.j)}}
			if errs[i] = w.work(); errs[i] != nil {
				cancel()
			}
		})
	}
	wg.Wait()
	result.Counts = r.done
	return first(errs, r.life.soft)
}

// first returns the error that stopped the others.
func first(errs []error, ctx context.Context) error {
	for _, err := range errs {
		if err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
	}
	return ctx.Err()
}

// endPass begins the next pass, or deletes the checkpoint if there is none to be. It
// is no matter which of several calls does so.
func (r *run) endPass(result *Result) (again bool, err error) {
	s := r.session()
	defer s.close()
	again = result.Census.pending() > 0 && result.Passes < r.o.MaxPasses
	err = s.retry(func(c *sql.Conn) error {
		ctx := r.life.hard
		row, err := r.store.job(ctx, c)
		if err != nil {
			return err
		}
		if row == nil { // another call has ended the job; what it left is its verdict too
			again = false
			return nil
		}
		if row.state.Pass != r.pass { // another call has begun the next pass: join it
			r.pass = row.state.Pass
			return nil
		}
		tx, err := r.j.d.Begin(ctx, c, r.o.LockTimeout)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		if err := r.store.setJob(ctx, tx, row, progressState{Pass: row.state.Pass + 1, Next: row.state.Next}); err != nil {
			return err
		}
		if err := r.store.clear(ctx, tx, !again); err != nil {
			return err
		}
		if err := tx.Commit(); err != nil {
			return err
		}
		r.pass = row.state.Pass + 1
		return nil
	})
	if errors.Is(err, errTakenOver) {
		return r.endPass(result)
	}
	return again, err
}

// failed makes the error of a call that did not come to its end.
func (r *run) failed(err error) error {
	if r.life.soft.Err() != nil {
		return fmt.Errorf("%w: %s: every batch is whole; run the same plan again to resume: %w",
			ErrStopped, r.j.table.Name, r.life.soft.Err())
	}
	return broken(r.j.table.Name, err)
}

// broken names the table in an error of the database.
func broken(table string, err error) error {
	if e, ok := errors.AsType[*dialect.Error](err); ok && (e.Class == dialect.Locked || e.Class == dialect.Lost) {
		return fmt.Errorf("reencrypt: %s: the database did not come back in time; run the same plan again to resume: %w", table, e)
	}
	return fmt.Errorf("reencrypt: %s: %w", table, err)
}
