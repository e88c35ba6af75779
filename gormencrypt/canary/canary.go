// Package canary is for the tests of applications: it looks for known plaintexts
// where they must not be.
//
//	var log bytes.Buffer // what the application's loggers write to
//	… run the application with the canary "canary-7d1f@example.com" as input …
//	canary.Check(t, db, log.String(), "canary-7d1f@example.com")
package canary

import (
	"database/sql"
	"fmt"
	"strings"

	"gorm.io/gorm"
)

// TB is the part of [testing.TB] that Check needs.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
}

// Check fails t if a canary stands in a row of any table that db sees, or in log.
// It reads every column of every row by plain SQL, so it is for test databases.
// The failure names the table and the column, and the canary by its number.
func Check(t TB, db *gorm.DB, log string, canaries ...string) {
	t.Helper()
	if len(canaries) == 0 {
		t.Errorf("canary: no canary to look for")
		return
	}
	for i, c := range canaries {
		if c == "" {
			t.Errorf("canary: canary %d is empty", i+1)
			return
		}
		if strings.Contains(log, c) {
			t.Errorf("canary: canary %d stands in the log", i+1)
		}
	}
	tables, err := db.Migrator().GetTables()
	if err != nil {
		t.Errorf("canary: the tables cannot be listed: %v", err)
		return
	}
	sqlDB, err := db.DB()
	if err != nil {
		t.Errorf("canary: %v", err)
		return
	}
	for _, table := range tables {
		if err := checkTable(t, sqlDB, table, db.Statement.Quote(table), canaries); err != nil {
			t.Errorf("canary: table %s cannot be read: %v", table, err)
		}
	}
}

func checkTable(t TB, db *sql.DB, table, quoted string, canaries []string) error {
	t.Helper()
	rows, err := db.Query("SELECT * FROM " + quoted)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	values := make([]any, len(columns))
	dest := make([]any, len(columns))
	for i := range values {
		dest[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		for i, v := range values {
			text := fmt.Sprint(v)
			if b, ok := v.([]byte); ok {
				text = string(b)
			}
			for n, c := range canaries {
				if strings.Contains(text, c) {
					t.Errorf("canary: canary %d stands in the clear in column %s.%s", n+1, table, columns[i])
				}
			}
		}
	}
	return rows.Err()
}
