package reencrypt

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/fernetcol/fernetcol/internal/dialect"
)

// A session is one connection at a time, made anew when it is lost.
type session struct {
	j       *job
	o       *Options
	life    *life
	conn    *sql.Conn
	changed bool // not fit for anybody else
}

// life are the two contexts of a call. soft ends when the caller's does: then no new
// batch begins. hard ends some time later, so that a batch under way is finished
// rather than left in doubt.
type life struct {
	soft, hard context.Context
}

// grace is how long a batch may take after the caller's context has ended.
const grace = 15 * time.Second

func newLife(ctx context.Context) (*life, context.CancelFunc) {
	hard, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })
	return &life{soft: ctx, hard: hard}, func() { stop(); cancel() }
}

// sleep waits, or returns the error of the soft context.
func (l *life) sleep(d time.Duration) error {
	if err := l.soft.Err(); err != nil || d <= 0 {
		return err
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-l.soft.Done():
		return l.soft.Err()
	}
}

func (s *session) open() (*sql.Conn, error) {
	if s.conn != nil {
		return s.conn, nil
	}
	conn, err := s.j.db.Conn(s.life.hard)
	if err != nil {
		return nil, err
	}
	s.conn = conn
	s.changed, err = s.j.d.Session(s.life.hard, conn, s.o.LockTimeout)
	return conn, err
}

// drop closes the connection for good.
func (s *session) drop() {
	if s.conn != nil {
		s.conn.Raw(func(any) error { return driver.ErrBadConn })
		s.conn.Close()
		s.conn = nil
	}
}

// close gives the connection back to the pool, if it is as it was.
func (s *session) close() {
	if s.changed {
		s.drop()
	}
	if s.conn != nil {
		s.conn.Close()
		s.conn = nil
	}
}

// try calls f with the connection, and makes what fails a *dialect.Error, unless it
// is one of this package's. A connection that is lost is dropped.
func (s *session) try(f func(*sql.Conn) error) error {
	conn, err := s.open()
	if err == nil {
		err = f(conn)
	}
	if err == nil || errors.Is(err, errTakenOver) {
		return err
	}
	clean := dialect.Clean(s.j.d, err)
	if clean.Class == dialect.Lost || clean.Class == dialect.Stale {
		s.drop()
	}
	return clean
}

// retry tries until f succeeds, fails for good, or has failed for RetryFor. f must be
// safe to repeat after it has failed.
func (s *session) retry(f func(*sql.Conn) error) error {
	p := s.patience()
	for {
		err := s.try(f)
		if err == nil || !p.wait(err) {
			return err
		}
	}
}

// patience is how long an error is put up with.
type patience struct {
	life    *life
	limit   time.Duration
	since   time.Time
	attempt int
}

func (s *session) patience() *patience { return &patience{life: s.life, limit: s.o.RetryFor} }

const (
	firstWait = 10 * time.Millisecond
	maxWait   = time.Second

	staleTries = 3
)

// wait waits before another try, longer each time and not in step with others. It
// returns false if there should be none.
func (p *patience) wait(err error) bool {
	e, ok := errors.AsType[*dialect.Error](err)
	if !ok || e.Class == dialect.Permanent || e.Class == dialect.Stale && p.attempt >= staleTries {
		return false
	}
	if p.attempt == 0 {
		p.since = time.Now()
	} else if time.Since(p.since) > p.limit {
		return false
	}
	d := min(maxWait, firstWait<<min(p.attempt, 10))
	p.attempt++
	return p.life.sleep(d/2+rand.N(d)) == nil
}
