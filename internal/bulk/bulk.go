// Package bulk fills tables for tests and benchmarks that need a million rows: by
// COPY on PostgreSQL, by large prepared INSERTs in one transaction on SQLite.
package bulk

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// perInsert is how many rows SQLite gets at a time.
const perInsert = 500

// Load writes rows to the columns of a table and returns how many there were. The
// pool is one of package pgx's stdlib or of a SQLite driver. A row may reuse the
// memory of the one before.
func Load(ctx context.Context, pool *sql.DB, table string, columns []string, rows iter.Seq[[]any]) (n int64, err error) {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	isPostgres := false
	err = conn.Raw(func(driverConn any) error {
		c, ok := driverConn.(*stdlib.Conn)
		if isPostgres = ok; !ok {
			return nil
		}
		next, stop := iter.Pull(rows)
		defer stop()
		n, err = c.Conn().CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromFunc(func() ([]any, error) {
			row, _ := next() // nil ends it
			return row, nil
		}))
		return err
	})
	if err != nil || isPostgres {
		return n, err
	}
	return insert(ctx, conn, table, columns, rows)
}

// insert loads a table of SQLite.
func insert(ctx context.Context, conn *sql.Conn, table string, columns []string, rows iter.Seq[[]any]) (n int64, err error) {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer tx.Rollback()
	row := "(" + strings.TrimSuffix(strings.Repeat("?,", len(columns)), ",") + ")"
	head := fmt.Sprintf("INSERT INTO %s (%s) VALUES ", table, strings.Join(columns, ","))
	many, err := tx.PrepareContext(ctx, head+strings.Join(slices.Repeat([]string{row}, perInsert), ","))
	if err != nil {
		return 0, err
	}
	defer many.Close()
	args := make([]any, 0, perInsert*len(columns))
	for r := range rows {
		n++
		if args = append(args, r...); len(args) < cap(args) {
			continue
		}
		if _, err := many.ExecContext(ctx, args...); err != nil {
			return 0, err
		}
		args = args[:0]
	}
	if left := len(args) / len(columns); left > 0 {
		if _, err := tx.ExecContext(ctx, head+strings.Join(slices.Repeat([]string{row}, left), ","), args...); err != nil {
			return 0, err
		}
	}
	return n, tx.Commit()
}
