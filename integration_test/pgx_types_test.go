package integration_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/internal/dbtest"
)

// TestPgxStoresNoPlaintextInAnyType gives each value to a column of each type, even
// where that makes no sense: it is a token or an error. Left out are json and xml with
// a slice, map or struct that holds our types, which package encryptedtype documents
// to be written in the clear.
func TestPgxStoresNoPlaintextInAnyType(t *testing.T) {
	const number = 987654321
	p := newPatient(1)
	values := []any{
		p.Name, &p.Name, null(p.Name), p.Photo, &p.Photo, p.Notes, &p.Notes, p.Email, encryptedtype.Bind(ring, p.Name),
		encryptedtype.Encrypted[string]{V: canary}, encryptedtype.Encrypted[int]{V: number},
		encryptedtype.Encrypted[[]byte]{V: []byte(canary)}, encryptedtype.Encrypted[[]string]{V: []string{canary}},
	}
	containers := []any{
		[]encryptedtype.EncryptedString{p.Name}, []*encryptedtype.EncryptedString{&p.Name}, [1]encryptedtype.EncryptedString{p.Name},
		[][]encryptedtype.EncryptedString{{p.Name}}, []encryptedtype.EncryptedBytes{p.Photo}, []encryptedtype.Encrypted[string]{{V: canary}},
		map[string]encryptedtype.EncryptedString{"": p.Name}, struct{ V encryptedtype.EncryptedString }{p.Name}, p,
	}
	types := []string{
		"text", "varchar(500)", "char(500)", "name", `"char"`, "bytea", "text[]", "bytea[]", "smallint[]", "integer", "numeric",
		"uuid", "date", "timestamptz", "inet", "bit varying", "color", "pair", "json", "jsonb", "json[]", "xml",
	}
	inEachMode(t, func(t *testing.T, db *dbtest.Database, tx pgx.Tx, mode pgx.QueryExecMode) {
		pgxExec(t, tx, "CREATE TYPE color AS ENUM ('red')")
		pgxExec(t, tx, "CREATE TYPE pair AS (v text)")
		for i, typ := range types {
			pgxExec(t, tx, fmt.Sprintf("CREATE TABLE t%d (v %s)", i, typ))
			given := values
			if !strings.HasPrefix(typ, "json") && typ != "xml" {
				given = append(given, containers...)
			}
			for _, v := range given {
				pgxExec(t, tx, "SAVEPOINT before")
				_, err := tx.Exec(t.Context(), fmt.Sprintf("INSERT INTO t%d VALUES ($1)", i), v)
				if err != nil {
					if leaks(err.Error()) {
						t.Errorf("%T into %s: the error holds the plaintext", v, typ)
					}
					pgxExec(t, tx, "ROLLBACK TO before")
				}
				_, err = tx.CopyFrom(t.Context(), pgx.Identifier{fmt.Sprintf("t%d", i)}, []string{"v"}, pgx.CopyFromRows([][]any{{v}}))
				if err != nil {
					if leaks(err.Error()) {
						t.Errorf("%T copied into %s: the error holds the plaintext", v, typ)
					}
					pgxExec(t, tx, "ROLLBACK TO before")
				}
			}

			rows, err := tx.Query(t.Context(), fmt.Sprintf("SELECT v::text FROM t%d", i))
			if err != nil {
				t.Fatal(err)
			}
			stored, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil {
				t.Fatal(err)
			}
			if typ == "text" && len(stored) < len(values)-1 {
				t.Errorf("only %d rows are stored: the test looks at too little", len(stored))
			}
			for _, s := range stored {
				if leaks(s) || strings.Contains(s, fmt.Sprint(number)) || strings.Contains(s, encryptedtype.Redacted) {
					t.Errorf("a column of type %s holds the plaintext, or the marker", typ)
				}
			}
		}
	})
}
