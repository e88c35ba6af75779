package main

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"
)

// An operation is one contender at one size.
type operation struct {
	name string
	run  func(n int) // does it n times

	perSlice int       // the n that takes about one slice
	samples  []float64 // nanoseconds a time, by round
}

// A group is a set of operations whose ratios are asked for. They are measured
// next to each other in every round.
type group []*operation

func (g group) op(name string) *operation {
	for _, op := range g {
		if op.name == name {
			return op
		}
	}
	panic("ratios: no operation " + name)
}

// ratio compares two operations of g: how many times longer the first takes.
func (g group) ratio(slow, fast string) estimate {
	a, b := g.op(slow), g.op(fast)
	ratios := make([]float64, len(a.samples))
	for round := range ratios {
		ratios[round] = a.samples[round] / b.samples[round]
	}
	return newEstimate(ratios)
}

// time is what one operation of g takes, in nanoseconds.
func (g group) time(name string) estimate { return newEstimate(g.op(name).samples) }

// measure times every operation once a round, in slices. A slow second of the
// machine thus falls on all of a group alike, and the median over the rounds
// drops it. The order within a group changes from round to round, so that no
// operation always runs after the same one.
//
// A slice is long enough to hold several garbage collections of those that
// allocate, which therefore pay for them; the collection before each slice,
// outside its time, means that none pays for another's.
func measure(rounds int, slice time.Duration, groups ...group) {
	for _, g := range groups {
		for _, op := range g {
			calibrate(op, slice)
		}
	}
	for range rounds {
		for _, g := range groups {
			for _, i := range rand.Perm(len(g)) {
				op := g[i]
				runtime.GC()
				start := time.Now()
				op.run(op.perSlice)
				op.samples = append(op.samples, float64(time.Since(start))/float64(op.perSlice))
			}
		}
	}
	for _, g := range groups {
		for _, op := range g {
			op.run = nil // what it holds must not burden the heap of the next
		}
	}
}

// calibrate doubles op.perSlice until that many take a good part of a slice.
func calibrate(op *operation, slice time.Duration) {
	for n := 1; ; n *= 2 {
		start := time.Now()
		op.run(n)
		if took := time.Since(start); took > slice/4 {
			op.perSlice = max(1, int(int64(n)*int64(slice)/int64(took)))
			return
		}
	}
}

// An estimate is a median with its confidence interval at 95 %, both from order
// statistics, which ask nothing of how the noise is distributed.
type estimate struct {
	median, low, high float64
}

func newEstimate(samples []float64) estimate {
	s := slices.Sorted(slices.Values(samples))
	n := len(s)
	median := s[n/2]
	if n%2 == 0 {
		median = (s[n/2-1] + s[n/2]) / 2
	}
	// The number of samples below the true median is binomial, with deviation
	// √n/2.
	reach := 1.96 * math.Sqrt(float64(n)) / 2
	low := max(0, int(math.Floor(float64(n)/2-reach)))
	return estimate{median: median, low: s[low], high: s[n-1-low]}
}

// spread is how far the interval reaches from the median, on its longer side.
func (e estimate) spread() float64 { return max(e.median-e.low, e.high-e.median) }
