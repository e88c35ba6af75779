package gormencrypt_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/fernetcol/fernetcol/blindindex"
	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/gormencrypt"
	"github.com/fernetcol/fernetcol/internal/dbtest"
	"github.com/fernetcol/fernetcol/keyprovider"
)

// good fails the test if a row of a model lacks its entries, or has others.
func (w *world) good(models ...any) {
	w.Helper()
	problems, err := gormencrypt.Verify(w.Context(), w.db, models...)
	if text := verify(w.T, problems, err); text != "" {
		w.Errorf("%s", text)
	}
}

// What a program says of an index column is refused, or replaced by the entry.
func TestIndexColumnIsThePluginsOwn(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &ExactPerson{})
		w.ok(w.db.Create(&ExactPerson{ID: 1, Phone: canary, Badge: canary}))
		entry := w.entry("people", "phone", "phone_index", canary)
		other := w.entry("people", "phone", "phone_index", "other")
		m := func() *gorm.DB { return w.db.Model(&ExactPerson{}).Where("id = 1") }
		onConflict := func(set clause.Set) *gorm.DB {
			return w.db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, DoUpdates: set})
		}
		for name, err := range map[string]error{
			"Update":                  m().Update("phone_index", other).Error,
			"Update with plaintext":   m().Update("phone_index", canary).Error,
			"UpdateColumn":            m().UpdateColumn("PhoneIndex", other).Error,
			"Updates map":             m().Updates(map[string]any{"phone": "x", "phone_index": other}).Error,
			"Updates Expr":            m().Updates(map[string]any{"phone": "x", "phone_index": gorm.Expr("?", other)}).Error,
			"Updates column":          m().Updates(map[string]any{"phone": "x", "phone_index": clause.Column{Name: "badge_index"}}).Error,
			"Updates of it alone":     m().Select("PhoneIndex").Updates(ExactPerson{PhoneIndex: other}).Error,
			"Create map":              w.db.Model(&ExactPerson{}).Create(map[string]any{"phone": "x", "phone_index": other}).Error,
			"Create maps":             w.db.Model(&ExactPerson{}).Create([]map[string]any{{"name": "x", "phone_index": other}}).Error,
			"Create map column":       w.db.Model(&ExactPerson{}).Create(map[string]any{"name": "x", "phone_index": clause.Column{Table: "excluded", Name: "badge_index"}}).Error,
			"OnConflict":              onConflict(clause.Assignments(map[string]any{"phone_index": "x"})).Create(&ExactPerson{ID: 1}).Error,
			"OnConflict other column": onConflict(clause.Set{{Column: clause.Column{Name: "phone_index"}, Value: clause.Column{Table: "people", Name: "badge_index"}}}).Create(&ExactPerson{ID: 1}).Error,
			"OnConflict of it alone":  onConflict(clause.AssignmentColumns([]string{"phone_index"})).Create(&ExactPerson{ID: 1}).Error,
			"Exec UPDATE":             w.db.Exec("UPDATE people SET phone_index = ?", other).Error,
			"Exec UPDATE of another":  w.db.Exec("UPDATE people SET name = phone_index = ?", canary).Error,
			"Update of another":       m().Update("name", gorm.Expr("phone_index = LOWER(?)", canary)).Error,
			"Exec UPDATE both":        w.db.Exec("UPDATE people SET phone = ?, phone_index = ?", "x", other).Error,
			"Exec INSERT":             w.db.Exec("INSERT INTO people (phone, phone_index) VALUES (?, ?)", "x", other).Error,
			"Exec INSERT of it alone": w.db.Exec("INSERT INTO people (name, phone_index) VALUES (?, ?)", "x", other).Error,
		} {
			w.note(err)
			if !errors.Is(err, gormencrypt.ErrRefused) || !strings.Contains(err.Error(), "phone_index") {
				t.Errorf("%s: got %v, want ErrRefused", name, err)
			}
		}
		if n := w.count("people"); n != 1 || string(w.raw("people", "phone_index", 1)) != string(entry) {
			t.Error("something was written")
		}
		// A model holds the entry that it was read with.
		w.ok(w.db.Create(&ExactPerson{ID: 2, Phone: canary, PhoneIndex: other}))
		w.ok(w.db.Omit("Phone").Create(&ExactPerson{ID: 3, Phone: canary, PhoneIndex: other}))
		w.ok(w.db.Omit("Phone").Clauses(clause.OnConflict{UpdateAll: true}).Create(&ExactPerson{ID: 2, Name: "n", PhoneIndex: other}))
		w.ok(w.db.Save(&ExactPerson{ID: 1, Phone: canary + "2", PhoneIndex: entry}))
		w.ok(m().Updates(ExactPerson{Name: "n", PhoneIndex: other}))
		w.ok(m().Updates(map[string]any{"badge": gorm.Expr("NULL"), "name": "n"}))
		w.good(&ExactPerson{})
	})
}

// A model whose value was changed is a condition for the new value.
func TestModelForgetsTheEntryOfTheValueBefore(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &ExactPerson{})
		w.ok(w.db.Create(&[]ExactPerson{{Phone: canary}, {Phone: canary}}))
		var p ExactPerson
		w.ok(w.db.First(&p, 1))
		w.ok(w.db.Model(&p).Update("phone", canary+"2"))
		w.ok(w.db.Where(&p).First(&ExactPerson{}))
		p.Phone = canary + "3"
		w.ok(w.db.Save(&p))
		w.ok(w.db.Where(p).First(&ExactPerson{}))
		var people []ExactPerson
		w.ok(w.db.Find(&people))
		w.ok(w.db.Model(&people).Update("phone", canary+"4"))
		for _, p := range people {
			if p.PhoneIndex != "" {
				t.Errorf("row %d keeps an entry", p.ID)
			}
		}
		w.good(&ExactPerson{})
	})
}

// An upsert over the column is one over its unique index.
func TestUpsertOverAnIndexedColumn(t *testing.T) {
	type short struct {
		ID         int64
		Email      string           `gorm:"serializer:fernet" fernet:"index:Short,bits=4,rows=100;index:New,filling;index:Full"`
		Short      blindindex.Value `gorm:"index"`
		New        blindindex.Value
		Full       blindindex.Value                  `gorm:"uniqueIndex"`
		Badge      encryptedtype.DeterministicString `gorm:"type:varchar(450);uniqueIndex" fernet:"index:BadgeIndex"`
		BadgeIndex blindindex.Value
		Name       string
	}
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &short{})
		for i, column := range []string{"email", "email", "badge"} {
			w.ok(w.db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: column}}, DoUpdates: clause.AssignmentColumns([]string{"name", "email"})}).
				Create(&short{Email: fmt.Sprint(canary, i/2), Badge: canary, Name: fmt.Sprint(i)}))
		}
		var s short
		w.ok(w.db.Where("badge = ?", canary).First(&s))
		if n := w.count("shorts"); n != 1 || s.Name != "2" || s.Email != canary+"1" {
			t.Errorf("%d rows, the first is %q", n, s.Name)
		}
		w.good(&short{})
	})
}

// Two structs of one type have indexes of their own.
func TestEmbeddedStructsHaveIndexesOfTheirOwn(t *testing.T) {
	type contact struct {
		Index blindindex.Value
		Mail  string `gorm:"serializer:fernet" fernet:"index:Index,lower"`
	}
	type employee struct {
		ID   int64
		Home contact  `gorm:"embedded;embeddedPrefix:home_"`
		Work *contact `gorm:"embedded;embeddedPrefix:work_"`
	}
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &employee{})
		w.ok(w.db.Create(&employee{Home: contact{Mail: canary}, Work: &contact{Mail: canary}}))
		w.ok(w.db.Create(&employee{Home: contact{Mail: canary + "2"}}))
		for _, tx := range []*gorm.DB{
			w.db.Where("home_mail = ?", canary), w.db.Where("work_mail = ?", canary), w.db.Where(&employee{Work: &contact{Mail: canary}}),
		} {
			var found []employee
			if w.ok(tx.Find(&found)); len(found) != 1 || found[0].ID != 1 {
				t.Errorf("found %d rows", len(found))
			}
		}
		w.ok(w.db.Model(&employee{ID: 2}).Update("work_mail", canary))
		w.ok(w.db.Save(&employee{ID: 1, Work: &contact{Mail: "x"}}))
		w.good(&employee{})
		if string(w.raw("employees", "home_index", 1)) == string(w.raw("employees", "work_index", 1)) {
			t.Error("two columns have the same entries")
		}
	})
}

// FillIndexes fills every row: of whatever key, deleted softly, with other entries.
func TestFillIndexesFindsEveryRow(t *testing.T) {
	type part struct {
		A         int                           `gorm:"primaryKey;autoIncrement:false"`
		B         string                        `gorm:"primaryKey;type:varchar(40)"`
		Mail      *encryptedtype.EncryptedBytes `fernet:"index:One;index:Two,lower,filling;bind:row"`
		One, Two  blindindex.Value
		DeletedAt gorm.DeletedAt
	}
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &part{})
		mail := encryptedtype.EncryptedBytes(canary)
		w.ok(w.db.Create(&[]part{{A: 1, B: "x", Mail: &mail}, {A: 1, B: "y'", Mail: &mail}, {A: 2, B: "x", Mail: &mail}, {A: 3, B: "x"}}))
		w.ok(w.db.Delete(&part{A: 2, B: "x"}))
		if _, err := d.SQL.Exec("UPDATE parts SET two = NULL"); err != nil {
			t.Fatal(err)
		}
		problems, err := gormencrypt.Verify(t.Context(), w.db, &part{})
		if text := verify(t, problems, err); text != "" { // its tag says that it is not full
			t.Errorf("while it is being filled:\n%s", text)
		}
		if _, err := gormencrypt.FillIndexes(t.Context(), w.db.Where("a = 1"), &part{}); err == nil {
			t.Error("conditions are ignored")
		}
		if n, err := gormencrypt.FillIndexes(t.Context(), w.db, &part{}); w.note(err) != nil || n != 3 {
			t.Errorf("filled %d rows: %v", n, err)
		}
		for _, query := range []string{"two IS NULL AND mail IS NOT NULL", "two IS NOT NULL AND mail IS NULL", "one IS NULL AND mail IS NOT NULL"} {
			var n int
			if err := d.SQL.QueryRow("SELECT COUNT(*) FROM parts WHERE " + query).Scan(&n); err != nil || n != 0 {
				t.Errorf("%d rows with %s: %v", n, query, err)
			}
		}
		w.good(&part{})
	})
}

// What another program writes between FillIndexes' read and its write keeps its entry,
// and FillIndexes gives up if that never ends.
func TestFillIndexesWritesOnlyWhatItRead(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &ExactPerson{})
		w.ok(w.db.Create(&ExactPerson{ID: 1, Phone: canary}))
		if err := w.db.Migrator().DropConstraint(&ExactPerson{}, "chk_people_phone_index_paired"); err != nil {
			t.Fatal(err)
		}
		writes := 1
		busy := w.open(keyprovider.Func(func(context.Context) (*fernet.Keyring, error) {
			if writes > 0 { // as a program does that does not know the index
				writes--
				w.plant("people", "phone", 1, w.ring.EncryptString(canary+"2"))
			}
			return w.ring, nil
		}))
		w.plant("people", "phone_index", 1, nil)
		writes = 1
		if n, err := gormencrypt.FillIndexes(t.Context(), busy, &ExactPerson{}); w.note(err) != nil || n != 1 {
			t.Errorf("filled %d rows: %v", n, err)
		}
		w.stored("people", "phone", 1, canary+"2")
		if got, want := string(w.raw("people", "phone_index", 1)), string(w.entry("people", "phone", "phone_index", canary+"2")); got != want {
			t.Error("the row has the entry of the value before")
		}
		w.plant("people", "phone_index", 1, nil)
		writes = 1000
		if n, err := gormencrypt.FillIndexes(t.Context(), busy, &ExactPerson{}); w.note(err) == nil || !strings.Contains(err.Error(), "faster") || n != 0 {
			t.Errorf("of rows that never rest, filled %d: %v", n, err)
		}
		writes = 0
		type keyless struct {
			Phone      encryptedtype.EncryptedString `fernet:"index:PhoneIndex"`
			PhoneIndex blindindex.Value
		}
		if _, err := gormencrypt.FillIndexes(t.Context(), w.db, &keyless{}); w.note(err) == nil || !strings.Contains(err.Error(), "no primary key") {
			t.Errorf("without a primary key: %v", err)
		}
		if err := w.db.Migrator().DropTable(&ExactPerson{}); err != nil {
			t.Fatal(err)
		}
		_, err := gormencrypt.FillIndexes(t.Context(), w.db, &ExactPerson{})
		if w.note(err) == nil || !strings.Contains(err.Error(), "the table people cannot be read") || strings.Contains(err.Error(), "SELECT") || strings.Contains(err.Error(), "exist") {
			t.Errorf("without a table: %v", err)
		}
	})
}

// Many batches are not mistaken for rows that never rest.
func TestFillIndexesOfALargeTable(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), &AccountFilled{})
	w.ok(w.db.Create(&AccountFilled{Email: canary}))
	const rows = 6000
	if _, err := w.database.SQL.Exec("UPDATE accounts SET one = NULL"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.database.SQL.Exec("WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 6000) INSERT INTO accounts (id, email) SELECT n.i, a.email FROM n, accounts a"); err != nil {
		t.Fatal(err)
	}
	if n, err := gormencrypt.FillIndexes(t.Context(), w.db, &AccountFilled{}); w.note(err) != nil || n != rows {
		t.Errorf("filled %d rows: %v", n, err)
	}
}

// AccountFilled has an index that is being filled.
type AccountFilled struct {
	ID    int64
	Email string `gorm:"serializer:fernet" fernet:"index:One,filling"`
	One   blindindex.Value
}

func (AccountFilled) TableName() string { return "accounts" }

// An upsert over a column is one over the unique constraint of its index, under
// whichever name.
func TestUpsertMeetsTheUniqueIndex(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &AccountOld{})
		w.ok(w.db.Create(&AccountOld{ID: 1, Email: canary}))
		before := string(w.raw("accounts", "email", 1))
		for _, column := range []string{"email", "one"} {
			on := clause.OnConflict{Columns: []clause.Column{{Name: column}}, DoUpdates: clause.AssignmentColumns([]string{"email"})}
			w.ok(w.db.Clauses(on).Create(&AccountOld{Email: canary}))
			on = clause.OnConflict{Columns: []clause.Column{{Name: column}}, DoNothing: true}
			w.ok(w.db.Clauses(on).Create(&AccountOld{Email: canary}))
		}
		if n := w.count("accounts"); n != 1 {
			t.Errorf("%d rows, want 1", n)
		}
		w.stored("accounts", "email", 1, canary)
		if string(w.raw("accounts", "email", 1)) == before {
			t.Error("the row was not written again")
		}
		var found AccountOld
		w.ok(w.db.First(&found, "email = ?", canary))
	})
}
