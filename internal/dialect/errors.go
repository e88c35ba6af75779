package dialect

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// A Class is what can be done about an error.
type Class int

// The classes.
const (
	Permanent Class = iota // trying again is no use
	Locked                 // a lock, a deadlock or a serialization failure: try again
	Lost                   // the connection or the server is gone: connect and try again
	Stale                  // perhaps a statement that was prepared before the table was altered: try again once or twice
)

// An Error is an error of a driver without its message, which may quote values, the
// statement or the DSN.
type Error struct {
	Class Class
	// Refused says that a constraint, or the width of a column, refuses a row.
	Refused bool
	Code    string // what the database calls it, and in words where that helps

	context error // context.Canceled or DeadlineExceeded, if that was it
}

func (e *Error) Error() string { return e.Code }

// Unwrap gives the context's error only.
func (e *Error) Unwrap() error { return e.context }

// Clean makes an Error of what a driver returned; nil stays nil.
func Clean(d Dialect, err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	for _, end := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, end) {
			return &Error{Code: end.Error(), context: end}
		}
	}
	class, code := d.classify(err)
	return &Error{Class: class, Code: code, Refused: class == Permanent && refused.MatchString(code)}
}

// refused matches the codes for a value that a constraint or a width refuses.
var refused = regexp.MustCompile(`\b(SQLSTATE (23|22001|22021)|MySQL error (1062|1366|1406|1048|3819|4025)\b|constraint failed)`)

// lost says whether an error without a code of the database means that there is no
// connection. Errors of database/sql itself begin with "sql:" and have no secrets.
func lost(err error) (Class, string) {
	if text := err.Error(); strings.HasPrefix(text, "sql: ") && !strings.Contains(text, "connection is already closed") {
		if strings.HasPrefix(text, "sql: Scan error") { // goes on to quote the value
			text = "sql: Scan error"
		}
		return Permanent, text
	}
	if strings.HasPrefix(err.Error(), "dialect: ") {
		return Permanent, err.Error()
	}
	if errors.Is(err, driver.ErrBadConn) {
		return Lost, "the connection was lost"
	}
	return Lost, "no connection to the server"
}

// words are for the codes that an operator meets.
var words = map[string]string{
	"22001": "a value is too long for its column",
	"23505": "a unique constraint refuses the new value",
	"23514": "a CHECK constraint refuses the new value",
	"25006": "the connection is read-only",
	"28000": "the server refuses the login",
	"28P01": "the server refuses the password",
	"3D000": "there is no such database",
	"40001": "a serialization failure",
	"40P01": "a deadlock",
	"42501": "permission denied",
	"42P01": "no such table",
	"42703": "no such column",
	"55P03": "a lock was not granted in time",
	"57014": "the server cancelled the statement",
	"1044":  "permission denied",
	"1045":  "the server refuses the login",
	"1049":  "there is no such database",
	"1062":  "a unique constraint refuses the new value",
	"1142":  "permission denied",
	"1143":  "permission denied",
	"1146":  "no such table",
	"1205":  "a lock was not granted in time",
	"1213":  "a deadlock",
	"1290":  "the server is read-only",
	"1406":  "a value is too long for its column",
	"1792":  "the connection is read-only",
	"1836":  "the server is read-only",
	"3819":  "a CHECK constraint refuses the new value",
	"4025":  "a CHECK constraint refuses the new value",
}

func coded(kind, code string) string {
	if w := words[code]; w != "" {
		return fmt.Sprintf("%s (%s %s)", w, kind, code)
	}
	return kind + " " + code
}

// classify goes by SQLSTATE, which the errors of pgx and of lib/pq have.
func (postgres) classify(err error) (Class, string) {
	var state interface{ SQLState() string }
	if !errors.As(err, &state) || state.SQLState() == "" {
		return lost(err)
	}
	code := state.SQLState()
	text := coded("SQLSTATE", code)
	switch {
	case code == "55P03" || code == "40P01" || code == "40001" || code == "57014":
		return Locked, text
	case code == "0A000", code == "26000": // cached plan must not change result type; no such prepared statement
		return Stale, text
	// Connection exceptions, resources, an operator's intervention, and a session
	// that was idle in its transaction for too long.
	case strings.HasPrefix(code, "08"), strings.HasPrefix(code, "53"), strings.HasPrefix(code, "57P"), code == "25P03":
		return Lost, text
	}
	return Permanent, text
}

// mysqlCode is how go-sql-driver's error begins.
var mysqlCode = regexp.MustCompile(`\bError (\d+)\b`)

func (mysql) classify(err error) (Class, string) {
	m := mysqlCode.FindStringSubmatch(err.Error())
	if m == nil {
		return lost(err)
	}
	text := coded("MySQL error", m[1])
	switch m[1] {
	case "1205", "1213", "1020", "3572", "1317", "1969", "3024": // the last three: a statement was ended
		return Locked, text
	case "1040", "1053", "1077", "1079", "1080", "1152", "1158", "1159", "1160", "1161", "1184", "1203", "1927", "4031":
		return Lost, text
	}
	return Permanent, text
}

// sqlitePhrases are how SQLite's messages begin. What follows names tables and
// constraints, but may come from a trigger too.
var sqlitePhrases = []string{
	"database is locked", "database table is locked", "database schema is locked", "attempt to write a readonly database",
	"UNIQUE constraint failed", "CHECK constraint failed", "NOT NULL constraint failed", "FOREIGN KEY constraint failed",
	"no such table", "no such column", "disk I/O error", "database or disk is full", "unable to open database file",
	"file is not a database", "database disk image is malformed", "interrupted",
}

func (sqlite) classify(err error) (Class, string) {
	text := err.Error()
	for _, phrase := range sqlitePhrases {
		if strings.Contains(text, phrase) {
			if strings.HasSuffix(phrase, "is locked") {
				return Locked, phrase
			}
			return Permanent, phrase
		}
	}
	if strings.Contains(text, "SQLITE_BUSY") || strings.Contains(text, "SQLITE_LOCKED") {
		return Locked, "database is locked"
	}
	var code interface{ Code() int }
	if errors.As(err, &code) {
		return Permanent, fmt.Sprintf("SQLite error %d", code.Code())
	}
	if class, words := lost(err); class == Permanent {
		return class, words
	}
	if errors.Is(err, driver.ErrBadConn) {
		return Lost, "the connection was lost"
	}
	return Permanent, "SQLite error"
}
