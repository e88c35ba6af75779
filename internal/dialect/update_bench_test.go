package dialect_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fernetcol/fernetcol/internal/dbtest"
	"github.com/fernetcol/fernetcol/internal/dialect"
)

// BenchmarkApply compares ways to update 1,000 rows, which is one iteration:
//
//	go test -run '^$' -bench Apply ./internal/dialect
//
// apply is what the dialect does, singly a prepared statement for each row, and join,
// in SQLite, one statement over a JSON document.
func BenchmarkApply(b *testing.B) {
	for name, open := range map[string]func(testing.TB) *dbtest.Database{
		"sqlite": dbtest.SQLite, "sqlite-cgo": dbtest.SQLiteCgo, "postgres": dbtest.Postgres, "mysql": dbtest.MySQL,
	} {
		b.Run(name, func(b *testing.B) {
			db := open(b)
			d, err := dialect.For(db.Dialect)
			if err != nil {
				b.Fatal(err)
			}
			b.Run("apply", func(b *testing.B) { benchmarkApply(b, db, d, d.Apply) })
			if db.Dialect == "sqlite" {
				b.Run("join", func(b *testing.B) { benchmarkApply(b, db, d, joinJSON) })
				return
			}
			b.Run("singly", func(b *testing.B) {
				benchmarkApply(b, db, d, func(ctx context.Context, c dialect.Conn, u dialect.Update, rows []dialect.UpdateRow) (int64, error) {
					return dialect.ApplySingly(ctx, d, c, u, rows)
				})
			})
		})
	}
}

type apply func(context.Context, dialect.Conn, dialect.Update, []dialect.UpdateRow) (int64, error)

func benchmarkApply(b *testing.B, db *dbtest.Database, d dialect.Dialect, f apply) {
	const rows = 1000
	ctx := context.Background()
	exec := func(query string) {
		if _, err := db.SQL.Exec(query); err != nil {
			b.Fatal(dialect.Clean(d, err))
		}
	}
	exec("DROP TABLE IF EXISTS t")
	exec("CREATE TABLE t (id bigint PRIMARY KEY, c " + db.TextType() + ")")
	value := func(generation, id int) string {
		return fmt.Sprintf("gAAAAA%010d%010d%s", generation, id, strings.Repeat("x", 140))
	}
	for id := range rows {
		exec(fmt.Sprintf("INSERT INTO t VALUES (%d, '%s')", id, value(0, id)))
	}
	t, err := d.Describe(ctx, db.SQL, "", "t")
	if err != nil {
		b.Fatal(err)
	}
	u := dialect.Update{Table: t, Changes: []dialect.Change{{Column: t.Column("c"), Guard: dialect.IsOld, Set: true}}}
	conn, err := db.SQL.Conn(ctx)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	generation := 0
	for b.Loop() {
		batch := make([]dialect.UpdateRow, rows)
		for id := range batch {
			key := dialect.Key{fmt.Sprint(id)}
			if db.Dialect == "sqlite" {
				key = dialect.Key{int64(id)}
			}
			batch[id] = dialect.UpdateRow{Key: key, Old: []any{value(generation, id)}, New: []any{value(generation+1, id)}}
		}
		tx, err := d.Begin(ctx, conn, time.Second)
		if err != nil {
			b.Fatal(err)
		}
		n, err := f(ctx, tx, u, batch)
		if err != nil || n != rows {
			b.Fatal(n, dialect.Clean(d, err))
		}
		if err := tx.Commit(); err != nil {
			b.Fatal(err)
		}
		generation++
	}
	b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
}

func joinJSON(ctx context.Context, c dialect.Conn, _ dialect.Update, rows []dialect.UpdateRow) (int64, error) {
	var all [][]any
	for _, r := range rows {
		all = append(all, []any{r.Key[0], r.Old[0], r.New[0]})
	}
	document, err := json.Marshal(all)
	if err != nil {
		return 0, err
	}
	res, err := c.ExecContext(ctx, `UPDATE t SET c = u.n FROM (
		SELECT value ->> 0 AS k, value ->> 1 AS o, value ->> 2 AS n FROM json_each(?)) AS u
		WHERE t.id = u.k AND t.c COLLATE BINARY = u.o`, string(document))
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}
