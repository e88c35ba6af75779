package blindindex_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fernetcol/fernetcol/blindindex"
	"github.com/fernetcol/fernetcol/internal/dbtest"
)

var (
	_ blindindex.Querier = (*sql.DB)(nil)
	_ blindindex.Querier = (*sql.Tx)(nil)
	_ blindindex.Querier = (*sql.Conn)(nil)
)

// quoted quotes a name for a database, without the code under test.
func quoted(db *dbtest.Database, name string) string {
	if db.Dialect == "mysql" {
		return "`" + strings.ReplaceAll(name, "`", "``") + "`"
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// fill makes a table whose column has the texts' entries, and two NULLs.
func fill(t *testing.T, db *dbtest.Database, table, column string, texts ...string) {
	t.Helper()
	ix := newIndex(t, blindindex.Options{})
	exec(t, db, "CREATE TABLE "+quoted(db, table)+" (id INTEGER PRIMARY KEY, "+quoted(db, column)+" VARCHAR(32))")
	insert := "INSERT INTO " + quoted(db, table) + " VALUES (?, ?)"
	for i, text := range texts {
		exec(t, db, insert, i, ix.Value(text))
	}
	exec(t, db, insert, -1, blindindex.Value(""))
	exec(t, db, insert, -2, nil)
}

func TestAuditMeasuresARealColumn(t *testing.T) {
	t.Parallel()
	texts := strings.Split("aaaaaaabbbbccccdefg", "")
	want := &blindindex.Leakage{Rows: 19, Nulls: 2, Distinct: 7, Largest: []int64{7, 4, 4, 1, 1, 1, 1}, Smallest: 1, Guessed: 12}
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		fill(t, db, "users", "email_index", texts...)
		check := func(how string, q blindindex.Querier) {
			t.Helper()
			l, err := blindindex.Audit(t.Context(), q, "users", "email_index")
			if err != nil {
				t.Fatalf("%s: %v", how, err)
			}
			if diff := cmp.Diff(want, l); diff != "" {
				t.Errorf("%s (-want +got):\n%s", how, diff)
			}
		}
		check("DB", db.SQL)
		conn, err := db.SQL.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		check("Conn", conn)
		conn.Close()
		tx, err := db.SQL.Begin()
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback()
		check("Tx", tx)
		check("Tx again", tx) // what Audit asks first leaves the transaction whole
	})
}

func TestAuditOfEmptyTable(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		exec(t, db, "CREATE TABLE users (email_index VARCHAR(32))")
		l, err := blindindex.Audit(t.Context(), db.SQL, "users", "email_index")
		if err != nil || !cmp.Equal(l, &blindindex.Leakage{}) {
			t.Errorf("%+v, %v; want no leakage", l, err)
		}
	})
}

func TestAuditQuotesNames(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		for _, n := range [][2]string{
			{"order", "group"}, {"Users", "EmailIndex"}, {"two words", "a-b"}, {`quo"te`, `mark"`}, {"back`tick", "co`l"},
			{"audited", "members"}, {"grouped", "filled"}, {"x; DROP TABLE users", "c) --"}, {"tàble", "colonné"}, {"'", `\`},
		} {
			fill(t, db, n[0], n[1], "a", "a", "b")
			l, err := blindindex.Audit(t.Context(), db.SQL, n[0], n[1])
			if err != nil || l.Rows != 3 || l.Distinct != 2 || l.Nulls != 2 {
				t.Errorf("table %q, column %q: %v, %v", n[0], n[1], l, err)
			}
		}
	})
}

func TestAuditTakesASchema(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		fill(t, db, "users", "email_index", "a", "b")
		schema := "main"
		switch db.Dialect {
		case "postgres":
			schema = "public"
		case "mysql":
			if err := db.SQL.QueryRow("SELECT DATABASE()").Scan(&schema); err != nil {
				t.Fatal(err)
			}
		}
		if l, err := blindindex.Audit(t.Context(), db.SQL, schema+".users", "email_index"); err != nil || l.Rows != 2 {
			t.Errorf("%v, %v", l, err)
		}
	})
}

func TestAuditInEverySQLModeOfMySQL(t *testing.T) {
	t.Parallel()
	db := dbtest.MySQL(t)
	fill(t, db, "users", "email_index", "a", "b")
	for _, mode := range []string{"''", "'ANSI'", "'ANSI_QUOTES'", "'PIPES_AS_CONCAT'", "'NO_BACKSLASH_ESCAPES'", "'ONLY_FULL_GROUP_BY'"} {
		other := db.Reopen(t, "sql_mode="+mode)
		if l, err := blindindex.Audit(t.Context(), other.SQL, "users", "email_index"); err != nil || l.Rows != 2 {
			t.Errorf("sql_mode %s: %v, %v", mode, l, err)
		}
	}
}

// A misspelt name must not measure something else: SQLite takes "name" for a text
// where no column has it.
func TestAuditOfWhatIsNotThereIsAnError(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		fill(t, db, "users", "email_index", "a")
		for _, n := range [][2]string{{"users", "email_indx"}, {"usres", "email_index"}, {"nowhere.users", "email_index"}, {"user", "email_index"}} {
			l, err := blindindex.Audit(t.Context(), db.SQL, n[0], n[1])
			wantError(t, n[0]+"/"+n[1], err, nil, `"`+n[0]+`"`, `"`+n[1]+`"`)
			if l != nil {
				t.Error("a measure beside the error")
			}
		}
	})
}

func TestAuditRefusesNames(t *testing.T) {
	t.Parallel()
	for _, n := range [][2]string{{"", "c"}, {"t", ""}, {".t", "c"}, {"s.", "c"}, {"t", "t.c"}, {"t\x00", "c"}, {"t", "c\xff"}} {
		_, err := blindindex.Audit(t.Context(), nil, n[0], n[1])
		wantError(t, n[0]+"/"+n[1], err, nil)
	}
}

func TestAuditStopsWithItsContext(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		fill(t, db, "users", "email_index", "a")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := blindindex.Audit(ctx, db.SQL, "users", "email_index")
		wantError(t, "cancelled", err, context.Canceled)
	})
}
