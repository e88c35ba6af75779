package main

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/fernetcol/fernetcol/benchmarks/internal/database"
	"github.com/fernetcol/fernetcol/internal/dbtest"
)

// few is enough to run every line.
var few = settings{rows: 60, chunk: 40, batch: 25, lookups: 6, rounds: 2}

func TestRunPrintsEveryTable(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		var out strings.Builder
		var err error
		title := "SQLite"
		switch d.Name {
		case "sqlite":
			err = run(&out, few, database.SQLite, "")
		case "postgres":
			title = "PostgreSQL"
			err = run(&out, few, database.Postgres, d.DSN())
		default:
			t.Skip("not measured")
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{
			"### " + title + "\n", "### " + title + ": what it adds to plain strings\n",
			"| " + namePlain + " | ", "| " + namePadded + " | ", "| " + nameSerializer + " | ",
			"| " + nameTyped + " | ", "| " + nameRaw + " | ", "| " + nameNaive + " | ",
		} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("no %q", strings.TrimSpace(want))
			}
		}
		columns := 0
		for line := range strings.Lines(out.String()) {
			n := strings.Count(line, "|")
			if n > 0 && columns > 0 && n != columns {
				t.Errorf("row of %d columns in a table of %d: %s", n-1, columns-1, line)
			}
			columns = n
		}
	})
}

func TestRunSaysThatPostgresIsMissing(t *testing.T) {
	var out strings.Builder
	if err := run(&out, few, database.Postgres, ""); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "No PostgreSQL: "+database.Variable+" is not set.") {
		t.Error("nothing is said")
	}
}

// TestContendersStoreWhatTheirNamesSay holds that each does the work it is timed
// for: the database has tokens, as long as the padded strings, and they are read
// back as the plaintext.
func TestContendersStoreWhatTheirNamesSay(t *testing.T) {
	err := database.Each(io.Discard, "gormratios", database.SQLite, "", func(conn *database.Conn) error {
		storeWhatTheirNamesSay(t, conn)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func storeWhatTheirNamesSay(t *testing.T, conn *database.Conn) {
	contenders, err := newContenders(conn)
	if err != nil {
		t.Fatal(err)
	}
	const rows = 7
	lengths := map[string]string{}
	for _, c := range contenders {
		if err := c.table.create(); err != nil {
			t.Fatal(c.name, err)
		}
		if err := c.table.insert(0, rows, 5)(); err != nil {
			t.Fatal(c.name, err)
		}
		if err := c.table.read(0, rows, 5)(); err != nil {
			t.Error(c.name, err)
		}
		if err := c.table.read(0, rows+1, 5)(); err == nil {
			t.Errorf("%s: a missing row is not noticed", c.name)
		}
		if err := c.table.lookup([]int{0, rows - 1})(); err != nil {
			t.Error(c.name, err)
		}
		if err := c.table.lookup([]int{rows})(); err == nil {
			t.Errorf("%s: a missing row is found", c.name)
		}
		if err := c.table.verify(rows); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		var kind, first string
		var n values[int]
		query := "SELECT typeof(short), hex(substr(short, 1, 1)), octet_length(short), octet_length(middle), octet_length(long) FROM " + c.table.name() + " WHERE id = 1"
		if err := conn.Pool.QueryRow(query).Scan(&kind, &first, &n[0], &n[1], &n[2]); err != nil {
			t.Fatal(c.name, err)
		}
		token := ""
		switch {
		case kind == "text" && first == "67": // g
			token = "token"
		case kind == "blob" && first == "80":
			token = "raw token"
		}
		lengths[c.name] = fmt.Sprint(token, n)
	}
	for name, want := range map[string]string{
		namePlain:      "[16 32 64]",
		namePadded:     "[120 140 184]",
		nameSerializer: "token[120 140 184]",
		nameTyped:      "token[120 140 184]",
		nameNaive:      "token[120 140 184]",
		nameRaw:        "raw token[89 105 137]",
	} {
		if lengths[name] != want {
			t.Errorf("%s: stored %s, want %s", name, lengths[name], want)
		}
	}
}
