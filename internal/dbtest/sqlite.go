package dbtest

import (
	"fmt"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite"
)

// sqliteParams are understood alike by both drivers, but for _time_format: the pure
// Go driver would otherwise store times in the format of time.Time.String. Without
// synchronous writes a killed process still loses nothing, only a power cut does.
const sqliteParams = "?_busy_timeout=10000&_journal_mode=WAL&_synchronous=OFF&_time_format=sqlite"

func freshSQLite(t testing.TB, name string) (*Database, error) {
	db := &Database{Name: name, Dialect: "sqlite", Driver: "sqlite"}
	if name == "sqlite-cgo" {
		if !cgo {
			return nil, &absentError{name: name, why: "built without cgo", start: "CGO_ENABLED=1 go test ./..."}
		}
		db.Driver = "sqlite3"
	}
	db.dsn = "file:" + filepath.ToSlash(filepath.Join(t.TempDir(), "test.sqlite")) + sqliteParams
	if err := db.connect(t); err != nil {
		return nil, err
	}
	if err := db.SQL.QueryRow("SELECT sqlite_version()").Scan(&db.Version); err != nil {
		return nil, fmt.Errorf("dbtest: cannot open %s: %w", name, err)
	}
	return db, nil
}
