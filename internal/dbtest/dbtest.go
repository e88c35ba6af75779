// Package dbtest opens real databases for tests. Each call makes a fresh, empty
// database that belongs to one test and is dropped when that test ends.
//
// A suite is written once and run over every database with [Run]; a test that
// needs one database asks for it with [SQLite], [SQLiteCgo], [Postgres] or [MySQL].
//
// # Where a database comes from
//
// SQLite is always there. A server is looked for once per process, in this order:
//
//  1. the DSN in FERNETCOL_POSTGRES_DSN (a postgres:// URL) or FERNETCOL_MYSQL_DSN
//     (as github.com/go-sql-driver/mysql reads it), whose user may create databases;
//     a DSN that is set and does not answer fails the test;
//  2. the service of docker-compose.yml, on its fixed loopback port;
//  3. for PostgreSQL, the server binaries of this machine, run on a temporary
//     cluster that ends with the process.
//
// The default ports of local servers are never tried: a test must not write to a
// database that nobody offered. With none found the test skips and prints the line
// that starts one. Names in FERNETCOL_REQUIRE, such as "postgres,mysql", turn that
// skip into a failure. The name "python" is for the tests that run Python beside Go,
// which ask [Required].
//
// # Secrets
//
// A DSN holds a password. No error or log of this package contains one or any part
// of one: a failed connection is reported by its error code alone.
package dbtest

import (
	"errors"
	"slices"
	"testing"
)

// names are the databases in the order [Run] takes them.
var names = []string{"sqlite", "sqlite-cgo", "postgres", "mysql"}

// programs are what FERNETCOL_REQUIRE may name beside them.
var programs = []string{"python"}

// Run runs suite in a subtest for each database, over a fresh [Database] each time.
// The subtests run one after another; a suite that allows it calls t.Parallel.
func Run(t *testing.T, suite func(t *testing.T, db *Database)) {
	t.Helper()
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			suite(t, open(t, name))
		})
	}
}

// SQLite opens a fresh SQLite database with the pure Go driver, modernc.org/sqlite.
func SQLite(t testing.TB) *Database {
	t.Helper()
	return open(t, "sqlite")
}

// SQLiteCgo opens a fresh SQLite database with github.com/mattn/go-sqlite3, and
// skips the test in a build without cgo.
func SQLiteCgo(t testing.TB) *Database {
	t.Helper()
	return open(t, "sqlite-cgo")
}

// Postgres opens a fresh PostgreSQL database with pgx, or skips the test.
func Postgres(t testing.TB) *Database {
	t.Helper()
	return open(t, "postgres")
}

// MySQL opens a fresh MySQL or MariaDB database with github.com/go-sql-driver/mysql,
// or skips the test.
func MySQL(t testing.TB) *Database {
	t.Helper()
	return open(t, "mysql")
}

// Required reports whether FERNETCOL_REQUIRE has name, a database or "python", so
// that a test which misses it must fail instead of skip.
func Required(t testing.TB, name string) bool {
	t.Helper()
	required, err := required()
	if err != nil {
		t.Fatal(err)
	}
	return slices.Contains(required, name)
}

func open(t testing.TB, name string) *Database {
	t.Helper()
	required := Required(t, name)
	db, err := fresh(t, name)
	if _, absent := errors.AsType[*absentError](err); absent && !required {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func fresh(t testing.TB, name string) (*Database, error) {
	var find func() (*server, error)
	switch name {
	case "postgres":
		find = postgres
	case "mysql":
		find = mySQL
	default:
		return freshSQLite(t, name)
	}
	srv, err := find()
	if err != nil {
		return nil, err
	}
	return srv.fresh(t)
}
