package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/fernetcol/fernetcol/reencrypt"
)

// The application: so many clients, each with so many reads and writes a second in
// turns, at moments that do not depend on how long the last one took.
const (
	clients   = 4
	perSecond = 100
	aloneFor  = 5 * time.Second
)

// A scenario is what runs beside the application, nothing if options is nil, and what
// the application saw in all rounds.
type scenario struct {
	name    string
	options *reencrypt.Options

	reads, writes []time.Duration
	rows, seconds float64
}

// run is one round.
func (sc *scenario) run(ctx context.Context, d *database, rows int) error {
	t, err := d.fill(ctx, rows)
	if err != nil {
		return err
	}
	a := newApplication(t)
	start := time.Now()
	if sc.options == nil {
		time.Sleep(aloneFor)
	} else if _, err = reencrypt.Run(ctx, d.DB, reencrypt.PostgreSQL, t.plan(), *sc.options); err == nil {
		sc.rows += float64(rows)
	}
	sc.seconds += time.Since(start).Seconds()
	if err := errors.Join(err, a.end()); err != nil {
		return err
	}
	sc.reads, sc.writes = append(sc.reads, a.reads...), append(sc.writes, a.writes...)
	return nil
}

// latency prints what an application sees beside a run.
func latency(ctx context.Context, w io.Writer, d *database, s settings) error {
	base := reencrypt.Options{BatchSize: s.batch, Workers: s.workers}
	rate, load, little := base, base, base
	rate.Rate = s.rate
	load.Load, load.Workers = s.load, 1
	little.Load, little.Workers, little.BatchSize = s.load, 1, s.batch/10
	fmt.Fprintf(w, "An application of %d clients beside it, each with %d reads and writes a second by primary key:\n\n", clients, perSecond)
	fmt.Fprintln(w, "| beside | rows/s | read, p50 ms | p99 | write, p50 ms | p99 | operations |\n|---|---|---|---|---|---|---|")
	scenarios := []scenario{
		{name: "nothing"},
		{name: "a run without a throttle", options: &base},
		{name: fmt.Sprintf("Rate %d", s.rate), options: &rate},
		{name: fmt.Sprintf("Load %v, one worker", s.load), options: &load},
		{name: fmt.Sprintf("Load %v, one worker, batches of %d", s.load, little.BatchSize), options: &little},
	}
	// By turns, so that a bad minute of the machine falls on all.
	for range s.rounds {
		for i := range scenarios {
			if err := scenarios[i].run(ctx, d, s.rows); err != nil {
				return err
			}
		}
	}
	for _, sc := range scenarios {
		fmt.Fprintf(w, "| %s | %.0f | %s | %s | %s | %s | %d |\n", sc.name, sc.rows/sc.seconds,
			quantile(sc.reads, 0.5), quantile(sc.reads, 0.99), quantile(sc.writes, 0.5), quantile(sc.writes, 0.99), len(sc.reads)+len(sc.writes))
	}
	fmt.Fprintln(w, "\nRows a second count the census too.")
	return nil
}

func quantile(all []time.Duration, q float64) string {
	slices.Sort(all)
	if len(all) == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", all[int(float64(len(all)-1)*q)].Seconds()*1000)
}

// An application reads and writes until it is ended.
type application struct {
	stop   chan struct{}
	wg     sync.WaitGroup
	mu     sync.Mutex
	reads  []time.Duration
	writes []time.Duration
	err    error
}

func newApplication(t *table) *application {
	a := &application{stop: make(chan struct{})}
	for range clients {
		a.wg.Go(func() { a.run(t) })
	}
	return a
}

func (a *application) end() error {
	close(a.stop)
	a.wg.Wait()
	return a.err
}

func (a *application) run(t *table) {
	tick := time.NewTicker(time.Second / perSecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		var due time.Time
		select {
		case <-a.stop:
			return
		case due = <-tick.C:
		}
		id := rand.IntN(t.rows) + 1
		var err error
		if n%2 == 0 {
			var secret string
			if err = t.d.QueryRow("SELECT secret FROM users WHERE id = $1", id).Scan(&secret); err == nil {
				_, err = t.kr.DecryptString(secret)
			}
		} else {
			_, err = t.d.Exec("UPDATE users SET secret = $1, updated_at = now() WHERE id = $2", t.kr.EncryptString("another secret of 64 bytes, more or less, as the others are too "), id)
		}
		// From when it was due, so that a stall counts for all that waited.
		took := time.Since(due)
		a.mu.Lock()
		if n%2 == 0 {
			a.reads = append(a.reads, took)
		} else {
			a.writes = append(a.writes, took)
		}
		a.err = errors.Join(a.err, err)
		a.mu.Unlock()
	}
}
