package main

import (
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
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

const (
	sqliteName   = "sqlite"
	postgresName = "postgres"
)

// A database is one that is measured, with its targets.
type database struct {
	name, title string
	open        func(postgresDSN string) (*connection, error)
	targets     targets
}

var databases = []database{
	{sqliteName, "SQLite", openSQLite, sqliteTargets},
	{postgresName, "PostgreSQL", openPostgres, postgresTargets},
}

// A connection is an open database. All contenders share its pool; each has a
// GORM handle of its own.
type connection struct {
	name  string
	pool  *sql.DB
	clean func() // drops what open made
}

func (c *connection) close() {
	if c.clean != nil {
		c.clean()
	}
	c.pool.Close()
}

// gorm returns a handle with GORM's defaults, but for the log of slow statements.
func (c *connection) gorm() (*gorm.DB, error) {
	var dialector gorm.Dialector = gormsqlite.New(gormsqlite.Config{DriverName: "sqlite", Conn: c.pool})
	if c.name == postgresName {
		dialector = gormpostgres.New(gormpostgres.Config{Conn: c.pool})
	}
	return gorm.Open(dialector, &gorm.Config{Logger: logger.Discard})
}

// settle makes the database do what it would otherwise do some time later, in
// the time of whoever runs then.
func (c *connection) settle(table string) error {
	statement := "PRAGMA wal_checkpoint(TRUNCATE)"
	if c.name == postgresName {
		statement = "VACUUM (ANALYZE) " + table
	}
	_, err := c.pool.Exec(statement)
	return err
}

// openSQLite opens a new file. Nothing waits for the disk: it would make all
// contenders more alike.
func openSQLite(string) (*connection, error) {
	folder, err := os.MkdirTemp("", "gormratios")
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
	c := &connection{name: sqliteName, pool: pool}
	c.clean = func() {
		pool.Close()
		os.RemoveAll(folder)
	}
	return c, nil
}

// openPostgres makes a schema in the database of the DSN. The server answers a
// commit before the disk has it.
func openPostgres(dsn string) (*connection, error) {
	u, err := url.Parse(dsn)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return nil, errors.New(postgresVariable + " is not a postgres:// URL")
	}
	schema := "gormratios_" + rand.Text()
	query := u.Query()
	query.Set("search_path", `"`+schema+`"`)
	query.Set("synchronous_commit", "off")
	u.RawQuery = query.Encode()
	pool, err := sql.Open("pgx", u.String())
	if err != nil {
		return nil, errors.New(postgresVariable + " cannot be used") // the cause may quote it
	}
	if _, err := pool.Exec(`CREATE SCHEMA "` + schema + `"`); err != nil {
		pool.Close()
		return nil, errors.New("cannot connect, or make a schema")
	}
	c := &connection{name: postgresName, pool: pool}
	c.clean = func() {
		if _, err := pool.Exec(`DROP SCHEMA "` + schema + `" CASCADE`); err != nil {
			fmt.Fprintln(os.Stderr, "gormratios: the schema", schema, "is still there")
		}
	}
	return c, nil
}
