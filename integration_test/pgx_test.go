package integration_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/internal/dbtest"
)

// Package pgx, used without database/sql, looks into a value by itself and only then
// asks its Value method. It is given every chance here to store what it finds.

// modes are all ways in which pgx sends values.
var modes = []pgx.QueryExecMode{
	pgx.QueryExecModeCacheStatement,
	pgx.QueryExecModeCacheDescribe,
	pgx.QueryExecModeDescribeExec,
	pgx.QueryExecModeExec,
	pgx.QueryExecModeSimpleProtocol,
}

// inEachMode runs a test on a connection in each mode, over a database that it
// leaves as it was.
func inEachMode(t *testing.T, test func(t *testing.T, db *dbtest.Database, tx pgx.Tx, mode pgx.QueryExecMode)) {
	t.Helper()
	t.Parallel()
	db := dbtest.Postgres(t)
	for _, mode := range modes {
		t.Run(strings.ReplaceAll(mode.String(), " ", "-"), func(t *testing.T) {
			conn := connect(t, db, mode)
			tx, err := conn.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer tx.Rollback(context.Background())
			test(t, db, tx, mode)
		})
	}
}

func connect(t *testing.T, db *dbtest.Database, mode pgx.QueryExecMode) *pgx.Conn {
	t.Helper()
	config, err := pgx.ParseConfig(db.DSN())
	if err != nil {
		t.Fatal("pgx does not read the DSN")
	}
	config.DefaultQueryExecMode = mode
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal("pgx does not connect")
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func pgxExec(t *testing.T, tx pgx.Tx, query string, args ...any) {
	t.Helper()
	if _, err := tx.Exec(t.Context(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

const createPatients = "CREATE TABLE patients (id integer PRIMARY KEY, name text, photo bytea, notes text, email text)"

// mustHoldPatients reads the raw columns of all patients.
func mustHoldPatients(t *testing.T, tx pgx.Tx, want int) {
	t.Helper()
	rows, err := tx.Query(t.Context(), "SELECT name::bytea, photo, notes::bytea, email::bytea FROM patients", pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		var name, photo, notes, email []byte
		if err := rows.Scan(&name, &photo, &notes, &email); err != nil {
			t.Fatal(err)
		}
		mustBeToken(t, name, canary+"-name")
		mustBeToken(t, photo, canary+"-photo")
		mustBeToken(t, notes, `{"note":"`+canary+`"}`)
		mustBeToken(t, email, canary+"@example.com")
	}
	if err := rows.Err(); err != nil || n != want {
		t.Errorf("%d rows, want %d: %v", n, want, err)
	}
}

func TestPgxRoundTrip(t *testing.T) {
	inEachMode(t, func(t *testing.T, db *dbtest.Database, tx pgx.Tx, mode pgx.QueryExecMode) {
		pgxExec(t, tx, createPatients)
		p := newPatient(1)
		const insert = "INSERT INTO patients VALUES ($1, $2, $3, $4, $5)"
		pgxExec(t, tx, insert, 1, p.Name, p.Photo, p.Notes, p.Email)
		pgxExec(t, tx, insert, 2, &p.Name, &p.Photo, &p.Notes, &p.Email)
		pgxExec(t, tx, insert, 3, null(p.Name), null(p.Photo), null(p.Notes), null(p.Email))
		pgxExec(t, tx, insert, 4, encryptedtype.Bind(ring, p.Name), encryptedtype.Bind(ring, p.Photo), encryptedtype.Bind(ring, p.Notes), encryptedtype.Bind(ring, p.Email))
		pgxExec(t, tx, "INSERT INTO patients VALUES (5, @name, @photo, @notes, @email)",
			pgx.NamedArgs{"name": p.Name, "photo": p.Photo, "notes": p.Notes, "email": p.Email})
		batch := new(pgx.Batch)
		for id := 6; id <= 9; id++ {
			batch.Queue(insert, id, p.Name, p.Photo, p.Notes, p.Email)
		}
		if err := tx.SendBatch(t.Context(), batch).Close(); err != nil {
			t.Fatal(err)
		}
		copied, err := tx.CopyFrom(t.Context(), pgx.Identifier{"patients"}, []string{"id", "name", "photo", "notes", "email"},
			pgx.CopyFromRows([][]any{{10, p.Name, p.Photo, p.Notes, p.Email}, {11, &p.Name, null(p.Photo), &p.Notes, encryptedtype.Bind(ring, p.Email)}}))
		if err != nil || copied != 2 {
			t.Fatal(err)
		}
		mustHoldPatients(t, tx, 11)

		rows, err := tx.Query(t.Context(), "SELECT * FROM patients ORDER BY id")
		if err != nil {
			t.Fatal(err)
		}
		all, err := pgx.CollectRows(rows, pgx.RowToStructByName[patient])
		if err != nil {
			t.Fatal(err)
		}
		for _, got := range all {
			if got.Name != p.Name || string(got.Photo) != string(p.Photo) || got.Notes.V["note"] != canary || got.Email != p.Email {
				t.Errorf("row %d is another one", got.ID)
			}
		}
		var (
			name  *encryptedtype.EncryptedString
			photo sql.Null[encryptedtype.EncryptedBytes]
			notes encryptedtype.Encrypted[map[string]string]
			email encryptedtype.DeterministicString
		)
		err = tx.QueryRow(t.Context(), "SELECT name, photo, notes, email FROM patients WHERE email = $1 LIMIT 1", p.Email).
			Scan(&name, &photo, &notes, encryptedtype.Into(ring, &email))
		if err != nil || *name != p.Name || string(photo.V) != string(p.Photo) || notes.V["note"] != canary || email != p.Email {
			t.Errorf("pgx reads another row: %v", err)
		}
	})
}

func TestPgxNull(t *testing.T) {
	inEachMode(t, func(t *testing.T, db *dbtest.Database, tx pgx.Tx, mode pgx.QueryExecMode) {
		pgxExec(t, tx, createPatients)
		var name *encryptedtype.EncryptedString
		pgxExec(t, tx, "INSERT INTO patients VALUES (1, $1, $2, $3, $4)",
			name, encryptedtype.EncryptedBytes(nil), sql.Null[encryptedtype.Encrypted[int]]{}, encryptedtype.Bind(ring, (*encryptedtype.DeterministicString)(nil)))
		var n int
		err := tx.QueryRow(t.Context(), "SELECT COUNT(*) FROM patients WHERE name IS NULL AND photo IS NULL AND notes IS NULL AND email IS NULL").Scan(&n)
		if err != nil || n != 1 {
			t.Errorf("NULL is not stored: %v", err)
		}

		p := newPatient(1)
		pointer, null := &p.Name, null(p.Name)
		err = tx.QueryRow(t.Context(), "SELECT name, photo, notes, email, name, name FROM patients").Scan(&p.Name, &p.Photo, &p.Notes, &p.Email, &pointer, &null)
		if err != nil || p.Name != "" || p.Photo != nil || p.Notes.V != nil || p.Email != "" || pointer != nil || null.Valid {
			t.Errorf("NULL leaves what was there: %v", err)
		}
	})
}

func TestPgxUnreadableValueIsAnErrorAndLeavesNothing(t *testing.T) {
	inEachMode(t, func(t *testing.T, db *dbtest.Database, tx pgx.Tx, mode pgx.QueryExecMode) {
		pgxExec(t, tx, "CREATE TABLE t (v text, b bytea)")
		pgxExec(t, tx, "INSERT INTO t VALUES ($1, $2)", foreignRing.EncryptString(canary), foreignRing.EncryptRaw([]byte(canary)))
		p := patient{Name: left, Photo: encryptedtype.EncryptedBytes(left), Email: left}
		p.Notes.V = map[string]string{left: left}
		pointer := &p.Name
		for _, column := range []string{"v", "b"} {
			for _, dst := range []any{&p.Name, &p.Photo, &p.Notes, &p.Email, &pointer} {
				err := tx.QueryRow(t.Context(), "SELECT "+column+" FROM t").Scan(dst)
				if !errors.Is(err, fernet.ErrInvalidToken) || leaks(err.Error()) {
					t.Errorf("%s into %T: no fernet.ErrInvalidToken, or one with the plaintext", column, dst)
				}
			}
		}
		if p.Name != "" || p.Photo != nil || p.Notes.V != nil || p.Email != "" || pointer != nil && *pointer != "" {
			t.Error("a value is left in the destination")
		}
	})
}

// TestPgxArrays has pgx encrypt each element where the server has told it the column's
// type, and refuse the slice where it does not ask.
func TestPgxArrays(t *testing.T) {
	inEachMode(t, func(t *testing.T, db *dbtest.Database, tx pgx.Tx, mode pgx.QueryExecMode) {
		pgxExec(t, tx, "CREATE TABLE t (v text[], b bytea[])")
		texts := []encryptedtype.EncryptedString{canary, "", canary}
		blobs := []encryptedtype.EncryptedBytes{encryptedtype.EncryptedBytes(canary), nil}
		pgxExec(t, tx, "SAVEPOINT arrays")
		_, err := tx.Exec(t.Context(), "INSERT INTO t VALUES ($1, $2)", texts, blobs)
		if mode == pgx.QueryExecModeExec || mode == pgx.QueryExecModeSimpleProtocol {
			if err == nil || leaks(err.Error()) {
				t.Error("no error, or one with the plaintext")
			}
			pgxExec(t, tx, "ROLLBACK TO arrays")
			_, err = tx.CopyFrom(t.Context(), pgx.Identifier{"t"}, []string{"v", "b"}, pgx.CopyFromRows([][]any{{texts, blobs}}))
		}
		if err != nil {
			t.Fatal(err)
		}

		var v []string
		var b [][]byte
		if err := tx.QueryRow(t.Context(), "SELECT v, b FROM t").Scan(&v, &b); err != nil {
			t.Fatal(err)
		}
		mustBeToken(t, []byte(v[0]), canary)
		mustBeToken(t, []byte(v[1]), "")
		mustBeToken(t, []byte(v[2]), canary)
		mustBeToken(t, b[0], canary)
		if v[0] == v[2] || b[1] != nil {
			t.Error("equal plaintexts have equal tokens, or NULL is a value")
		}

		texts, blobs = nil, nil
		if err := tx.QueryRow(t.Context(), "SELECT v, b FROM t").Scan(&texts, &blobs); err != nil {
			t.Fatal(err)
		}
		if len(texts) != 3 || texts[0] != canary || texts[1] != "" || texts[2] != canary || string(blobs[0]) != canary || blobs[1] != nil {
			t.Error("pgx reads another array")
		}
	})
}

func TestPgxAnyOfTokens(t *testing.T) {
	inEachMode(t, func(t *testing.T, db *dbtest.Database, tx pgx.Tx, mode pgx.QueryExecMode) {
		pgxExec(t, tx, "CREATE TABLE t (v text)")
		pgxExec(t, tx, "INSERT INTO t VALUES ($1), ($2), ($3)", alice, encryptedtype.Bind(retiredRing, alice), bob)
		var n int
		if err := tx.QueryRow(t.Context(), "SELECT COUNT(*) FROM t WHERE v = ANY($1::text[])", alice.Tokens(ring)).Scan(&n); err != nil || n != 2 {
			t.Errorf("the tokens find %d rows: %v", n, err)
		}
		if mode == pgx.QueryExecModeExec || mode == pgx.QueryExecModeSimpleProtocol {
			return // no arrays of our types, see TestPgxArrays
		}
		if err := tx.QueryRow(t.Context(), "SELECT COUNT(*) FROM t WHERE v = ANY($1)", []encryptedtype.DeterministicString{alice, bob}).Scan(&n); err != nil || n != 2 {
			t.Errorf("the values find %d rows: %v", n, err)
		}
	})
}
