package integration_test

import (
	"bytes"
	"errors"
	"testing"

	"gorm.io/gorm"

	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/internal/dbtest"
)

// unreadables are stored values that the default ring must not make anything of.
func unreadables() map[string]string {
	token := ring.EncryptString(canary)
	flipped := []byte(token)
	flipped[50] ^= 1
	return map[string]string{
		"a foreign token":                foreignRing.EncryptString(canary),
		"a foreign deterministic token":  string(foreignRing.EncryptDeterministic([]byte(canary))),
		"a token of a derived ring":      ring.Derive("other", "column").EncryptString(canary),
		"a changed token":                string(flipped),
		"a token cut off":                token[:len(token)-4],
		"a token and a line end":         token + "\n",
		"a token and a space":            token + " ",
		"two tokens":                     token + token,
		"a token in capitals":            string(bytes.ToUpper([]byte(token))),
		"half a token":                   token[:len(token)/2],
		"plaintext":                      canary,
		"what begins like a token":       "gAAAAA" + canary,
		"the empty string":               "",
		"a space":                        " ",
		"the marker":                     encryptedtype.Redacted,
		"JSON":                           `{"V":"` + canary + `"}`,
		"hex of a raw token's beginning": `\x80`,
	}
}

// left is what an earlier row leaves in a destination that is used again.
const left = canary + "-left"

func TestUnreadableValueIsAnErrorAndLeavesNothing(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		exec(t, db, "CREATE TABLE t (v "+db.TextType()+")")
		for name, stored := range unreadables() {
			exec(t, db, "DELETE FROM t")
			exec(t, db, "INSERT INTO t VALUES (?)", stored)

			p := patient{Name: left, Photo: encryptedtype.EncryptedBytes(left), Email: left}
			p.Notes.V = map[string]string{left: left}
			pointer, null := &p.Name, null(encryptedtype.EncryptedString(left))
			into, intoPointer, intoNull := p.Name, &p.Name, null
			for what, dst := range map[string]any{
				"EncryptedString": &p.Name, "EncryptedBytes": &p.Photo, "Encrypted": &p.Notes, "DeterministicString": &p.Email,
				"pointer": &pointer, "sql.Null": &null,
				"Into": encryptedtype.Into(ring, &into), "Into pointer": encryptedtype.Into(ring, &intoPointer), "Into sql.Null": encryptedtype.Into(ring, &intoNull),
			} {
				err := db.SQL.QueryRow("SELECT v FROM t").Scan(dst)
				if !errors.Is(err, fernet.ErrInvalidToken) {
					t.Errorf("%s into %s: no fernet.ErrInvalidToken", name, what)
				} else if leaks(err.Error()) || len(stored) > 5 && bytes.Contains([]byte(err.Error()), []byte(stored)) {
					t.Errorf("%s into %s: the error holds the stored value", name, what)
				}
			}
			if p.Name != "" || p.Photo != nil || p.Notes.V != nil || p.Email != "" {
				t.Errorf("%s: a value is left in the destination", name)
			}
			// database/sql makes the pointer and sets Valid before it calls Scan. Into
			// leaves neither.
			if pointer != nil && *pointer != "" || null.V != "" {
				t.Errorf("%s: a value is left in a pointer or sql.Null", name)
			}
			if into != "" || intoPointer != nil || intoNull.Valid || intoNull.V != "" {
				t.Errorf("%s: Into leaves a value", name)
			}
			if string(raw(t, db, "SELECT v FROM t")) != stored {
				t.Errorf("%s: the row has changed", name)
			}
		}
	})
}

func TestRowUnderAnotherKeyBetweenGoodRows(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		stored := insertThree(t, db)
		rows, err := db.SQL.Query("SELECT id, name FROM patients ORDER BY id")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		var name encryptedtype.EncryptedString // the same for each row
		for want := 1; rows.Next(); want++ {
			var id int
			err := rows.Scan(&id, &name)
			switch {
			case want == 2 && (!errors.Is(err, fernet.ErrInvalidToken) || name != ""):
				t.Error("the row under another key is read, or leaves a value")
			case want != 2 && (err != nil || name != newPatient(id).Name):
				t.Errorf("row %d: %v, or another value", want, err)
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		mustBeUnchanged(t, db, stored)

		// The ring it was written under reads it.
		scan(t, db, "SELECT name FROM patients WHERE id = 2", nil, encryptedtype.Into(foreignRing, &name))
		if name != newPatient(2).Name {
			t.Error("the row's own ring reads another value")
		}
	})
}

// TestGORMReportsARowUnderAnotherKey asserts that every GORM call that meets the row
// returns the error, and that the field itself is zero. What the row's other fields
// hold is not ours to say: when a Scanner fails, GORM (1.31.2) fills the columns after
// it from the values of whichever row used its pool before. A program must not use
// what comes with an error; the plugin in gormencrypt decrypts where GORM handles an
// error rightly.
func TestGORMReportsARowUnderAnotherKey(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		stored := insertThree(t, db)
		g := db.GORM(t)

		var one patient
		mustReport(t, "Take", g.Take(&one, 2))
		if one.Name != "" {
			t.Error("Take leaves a value")
		}
		mustReport(t, "First", g.Where("id = 2").First(&patient{}))
		mustReport(t, "Last", g.Where("id <= 2").Last(&patient{}))

		var all []patient
		mustReport(t, "Find", g.Order("id").Find(&all))
		if len(all) != 3 {
			t.Fatalf("Find returns %d rows", len(all))
		}
		for i, p := range all {
			want := newPatient(i + 1).Name
			if i == 1 {
				want = ""
			}
			if p.Name != want {
				t.Errorf("Find: row %d has another value", i+1)
			}
			if bytes.HasPrefix(p.Photo, []byte{0x80}) || bytes.HasPrefix([]byte(p.Email), []byte("gAAAAA")) {
				t.Errorf("Find: row %d holds ciphertext", i+1)
			}
		}
		if all[1].Photo != nil {
			t.Log("GORM has filled the unreadable row from another row's values")
		}

		var names []encryptedtype.EncryptedString
		mustReport(t, "Pluck", g.Model(&patient{}).Pluck("name", &names))
		for _, n := range names {
			if n != "" && n != newPatient(0).Name {
				t.Error("Pluck: another value")
			}
		}
		mustReport(t, "Scan", g.Model(&patient{}).Select("id", "name").Scan(&[]struct {
			ID   int
			Name encryptedtype.EncryptedString
		}{}))
		mustReport(t, "FindInBatches", g.FindInBatches(&[]patient{}, 1, func(*gorm.DB, int) error { return nil }))
		mustBeUnchanged(t, db, stored)

		// What does not read the column is not concerned.
		var n int64
		if err := g.Model(&patient{}).Count(&n).Error; err != nil || n != 3 {
			t.Errorf("Count: %d, %v", n, err)
		}
		if err := g.Model(&patient{ID: 2}).Update("email", newPatient(2).Email).Error; err != nil {
			t.Error(err)
		}
		if after := namesOf(t, db); !bytes.Equal(after[1], stored[1]) {
			t.Error("an update of another column changes the unreadable one")
		}
	})
}

func mustReport(t *testing.T, call string, tx *gorm.DB) {
	t.Helper()
	if !errors.Is(tx.Error, fernet.ErrInvalidToken) {
		t.Errorf("%s does not return the error", call)
	}
}

// insertThree writes three rows of which the second one's name is under a foreign key.
func insertThree(t *testing.T, db *dbtest.Database) (stored [][]byte) {
	t.Helper()
	g := db.GORM(t)
	if err := g.AutoMigrate(&patient{}); err != nil {
		t.Fatal(err)
	}
	for id := 1; id <= 3; id++ {
		p := newPatient(id)
		if id == 2 {
			// GORM itself has the default ring only.
			exec(t, db, "INSERT INTO patients (id, name) VALUES (2, ?)", encryptedtype.Bind(foreignRing, p.Name))
		} else if err := g.Create(&p).Error; err != nil {
			t.Fatal(err)
		}
	}
	stored = namesOf(t, db)
	if err := isToken(foreignRing, stored[1], []byte(newPatient(2).Name)); err != nil {
		t.Error(err)
	}
	return stored
}

func namesOf(t *testing.T, db *dbtest.Database) [][]byte {
	t.Helper()
	return rawColumn(t, db, "SELECT name FROM patients ORDER BY id")
}

func mustBeUnchanged(t *testing.T, db *dbtest.Database, stored [][]byte) {
	t.Helper()
	for i, now := range namesOf(t, db) {
		if !bytes.Equal(now, stored[i]) {
			t.Errorf("row %d has changed", i+1)
		}
	}
}
