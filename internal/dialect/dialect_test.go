package dialect_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fernetcol/fernetcol/internal/dbtest"
	"github.com/fernetcol/fernetcol/internal/dialect"
)

func TestCleanPassesOnNoMessage(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		t.Parallel()
		d, err := dialect.For(db.Dialect)
		if err != nil {
			t.Fatal(err)
		}
		const secret = "hunter2"
		if _, err := db.SQL.Exec("CREATE TABLE t (k varchar(20) PRIMARY KEY, n int NOT NULL)"); err != nil {
			t.Fatal(err)
		}
		if _, err := db.SQL.Exec("INSERT INTO t VALUES ('hunter2', 1)"); err != nil {
			t.Fatal(err)
		}
		for query, refused := range map[string]bool{
			"INSERT INTO t VALUES ('hunter2', 2)":           true,
			"INSERT INTO t VALUES ('hunter2 again', NULL)":  true,
			"SELECT hunter2 FROM t":                         false,
			"SELECT * FROM hunter2":                         false,
			"hunter2":                                       false,
			"SELECT * FROM t WHERE hunter2(k) = 'hunter2' ": false,
		} {
			_, err := db.SQL.Exec(query)
			clean := dialect.Clean(d, err)
			if clean == nil {
				t.Fatalf("%s: no error", strings.ReplaceAll(query, secret, "…"))
			}
			if strings.Contains(clean.Error(), secret) || clean.Error() == "" || clean.Class != dialect.Permanent || clean.Refused != refused {
				t.Errorf("%s: class %d, refused %t, a message of %d bytes", strings.ReplaceAll(query, secret, "…"), clean.Class, clean.Refused, len(clean.Error()))
			}
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_, err = db.SQL.ExecContext(ctx, "SELECT 1")
		if clean := dialect.Clean(d, fmt.Errorf("wrapped: %w", err)); !errors.Is(clean, context.Canceled) {
			t.Errorf("a context that ended is %v", clean)
		}
		if dialect.Clean(d, nil) != nil {
			t.Error("nil is an error")
		}
	})
}

func TestALockIsAskedForAgain(t *testing.T) {
	for _, open := range []func(testing.TB) *dbtest.Database{dbtest.Postgres, dbtest.MySQL, dbtest.SQLite} {
		db := open(t)
		t.Run(db.Name, func(t *testing.T) {
			d, err := dialect.For(db.Dialect)
			if err != nil {
				t.Fatal(err)
			}
			ctx := context.Background()
			if db.Dialect == "sqlite" {
				db = db.Reopen(t, "_busy_timeout=1")
			}
			for _, q := range []string{"CREATE TABLE t (k int PRIMARY KEY, n int)", "INSERT INTO t VALUES (1, 1)"} {
				if _, err := db.SQL.Exec(q); err != nil {
					t.Fatal(err)
				}
			}
			holder, err := db.SQL.Begin()
			if err != nil {
				t.Fatal(err)
			}
			defer holder.Rollback()
			if _, err := holder.Exec("UPDATE t SET n = 2"); err != nil {
				t.Fatal(err)
			}
			conn, err := db.SQL.Conn(ctx)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := d.Session(ctx, conn, 10*time.Millisecond); err != nil {
				t.Fatal(err)
			}
			tx, err := d.Begin(ctx, conn, 10*time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			defer tx.Rollback()
			_, err = tx.Exec("UPDATE t SET n = 3")
			if clean := dialect.Clean(d, err); clean == nil || clean.Class != dialect.Locked {
				t.Errorf("got %v", clean)
			}
		})
	}
}

func TestThereAreThreeDialects(t *testing.T) {
	t.Parallel()
	if _, err := dialect.For("oracle"); err == nil {
		t.Error("there is a fourth")
	}
}
