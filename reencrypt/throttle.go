package reencrypt

import (
	"database/sql"
	"sync"
	"time"
)

// A throttle holds the workers of a call back.
type throttle struct {
	o    *Options
	life *life

	mu   sync.Mutex
	next time.Time // when Rate allows the next batch

	pausing sync.Mutex // one worker asks at a time
}

// limit is how many rows a batch may have. With a low rate, batches are small, so that
// the load is even.
func (t *throttle) limit() int {
	if t.o.Rate == 0 {
		return t.o.BatchSize
	}
	const batchesASecond = 5
	return min(t.o.BatchSize, max(1, t.o.Rate/batchesASecond))
}

// before waits until the next batch may begin. alive is called in between.
func (t *throttle) before(s *session, alive func()) error {
	if err := t.life.soft.Err(); err != nil {
		return err
	}
	if t.o.Pause != nil || t.o.MaxReplicaLag > 0 {
		if err := t.pause(s, alive); err != nil {
			return err
		}
	}
	t.mu.Lock()
	wait := time.Until(t.next)
	t.mu.Unlock()
	return t.rest(wait, alive)
}

// after says what a batch was like.
func (t *throttle) after(rows int, took time.Duration, alive func()) error {
	if t.o.Rate > 0 {
		t.mu.Lock()
		if now := time.Now(); t.next.Before(now) {
			t.next = now
		}
		t.next = t.next.Add(time.Duration(rows) * time.Second / time.Duration(t.o.Rate))
		t.mu.Unlock()
	}
	return t.rest(time.Duration(float64(took)*(1/t.o.Load-1)), alive)
}

func (t *throttle) pause(s *session, alive func()) error {
	t.pausing.Lock()
	defer t.pausing.Unlock()
	for {
		var wait time.Duration
		if t.o.MaxReplicaLag > 0 {
			err := s.retry(func(c *sql.Conn) error {
				lag, err := s.j.d.ReplicaLag(t.life.hard, c)
				if lag > t.o.MaxReplicaLag {
					wait = min(lag-t.o.MaxReplicaLag, maxWait)
				}
				return err
			})
			if err != nil {
				return err
			}
		}
		if wait <= 0 && t.o.Pause != nil {
			var err error
			if wait, err = t.o.Pause(t.life.soft); err != nil {
				return &hookError{err}
			}
		}
		if wait <= 0 {
			return nil
		}
		if err := t.rest(wait, alive); err != nil {
			return err
		}
	}
}

// rest sleeps, and shows life often enough to keep the range.
func (t *throttle) rest(d time.Duration, alive func()) error {
	const beats = 3 // a lease
	for step := t.o.Lease / beats; d > step; d -= step {
		if err := t.life.sleep(step); err != nil {
			return err
		}
		alive()
	}
	return t.life.sleep(d)
}

// A hookError is what Options.Pause returned.
type hookError struct{ err error }

func (e *hookError) Error() string { return "the Pause hook: " + e.err.Error() }
func (e *hookError) Unwrap() error { return e.err }

// A tracker adds up the counts of a phase and reports them.
type tracker struct {
	report func(Progress)

	mu      sync.Mutex
	phase   Phase
	pass    int
	total   int64
	start   time.Time
	resumed Counts // what other calls did of this pass, when this one began
	counts  Counts // of this call, in this phase
}

func (t *tracker) begin(phase Phase, pass int, resumed Counts) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.phase, t.pass, t.resumed, t.counts, t.start = phase, pass, resumed, Counts{}, time.Now()
}

func (t *tracker) add(c Counts) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.add(c)
	if t.report == nil {
		return
	}
	sum := t.resumed
	sum.add(t.counts)
	p := Progress{Phase: t.phase, Pass: t.pass, Counts: sum, Total: max(t.total, sum.Rows), Left: -1}
	if took := time.Since(t.start).Seconds(); took > 0 && t.counts.Rows > 0 {
		p.Rate = float64(t.counts.Rows) / took
		p.Left = time.Duration(float64(p.Total-sum.Rows) / p.Rate * float64(time.Second))
	}
	t.report(p)
}
