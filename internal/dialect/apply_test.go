package dialect_test

import (
	"context"
	"testing"
	"time"

	"github.com/fernetcol/fernetcol/internal/dbtest"
	"github.com/fernetcol/fernetcol/internal/dialect"
)

// The old value must match byte for byte, whatever the collation of the column says,
// in the one statement and in the statements for single rows alike.
func TestApplyComparesBytes(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		d, err := dialect.For(db.Dialect)
		if err != nil {
			t.Fatal(err)
		}
		exec := func(queries ...string) {
			t.Helper()
			for _, q := range queries {
				if _, err := db.SQL.Exec(q); err != nil {
					t.Fatal(err)
				}
			}
		}
		collation := map[string]string{"sqlite": "COLLATE NOCASE", "postgres": "COLLATE ci", "mysql": "COLLATE utf8mb4_general_ci"}[db.Dialect]
		if db.Dialect == "postgres" {
			exec("CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
		}
		exec("CREATE TABLE t (k int PRIMARY KEY, c " + db.TextType() + " " + collation + ", b " + db.BytesType() + ")")
		ctx := context.Background()
		table, err := d.Describe(ctx, db.SQL, "", "t")
		if err != nil {
			t.Fatal(err)
		}
		key := func(n int64) dialect.Key {
			if db.Dialect == "sqlite" {
				return dialect.Key{n}
			}
			return dialect.Key{string(rune('0' + n))}
		}
		u := dialect.Update{Table: table, Changes: []dialect.Change{
			{Column: table.Column("c"), Guard: dialect.IsOld, Set: true},
			{Column: table.Column("b"), Guard: dialect.IsOld, Set: true},
		}}
		ways := map[string]apply{"at once": d.Apply, "singly": func(ctx context.Context, c dialect.Conn, u dialect.Update, rows []dialect.UpdateRow) (int64, error) {
			return dialect.ApplySingly(ctx, d, c, u, rows)
		}}
		if db.Dialect != "mysql" {
			delete(ways, "singly") // it is what MySQL falls back to
		}
		for name, way := range ways {
			exec("DELETE FROM t")
			for id := range 7 {
				if _, err := db.SQL.Exec(placeholders(db, "INSERT INTO t VALUES (?, ?, ?)"), id, "Old é", []byte{0, 255}); err != nil {
					t.Fatal(err)
				}
			}
			conn, err := db.SQL.Conn(ctx)
			if err != nil {
				t.Fatal(err)
			}
			tx, err := d.Begin(ctx, conn, time.Second)
			if err != nil {
				t.Fatal(err)
			}
			right := []byte{0, 255}
			n, err := way(ctx, tx, u, []dialect.UpdateRow{
				{Key: key(0), Old: []any{"Old é", right}, New: []any{"new", []byte{128, 0}}},
				{Key: key(1), Old: []any{"old é", right}, New: []any{"new", []byte{1}}},  // case
				{Key: key(2), Old: []any{"Old e", right}, New: []any{"new", []byte{1}}},  // accents
				{Key: key(3), Old: []any{"Old é ", right}, New: []any{"new", []byte{1}}}, // a space
				{Key: key(4), Old: []any{"Old é", []byte{0, 255, 0}}, New: []any{"new", []byte{1}}},
				{Key: key(5), Old: []any{"Old é", right}, New: []any{`n"e\w', {é}`, []byte("\\x'")}},
				{Key: key(9), Old: []any{"Old é", right}, New: []any{"new", []byte{1}}}, // no such row
			})
			if err != nil || n != 2 {
				t.Errorf("%s: %d rows were changed, %v, want 2", name, n, dialect.Clean(d, err))
			}
			if err := tx.Commit(); err != nil {
				t.Fatal(err)
			}
			conn.Close()
			rows, err := db.SQL.Query("SELECT k, c, b FROM t ORDER BY k")
			if err != nil {
				t.Fatal(err)
			}
			for rows.Next() {
				var id int
				var c string
				var b []byte
				if err := rows.Scan(&id, &c, &b); err != nil {
					t.Fatal(err)
				}
				wantC, wantB := "Old é", string(right)
				switch id {
				case 0:
					wantC, wantB = "new", "\x80\x00"
				case 5:
					wantC, wantB = `n"e\w', {é}`, "\\x'"
				}
				if c != wantC || string(b) != wantB {
					t.Errorf("%s: row %d holds %q, %x", name, id, c, b)
				}
			}
			rows.Close()
		}
	})
}

func placeholders(db *dbtest.Database, query string) string {
	out, n := "", 0
	for _, r := range query {
		if r == '?' {
			n++
			out += db.Placeholder(n)
			continue
		}
		out += string(r)
	}
	return out
}
