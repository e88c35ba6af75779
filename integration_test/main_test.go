// Package integration_test stores the column types of package encryptedtype in real
// databases and breaks what can be broken there: through database/sql, GORM and pgx,
// over SQLite with both drivers, PostgreSQL, and MySQL or MariaDB.
//
// Whatever is written is read back a second time, as the raw column by plain SQL: it
// must be a token of the plaintext, and nothing else. Package dbtest says where the
// databases come from. No failure prints a plaintext, a token or a key.
package integration_test

import (
	"bytes"
	"database/sql"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/internal/dbtest"
)

// canary is part of every plaintext that must not be found where it is looked for.
const canary = "canary-5a0b7e"

var (
	currentKey = fernet.GenerateKey()
	retiredKey = fernet.GenerateKey()

	// ring is the process default.
	ring = newRing(currentKey, retiredKey)
	// retiredRing is what ring was before its rotation.
	retiredRing = newRing(retiredKey)
	// foreignRing makes tokens that ring does not open.
	foreignRing = newRing(fernet.GenerateKey())
)

func newRing(primary fernet.Key, retired ...fernet.Key) *fernet.Keyring {
	kr, err := fernet.NewKeyring(primary, retired...)
	if err != nil {
		panic(err) // keys of our own making
	}
	return kr
}

func TestMain(m *testing.M) {
	if os.Getenv(noKeyringEnv) == "" {
		if err := encryptedtype.SetDefault(ring); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// exec runs a statement that must succeed. Its parameters are question marks.
func exec(t *testing.T, db *dbtest.Database, query string, args ...any) {
	t.Helper()
	if _, err := db.SQL.Exec(db.Rebind(query), args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// scan reads one row that must be there.
func scan(t *testing.T, db *dbtest.Database, query string, args []any, dst ...any) {
	t.Helper()
	if err := db.SQL.QueryRow(db.Rebind(query), args...).Scan(dst...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// count returns the number that a query finds.
func count(t *testing.T, db *dbtest.Database, query string, args ...any) int {
	t.Helper()
	var n int
	scan(t, db, query, args, &n)
	return n
}

// rawColumn returns what the database holds in the one column of a query, row by row
// and untouched by any type of ours. NULL is nil.
func rawColumn(t *testing.T, db *dbtest.Database, query string, args ...any) [][]byte {
	t.Helper()
	rows, err := db.SQL.Query(db.Rebind(query), args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var column [][]byte
	for rows.Next() {
		var stored []byte
		if err := rows.Scan(&stored); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		column = append(column, stored)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return column
}

// raw returns the one value that a query finds.
func raw(t *testing.T, db *dbtest.Database, query string, args ...any) []byte {
	t.Helper()
	column := rawColumn(t, db, query, args...)
	if len(column) != 1 {
		t.Fatalf("%s: %d rows, want 1", query, len(column))
	}
	return column[0]
}

// isToken reports whether stored is exactly one token of plaintext under the primary
// key of kr, of the length that encryptedtype documents.
func isToken(kr *fernet.Keyring, stored, plaintext []byte) error {
	if leaks(stored) || len(plaintext) > 8 && bytes.Contains(stored, plaintext) {
		return fmt.Errorf("the column holds the plaintext")
	}
	size := encryptedtype.TextSize(len(plaintext))
	if bytes.HasPrefix(stored, []byte{0x80}) {
		size = encryptedtype.BytesSize(len(plaintext))
	}
	if len(stored) != size {
		return fmt.Errorf("the column holds %d bytes, want a token of %d", len(stored), size)
	}
	if id, err := kr.KeyID(stored); err != nil || id != kr.PrimaryID() {
		return fmt.Errorf("the column holds no token under the primary key: %v", err)
	}
	if p, err := kr.Decrypt(stored); err != nil || !bytes.Equal(p, plaintext) {
		return fmt.Errorf("the column holds a token of something else: %v", err)
	}
	return nil
}

// mustBeToken fails unless stored is a token of plaintext under the default ring.
func mustBeToken(t *testing.T, stored []byte, plaintext string) {
	t.Helper()
	if err := isToken(ring, stored, []byte(plaintext)); err != nil {
		t.Error(err)
	}
}

// canaryForms are the canary in the clear, in hexadecimal as PostgreSQL prints bytes,
// and in the numbers of fmt and of arrays.
var canaryForms = func() [][]byte {
	numbers := strings.Trim(fmt.Sprint([]byte(canary)), "[]")
	return [][]byte{
		[]byte(canary), []byte(hex.EncodeToString([]byte(canary))),
		[]byte(numbers), []byte(strings.ReplaceAll(numbers, " ", ",")),
	}
}()

// leaks reports whether the canary is in b in any form.
func leaks[B ~[]byte | ~string](b B) bool {
	for _, form := range canaryForms {
		if bytes.Contains([]byte(b), form) {
			return true
		}
	}
	return false
}

// null returns a value that is not NULL.
func null[T any](v T) sql.Null[T] { return sql.Null[T]{V: v, Valid: true} }
