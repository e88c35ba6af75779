package main

import (
	"io"
	"strings"
	"testing"

	"github.com/fernetcol/fernetcol/benchmarks/internal/database"
	"github.com/fernetcol/fernetcol/internal/dbtest"
)

// few is enough to run every line.
var few = settings{rows: 700, turns: 2, lookups: 4}

func TestRunPrintsEveryContender(t *testing.T) {
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
		for _, want := range []string{"### " + title + "\n", namePlain, nameSerializer, nameTyped, nameLower, nameShort, nameByHand, nameSQLPlain, nameSQL, nameSQLLower} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("no %q", strings.TrimSpace(want))
			}
		}
	})
}

// TestContendersLookUpWhatTheirNamesSay holds that each does the work it is timed
// for: the database has tokens and entries, and the row that is asked for is found.
func TestContendersLookUpWhatTheirNamesSay(t *testing.T) {
	err := database.Each(io.Discard, "searchratios", database.SQLite, "", func(conn *database.Conn) error {
		contenders, err := newContenders(conn, few.rows)
		if err != nil {
			return err
		}
		for _, c := range contenders {
			if id, text, err := c.lookup(email(77)); err != nil || id != 77 || text != email(77) {
				t.Errorf("%s: found row %d: %v", c.name, id, err)
			}
			if _, _, err := c.lookup(email(few.rows + 1)); err == nil {
				t.Errorf("%s: a missing row is found", c.name)
			}
		}
		for table, digits := range map[string]int{tableExact: 32, tableLower: 32, tableShort: 5} {
			var n int
			query := "SELECT COUNT(*) FROM " + table + " WHERE email LIKE 'gAAAAA%' AND length(email_index) = ? AND email_index NOT GLOB '*[^0-9a-f]*'"
			if err := conn.Pool.QueryRow(query, digits).Scan(&n); err != nil || n != few.rows {
				t.Errorf("%s: %d rows hold a token and an entry: %v", table, n, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
