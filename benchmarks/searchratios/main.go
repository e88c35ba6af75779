// Searchratios measures what a lookup by blind index costs beside the same lookup
// on a plain indexed column, and prints the result as Markdown tables, with the
// target beside it.
//
//	go run ./searchratios         # about four minutes for both databases
//	go run ./searchratios -quick  # half a minute, on fewer rows
//
// Every table has 1,000,000 rows of an ID, a name and an e-mail address, and where
// the address is encrypted, its entry. The contenders look up rows at random, by turns,
// in another order each time, and the tables give the median of the ratios within a
// turn. What follows a ± is the longer side of the median's 95 % confidence interval.
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
	var s settings
	flag.IntVar(&s.rows, "rows", 1_000_000, "how many rows a table has")
	flag.IntVar(&s.turns, "turns", 100, "how many turns a contender has")
	flag.IntVar(&s.lookups, "lookups", 1_000, "how many lookups a contender makes in a turn")
	only := flag.String("only", "", "the one database to use: sqlite or postgres")
	quick := flag.Bool("quick", false, "30 turns on at most 100,000 rows")
	profile := flag.String("cpuprofile", "", "write a CPU profile to `file`")
	flag.StringVar(&s.contender, "contender", "", "time one contender alone, for a profile")
	flag.Parse()
	if flag.NArg() > 0 || s.rows < 1 || s.turns < 1 || s.lookups < 1 {
		flag.Usage()
		os.Exit(2)
	}
	if *quick {
		s.rows, s.turns = min(s.rows, 100_000), min(s.turns, 30)
	}
	s.profile = *profile
	if err := run(os.Stdout, s, *only, os.Getenv(database.Variable)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// settings are how much is measured.
type settings struct {
	rows, turns, lookups int
	contender            string // alone, if not ""
	profile              string // a file, if not ""
}

func run(w io.Writer, s settings, only, postgresDSN string) error {
	fmt.Fprintf(w, "%s, %s/%s, %s; %d rows, %d turns of %d lookups.\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, measure.CPU(), s.rows, s.turns, s.lookups)
	return database.Each(w, "searchratios", only, postgresDSN, func(conn *database.Conn) error {
		contenders, err := newContenders(conn, s.rows)
		if err != nil {
			return err
		}
		var results measure.Group
		err = measure.Profiled(s.profile, func() (err error) {
			results, err = compare(contenders, s)
			return err
		})
		if err == nil && s.contender == "" {
			printDatabase(w, conn, results)
		}
		return err
	})
}
