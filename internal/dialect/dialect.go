// Package dialect holds what differs between PostgreSQL, SQLite and MySQL or MariaDB:
// quoting, placeholders, the catalog, paging by key, batches of guarded updates, and
// what an error means. It knows nothing of tokens.
//
// Keys travel as text that the database itself wrote and reads back (CAST on both
// ways), and are compared and sorted by the database alone, so that no driver's idea
// of a type and no program's idea of a collation comes between.
package dialect

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// A Conn runs statements: a *sql.DB, *sql.Conn or *sql.Tx.
type Conn interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

// A Dialect speaks to one kind of database. Its values hold no state and are safe
// for concurrent use.
type Dialect interface {
	// Quote makes an identifier of a name, whatever is in it.
	Quote(name string) string
	// Placeholder returns the mark of the n-th parameter, counted from 1.
	Placeholder(n int) string
	// Now is an expression for the database's clock in milliseconds since 1970.
	Now() string
	// TableOptions follow CREATE TABLE (…).
	TableOptions() string

	// Describe looks a table up in the catalog. schema may be "". The error wraps
	// ErrNoTable or ErrNoKey.
	Describe(ctx context.Context, c Conn, schema, table string) (*Table, error)
	// HasTable reports whether there is a table of this name in the schema of t.
	HasTable(ctx context.Context, c Conn, t *Table, name string) (bool, error)

	// Session prepares a connection for reading and writing batches. changed says
	// that it should not be used for anything else afterwards.
	Session(ctx context.Context, c Conn, lockTimeout time.Duration) (changed bool, err error)
	// Begin starts a transaction in which a statement sees what others committed
	// before it, waits for a lock no longer than lockTimeout, and which the database
	// ends if this process falls silent, where it can.
	Begin(ctx context.Context, c *sql.Conn, lockTimeout time.Duration) (*sql.Tx, error)
	// Apply runs the update for all rows and returns how many it changed: those whose
	// key is there and whose guarded columns hold the old values, byte for byte.
	Apply(ctx context.Context, c Conn, u Update, rows []UpdateRow) (int64, error)
	// ReplicaLag returns how far the slowest standby is behind, or an error that wraps
	// errors.ErrUnsupported.
	ReplicaLag(ctx context.Context, c Conn) (time.Duration, error)
	// RowLocks reports whether writers lock rows, rather than the whole database.
	RowLocks() bool

	// tuples reports whether (a, b) > (x, y) is compared as a whole and by the index.
	tuples() bool
	// classify says what an error of the driver means.
	classify(err error) (Class, string)
}

// For returns the dialect called name: "postgres", "mysql" or "sqlite".
func For(name string) (Dialect, error) {
	switch name {
	case "postgres":
		return postgres{}, nil
	case "mysql":
		return mysql{}, nil
	case "sqlite":
		return sqlite{}, nil
	}
	return nil, fmt.Errorf("dialect: there is no database %q; use postgres, mysql or sqlite", name)
}

// QuoteTable makes a qualified identifier.
func QuoteTable(d Dialect, schema, table string) string {
	if schema == "" {
		return d.Quote(table)
	}
	return d.Quote(schema) + "." + d.Quote(table)
}

// silence is after how long the database ends a transaction whose client does
// nothing: a frozen process must not hold the application's rows.
const silence = 10 * time.Second
