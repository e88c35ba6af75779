// Gormratios measures what package gormencrypt adds to GORM, and prints the
// result as Markdown tables, with the targets beside it.
//
//	go run ./gormratios         # about six minutes for both databases
//	go run ./gormratios -quick  # about one minute, and rougher
//
// The contenders store the same rows, three strings of 16, 32 and 64 bytes, in
// tables of one shape: in plain fields, in plain strings as long as the tokens,
// in encrypted fields, and by way of a naive serializer over fernet-go. Every
// round has fresh tables. The contenders work by turns, in another order each
// time, 2,000 rows at a time, and the tables give the median of the ratios of
// such moments. What follows a ± is the longer side of the median's 95 %
// confidence interval.
//
// SQLite is the pure-Go driver on a file in a temporary directory. PostgreSQL is
// the server that FERNETCOL_POSTGRES_DSN names; the tables lie in a schema that
// is made for the run and dropped after it.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/fernetcol/fernetcol/benchmarks/internal/database"
	"github.com/fernetcol/fernetcol/benchmarks/internal/measure"
)

func main() {
	s := settings{batch: 500}
	flag.IntVar(&s.rows, "rows", 100_000, "how many rows each table gets")
	flag.IntVar(&s.chunk, "chunk", 2_000, "how many rows a contender writes or reads before the next takes its turn")
	flag.IntVar(&s.lookups, "lookups", 10_000, "how many lookups by primary key a contender makes in a round")
	flag.IntVar(&s.rounds, "rounds", 3, "how often all of it is done, each time in fresh tables")
	only := flag.String("only", "", "the one database to use: sqlite or postgres")
	quick := flag.Bool("quick", false, "one round of at most 20,000 rows")
	profile := flag.String("cpuprofile", "", "write a CPU profile to `file`")
	flag.StringVar(&s.contender, "contender", "", "time one contender alone, for a profile")
	flag.Parse()
	if flag.NArg() > 0 || s.rows < 1 || s.chunk < 1 || s.lookups < 1 || s.rounds < 1 {
		flag.Usage()
		os.Exit(2)
	}
	if *quick {
		s.rounds, s.rows, s.lookups = 1, min(s.rows, 20_000), min(s.lookups, 4_000)
		s.chunk = min(s.chunk, 1_000)
	}
	if err := measure.Profiled(*profile, func() error { return run(os.Stdout, s, *only, os.Getenv(database.Variable)) }); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// settings are how much is measured.
type settings struct {
	rows, chunk, batch, lookups, rounds int
	contender                           string // alone, if not ""
}

func run(w io.Writer, s settings, only, postgresDSN string) error {
	fmt.Fprintf(w, "%s, %s/%s, %s; %d rounds of %d rows in batches of %d, %d lookups.\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, measure.CPU(), s.rounds, s.rows, s.batch, s.lookups)
	return database.Each(w, "gormratios", only, postgresDSN, func(conn *database.Conn) error {
		contenders, err := newContenders(conn)
		if err != nil {
			return err
		}
		results, err := compare(contenders, s)
		if err == nil && s.contender == "" {
			printDatabase(w, conn, results)
		}
		return err
	})
}
