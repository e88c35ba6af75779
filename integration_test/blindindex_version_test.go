package integration_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/fernetcol/fernetcol/blindindex"
	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/internal/dbtest"
)

// indexed is a program that writes and looks up users, in one of the versions in
// which it is deployed while an index changes: with the first index, with both, with
// the second.
type indexed struct {
	db      *dbtest.Database
	columns []string
	indexes []*blindindex.Index // of each of columns
}

func (p indexed) insert(id int, email string) error {
	query := "INSERT INTO users (id, email, " + strings.Join(p.columns, ", ") + ") VALUES (?, ?" + strings.Repeat(", ?", len(p.columns)) + ")"
	args := []any{id, encryptedtype.EncryptedString(email)}
	for _, ix := range p.indexes {
		args = append(args, ix.Value(email))
	}
	_, err := p.db.SQL.Exec(p.db.Rebind(query), args...)
	return err
}

func (p indexed) update(id int, email string) error {
	query := "UPDATE users SET email = ?"
	args := []any{encryptedtype.EncryptedString(email)}
	for i, ix := range p.indexes {
		query += ", " + p.columns[i] + " = ?"
		args = append(args, ix.Value(email))
	}
	_, err := p.db.SQL.Exec(p.db.Rebind(query+" WHERE id = ?"), append(args, id)...)
	return err
}

// find returns the IDs of the rows that a lookup finds, asking all indexes.
func (p indexed) find(t *testing.T, email string) []int {
	t.Helper()
	var conditions []string
	var args []any
	for i, ix := range p.indexes {
		conditions = append(conditions, p.columns[i]+" = ?")
		args = append(args, ix.Value(email))
	}
	rows, err := p.db.SQL.Query(p.db.Rebind("SELECT id, email FROM users WHERE "+strings.Join(conditions, " OR ")), args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var found []int
	for rows.Next() {
		var id int
		var read encryptedtype.EncryptedString
		if err := rows.Scan(&id, &read); err != nil {
			t.Fatal(err)
		}
		if string(read) != email {
			t.Errorf("a lookup finds row %d, which is another one", id)
		}
		found = append(found, id)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return found
}

// fillSecond computes the second index of the row with id, by compare-and-set on its
// token: if the row changed since it was read, its writer has filled the index, and
// nothing is written. between is called where a writer may come in between.
func (p indexed) fillSecond(t *testing.T, id int, between func()) (filled bool) {
	t.Helper()
	var token string
	scan(t, p.db, "SELECT email FROM users WHERE id = ?", []any{id}, &token)
	plaintext, err := ring.DecryptString(token)
	if err != nil {
		t.Fatal(err)
	}
	between()
	result, err := p.db.SQL.Exec(p.db.Rebind("UPDATE users SET "+p.columns[1]+" = ? WHERE id = ? AND email = ? AND "+p.columns[1]+" IS NULL"),
		p.indexes[1].Value(plaintext), id, token)
	if err != nil {
		t.Fatal(err)
	}
	n, err := result.RowsAffected()
	if err != nil {
		t.Fatal(err)
	}
	return n == 1
}

// An index gets a new key and a new transform while the program runs. At every step
// UNIQUE refuses each duplicate, and each lookup finds its one row.
func TestIndexChangesWhileUniqueHolds(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		const rows = 12
		first := newIndex(t, "email_index", blindindex.Options{})
		second, err := blindindex.New(fernet.GenerateKey(), "users", "email", "email_index2", blindindex.Options{Transforms: []blindindex.Transform{blindindex.Lower}})
		if err != nil {
			t.Fatal(err)
		}
		old := indexed{db, []string{"email_index"}, []*blindindex.Index{first}}
		both := indexed{db, []string{"email_index", "email_index2"}, []*blindindex.Index{first, second}}
		latest := indexed{db, []string{"email_index2"}, []*blindindex.Index{second}}

		emails := map[int]string{} // what the table holds
		insert := func(p indexed, id int) {
			t.Helper()
			if err := p.insert(id, email(id)); err != nil {
				t.Fatalf("row %d: %v", id, err)
			}
			emails[id] = email(id)
		}
		holds := func(step string, programs ...indexed) {
			t.Helper()
			for _, p := range programs {
				for id, e := range emails {
					if found := p.find(t, e); len(found) != 1 || found[0] != id {
						t.Errorf("%s: a lookup in %v finds rows %v, want %d", step, p.columns, found, id)
					}
					if p.insert(1000, e) == nil {
						t.Errorf("%s: %v takes a duplicate of row %d", step, p.columns, id)
					}
					if other := (id + 1) % len(emails); p.update(other, e) == nil {
						t.Errorf("%s: %v takes row %d as a duplicate of row %d", step, p.columns, other, id)
					}
				}
				if found := p.find(t, "nobody@example.com"); found != nil {
					t.Errorf("%s: nobody is found in rows %v", step, found)
				}
			}
		}

		exec(t, db, "CREATE TABLE users (id INTEGER PRIMARY KEY, email "+db.TextType()+", email_index CHAR(32))")
		exec(t, db, "CREATE UNIQUE INDEX users_email_index ON users (email_index)")
		for id := range rows {
			insert(old, id)
		}
		holds("one index", old)

		exec(t, db, "ALTER TABLE users ADD COLUMN email_index2 CHAR(32)")
		exec(t, db, "CREATE UNIQUE INDEX users_email_index2 ON users (email_index2)")
		holds("an empty second column", old, both)

		// From here on every writer fills both.
		insert(both, rows)
		emails[3] = "changed-3@example.com"
		if err := both.update(3, emails[3]); err != nil {
			t.Fatal(err)
		}
		holds("writers of both", both)

		for id := range rows {
			switch id {
			case 3: // its writer was first
				if both.fillSecond(t, id, func() {}) {
					t.Error("row 3 is filled a second time")
				}
			case 5: // a writer comes in between
				filled := both.fillSecond(t, id, func() {
					emails[id] = "changed-5@example.com"
					if err := both.update(id, emails[id]); err != nil {
						t.Fatal(err)
					}
				})
				if filled {
					t.Error("the index of what row 5 was is written over that of what it is")
				}
			default:
				if !both.fillSecond(t, id, func() {}) {
					t.Errorf("row %d is not filled", id)
				}
			}
			if id == rows/2 {
				holds("a second column half filled", both)
			}
		}
		if n := count(t, db, "SELECT COUNT(*) FROM users WHERE email IS NOT NULL AND email_index2 IS NULL"); n != 0 {
			t.Errorf("%d rows are not filled", n)
		}
		holds("both columns filled", both, latest)

		// Every reader asks the second alone; then the first may go.
		drop := "DROP INDEX users_email_index"
		if db.Dialect == "mysql" {
			drop += " ON users"
		}
		exec(t, db, drop)
		holds("a first column without its constraint", latest)
		exec(t, db, "ALTER TABLE users DROP COLUMN email_index")
		insert(latest, rows+1)
		holds("the second alone", latest)
		if err := latest.insert(1000, strings.ToUpper(email(1))); err == nil {
			t.Error("the new transform is not enforced")
		}

		leakage, err := blindindex.Audit(t.Context(), db.SQL, "users", "email_index2")
		if err != nil || leakage.Rows != rows+2 || leakage.Distinct != rows+2 {
			t.Errorf("the audit counts other rows: %v", err)
		}
	})
}

// A value that the old transforms told apart and the new ones do not is found while
// the second column is filled, by its constraint.
func TestNewTransformThatMakesDuplicatesIsRefused(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		first := newIndex(t, "email_index", blindindex.Options{})
		second := newIndex(t, "email_index2", blindindex.Options{Transforms: []blindindex.Transform{blindindex.Lower}})
		both := indexed{db, []string{"email_index", "email_index2"}, []*blindindex.Index{first, second}}
		exec(t, db, "CREATE TABLE users (id INTEGER PRIMARY KEY, email "+db.TextType()+", email_index CHAR(32) UNIQUE, email_index2 CHAR(32) UNIQUE)")
		err := errors.Join(both.insert(1, email(1)), both.insert(2, email(2)))
		if err != nil || both.insert(3, strings.ToUpper(email(1))) == nil {
			t.Errorf("the duplicate is taken, or the others are not: %v", err)
		}
	})
}
