package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/fernetcol/fernetcol/reencrypt"
)

// memory prints the largest heap during runs over tables of two sizes.
func memory(ctx context.Context, w io.Writer, d *database, s settings) error {
	fmt.Fprintln(w, "\n| rows | rewrite and census, rows/s | largest heap in use, MiB |\n|---|---|---|")
	for _, rows := range []int{100_000, 1_000_000} {
		t, err := d.fill(ctx, rows)
		if err != nil {
			return err
		}
		debug.FreeOSMemory()
		peak := watchHeap()
		start := time.Now()
		_, err = reencrypt.Run(ctx, d.DB, reencrypt.PostgreSQL, t.plan(), reencrypt.Options{BatchSize: s.batch, Workers: s.workers})
		took, largest := time.Since(start), peak()
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "| %d | %.0f | %.1f |\n", rows, float64(rows)/took.Seconds(), float64(largest)/(1<<20))
	}
	return nil
}

// watchHeap looks at the heap until the returned function is called, which returns the
// most that was in use.
func watchHeap() func() uint64 {
	const interval = 5 * time.Millisecond
	stop := make(chan struct{})
	var wg sync.WaitGroup
	var largest uint64
	wg.Go(func() {
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			largest = max(largest, m.HeapInuse)
			select {
			case <-stop:
				return
			case <-time.After(interval):
			}
		}
	})
	return func() uint64 {
		close(stop)
		wg.Wait()
		return largest
	}
}
