package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/reencrypt"
)

// A database is a schema of its own, with the server's settings as they are.
type database struct {
	*sql.DB
	schema string
}

func open(dsn string) (*database, error) {
	u, err := url.Parse(dsn)
	if err != nil || dsn == "" || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return nil, errors.New(postgresVariable + " is not a postgres:// URL")
	}
	schema := "reencrypt_" + strings.ToLower(rand.Text()[:12])
	query := u.Query()
	query.Set("search_path", schema)
	u.RawQuery = query.Encode()
	pool, err := sql.Open("pgx", u.String())
	if err != nil {
		return nil, errors.New(postgresVariable + " cannot be used") // the cause may quote it
	}
	pool.SetMaxIdleConns(32)
	if _, err := pool.Exec("CREATE SCHEMA " + schema); err != nil {
		pool.Close()
		return nil, errors.New("cannot connect, or make a schema")
	}
	return &database{DB: pool, schema: schema}, nil
}

func (d *database) close() {
	if _, err := d.Exec("DROP SCHEMA " + d.schema + " CASCADE"); err != nil {
		fmt.Fprintln(os.Stderr, "the schema", d.schema, "is still there")
	}
	d.Close()
}

func (d *database) setting(name string) string {
	var value string
	if err := d.QueryRow("SELECT current_setting($1)", name).Scan(&value); err != nil {
		return "?"
	}
	return value
}

// plaintextSize is that of an address or a short note.
const plaintextSize = 64

// A table is users with tokens under an old key, and the ring that is to replace it.
type table struct {
	d    *database
	old  *fernet.Keyring
	kr   *fernet.Keyring
	rows int
}

// fill makes the table anew.
func (d *database) fill(ctx context.Context, rows int) (*table, error) {
	oldKey, newKey := fernet.GenerateKey(), fernet.GenerateKey()
	t := &table{d: d, rows: rows}
	var err error
	if t.old, err = fernet.NewKeyring(oldKey); err != nil {
		return nil, err
	}
	if t.kr, err = fernet.NewKeyring(newKey, oldKey); err != nil {
		return nil, err
	}
	for _, q := range []string{
		"DROP TABLE IF EXISTS users",
		"CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL, secret text NOT NULL, updated_at timestamptz NOT NULL DEFAULT now())",
	} {
		if _, err := d.ExecContext(ctx, q); err != nil {
			return nil, err
		}
	}
	conn, err := d.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	plaintext := strings.Repeat("x", plaintextSize)
	err = conn.Raw(func(c any) error {
		_, err := c.(*stdlib.Conn).Conn().CopyFrom(ctx, pgx.Identifier{"users"}, []string{"id", "name", "secret"},
			pgx.CopyFromSlice(rows, func(i int) ([]any, error) {
				return []any{int64(i + 1), fmt.Sprint("person ", i), t.old.EncryptString(plaintext)}, nil
			}))
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, q := range []string{"VACUUM (ANALYZE, FREEZE) users", "CHECKPOINT"} {
		if _, err := d.ExecContext(ctx, q); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *table) plan() reencrypt.Plan {
	return reencrypt.Plan{Table: "users", Columns: []reencrypt.Column{{Name: "secret", Keyring: t.kr}}}
}
