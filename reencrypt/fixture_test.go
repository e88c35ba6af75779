package reencrypt_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/internal/dbtest"
	"github.com/fernetcol/fernetcol/reencrypt"
)

// A fixture is a database with keys.
type fixture struct {
	*dbtest.Database
	t           testing.TB
	d           reencrypt.Dialect
	oldKey, key fernet.Key
	old, kr     *fernet.Keyring // kr has both, old the old one
}

func newFixture(t testing.TB, db *dbtest.Database) *fixture {
	t.Helper()
	f := &fixture{Database: db, t: t, d: reencrypt.Dialect(db.Dialect), oldKey: fernet.GenerateKey(), key: fernet.GenerateKey()}
	f.old, f.kr = ring(t, f.oldKey), ring(t, f.key, f.oldKey)
	return f
}

func ring(t testing.TB, primary fernet.Key, retired ...fernet.Key) *fernet.Keyring {
	t.Helper()
	kr, err := fernet.NewKeyring(primary, retired...)
	if err != nil {
		t.Fatal(err)
	}
	return kr
}

// exec runs a statement with ? for placeholders.
func (f *fixture) exec(query string, args ...any) {
	f.t.Helper()
	if _, err := f.SQL.Exec(f.q(query), args...); err != nil {
		f.t.Fatalf("%s: a statement of the test failed: %v", f.Name, err)
	}
}

func (f *fixture) q(query string) string {
	for n := 1; strings.Contains(query, "?"); n++ {
		query = strings.Replace(query, "?", "\x00"+f.Placeholder(n), 1)
		query = strings.Replace(query, "\x00?", "\x00", 1)
	}
	if f.Dialect == "postgres" {
		return strings.ReplaceAll(query, "\x00", "")
	}
	return strings.ReplaceAll(query, "\x00", "?")
}

// strings returns the cells of a query as texts; NULL is "NULL".
func (f *fixture) strings(query string, args ...any) [][]string {
	f.t.Helper()
	rows, err := f.SQL.Query(f.q(query), args...)
	if err != nil {
		f.t.Fatalf("%s: a query of the test failed: %v", f.Name, err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		f.t.Fatal(err)
	}
	var all [][]string
	for rows.Next() {
		cells := make([]any, len(names))
		into := make([]any, len(names))
		for i := range cells {
			into[i] = &cells[i]
		}
		if err := rows.Scan(into...); err != nil {
			f.t.Fatal("cannot scan a row")
		}
		row := make([]string, len(names))
		for i, c := range cells {
			switch v := c.(type) {
			case nil:
				row[i] = "NULL"
			case []byte:
				row[i] = string(v)
			case time.Time:
				row[i] = v.Format(time.RFC3339Nano)
			default:
				row[i] = fmt.Sprint(v)
			}
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		f.t.Fatal("a query of the test broke off")
	}
	return all
}

// users makes a table with n rows: tokens under the old key, every tenth NULL.
func (f *fixture) users(n int) {
	f.t.Helper()
	f.exec("CREATE TABLE users (id bigint PRIMARY KEY, email " + f.TextType() + ", other " + f.TextType() + ")")
	f.insert(1, n)
}

func (f *fixture) insert(from, to int) {
	f.t.Helper()
	tx, err := f.SQL.Begin()
	if err != nil {
		f.t.Fatal(err)
	}
	defer tx.Rollback()
	for id := from; id <= to; id++ {
		var email any
		if id%10 != 0 {
			email = f.old.EncryptString(plain(id))
		}
		if _, err := tx.Exec(f.q("INSERT INTO users (id, email, other) VALUES (?, ?, ?)"), id, email, fmt.Sprint("other ", id)); err != nil {
			f.t.Fatal("cannot insert a row")
		}
	}
	if err := tx.Commit(); err != nil {
		f.t.Fatal(err)
	}
}

// fernetEpoch is time 0 of a token.
var fernetEpoch = time.Unix(0, 0)

func plain(id int) string { return fmt.Sprint("person", id, "@example.com") }

func (f *fixture) plan(columns ...reencrypt.Column) reencrypt.Plan {
	if len(columns) == 0 {
		columns = []reencrypt.Column{{Name: "email", Keyring: f.kr}}
	}
	return reencrypt.Plan{Table: "users", Columns: columns}
}

// run is Run that must succeed.
func (f *fixture) run(p reencrypt.Plan, o reencrypt.Options) *reencrypt.Result {
	f.t.Helper()
	result, err := reencrypt.Run(context.Background(), f.SQL, f.d, p, o)
	if err != nil {
		f.t.Fatalf("%s: %v (%+v)", f.Name, err, result)
	}
	return result
}

func (f *fixture) census(p reencrypt.Plan) *reencrypt.Census {
	f.t.Helper()
	c, err := reencrypt.TakeCensus(context.Background(), f.SQL, f.d, p, reencrypt.Options{})
	if err != nil {
		f.t.Fatalf("%s: %v", f.Name, err)
	}
	return c
}

// small are options under which a small table takes many batches and ranges.
var small = reencrypt.Options{BatchSize: 7, Workers: 3}
