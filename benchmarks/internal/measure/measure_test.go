package measure

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
		want    Estimate
	}{
		{[]float64{3}, Estimate{3, 3, 3}},
		{[]float64{2, 1}, Estimate{1.5, 1, 2}},
		{[]float64{9, 1, 2}, Estimate{2, 1, 9}},
		{hundred, Estimate{50.5, 41, 60}}, // binomial: the 41st and the 60th
	} {
		before := slices.Clone(c.samples)
		if got := NewEstimate(c.samples); got != c.want {
			t.Errorf("%d Samples: %v, want %v", len(c.samples), got, c.want)
		}
		if !slices.Equal(c.samples, before) {
			t.Errorf("%d Samples: reordered", len(c.samples))
		}
	}
}

func TestRatioIsOfTheSameRound(t *testing.T) {
	t.Parallel()
	// A machine that slows down tenfold changes no ratio.
	g := Group{
		{Name: "slow", Samples: []float64{20, 200, 20}},
		{Name: "fast", Samples: []float64{10, 100, 10}},
	}
	if got := g.Ratio("slow", "fast"); got != (Estimate{2, 2, 2}) {
		t.Errorf("got %v, want 2", got)
	}
}

func TestOverheadIsBeyondTheBase(t *testing.T) {
	t.Parallel()
	g := Group{
		{Name: "slow", Samples: []float64{30, 300, 30}},
		{Name: "fast", Samples: []float64{20, 200, 20}},
		{Name: "base", Samples: []float64{10, 100, 10}},
	}
	if got := g.Overhead("slow", "fast", "base"); got != (Estimate{2, 2, 2}) {
		t.Errorf("got %v, want 2", got)
	}
}

func TestSlicesRunEachOperationOnceARound(t *testing.T) {
	calls := map[string]int{}
	var g Group
	for _, name := range []string{"a", "b"} {
		g = append(g, &Operation{Name: name, Run: func(int) {
			calls[name]++
			for start := time.Now(); time.Since(start) < time.Microsecond; {
			}
		}})
	}
	const rounds = 7
	Slices(rounds, time.Microsecond, g)
	for _, op := range g {
		if len(op.Samples) != rounds {
			t.Errorf("%s: %d samples, want %d", op.Name, len(op.Samples), rounds)
		}
		if calls[op.Name] < rounds {
			t.Errorf("%s: %d calls, want at least %d", op.Name, calls[op.Name], rounds)
		}
	}
}
