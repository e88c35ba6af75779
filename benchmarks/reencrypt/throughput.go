package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/fernetcol/fernetcol/reencrypt"
)

// target is what is asked of two cores with batches of 1,000.
const target = 30_000

// throughput prints the rows a second of whole runs, with nobody else in the table.
func throughput(ctx context.Context, w io.Writer, d *database, s settings) error {
	fmt.Fprintf(w, "| round | rewrite, rows/s | at least %d | census, rows/s |\n|---|---|---|---|\n", target)
	for round := range s.rounds {
		t, err := d.fill(ctx, s.rows)
		if err != nil {
			return err
		}
		took := map[reencrypt.Phase]time.Duration{}
		phase, last := reencrypt.PhaseRewrite, time.Now()
		_, err = reencrypt.Run(ctx, d.DB, reencrypt.PostgreSQL, t.plan(), reencrypt.Options{
			BatchSize: s.batch, Workers: s.workers,
			Progress: func(p reencrypt.Progress) {
				phase = p.Phase
				took[phase] += time.Since(last)
				last = time.Now()
			},
		})
		if err != nil {
			return err
		}
		rate := float64(s.rows) / took[reencrypt.PhaseRewrite].Seconds()
		verdict := "met"
		if rate < target {
			verdict = "**missed**"
		}
		fmt.Fprintf(w, "| %d | %.0f | %s | %.0f |\n", round+1, rate, verdict, float64(s.rows)/took[reencrypt.PhaseCensus].Seconds())
	}
	fmt.Fprintln(w)
	return nil
}
