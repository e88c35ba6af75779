// Package measure compares operations within one process, by turns, and prints
// what it finds as Markdown.
package measure

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"
)

// An Operation is what one contender does.
type Operation struct {
	Name string
	Run  func(n int) // does it n times; for [Slices]

	Samples []float64 // nanoseconds a time, by round

	perSlice int // the n that takes about one slice
}

// A Group is a set of operations whose ratios are asked for. They are measured
// next to each other in every round.
type Group []*Operation

// Op returns the operation of that name.
func (g Group) Op(name string) *Operation {
	for _, op := range g {
		if op.Name == name {
			return op
		}
	}
	panic("measure: no operation " + name)
}

// Time is what one operation of g takes, in nanoseconds.
func (g Group) Time(name string) Estimate { return NewEstimate(g.Op(name).Samples) }

// Ratio compares two operations of g: how many times longer the first takes.
func (g Group) Ratio(slow, fast string) Estimate {
	a, b := g.Op(slow), g.Op(fast)
	ratios := make([]float64, len(a.Samples))
	for round := range ratios {
		ratios[round] = a.Samples[round] / b.Samples[round]
	}
	return NewEstimate(ratios)
}

// Overhead compares what two operations take beyond a third: how many times
// larger the first one's overhead is.
func (g Group) Overhead(slow, fast, base string) Estimate {
	a, b, c := g.Op(slow), g.Op(fast), g.Op(base)
	ratios := make([]float64, len(a.Samples))
	for round := range ratios {
		ratios[round] = (a.Samples[round] - c.Samples[round]) / (b.Samples[round] - c.Samples[round])
	}
	return NewEstimate(ratios)
}

// Slices times every operation once a round, in slices. A slow second of the
// machine thus falls on all of a group alike, and the median over the rounds
// drops it. The order within a group changes from round to round, so that no
// operation always runs after the same one.
//
// A slice is long enough to hold several garbage collections of those that
// allocate, which therefore pay for them; the collection before each slice,
// outside its time, means that none pays for another's.
func Slices(rounds int, slice time.Duration, groups ...Group) {
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
				op.Run(op.perSlice)
				op.Samples = append(op.Samples, float64(time.Since(start))/float64(op.perSlice))
			}
		}
	}
	for _, g := range groups {
		for _, op := range g {
			op.Run = nil // what it holds must not burden the heap of the next
		}
	}
}

// calibrate doubles op.perSlice until that many take a good part of a slice.
func calibrate(op *Operation, slice time.Duration) {
	for n := 1; ; n *= 2 {
		start := time.Now()
		op.Run(n)
		if took := time.Since(start); took > slice/4 {
			op.perSlice = max(1, int(int64(n)*int64(slice)/int64(took)))
			return
		}
	}
}

// An Estimate is a median with its confidence interval at 95 %, both from order
// statistics, which ask nothing of how the noise is distributed.
type Estimate struct {
	Median, Low, High float64
}

// NewEstimate returns the estimate from samples, at least one.
func NewEstimate(samples []float64) Estimate {
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
	return Estimate{Median: median, Low: s[low], High: s[n-1-low]}
}

// Spread is how far the interval reaches from the median, on its longer side.
func (e Estimate) Spread() float64 { return max(e.Median-e.Low, e.High-e.Median) }

// String gives the median and how far it may be off.
func (e Estimate) String() string { return fmt.Sprintf("%.2f ±%.2f", e.Median, e.Spread()) }
