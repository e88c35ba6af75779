package cli_test

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/internal/dbtest"
)

// openers open a fresh database each.
var openers = map[string]func(testing.TB) *dbtest.Database{
	"sqlite": dbtest.SQLite, "postgres": dbtest.Postgres, "mysql": dbtest.MySQL,
}

// eachDatabase runs suite over every database, at once.
func eachDatabase(t *testing.T, suite func(t *testing.T, db *dbtest.Database)) {
	for name, open := range openers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			suite(t, open(t))
		})
	}
}

// Every run of every script on every database, and then what they said.
func TestDatabaseScripts(t *testing.T) {
	for name, open := range openers {
		t.Run(name, func(t *testing.T) {
			open(t) // skips here, once, if it is not there
			transcript := t.TempDir()
			t.Run("script", func(t *testing.T) {
				testscript.Run(t, scripts("testdata/database", transcript, name, open))
			})
			all := records(t, transcript)
			assertNoSecrets(t, all)
			assertLines(t, all)
		})
	}
}

// urls are data source names of one database, in the forms that the command takes.
type urls struct {
	usual string
	other string // another form of the same
	wrong string // one that does not open, with a password in it
}

func urlsOf(db *dbtest.Database) (urls, error) {
	dsn := db.DSN()
	switch db.Dialect {
	case "postgres":
		u, err := url.Parse(dsn)
		if err != nil {
			return urls{}, err
		}
		if _, set := u.User.Password(); !set { // the server trusts us
			u.User = url.UserPassword(u.User.Username(), password)
		}
		wrong := *u
		wrong.Path = "/no_such_database"
		wrong.User = url.UserPassword(u.User.Username(), password)
		return urls{u.String(), strings.Replace(u.String(), "postgres://", "postgresql://", 1), wrong.String()}, nil
	case "mysql":
		config, err := mysql.ParseDSN(dsn)
		if err != nil {
			return urls{}, err
		}
		u := url.URL{Scheme: "mysql", Host: config.Addr, Path: "/" + config.DBName, User: url.UserPassword(config.User, config.Passwd)}
		if config.Net != "tcp" { // a URL has no sockets
			return urls{dsn, dsn, "nobody:" + password + "@" + config.Net + "(" + config.Addr + ")/" + config.DBName}, nil
		}
		wrong := u
		wrong.User = url.UserPassword("nobody", password)
		return urls{dsn, u.String(), wrong.String()}, nil
	default:
		path, _, _ := strings.Cut(strings.TrimPrefix(dsn, "file:"), "?")
		missing := filepath.Join(filepath.Dir(path), password)
		return urls{dsn, "sqlite:" + path, "sqlite:" + missing}, nil
	}
}

// plaintextOf is what the row with this key holds.
func plaintextOf(id int) string { return fmt.Sprintf("%s-%d@example.com", canary, id) }

// seed adds rows to a table that it creates if need be: seed users 250 A. The values
// are tokens under a key of the scripts or one that nobody knows ("lost"), or
// "plain", or "null".
func seed(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 || len(args) > 4 {
		ts.Fatalf("usage: seed TABLE ROWS KEY [TYPE]")
	}
	db := database(ts)
	n := 0
	_, err := fmt.Sscan(args[1], &n)
	ts.Check(err)
	columnType := ts.Getenv("TEXT")
	if len(args) == 4 {
		columnType = args[3]
	}
	ts.Check(seedRows(db, args[0], n, args[2], columnType))
}

func seedRows(db *dbtest.Database, table string, n int, key, columnType string) error {
	if _, err := db.SQL.Exec("CREATE TABLE IF NOT EXISTS " + table +
		" (id integer PRIMARY KEY, email " + columnType + ", email_index varchar(64))"); err != nil {
		return err
	}
	first := 0
	if err := db.SQL.QueryRow("SELECT COALESCE(MAX(id), 0) FROM " + table).Scan(&first); err != nil {
		return err
	}
	kr, err := seedRing(key)
	if err != nil {
		return err
	}
	tx, err := db.SQL.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for id := first + 1; id <= first+n; id++ {
		var value any
		switch {
		case key == "null":
		case kr == nil:
			value = plaintextOf(id)
		default:
			value = kr.EncryptString(plaintextOf(id))
		}
		if text, ok := value.(string); ok && columnType == db.BytesType() {
			value = []byte(text)
		}
		if _, err := tx.Exec("INSERT INTO "+table+" (id, email) VALUES ("+db.Placeholder(1)+", "+db.Placeholder(2)+")", id, value); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func seedRing(key string) (*fernet.Keyring, error) {
	switch key {
	case "null", "plain":
		return nil, nil
	case "lost":
		return fernet.NewKeyring(fernet.GenerateKey())
	}
	return fernet.NewKeyring(scriptKeys[key])
}

// apply runs the statements on the standard output of the last command, a line each.
func apply(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: apply")
	}
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		if !strings.HasPrefix(line, "--") {
			_, err := database(ts).SQL.Exec(strings.TrimRight(line, ";\n"))
			ts.Check(err)
		}
	}
}

// refused wants the database to refuse a statement.
func refused(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: refused STATEMENT")
	}
	if _, err := database(ts).SQL.Exec(strings.Join(args, " ")); err == nil {
		ts.Fatalf("the database takes it")
	}
}

// opens wants so many values of a table to open under one key alone, each with the
// plaintext of its row: opens users B 250 [CONTEXT...].
func opens(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: opens TABLE KEY ROWS [CONTEXT...]")
	}
	want := 0
	_, err := fmt.Sscan(args[2], &want)
	ts.Check(err)
	got, err := opened(database(ts), args[0], args[1], args[3:]...)
	ts.Check(err)
	if got != want {
		ts.Fatalf("%d values open under key %s, want %d", got, args[1], want)
	}
}

func opened(db *dbtest.Database, table, key string, context ...string) (n int, err error) {
	kr, err := fernet.NewKeyring(scriptKeys[key])
	if err != nil {
		return 0, err
	}
	if len(context) > 0 {
		kr = kr.Derive(context...)
	}
	rows, err := db.SQL.Query("SELECT id, email FROM " + table)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var id int
		var token []byte
		if err := rows.Scan(&id, &token); err != nil {
			return 0, err
		}
		plaintext, err := kr.Decrypt(token)
		if err != nil {
			continue
		}
		if string(plaintext) != plaintextOf(id) {
			return 0, fmt.Errorf("row %d has the plaintext of another", id)
		}
		n++
	}
	return n, rows.Err()
}

func database(ts *testscript.TestScript) *dbtest.Database {
	db, ok := ts.Value(databaseKey{}).(*dbtest.Database)
	if !ok {
		ts.Fatalf("this script has no database")
	}
	return db
}
