package integration_test

import (
	"errors"
	"os"
	osexec "os/exec"
	"strings"
	"testing"

	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/internal/dbtest"
)

// noKeyringEnv keeps this process from setting the process default.
const noKeyringEnv = "FERNETCOL_INTEGRATION_NO_KEYRING"

// patient has a column of each type.
type patient struct {
	ID    int `gorm:"primaryKey;autoIncrement:false"`
	Name  encryptedtype.EncryptedString
	Photo encryptedtype.EncryptedBytes
	Notes encryptedtype.Encrypted[map[string]string]
	Email encryptedtype.DeterministicString
}

func newPatient(id int) patient {
	return patient{
		ID:    id,
		Name:  canary + "-name",
		Photo: encryptedtype.EncryptedBytes(canary + "-photo"),
		Notes: encryptedtype.Encrypted[map[string]string]{V: map[string]string{"note": canary}},
		Email: canary + "@example.com",
	}
}

// TestWithoutKeyring runs the process that TestWithoutKeyringNothingIsStored looks at.
func TestWithoutKeyring(t *testing.T) {
	if os.Getenv(noKeyringEnv) == "" {
		return // it is for the process that TestWithoutKeyringNothingIsStored starts
	}
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		g := db.GORM(t)
		if err := g.AutoMigrate(&patient{}); err != nil {
			t.Fatal(err)
		}
		p := newPatient(1)
		if err := g.Create(&p).Error; !errors.Is(err, encryptedtype.ErrNoKeyring) {
			t.Error("GORM creates a row")
		}
		for column, v := range map[string]any{"name": p.Name, "photo": p.Photo, "notes": &p.Notes, "email": null(p.Email)} {
			_, err := db.SQL.Exec(db.Rebind("INSERT INTO patients (id, "+column+") VALUES (2, ?)"), v)
			if !errors.Is(err, encryptedtype.ErrNoKeyring) {
				t.Errorf("database/sql inserts a row with %s", column)
			}
		}
		if n := count(t, db, "SELECT COUNT(*) FROM patients"); n != 0 {
			t.Fatalf("%d rows are stored", n)
		}

		token := ring.EncryptString(canary)
		exec(t, db, "INSERT INTO patients (id, name) VALUES (3, ?)", token)
		name := encryptedtype.EncryptedString("what an earlier row left")
		if err := db.SQL.QueryRow("SELECT name FROM patients").Scan(&name); !errors.Is(err, encryptedtype.ErrNoKeyring) || name != "" {
			t.Error("database/sql reads a row")
		}
		var read patient
		if err := g.Take(&read, 3).Error; !errors.Is(err, encryptedtype.ErrNoKeyring) || read.Name != "" {
			t.Error("GORM reads a row")
		}
		// GORM asks the value whether it is nil, and must not take it for NULL: the
		// row has no email.
		var found []patient
		if err := g.Select("id").Where(map[string]any{"email": p.Email}).Find(&found).Error; !errors.Is(err, encryptedtype.ErrNoKeyring) || len(found) > 0 {
			t.Errorf("a condition finds %d rows, err %v", len(found), err)
		}
		if string(raw(t, db, "SELECT name FROM patients WHERE id = 3")) != token {
			t.Error("the row has changed")
		}
	})
}

func TestWithoutKeyringNothingIsStored(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := osexec.Command(exe, "-test.run=^TestWithoutKeyring$", "-test.v")
	cmd.Env = append(os.Environ(), noKeyringEnv+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if !strings.Contains(string(out), "--- PASS: TestWithoutKeyring/sqlite") {
		t.Error("the process tests nothing")
	}
	if leaks(out) {
		t.Error("the process prints a plaintext")
	}
}

// TestNilKeyringNothingIsStored is the same for Bind and Into.
func TestNilKeyringNothingIsStored(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		exec(t, db, "CREATE TABLE t (v "+db.TextType()+")")
		_, err := db.SQL.Exec(db.Rebind("INSERT INTO t VALUES (?)"), encryptedtype.Bind(nil, encryptedtype.EncryptedString(canary)))
		if !errors.Is(err, encryptedtype.ErrNoKeyring) || leaks(err.Error()) {
			t.Error("Bind without a ring: no error, or one with the plaintext")
		}
		_, err = db.SQL.Exec(db.Rebind("INSERT INTO t VALUES (?)"), encryptedtype.Bind(ring, canary))
		if err == nil || leaks(err.Error()) {
			t.Error("Bind of a plain string: no error, or one with the plaintext")
		}
		if n := count(t, db, "SELECT COUNT(*) FROM t"); n != 0 {
			t.Fatalf("%d rows are stored", n)
		}

		exec(t, db, "INSERT INTO t VALUES (?)", encryptedtype.EncryptedString(canary))
		s := encryptedtype.EncryptedString("what an earlier row left")
		err = db.SQL.QueryRow("SELECT v FROM t").Scan(encryptedtype.Into(nil, &s))
		if !errors.Is(err, encryptedtype.ErrNoKeyring) || s != "" {
			t.Error("Into without a ring reads the row")
		}
	})
}
