package dbtest

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	gormmysql "gorm.io/driver/mysql"
	gormpostgres "gorm.io/driver/postgres"
	gormsqlite "gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// timeout bounds each call to a server that this package makes for itself.
const timeout = 30 * time.Second

// Database is one fresh database. It is safe for concurrent use, and prints as its
// name alone.
type Database struct {
	Name    string  // "sqlite", "sqlite-cgo", "postgres" or "mysql"; unique in one [Run]
	Dialect string  // "sqlite", "postgres" or "mysql"
	Driver  string  // the name to give to [sql.Open]
	Version string  // as the server reports it
	SQL     *sql.DB // closed when the test ends

	dsn string
}

// DSN returns the data source name of this database, with further parameters as
// [Database.Reopen] takes them. It is there for programs that a test starts: hand it
// over in the environment, never in an argument, and never print it.
func (db *Database) DSN(params ...string) string {
	return withParams(db.dsn, params)
}

// Reopen opens a second pool on the same database with further parameters of the
// driver or the session, each as "name=value" without escaping: "sql_mode=”" for a
// lax MySQL, "default_query_exec_mode=simple_protocol" for pgx, "_txlock=immediate"
// for SQLite. A name that is set already is replaced.
func (db *Database) Reopen(t testing.TB, params ...string) *Database {
	t.Helper()
	second := *db
	second.dsn = db.DSN(params...)
	if err := second.connect(t); err != nil {
		t.Fatal(err)
	}
	return &second
}

// connect opens db.SQL.
func (db *Database) connect(t testing.TB) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()

	pool, err := sql.Open(db.Driver, db.dsn)
	if err == nil {
		t.Cleanup(func() { pool.Close() })
		err = pool.PingContext(ctx)
	}
	if err != nil && db.Dialect != "sqlite" {
		err = redacted(err)
	}
	if err != nil {
		return fmt.Errorf("dbtest: cannot open %s: %w", db.Name, err)
	}
	db.SQL = pool
	return nil
}

// GORM returns a handle over db.SQL that logs nothing. The options are those of
// [gorm.Open]; a *gorm.Config among them replaces the whole default.
func (db *Database) GORM(t testing.TB, opts ...gorm.Option) *gorm.DB {
	t.Helper()
	opts = append([]gorm.Option{&gorm.Config{Logger: logger.Discard}}, opts...)
	g, err := gorm.Open(db.Dialector(db.SQL), opts...)
	if err != nil {
		t.Fatalf("dbtest: cannot open GORM over %s: %v", db.Name, err)
	}
	return g
}

// Dialector returns GORM's dialect for this database over conn, for a test that
// wraps the pool.
func (db *Database) Dialector(conn gorm.ConnPool) gorm.Dialector {
	switch db.Dialect {
	case "postgres":
		return gormpostgres.New(gormpostgres.Config{Conn: conn})
	case "mysql":
		return gormmysql.New(gormmysql.Config{Conn: conn})
	default:
		return gormsqlite.New(gormsqlite.Config{DriverName: db.Driver, Conn: conn})
	}
}

// Placeholder returns the mark of the n-th parameter of a statement, counted from 1.
func (db *Database) Placeholder(n int) string {
	if db.Dialect == "postgres" {
		return fmt.Sprintf("$%d", n)
	}
	return "?"
}

// Rebind writes the marks of a query, question marks, as this database reads them.
func (db *Database) Rebind(query string) string {
	var out strings.Builder
	for i, part := range strings.Split(query, "?") {
		if i > 0 {
			out.WriteString(db.Placeholder(i))
		}
		out.WriteString(part)
	}
	return out.String()
}

// TextType returns the type of a column that holds a text token of any length.
func (db *Database) TextType() string {
	if db.Dialect == "mysql" {
		return "longtext" // MySQL's text ends at 64 KiB
	}
	return "text"
}

// BytesType returns the type of a column that holds a raw token of any length.
func (db *Database) BytesType() string {
	switch db.Dialect {
	case "postgres":
		return "bytea"
	case "mysql":
		return "longblob" // MySQL's blob ends at 64 KiB
	default:
		return "blob"
	}
}

// MariaDB reports whether the server behind the "mysql" dialect is MariaDB.
func (db *Database) MariaDB() bool {
	return strings.Contains(db.Version, "MariaDB")
}

// Format prints the name for every verb: the DSN may hold a password.
func (db *Database) Format(s fmt.State, verb rune) {
	io.WriteString(s, db.GoString())
}

// GoString returns what [Database.Format] prints.
func (db *Database) GoString() string {
	return "dbtest.Database(" + db.Name + ")"
}

// LogValue logs what [Database.Format] prints.
func (db *Database) LogValue() slog.Value {
	return slog.StringValue(db.GoString())
}

var _ interface {
	fmt.Formatter
	fmt.GoStringer
	slog.LogValuer
} = (*Database)(nil)

// withParams sets parameters in the query part that the DSNs of all four drivers
// share. The query begins after the last slash: before it, a MySQL password may hold
// a question mark of its own.
func withParams(dsn string, params []string) string {
	if len(params) == 0 {
		return dsn
	}
	path := dsn[:strings.LastIndexByte(dsn, '/')+1]
	name, query, _ := strings.Cut(dsn[len(path):], "?")

	values, err := url.ParseQuery(query)
	if err != nil {
		panic("dbtest: a DSN of our own making has a malformed query")
	}
	for _, p := range params {
		key, _, _ := strings.Cut(p, "=")
		values.Del(key)
	}
	for _, p := range params {
		key, value, _ := strings.Cut(p, "=")
		values.Add(key, value)
	}
	return path + name + "?" + encodeQuery(values)
}

// encodeQuery writes a space as %20, which every driver reads. A plus is a plus to
// pgx, as it is to libpq.
func encodeQuery(values url.Values) string {
	return strings.ReplaceAll(values.Encode(), "+", "%20")
}
