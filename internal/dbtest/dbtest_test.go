package dbtest_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/fernetcol/fernetcol/internal/dbtest"
)

var openers = map[string]func(testing.TB) *dbtest.Database{
	"sqlite":     dbtest.SQLite,
	"sqlite-cgo": dbtest.SQLiteCgo,
	"postgres":   dbtest.Postgres,
	"mysql":      dbtest.MySQL,
}

func TestOpenersNameTheirDatabase(t *testing.T) {
	for want, open := range openers {
		t.Run(want, func(t *testing.T) {
			db := open(t)
			if db.Name != want || !strings.HasPrefix(want, db.Dialect) {
				t.Errorf("got %s of dialect %s", db.Name, db.Dialect)
			}
		})
	}
}

func TestRunCoversEveryDatabaseOnce(t *testing.T) {
	ran := map[string]int{}
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		ran[db.Name]++
	})
	for name, open := range openers {
		t.Run(name, func(t *testing.T) {
			open(t) // skips what Run skipped
			if ran[name] != 1 {
				t.Errorf("ran %d times", ran[name])
			}
		})
	}
}

func TestDatabaseHoldsTokensOfAnyLength(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		if db.Version == "" {
			t.Error("no version")
		}
		t.Logf("%s %s", db.Name, db.Version)

		// A few bytes beyond what MySQL's text and blob hold.
		text, raw := strings.Repeat("g", 1<<16+1), bytes.Repeat([]byte{0x80}, 1<<16+1)
		mustExec(t, db, fmt.Sprintf("CREATE TABLE tokens (id integer PRIMARY KEY, t %s, b %s)", db.TextType(), db.BytesType()))
		mustExec(t, db, fmt.Sprintf("INSERT INTO tokens VALUES (1, %s, %s)", db.Placeholder(1), db.Placeholder(2)), text, raw)

		var row struct {
			T string
			B []byte
		}
		if err := db.GORM(t).Table("tokens").Where("id = ?", 1).Take(&row).Error; err != nil {
			t.Fatal(err)
		}
		if row.T != text || !bytes.Equal(row.B, raw) {
			t.Errorf("read back %d and %d bytes, want %d and %d", len(row.T), len(row.B), len(text), len(raw))
		}
	})
}

func TestDatabasesShareNothing(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		mustExec(t, db, "CREATE TABLE t (id integer)")
		t.Run("other", func(t *testing.T) {
			other := openers[db.Name](t)
			mustExec(t, other, "CREATE TABLE t (id integer)")
		})
	})
}

func TestDatabaseIsDroppedWithItsTest(t *testing.T) {
	for _, c := range []struct {
		name                 string
		open                 func(testing.TB) *dbtest.Database
		current, countByName string
	}{
		{"postgres", dbtest.Postgres, "SELECT current_database()", "SELECT count(*) FROM pg_database WHERE datname = $1"},
		{"mysql", dbtest.MySQL, "SELECT database()", "SELECT count(*) FROM information_schema.schemata WHERE schema_name = ?"},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := c.open(t)
			var name string
			t.Run("test", func(t *testing.T) {
				db := c.open(t)
				if err := db.SQL.QueryRow(c.current).Scan(&name); err != nil {
					t.Fatal(err)
				}
				if !strings.HasPrefix(name, "fernetcol_test_") {
					t.Errorf("the database is called %q", name)
				}
			})
			var n int
			if err := db.SQL.QueryRow(c.countByName, name).Scan(&n); err != nil {
				t.Fatal(err)
			}
			if n != 0 {
				t.Errorf("%s is still there", name)
			}
		})
	}
}

// TestDropEndsAnOpenTransaction leaves one behind, as a failing test does: the
// cleanup fails the subtest if it cannot drop the database.
func TestDropEndsAnOpenTransaction(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		mustExec(t, db, "CREATE TABLE t (id integer)")
		tx, err := db.SQL.Begin()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec("INSERT INTO t VALUES (1)"); err != nil {
			t.Fatal(err)
		}
	})
}

func TestReopenSetsParametersOnTheSameDatabase(t *testing.T) {
	params := map[string]struct{ param, query, want string }{
		"sqlite":     {"_synchronous=FULL", "PRAGMA synchronous", "2"},
		"sqlite-cgo": {"_synchronous=FULL", "PRAGMA synchronous", "2"},
		"postgres":   {"application_name=a b&c", "SHOW application_name", "a b&c"},
		"mysql":      {"sql_mode=''", "SELECT @@sql_mode", ""},
	}
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		c := params[db.Name]
		mustExec(t, db, "CREATE TABLE t (id integer)")

		var before, after string
		if err := db.SQL.QueryRow(c.query).Scan(&before); err != nil {
			t.Fatal(err)
		}
		second := db.Reopen(t, c.param)
		if err := second.SQL.QueryRow(c.query).Scan(&after); err != nil {
			t.Fatal(err)
		}
		if before == c.want || after != c.want {
			t.Errorf("%s gives %q, then %q; want %q at last only", c.query, before, after, c.want)
		}
		mustExec(t, second, "INSERT INTO t VALUES (1)")
	})
}

func TestPostgresReopensInSimpleProtocol(t *testing.T) {
	db := dbtest.Postgres(t).Reopen(t, "default_query_exec_mode=simple_protocol")
	// The simple protocol has no parameters: pgx writes the value into the statement,
	// whose type is then unknown and comes back as text.
	var kind string
	if err := db.SQL.QueryRow("SELECT pg_typeof($1)::text", []byte("x")).Scan(&kind); err != nil {
		t.Fatal(err)
	}
	if kind != "unknown" {
		t.Errorf("a []byte parameter has type %s", kind)
	}
}

func TestDatabasePrintsAsItsName(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		want := "dbtest.Database(" + db.Name + ")"
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			if got := fmt.Sprintf(verb, db); got != want {
				t.Errorf("%s prints %d bytes, want %s", verb, len(got), want)
			}
		}
		var buf bytes.Buffer
		slog.New(slog.NewJSONHandler(&buf, nil)).Info("opened", "db", db)
		if !strings.Contains(buf.String(), want) {
			t.Errorf("slog does not print %s", want)
		}
	})
}

func TestUnusableDSNFailsWithoutPrintingIt(t *testing.T) {
	for _, c := range []struct{ name, database, env, dsn string }{
		{"postgres refused", "postgres", "FERNETCOL_POSTGRES_DSN", "postgres://leaky:hunter2@127.0.0.1:1/leaky"},
		{"postgres unknown host", "postgres", "FERNETCOL_POSTGRES_DSN", "postgres://leaky:hunter2@leaky.invalid/leaky"},
		{"postgres malformed", "postgres", "FERNETCOL_POSTGRES_DSN", "postgres://leaky:hunter2@[/leaky"},
		{"postgres malformed parameter", "postgres", "FERNETCOL_POSTGRES_DSN", "postgres://leaky:hunter2@127.0.0.1:1/?sslmode=leaky"},
		{"postgres key and value", "postgres", "FERNETCOL_POSTGRES_DSN", "host=127.0.0.1 port=1 user=leaky password=hunter2"},
		{"mysql refused", "mysql", "FERNETCOL_MYSQL_DSN", "leaky:hunter2@tcp(127.0.0.1:1)/leaky"},
		{"mysql malformed", "mysql", "FERNETCOL_MYSQL_DSN", "leaky:hunter2@tcp(127.0.0.1:1"},
		{"mysql malformed parameter", "mysql", "FERNETCOL_MYSQL_DSN", "leaky:hunter2@tcp(127.0.0.1:1)/?parseTime=leaky"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			out, err := runSelf(t, "TestOpenersNameTheirDatabase/^"+c.database+"$", c.env+"="+c.dsn)
			if err == nil || !strings.Contains(out, "--- FAIL") || !strings.Contains(out, c.env) {
				t.Error("did not fail naming the variable")
			}
			for _, part := range []string{"leaky", "hunter2", "127.0.0.1", "port=1"} {
				if strings.Contains(out, part) {
					t.Errorf("prints %q, a part of the DSN", part)
				}
			}
		})
	}
}

func TestUnknownRequirementFails(t *testing.T) {
	t.Parallel()
	out, err := runSelf(t, "TestOpenersNameTheirDatabase/^sqlite$", "FERNETCOL_REQUIRE=postgre")
	if err == nil || !strings.Contains(out, `FERNETCOL_REQUIRE names "postgre"`) {
		t.Errorf("a misspelt FERNETCOL_REQUIRE passes: %v", err)
	}
}

// runSelf runs tests of this binary in a second process.
func runSelf(t *testing.T, run, env string) (string, error) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.v", "-test.run="+run)
	cmd.Env = append(os.Environ(), env)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func mustExec(t *testing.T, db *dbtest.Database, query string, args ...any) {
	t.Helper()
	if _, err := db.SQL.Exec(query, args...); err != nil {
		t.Fatal(err)
	}
}
