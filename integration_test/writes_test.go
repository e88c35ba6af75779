package integration_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"

	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/internal/dbtest"
)

// contact is a part of other models.
type contact struct {
	Email encryptedtype.EncryptedString
	Phone *encryptedtype.EncryptedString
}

type person struct {
	ID       int     `gorm:"primaryKey;autoIncrement:false"`
	Home     contact `gorm:"embedded;embeddedPrefix:home_"`
	*Work    `gorm:"embedded"`
	Diseases []disease
}

// Work is exported, as GORM wants an embedded pointer to be.
type Work struct {
	Employer encryptedtype.DeterministicString
}

type disease struct {
	ID       int `gorm:"primaryKey;autoIncrement:false"`
	PersonID int
	Name     encryptedtype.EncryptedString
}

func TestEmbeddedAndRelatedStructs(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		g := db.GORM(t)
		if err := g.AutoMigrate(&person{}, &disease{}); err != nil {
			t.Fatal(err)
		}
		phone := encryptedtype.EncryptedString(canary + "-phone")
		p := person{
			ID: 1, Home: contact{Email: canary + "@home", Phone: &phone}, Work: &Work{Employer: canary + " & Co"},
			Diseases: []disease{{ID: 1, Name: canary + "-flu"}, {ID: 2, Name: canary + "-flu"}},
		}
		if err := g.Create(&p).Error; err != nil {
			t.Fatal(err)
		}
		mustBeToken(t, raw(t, db, "SELECT home_email FROM people"), canary+"@home")
		mustBeToken(t, raw(t, db, "SELECT home_phone FROM people"), canary+"-phone")
		mustBeToken(t, raw(t, db, "SELECT employer FROM people"), canary+" & Co")
		names := rawColumn(t, db, "SELECT name FROM diseases")
		mustBeToken(t, names[0], canary+"-flu")
		mustBeToken(t, names[1], canary+"-flu")
		if bytes.Equal(names[0], names[1]) {
			t.Error("equal plaintexts of one statement have equal tokens")
		}

		var read person
		if err := g.Preload("Diseases").Take(&read, 1).Error; err != nil {
			t.Fatal(err)
		}
		if read.Home.Email != p.Home.Email || *read.Home.Phone != phone || read.Employer != p.Employer ||
			len(read.Diseases) != 2 || read.Diseases[1].Name != p.Diseases[1].Name {
			t.Error("GORM reads another person")
		}
	})
}

func TestBatches(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		g := db.GORM(t)
		if err := g.AutoMigrate(&patient{}); err != nil {
			t.Fatal(err)
		}
		const n = 57
		var batch []patient
		for id := 1; id <= n; id++ {
			batch = append(batch, newPatient(id))
		}
		if err := g.CreateInBatches(batch, 10).Error; err != nil {
			t.Fatal(err)
		}
		mustDiffer(t, db, "name", n)

		// Again, as an upsert of the same rows.
		if err := g.Clauses(clause.OnConflict{UpdateAll: true}).CreateInBatches(batch, 25).Error; err != nil {
			t.Fatal(err)
		}
		mustDiffer(t, db, "photo", n)

		seen := 0
		var page []patient
		err := g.FindInBatches(&page, 20, func(tx *gorm.DB, _ int) error {
			for i, p := range page {
				if want := newPatient(seen + i + 1); p.ID != want.ID || p.Name != want.Name || string(p.Photo) != string(want.Photo) {
					return fmt.Errorf("row %d is another one", p.ID)
				}
			}
			seen += len(page)
			return nil
		}).Error
		if err != nil || seen != n {
			t.Errorf("read %d of %d rows: %v", seen, n, err)
		}
	})
}

// mustDiffer looks at n rows whose plaintexts are all equal.
func mustDiffer(t *testing.T, db *dbtest.Database, column string, n int) {
	t.Helper()
	distinct := map[string]bool{}
	for _, stored := range rawColumn(t, db, "SELECT "+column+" FROM patients") {
		mustBeToken(t, stored, canary+"-"+column)
		distinct[string(stored)] = true
	}
	if len(distinct) != n {
		t.Errorf("%d different tokens in %d rows", len(distinct), n)
	}
}

func TestRollbackLeavesTheOldToken(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		g := db.GORM(t)
		if err := g.AutoMigrate(&patient{}); err != nil {
			t.Fatal(err)
		}
		p := newPatient(1)
		if err := g.Create(&p).Error; err != nil {
			t.Fatal(err)
		}
		before := raw(t, db, "SELECT name FROM patients")

		tx, err := db.SQL.Begin()
		if err != nil {
			t.Fatal(err)
		}
		const changed = encryptedtype.EncryptedString(canary + "-changed")
		if _, err := tx.Exec(db.Rebind("UPDATE patients SET name = ?"), changed); err != nil {
			t.Fatal(err)
		}
		var within encryptedtype.EncryptedString
		if err := tx.QueryRow("SELECT name FROM patients").Scan(&within); err != nil || within != changed {
			t.Errorf("the transaction does not see its own write: %v", err)
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}

		refused := errors.New("refused")
		err = g.Transaction(func(tx *gorm.DB) error {
			p.Name = changed
			return errors.Join(tx.Save(&p).Error, refused)
		})
		if err == nil || err.Error() != refused.Error() {
			t.Fatal(err)
		}
		if !bytes.Equal(raw(t, db, "SELECT name FROM patients"), before) {
			t.Error("the row has changed")
		}

		if err := g.Transaction(func(tx *gorm.DB) error { return tx.Save(&p).Error }); err != nil {
			t.Fatal(err)
		}
		mustBeToken(t, raw(t, db, "SELECT name FROM patients"), string(changed))
	})
}

// TestPreparedStatementsEncryptEachTime reuses one statement: a driver that kept a
// token with it would store the same one again.
func TestPreparedStatementsEncryptEachTime(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		g := db.GORM(t, &gorm.Config{Logger: logger.Discard, PrepareStmt: true})
		if err := g.AutoMigrate(&patient{}); err != nil {
			t.Fatal(err)
		}
		insert, err := db.SQL.Prepare(db.Rebind("INSERT INTO patients (id, name, photo) VALUES (?, ?, ?)"))
		if err != nil {
			t.Fatal(err)
		}
		defer insert.Close()
		for id := 1; id <= 20; id++ {
			p := newPatient(id)
			if id%2 == 0 {
				err = g.Create(&p).Error
			} else {
				_, err = insert.Exec(id, &p.Name, p.Photo)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		mustDiffer(t, db, "name", 20)
		mustDiffer(t, db, "photo", 20)

		query, err := db.SQL.Prepare(db.Rebind("SELECT name FROM patients WHERE id = ?"))
		if err != nil {
			t.Fatal(err)
		}
		defer query.Close()
		for id := 1; id <= 20; id++ {
			var name sql.Null[encryptedtype.EncryptedString]
			var p patient
			if err := errors.Join(query.QueryRow(id).Scan(&name), g.Take(&p, id).Error); err != nil {
				t.Fatal(err)
			}
			if name.V != newPatient(id).Name || p.Name != name.V {
				t.Errorf("row %d is another one", id)
			}
		}
	})
}

// TestConcurrentWritersAndReaders has each reader find a value that some writer wrote
// as a whole.
func TestConcurrentWritersAndReaders(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		g := db.GORM(t)
		if err := g.AutoMigrate(&patient{}); err != nil {
			t.Fatal(err)
		}
		for id := 1; id <= 3; id++ {
			p := newPatient(id)
			if err := g.Create(&p).Error; err != nil {
				t.Fatal(err)
			}
		}

		var wg sync.WaitGroup
		for worker := range 4 {
			wg.Go(func() {
				for i := range 15 {
					name := newPatient(0).Name + encryptedtype.EncryptedString(strings.Repeat("x", worker*16+i))
					var err error
					if i%2 == 0 {
						err = g.Model(&patient{ID: i%3 + 1}).Update("name", name).Error
					} else {
						_, err = db.SQL.Exec(db.Rebind("UPDATE patients SET name = ? WHERE id = ?"), name, i%3+1)
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
			wg.Go(func() {
				for i := range 15 {
					var byGORM []patient
					var bySQL encryptedtype.EncryptedString
					err := errors.Join(g.Find(&byGORM).Error,
						db.SQL.QueryRow(db.Rebind("SELECT name FROM patients WHERE id = ?"), i%3+1).Scan(&bySQL))
					if err != nil {
						t.Error(err)
						continue
					}
					for _, p := range append(byGORM, patient{Name: bySQL}) {
						if rest, ok := strings.CutPrefix(string(p.Name), string(newPatient(0).Name)); !ok || strings.Trim(rest, "x") != "" {
							t.Error("a reader finds what nobody wrote")
						}
					}
				}
			})
		}
		wg.Wait()
		for _, stored := range rawColumn(t, db, "SELECT name FROM patients") {
			if id, err := ring.KeyID(stored); err != nil || id != ring.PrimaryID() {
				t.Error("the column holds no token")
			}
		}
	})
}
