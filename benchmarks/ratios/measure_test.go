package main

import (
	"slices"
	"testing"
	"time"
)

func TestEstimateIsMedianWithOrderStatistics(t *testing.T) {
	t.Parallel()
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[i] = float64(100 - i)
	}
	for _, c := range []struct {
		samples []float64
		want    estimate
	}{
		{[]float64{3}, estimate{3, 3, 3}},
		{[]float64{2, 1}, estimate{1.5, 1, 2}},
		{[]float64{9, 1, 2}, estimate{2, 1, 9}},
		{hundred, estimate{50.5, 41, 60}}, // binomial: the 41st and the 60th
	} {
		before := slices.Clone(c.samples)
		if got := newEstimate(c.samples); got != c.want {
			t.Errorf("%d samples: %v, want %v", len(c.samples), got, c.want)
		}
		if !slices.Equal(c.samples, before) {
			t.Errorf("%d samples: reordered", len(c.samples))
		}
	}
}

func TestRatioIsOfTheSameRound(t *testing.T) {
	t.Parallel()
	// A machine that slows down tenfold changes no ratio.
	g := group{
		{name: "slow", samples: []float64{20, 200, 20}},
		{name: "fast", samples: []float64{10, 100, 10}},
	}
	if got := g.ratio("slow", "fast"); got != (estimate{2, 2, 2}) {
		t.Errorf("got %v, want 2", got)
	}
}

func TestMeasureRunsEachOperationOnceARound(t *testing.T) {
	calls := map[string]int{}
	var g group
	for _, name := range []string{"a", "b"} {
		g = append(g, &operation{name: name, run: func(int) {
			calls[name]++
			for start := time.Now(); time.Since(start) < time.Microsecond; {
			}
		}})
	}
	const rounds = 7
	measure(rounds, time.Microsecond, g)
	for _, op := range g {
		if len(op.samples) != rounds {
			t.Errorf("%s: %d samples, want %d", op.name, len(op.samples), rounds)
		}
		if calls[op.name] < rounds {
			t.Errorf("%s: %d calls, want at least %d", op.name, calls[op.name], rounds)
		}
	}
}
