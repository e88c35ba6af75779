package main

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/fernetcol/fernetcol/benchmarks/internal/measure"
)

// results are the times of all contenders, in nanoseconds a row.
type results struct{ insert, read, lookup measure.Group }

// compare runs the rounds.
func compare(contenders []contender, s settings) (results, error) {
	if s.contender != "" {
		var alone []contender
		for _, c := range contenders {
			if c.name == s.contender {
				alone = append(alone, c)
			}
		}
		if contenders = alone; len(alone) == 0 {
			return results{}, fmt.Errorf("no contender %q", s.contender)
		}
	}
	group := func() (g measure.Group) {
		for _, c := range contenders {
			g = append(g, &measure.Operation{Name: c.name})
		}
		return g
	}
	r := results{insert: group(), read: group(), lookup: group()}
	for round := range s.rounds {
		if err := r.round(contenders, s, round); err != nil {
			return results{}, err
		}
	}
	return r, nil
}

// round does all of it once, in fresh tables.
func (r results) round(contenders []contender, s settings, round int) error {
	for _, c := range contenders {
		if err := c.table.create(); err != nil {
			return fmt.Errorf("%s: create: %w", c.name, err)
		}
	}
	chunks := func(g measure.Group, name string, prepare func(t table, from, to int) (f func() error, n int)) error {
		for from := 0; from < s.rows; from += s.chunk {
			to := min(from+s.chunk, s.rows)
			for _, i := range rand.Perm(len(contenders)) {
				f, n := prepare(contenders[i].table, from, to)
				took, err := timed(f)
				if err != nil {
					return fmt.Errorf("%s: %s: %w", contenders[i].name, name, err)
				}
				g[i].Samples = append(g[i].Samples, float64(took)/float64(n))
			}
		}
		return nil
	}
	err := chunks(r.insert, "insert", func(t table, from, to int) (func() error, int) {
		return t.insert(from, to, s.batch), to - from
	})
	if err != nil {
		return err
	}
	for _, c := range contenders {
		if err := c.table.settle(); err != nil {
			return fmt.Errorf("%s: settle: %w", c.name, err)
		}
	}
	err = chunks(r.read, "read", func(t table, from, to int) (func() error, int) {
		return t.read(from, to, s.batch), to - from
	})
	if err != nil {
		return err
	}
	// Lookups come in as many turns as chunks, of the same rows for all.
	each := max(1, s.lookups*s.chunk/s.rows)
	return chunks(r.lookup, "lookup", func(t table, from, _ int) (func() error, int) {
		random := rand.New(rand.NewPCG(uint64(round), uint64(from)))
		rows := make([]int, each)
		for i := range rows {
			rows[i] = random.IntN(s.rows)
		}
		return t.lookup(rows), each
	})
}

// timed runs f after a collection, so that it pays for no other's garbage.
func timed(f func() error) (time.Duration, error) {
	runtime.GC()
	start := time.Now()
	err := f()
	return time.Since(start), err
}
