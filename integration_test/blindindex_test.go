package integration_test

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/fernetcol/fernetcol/blindindex"
	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/internal/dbtest"
)

var indexKey = fernet.GenerateKey()

func newIndex(t *testing.T, name string, o blindindex.Options) *blindindex.Index {
	t.Helper()
	ix, err := blindindex.New(indexKey, "users", "email", name, o)
	if err != nil {
		t.Fatal(err)
	}
	return ix
}

// createUsers makes a table with an index column as wide as the index.
func createUsers(t *testing.T, db *dbtest.Database, ix *blindindex.Index) {
	t.Helper()
	exec(t, db, fmt.Sprintf("CREATE TABLE users (id INTEGER PRIMARY KEY, email %s, email_index CHAR(%d))", db.TextType(), ix.Digits()))
}

// email returns the n-th of different addresses.
func email(n int) string { return fmt.Sprintf("%s-%d@example.com", canary, n) }

func TestIndexColumnAnswersEquality(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		ix := newIndex(t, "email_index", blindindex.Options{Transforms: []blindindex.Transform{blindindex.Trim, blindindex.Lower}})
		createUsers(t, db, ix)
		exec(t, db, "CREATE UNIQUE INDEX users_email_index ON users (email_index)")
		const insert = "INSERT INTO users (id, email, email_index) VALUES (?, ?, ?)"
		for id := range 20 {
			exec(t, db, insert, id, encryptedtype.EncryptedString(email(id)), ix.Value(email(id)))
		}
		// NULL twice: no entry, and no duplicate.
		exec(t, db, insert, 20, nil, blindindex.Value(""))
		exec(t, db, insert, 21, nil, nil)

		var id int
		var read encryptedtype.EncryptedString
		scan(t, db, "SELECT id, email FROM users WHERE email_index = ?", []any{ix.Value(" " + strings.ToUpper(email(7)))}, &id, &read)
		if id != 7 || string(read) != email(7) {
			t.Errorf("row %d is found", id)
		}
		if n := count(t, db, "SELECT COUNT(*) FROM users WHERE email_index IN (?, ?, ?)", ix.Value(email(1)), ix.Value(email(2)), ix.Value("nobody")); n != 2 {
			t.Errorf("IN finds %d rows", n)
		}
		if n := count(t, db, "SELECT COUNT(*) FROM users WHERE email_index = ?", blindindex.Value("")); n != 0 {
			t.Errorf("NULL is equal to %d rows", n)
		}
		if _, err := db.SQL.Exec(db.Rebind(insert), 99, encryptedtype.EncryptedString(email(3)), ix.Value(strings.ToUpper(email(3)))); err == nil {
			t.Error("UNIQUE takes a duplicate")
		}
		// A plaintext does not get in by conversion.
		if _, err := db.SQL.Exec(db.Rebind(insert), 98, nil, blindindex.Value(email(98))); err == nil || leaks(err.Error()) {
			t.Error("a plaintext is stored in the index column, or the error repeats it")
		}
		for _, stored := range rawColumn(t, db, "SELECT email_index FROM users ORDER BY id") {
			if leaks(stored) || len(stored) != 0 && len(stored) != ix.Digits() {
				t.Error("the column does not hold entries alone")
			}
		}
		var entry blindindex.Value
		var none *blindindex.Value
		scan(t, db, "SELECT email_index FROM users WHERE id = ?", []any{5}, &entry)
		scan(t, db, "SELECT email_index FROM users WHERE id = ?", []any{20}, &none)
		if entry != ix.Value(email(5)) || none != nil {
			t.Error("an entry is read as another one")
		}
	})
}

// A short index finds rows of other values, which Matches tells apart.
func TestShortIndexIsFilteredAfterDecryption(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		const rows = 300
		ix := newIndex(t, "email_index", blindindex.Options{Bits: 5, Rows: rows, Transforms: []blindindex.Transform{blindindex.Lower}})
		createUsers(t, db, ix)
		for id := range rows {
			exec(t, db, "INSERT INTO users VALUES (?, ?, ?)", id, encryptedtype.EncryptedString(email(id)), ix.Value(email(id)))
		}
		found := 0
		for id := range rows {
			if id%30 != 0 {
				continue
			}
			wanted := strings.ToUpper(email(id))
			query, err := db.SQL.Query(db.Rebind("SELECT id, email FROM users WHERE email_index = ?"), ix.Value(wanted))
			if err != nil {
				t.Fatal(err)
			}
			var kept []int
			for query.Next() {
				var id int
				var read encryptedtype.EncryptedString
				if err := query.Scan(&id, &read); err != nil {
					t.Fatal(err)
				}
				found++
				if ix.Matches(string(read), wanted) {
					kept = append(kept, id)
				}
			}
			if err := query.Err(); err != nil || !slices.Equal(kept, []int{id}) {
				t.Errorf("rows %v are kept, want %d: %v", kept, id, err)
			}
		}
		if found <= rows/30 {
			t.Error("no lookup finds too much, so that the filter is not tested")
		}
	})
}

// Partial search by a child table of entries, which every database can do.
func TestPartialSearchByChildTable(t *testing.T) {
	t.Parallel()
	names := []string{"Ada Lovelace", "Grace Hopper", "Barbara Liskov", "Love Adams", "Adele Goldberg", ""}
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		g, err := blindindex.NewGrams(indexKey, "users", "name", "name_grams", 3, blindindex.Options{Transforms: []blindindex.Transform{blindindex.Fold}})
		if err != nil {
			t.Fatal(err)
		}
		exec(t, db, "CREATE TABLE users (id INTEGER PRIMARY KEY, name "+db.TextType()+")")
		exec(t, db, "CREATE TABLE users_name_grams (entry CHAR(32) NOT NULL, user_id INTEGER NOT NULL, PRIMARY KEY (entry, user_id))")
		for id, name := range names {
			exec(t, db, "INSERT INTO users VALUES (?, ?)", id, encryptedtype.EncryptedString(name))
			for _, v := range g.Values(name) {
				exec(t, db, "INSERT INTO users_name_grams VALUES (?, ?)", v, id)
			}
		}
		for part, want := range map[string][]int{"love": {0, 3}, "ADA": {0, 3}, "grace hopper": {1}, "elac": {0}, "xyz": nil, "adalove": nil} {
			query, err := g.Query(part)
			if err != nil {
				t.Fatal(err)
			}
			args := []any{}
			for _, v := range query {
				args = append(args, v)
			}
			marks := strings.TrimSuffix(strings.Repeat("?, ", len(query)), ", ")
			rows, err := db.SQL.Query(db.Rebind("SELECT id, name FROM users WHERE id IN"+
				" (SELECT user_id FROM users_name_grams WHERE entry IN ("+marks+") GROUP BY user_id HAVING COUNT(*) = ?) ORDER BY id"), append(args, len(query))...)
			if err != nil {
				t.Fatal(err)
			}
			var kept []int
			for rows.Next() {
				var id int
				var name encryptedtype.EncryptedString
				if err := rows.Scan(&id, &name); err != nil {
					t.Fatal(err)
				}
				if g.Matches(string(name), part) {
					kept = append(kept, id)
				}
			}
			if err := rows.Err(); err != nil || !slices.Equal(kept, want) {
				t.Errorf("%q finds %v, want %v: %v", part, kept, want, err)
			}
		}
	})
}

// The 3 first by name among those that a condition on decrypted values keeps.
func TestTopSortsDecryptedRows(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		exec(t, db, "CREATE TABLE users (id INTEGER PRIMARY KEY, name "+db.TextType()+")")
		for id, name := range []string{"Grace", "Ada", "Edsger", "Barbara", "Donald", "Ada", "Alan"} {
			exec(t, db, "INSERT INTO users VALUES (?, ?)", id, encryptedtype.EncryptedString(name))
		}
		type user struct {
			id   int
			name encryptedtype.EncryptedString
		}
		rows, err := db.SQL.Query("SELECT id, name FROM users ORDER BY id")
		if err != nil {
			t.Fatal(err)
		}
		top, err := blindindex.Top(blindindex.Rows(rows, func(r *sql.Rows) (u user, err error) {
			err = r.Scan(&u.id, &u.name)
			return u, err
		}), 3, func(u user) bool { return u.name > "Ada" || u.id == 5 }, func(a, b user) int { return strings.Compare(string(a.name), string(b.name)) })
		if want := []user{{5, "Ada"}, {6, "Alan"}, {3, "Barbara"}}; err != nil || !slices.Equal(top, want) {
			t.Errorf("%d other rows are the top: %v", len(top), err)
		}
	})
}

func TestPgxTakesIndexEntries(t *testing.T) {
	inEachMode(t, func(t *testing.T, db *dbtest.Database, tx pgx.Tx, mode pgx.QueryExecMode) {
		ix := newIndex(t, "email_index", blindindex.Options{})
		g, err := blindindex.NewGrams(indexKey, "users", "email", "email_grams", 3, blindindex.Options{})
		if err != nil {
			t.Fatal(err)
		}
		pgxExec(t, tx, "CREATE TABLE users (id integer PRIMARY KEY, email text, email_index text UNIQUE, email_grams text[])")
		pgxExec(t, tx, "CREATE INDEX ON users USING gin (email_grams)")
		const insert = "INSERT INTO users VALUES ($1, $2, $3, $4)"
		for id := range 5 {
			pgxExec(t, tx, insert, id, encryptedtype.EncryptedString(email(id)), ix.Value(email(id)), g.Values(email(id)))
		}
		pgxExec(t, tx, insert, 5, nil, blindindex.Value(""), blindindex.Values(nil))
		pgxExec(t, tx, insert, 6, nil, nil, blindindex.Values{})

		var id int
		var read encryptedtype.EncryptedString
		if err := tx.QueryRow(t.Context(), "SELECT id, email FROM users WHERE email_index = $1", ix.Value(email(3))).Scan(&id, &read); err != nil || id != 3 || string(read) != email(3) {
			t.Errorf("row %d is found: %v", id, err)
		}
		query, err := g.Query("-4@")
		if err != nil {
			t.Fatal(err)
		}
		if err := tx.QueryRow(t.Context(), "SELECT id, email FROM users WHERE email_grams @> $1", query).Scan(&id, &read); err != nil || id != 4 || !g.Matches(string(read), "-4@") {
			t.Errorf("row %d is found by its grams: %v", id, err)
		}
		var entry blindindex.Value
		var grams, null, empty blindindex.Values
		if err := tx.QueryRow(t.Context(), "SELECT a.email_index, a.email_grams, b.email_grams, c.email_grams FROM users a, users b, users c WHERE a.id = 2 AND b.id = 5 AND c.id = 6").
			Scan(&entry, &grams, &null, &empty); err != nil || entry != ix.Value(email(2)) || !slices.Equal(grams, g.Values(email(2))) || null != nil || empty == nil || len(empty) != 0 {
			t.Errorf("entries are read as others: %v", err)
		}
		var nulls int
		if err := tx.QueryRow(t.Context(), "SELECT COUNT(*) FROM users WHERE email_index IS NULL AND (email_grams IS NULL OR email_grams = '{}')").Scan(&nulls); err != nil || nulls != 2 {
			t.Errorf("%d rows without entries, want 2: %v", nulls, err)
		}
	})
}

// The array column through database/sql, in the simple protocol too.
func TestGramsInAnArrayColumn(t *testing.T) {
	t.Parallel()
	db := dbtest.Postgres(t)
	for _, db := range []*dbtest.Database{db, db.Reopen(t, "default_query_exec_mode=simple_protocol")} {
		g, err := blindindex.NewGrams(indexKey, "users", "name", "name_grams", 3, blindindex.Options{})
		if err != nil {
			t.Fatal(err)
		}
		exec(t, db, "DROP TABLE IF EXISTS users")
		exec(t, db, "CREATE TABLE users (id integer PRIMARY KEY, grams text[])")
		for id, name := range []string{"Ada Lovelace", "Love Adams", "ab"} {
			exec(t, db, "INSERT INTO users VALUES (?, ?)", id, g.Values(name))
		}
		exec(t, db, "INSERT INTO users VALUES (3, ?)", blindindex.Values(nil))
		query, err := g.Query("Lovel")
		if err != nil {
			t.Fatal(err)
		}
		var id int
		scan(t, db, "SELECT id FROM users WHERE grams @> ?", []any{query}, &id)
		var read blindindex.Values
		scan(t, db, "SELECT grams FROM users WHERE id = 1", nil, &read)
		if id != 0 || !slices.Equal(read, g.Values("Love Adams")) || count(t, db, "SELECT COUNT(*) FROM users WHERE grams = '{}'") != 1 || count(t, db, "SELECT COUNT(*) FROM users WHERE grams IS NULL") != 1 {
			t.Errorf("row %d is found, or an array is another one", id)
		}
	}
}
