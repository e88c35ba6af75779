package reencrypt

import (
	"database/sql"
	"errors"
	"time"

	"github.com/fernetcol/fernetcol/internal/dialect"
)

// A worker takes ranges and rewrites them, over one connection.
type worker struct {
	r *run
	j *job
	s *session
	reader
}

// A claim is what came of asking for a range.
type claim int

const (
	claimed claim = iota
	allHeld       // by other workers; ask again
	allDone       // nothing is left of this pass, or somebody else has ended it
)

// work takes ranges until none is left of the pass.
func (w *worker) work() error {
	defer w.s.close()
	for {
		if err := w.s.life.soft.Err(); err != nil {
			return err
		}
		s, c, err := w.claim()
		switch {
		case err != nil:
			return err
		case c == allDone:
			return nil
		case c == allHeld:
			const ask = 200 * time.Millisecond
			if err := w.s.life.sleep(min(ask, w.s.o.Lease/4)); err != nil {
				return err
			}
			continue
		}
		err = w.rewrite(s)
		w.r.drop(s.n)
		if err != nil && !errors.Is(err, errTakenOver) {
			return err
		}
	}
}

// rewrite goes through a range, from its checkpoint.
func (w *worker) rewrite(s *slot) error {
	alive := func() {
		w.s.try(func(c *sql.Conn) error { return w.r.store.beat(w.s.life.hard, c, s) })
	}
	for !s.done {
		if err := w.r.throttle.before(w.s, alive); err != nil {
			w.release(s)
			return err
		}
		start := time.Now()
		rows, last, err := w.page(s.state.After, s.state.Upto, w.r.throttle.limit())
		if err != nil {
			return err
		}
		after := s.state.Upto
		if !last {
			after = rows[len(rows)-1].key
		}
		if err := w.write(s, w.j.newBatch(rows, after, last), false); err != nil {
			return err
		}
		if s.done {
			break
		}
		if err := w.r.throttle.after(len(rows), time.Since(start), alive); err != nil {
			w.release(s)
			return err
		}
	}
	return nil
}

func (w *worker) release(s *slot) {
	w.s.try(func(c *sql.Conn) error { return w.r.store.release(w.s.life.hard, c, s) })
}

// claim takes a range that nobody works on, or makes the next one.
func (w *worker) claim() (*slot, claim, error) {
	var s *slot
	var c claim
	p := w.s.patience()
	for {
		err := w.s.try(func(conn *sql.Conn) (err error) {
			s, c, err = w.tryClaim(conn)
			return err
		})
		if errors.Is(err, errTakenOver) { // another worker was first: what is left?
			if err := w.s.life.soft.Err(); err != nil {
				return nil, 0, err
			}
			continue
		}
		if err == nil || !p.wait(err) {
			return s, c, err
		}
	}
}

func (w *worker) tryClaim(conn *sql.Conn) (*slot, claim, error) {
	ctx, st := w.s.life.hard, w.r.store
	row, err := st.job(ctx, conn)
	if err != nil {
		return nil, 0, err
	}
	if row == nil || row.state.Pass != w.r.pass {
		return nil, allDone, nil
	}
	free, held, err := st.open(ctx, conn, w.r.mayTake)
	if err != nil {
		return nil, 0, err
	}
	if len(free) > 0 {
		s := free[0]
		if !w.r.hold(s.n) {
			return nil, 0, errTakenOver
		}
		if err := st.take(ctx, conn, &s, w.r.owner); err != nil {
			w.r.drop(s.n)
			return nil, 0, err
		}
		s.version, s.owner = s.version+1, w.r.owner
		return &s, claimed, nil
	}
	if row.state.Exhausted {
		if held > 0 {
			return nil, allHeld, nil
		}
		return nil, allDone, nil
	}
	return w.next(conn, row)
}

// next makes the range behind the last one. It ends at the key that is a number of
// rows away, or that is now the greatest: rows that come behind it meanwhile are for
// the census, or a run would not end while rows are added faster than it may go.
func (w *worker) next(conn *sql.Conn, row *jobRow) (*slot, claim, error) {
	ctx, st := w.s.life.hard, w.r.store
	next := row.state
	upto, err := dialect.Boundary(ctx, w.j.d, conn, w.j.table, row.state.Frontier, w.r.rangeRows)
	if err == nil && upto == nil {
		next.Exhausted = true
		upto, err = dialect.Last(ctx, w.j.d, conn, w.j.table, row.state.Frontier)
	}
	if err != nil {
		return nil, 0, err
	}
	if upto == nil { // there are no more rows at all
		if err := st.setJob(ctx, conn, row, next); err != nil {
			return nil, 0, err
		}
		return nil, 0, errTakenOver // ask again
	}
	s := &slot{n: next.Next, version: 1, owner: w.r.owner, state: rangeState{After: next.Frontier, Upto: upto}}
	next.Frontier, next.Next = upto, next.Next+1
	tx, err := w.j.d.Begin(ctx, conn, w.s.o.LockTimeout)
	if err != nil {
		return nil, 0, err
	}
	defer tx.Rollback()
	if err := st.setJob(ctx, tx, row, next); err != nil {
		return nil, 0, err
	}
	if err := st.insert(ctx, tx, s.n, s.owner, s.state); err != nil {
		return nil, 0, err
	}
	if !w.r.hold(s.n) {
		return nil, 0, errTakenOver
	}
	if err := tx.Commit(); err != nil {
		w.r.drop(s.n)
		return nil, 0, err
	}
	return s, claimed, nil
}
