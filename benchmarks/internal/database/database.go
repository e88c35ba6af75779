// Package database opens the databases that are measured.
package database

import (
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"

	_ "github.com/jackc/pgx/v5/stdlib"
	gormpostgres "gorm.io/driver/postgres"
	gormsqlite "gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	_ "modernc.org/sqlite"
)

// The names of the databases.
const (
	SQLite   = "sqlite"
	Postgres = "postgres"
)

// Variable is the environment variable that names the PostgreSQL server.
const Variable = "FERNETCOL_POSTGRES_DSN"

// A Conn is an open database. All contenders share its pool; each has a GORM handle
// of its own.
type Conn struct {
	Name  string
	Title string // for people
	Pool  *sql.DB

	clean func() // drops what open made
}

// Each opens the databases and calls f with one after another, or with the one that
// only names. program is the name of what is left behind if nothing is cleaned up.
// Without a DSN, it says so in the place of PostgreSQL.
func Each(w io.Writer, program, only, postgresDSN string, f func(*Conn) error) error {
	for _, d := range []struct {
		name, title string
		open        func(program, postgresDSN string) (*Conn, error)
	}{
		{SQLite, "SQLite", openSQLite},
		{Postgres, "PostgreSQL", openPostgres},
	} {
		if only != "" && only != d.name {
			continue
		}
		if d.name == Postgres && postgresDSN == "" {
			fmt.Fprintf(w, "\nNo %s: %s is not set.\n", d.title, Variable)
			continue
		}
		err := func() error {
			c, err := d.open(program, postgresDSN)
			if err != nil {
				return err
			}
			defer c.Close()
			c.Name, c.Title = d.name, d.title
			return f(c)
		}()
		if err != nil {
			return fmt.Errorf("%s: %w", d.title, err)
		}
	}
	return nil
}

// Close drops what was made and closes the pool.
func (c *Conn) Close() {
	if c.clean != nil {
		c.clean()
	}
	c.Pool.Close()
}

// GORM returns a handle with GORM's defaults, but for the log of slow statements.
func (c *Conn) GORM() (*gorm.DB, error) {
	var dialector gorm.Dialector = gormsqlite.New(gormsqlite.Config{DriverName: "sqlite", Conn: c.Pool})
	if c.Name == Postgres {
		dialector = gormpostgres.New(gormpostgres.Config{Conn: c.Pool})
	}
	return gorm.Open(dialector, &gorm.Config{Logger: logger.Discard})
}

// Settle makes the database do what it would otherwise do some time later, in
// the time of whoever runs then.
func (c *Conn) Settle(table string) error {
	statement := "PRAGMA wal_checkpoint(TRUNCATE)"
	if c.Name == Postgres {
		statement = "VACUUM (ANALYZE) " + table
	}
	_, err := c.Pool.Exec(statement)
	return err
}

// openSQLite opens a new file. Nothing waits for the disk: it would make all
// contenders more alike.
func openSQLite(program, _ string) (*Conn, error) {
	folder, err := os.MkdirTemp("", program)
	if err != nil {
		return nil, err
	}
	dsn := "file:" + filepath.ToSlash(filepath.Join(folder, "test.sqlite")) +
		"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)"
	pool, err := sql.Open("sqlite", dsn)
	if err != nil {
		os.RemoveAll(folder)
		return nil, err
	}
	c := &Conn{Pool: pool}
	c.clean = func() {
		pool.Close()
		os.RemoveAll(folder)
	}
	return c, nil
}

// openPostgres makes a schema in the database of the DSN. The server answers a
// commit before the disk has it.
func openPostgres(program, dsn string) (*Conn, error) {
	u, err := url.Parse(dsn)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return nil, errors.New(Variable + " is not a postgres:// URL")
	}
	schema := program + "_" + rand.Text()
	query := u.Query()
	query.Set("search_path", `"`+schema+`"`)
	query.Set("synchronous_commit", "off")
	u.RawQuery = query.Encode()
	pool, err := sql.Open("pgx", u.String())
	if err != nil {
		return nil, errors.New(Variable + " cannot be used") // the cause may quote it
	}
	if _, err := pool.Exec(`CREATE SCHEMA "` + schema + `"`); err != nil {
		pool.Close()
		return nil, errors.New("cannot connect, or make a schema")
	}
	c := &Conn{Pool: pool}
	c.clean = func() {
		if _, err := pool.Exec(`DROP SCHEMA "` + schema + `" CASCADE`); err != nil {
			fmt.Fprintln(os.Stderr, program+": the schema", schema, "is still there")
		}
	}
	return c, nil
}
