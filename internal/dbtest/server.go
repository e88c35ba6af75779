package dbtest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"strings"
	"testing"
)

// server is a running database server on which fresh databases are made. It lives
// as long as the process.
type server struct {
	name   string // its dialect too
	driver string
	admin  *sql.DB

	version string
	dsn     func(database string) string
	create  string // follows CREATE DATABASE and the name
	drop    string // follows DROP DATABASE and the name

	// disconnect ends all connections to a database that is about to be dropped. It
	// is nil where DROP DATABASE does so by itself.
	disconnect func(ctx context.Context, database string) error

	// cluster is set if this process runs the server. It is held here because the
	// cluster stops as soon as its pipe is garbage.
	cluster *cluster
}

// openServer connects to a server and reads its version.
func openServer(name, driver, dsn string) (*server, error) {
	admin, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, redacted(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()

	s := &server{name: name, driver: driver, admin: admin}
	if err := admin.QueryRowContext(ctx, "SELECT version()").Scan(&s.version); err != nil {
		admin.Close()
		return nil, redacted(err)
	}
	return s, nil
}

// fresh makes a database that is dropped when the test ends.
func (s *server) fresh(t testing.TB) (*Database, error) {
	// A name per database, never one to be emptied and used again: the tests of
	// several packages share the server at the same time.
	name := "fernetcol_test_" + strings.ToLower(rand.Text()[:16])
	if err := s.exec("CREATE DATABASE " + name + s.create); err != nil {
		return nil, fmt.Errorf("dbtest: cannot create a database on %s: %w", s.name, err)
	}
	t.Cleanup(func() {
		if err := s.dropDatabase(name); err != nil {
			t.Errorf("dbtest: cannot drop %s on %s: %v", name, s.name, err)
		}
	})

	db := &Database{Name: s.name, Dialect: s.name, Driver: s.driver, Version: s.version, dsn: s.dsn(name)}
	if err := db.connect(t); err != nil {
		return nil, err
	}
	return db, nil
}

// dropDatabase drops a database although a failed test may have left a transaction
// open in it.
func (s *server) dropDatabase(name string) error {
	if s.disconnect != nil {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		if err := s.disconnect(ctx, name); err != nil {
			return redacted(err)
		}
	}
	return s.exec("DROP DATABASE " + name + s.drop)
}

func (s *server) exec(statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if _, err := s.admin.ExecContext(ctx, statement); err != nil {
		return redacted(err)
	}
	return nil
}
