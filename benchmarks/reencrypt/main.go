// Reencrypt measures package reencrypt on PostgreSQL: rows a second, what a run costs
// an application that reads and writes the same table meanwhile, and memory.
//
//	FERNETCOL_POSTGRES_DSN=postgres://… go run ./reencrypt
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/fernetcol/fernetcol/benchmarks/internal/measure"
	"github.com/fernetcol/fernetcol/reencrypt"
)

const postgresVariable = "FERNETCOL_POSTGRES_DSN"

// settings are how much is measured.
type settings struct {
	rows, batch, workers, rounds, rate int
	load                               float64
	memory                             bool
}

func main() {
	var s settings
	flag.IntVar(&s.rows, "rows", 200_000, "rows of the table")
	flag.IntVar(&s.batch, "batch", reencrypt.DefaultBatchSize, "rows of a batch")
	flag.IntVar(&s.workers, "workers", reencrypt.DefaultWorkers, "workers")
	flag.IntVar(&s.rounds, "rounds", 3, "how often all of it is done, each time in a fresh table")
	flag.IntVar(&s.rate, "rate", 20_000, "rows a second of the run that is throttled by a rate")
	flag.Float64Var(&s.load, "load", 0.25, "share of the time that the run throttled by load works")
	flag.BoolVar(&s.memory, "memory", false, "measure memory at 100,000 and 1,000,000 rows instead")
	profile := flag.String("cpuprofile", "", "write a CPU profile of it all to `file`")
	flag.Parse()
	if flag.NArg() > 0 || s.rows < 1 || s.rounds < 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := measure.Profiled(*profile, func() error { return run(context.Background(), os.Stdout, s) }); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer, s settings) error {
	d, err := open(os.Getenv(postgresVariable))
	if err != nil {
		return err
	}
	defer d.close()
	fmt.Fprintf(w, "%s, %s/%s, %s, GOMAXPROCS=%d; PostgreSQL %s, fsync %s, synchronous_commit %s.\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, measure.CPU(), runtime.GOMAXPROCS(0),
		d.setting("server_version"), d.setting("fsync"), d.setting("synchronous_commit"))
	if s.memory {
		return memory(ctx, w, d, s)
	}
	fmt.Fprintf(w, "%d rows of 64 bytes, batches of %d, %d workers, %d rounds.\n\n", s.rows, s.batch, s.workers, s.rounds)
	if err := throughput(ctx, w, d, s); err != nil {
		return err
	}
	return latency(ctx, w, d, s)
}
