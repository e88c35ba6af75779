package gormencrypt_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/fernetcol/fernetcol/blindindex"
	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/gormencrypt"
	"github.com/fernetcol/fernetcol/internal/dbtest"
)

// coincidence returns a text with the entry of another in every short index of a
// ShortPerson.
func (w *world) coincidence(text string) string {
	w.Helper()
	short := func(column, index string) *blindindex.Index {
		ix, err := blindindex.New(w.indexKey, "people", column, index, blindindex.Options{Bits: 4, Rows: 100})
		if err != nil {
			w.Fatal(err)
		}
		return ix
	}
	all := []*blindindex.Index{short("phone", "phone_index"), short("badge", "badge_index"), short("ssn", "ssn_index")}
	for i := 0; ; i++ {
		other := fmt.Sprint("coincidence ", i)
		if !slices.ContainsFunc(all, func(ix *blindindex.Index) bool { return ix.Value(other) != ix.Value(text) }) {
			return other
		}
	}
}

// A truncated index either answers exactly, or is refused: never with a row whose
// value is another.
func TestTruncatedIndexAnswersExactlyOrNotAtAll(t *testing.T) {
	answered := []string{
		"string", "string typed", "string pointer", "no spaces", "many spaces", "comment", "qualified", "quoted", "qualified quoted", "upper case",
		"reversed", "reversed qualified", "AND", "AND behind BETWEEN", "IN", "IN one", "IN parentheses", "IN two", "IN typed",
		"named map", "named", "named struct", "named IN", "one column", "map", "map typed", "map of strings", "map qualified", "map slice", "map interfaces",
		"struct", "struct value", "struct pointer", "struct by names", "clause.Eq", "clause.Eq column", "clause.Eq slice", "clause.IN", "Clauses", "Expr",
		"subquery on orders", "subquery plain", // these use another table's columns
	}
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := indexedPeople[ShortPerson](t, d, wanted, "other")
		same := w.coincidence(wanted)
		for range 3 {
			w.ok(w.db.Create(&ShortPerson{Name: "same", Phone: encryptedtype.EncryptedString(same), Badge: same, SSN: &same}))
		}
		m := indexedModel[ShortPerson]()
		for name, condition := range conditions(w.quote, m) {
			t.Run(name, func(t *testing.T) {
				w := w.with(t)
				if slices.Contains(notByIndex, name) {
					return
				}
				ids, tx := m.found(condition(w.db))
				w.note(tx.Error)
				switch {
				case tx.Error == nil:
					if want := []int64{1, 2}; !slices.Equal(ids, want) || tx.RowsAffected != 2 {
						t.Errorf("found %v (%d rows), want %v", ids, tx.RowsAffected, want)
					}
				case !errors.Is(tx.Error, gormencrypt.ErrRefused):
					t.Errorf("unexpected error: %v", tx.Error)
				case slices.Contains(answered, name):
					t.Errorf("not answered: %v", tx.Error)
				}
				plain := name == "subquery on orders" || name == "subquery plain"
				for what, err := range map[string]error{
					"Count":       condition(w.db.Model(m.row())).Count(new(int64)).Error,
					"Update":      condition(w.db.Model(m.row())).Update("name", "x").Error,
					"Delete":      condition(w.db.Session(&gorm.Session{DryRun: true})).Delete(m.row()).Error,
					"other field": condition(w.db.Model(m.row())).Pluck("name", &[]string{}).Error,
					"DISTINCT":    condition(w.db.Model(m.row())).Distinct().Find(&[]ShortPerson{}).Error,
				} {
					if w.note(err); !plain && !errors.Is(err, gormencrypt.ErrRefused) {
						t.Errorf("%s: got %v, want ErrRefused", what, err)
					}
				}
			})
		}
	})
}

func TestTruncatedIndexCountsOnlyWhatMatches(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &ShortPerson{})
		same := w.coincidence(wanted)
		for i := range 20 { // every second row matches
			phone := wanted
			if i%2 == 0 {
				phone = same
			}
			w.ok(w.db.Create(&ShortPerson{Name: fmt.Sprint(i), Phone: encryptedtype.EncryptedString(phone)}))
		}
		where := func() *gorm.DB { return w.db.Where("phone = ?", wanted) }
		find := func(what string, tx *gorm.DB, want ...int64) {
			t.Helper()
			ids, tx := indexedModel[ShortPerson]().found(tx)
			if w.ok(tx); !slices.Equal(ids, want) || int(tx.RowsAffected) != len(want) {
				t.Errorf("%s: found %v (%d rows), want %v", what, ids, tx.RowsAffected, want)
			}
		}
		find("Find", where(), 2, 4, 6, 8, 10, 12, 14, 16, 18, 20)
		find("Limit", where().Order("id").Limit(3), 2, 4, 6)
		find("Limit and Offset", where().Order("id DESC").Limit(2).Offset(3), 12, 14)
		find("Offset", where().Order("id").Offset(8).Limit(100), 18, 20)
		find("Limit 0", where().Limit(0))
		find("AND", where().Where("id > ?", 15), 16, 18, 20)
		find("twice", where().Where("phone IN ?", []string{wanted, "x", ""}).Where("id < 5"), 2, 4)
		find("twice the other", where().Where("phone IN ?", []string{same, ""}))
		var p ShortPerson
		w.ok(where().First(&p))
		if p.ID != 2 {
			t.Errorf("First found %d", p.ID)
		}
		p = ShortPerson{}
		if w.ok(where().Last(&p)); p.ID != 20 {
			t.Errorf("Last found %d", p.ID)
		}
		p = ShortPerson{}
		if w.ok(where().Take(&p)); p.Phone != wanted {
			t.Error("Take found another value")
		}
		if err := w.db.First(&ShortPerson{}, "phone = ?", w.coincidence(wanted+"x")+"nobody").Error; !errors.Is(err, gorm.ErrRecordNotFound) {
			t.Errorf("First without a match: %v", err)
		}
		var batches []int
		var batch []ShortPerson
		w.ok(where().FindInBatches(&batch, 4, func(*gorm.DB, int) error {
			batches = append(batches, len(batch))
			return nil
		}))
		if !slices.Equal(batches, []int{4, 4, 2}) {
			t.Errorf("batches of %v", batches)
		}
		var phones []string
		if w.ok(where().Model(&ShortPerson{}).Pluck("phone", &phones)); len(phones) != 10 {
			t.Errorf("Pluck found %d", len(phones))
		}
		var maps []map[string]any
		if w.ok(where().Model(&ShortPerson{}).Limit(2).Find(&maps)); len(maps) != 2 || maps[1]["phone"] != wanted {
			t.Errorf("maps: %d", len(maps))
		}
		var f ShortPerson
		if w.ok(where().Where("badge = ?", "").FirstOrCreate(&f)); f.ID != 2 {
			t.Errorf("FirstOrCreate made row %d", f.ID)
		}
		g, err := gorm.G[ShortPerson](w.db).Where("phone = ?", wanted).Order("id").Limit(2).Find(context.Background())
		if w.note(err) != nil || len(g) != 2 {
			t.Errorf("generics: %d rows, %v", len(g), err)
		}
	})
}

func TestTruncatedIndexIsRefusedWhereRowsCannotBeDropped(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &ShortPerson{})
		w.ok(w.db.Create(&ShortPerson{Phone: wanted}))
		m := func() *gorm.DB { return w.db.Model(&ShortPerson{}).Where("phone = ?", wanted) }
		var p []ShortPerson
		for name, err := range map[string]error{
			"Rows":          func() error { _, err := m().Rows(); return err }(),
			"Scan":          m().Scan(&p).Error,
			"Raw":           w.db.Raw("SELECT * FROM people WHERE phone = ?", wanted).Scan(&p).Error,
			"Raw Find":      w.db.Raw("SELECT * FROM people WHERE phone = ? LIMIT 1", wanted).Find(&p).Error,
			"Exec":          w.db.Exec("DELETE FROM people WHERE phone = ?", wanted).Error,
			"OR":            w.db.Where("phone = ? OR id = 7", wanted).Find(&p).Error,
			"OR before AND": w.db.Where("id = 7 OR id > 0 AND phone = ?", wanted).Find(&p).Error,
			"XOR":           w.db.Where("id = 7 XOR id > 0 AND phone = ?", wanted).Find(&p).Error,
			"after Find": func() error {
				tx := m()
				w.ok(tx.Find(&p))
				return tx.Update("name", "x").Error
			}(),
			"Or":              w.db.Where("id = 7").Or("phone = ?", wanted).Find(&p).Error,
			"NOT":             w.db.Where("NOT (phone = ?)", wanted).Find(&p).Error,
			"<>":              w.db.Where("phone <> ?", wanted).Find(&p).Error,
			"NOT IN":          w.db.Where("phone NOT IN ?", []string{wanted}).Find(&p).Error,
			"CASE":            w.db.Where("CASE WHEN phone = ? THEN 1 ELSE 0 END = 0", wanted).Find(&p).Error,
			"subquery":        w.db.Where("id IN (?)", m().Select("id")).Find(&p).Error,
			"EXISTS":          w.db.Where("EXISTS (SELECT 1 FROM people o WHERE o.phone = ?)", wanted).Find(&p).Error,
			"ON":              w.db.Joins("JOIN people o ON o.id = people.id AND o.phone = ?", wanted).Find(&p).Error,
			"LEFT JOIN twice": w.db.Select("people.phone, o.phone AS other").Joins("LEFT JOIN people o ON o.id = people.id").Where("people.phone = ?", wanted).Find(&p).Error,
			"CROSS JOIN":      w.db.Table("people").Select("o.*").Joins("CROSS JOIN people o").Where("people.phone = ?", wanted).Find(&p).Error,
			"two tables":      w.db.Table("people, people AS o").Select("o.*").Where("people.phone = ? AND o.id = 2", wanted).Find(&p).Error,
			"selected twice":  m().Select("phone, phone AS again").Find(&[]map[string]any{}).Error,
			"GROUP BY":        m().Select("name, phone").Group("name").Find(&[]map[string]any{}).Error,
			"aggregate":       m().Select("MAX(id) AS id").Find(&p).Error,
			"window":          m().Select("phone, COUNT(*) OVER () AS id").Find(&p).Error,
			"a pair":          w.db.Where("(phone = ?) = (id > 0)", wanted).Find(&p).Error,
			"upsert WHERE":    w.db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, DoUpdates: clause.Assignments(map[string]any{"name": "x"}), Where: clause.Where{Exprs: []clause.Expression{clause.Eq{Column: "people.phone", Value: wanted}}}}).Create(&ShortPerson{ID: 1}).Error,
		} {
			w.note(err)
			if d.Dialect == "mysql" && name == "upsert WHERE" {
				continue // MySQL has none, and GORM leaves it out
			}
			if !errors.Is(err, gormencrypt.ErrRefused) {
				t.Errorf("%s: got %v, want ErrRefused", name, err)
			}
		}
		if n := w.count("people"); n != 1 {
			t.Errorf("%d rows are left", n)
		}
	})
}

// While a truncated index moves to another transform, a row that one of the two finds
// is not dropped by the other.
func TestTruncatedIndexesAreFilteredByWhatFoundTheRow(t *testing.T) {
	type moving struct {
		ID                   int64
		Phone                encryptedtype.EncryptedString `fernet:"index:PhoneIndex,bits=4,rows=100,filling;index:PhoneNew,bits=4,rows=100,lower"`
		PhoneIndex, PhoneNew blindindex.Value
	}
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &moving{})
		for _, phone := range []string{wanted, strings.ToUpper(wanted), "other"} {
			w.ok(w.db.Create(&moving{Phone: encryptedtype.EncryptedString(phone)}))
		}
		var rows []moving
		if w.ok(w.db.Where("phone = ?", wanted).Find(&rows)); len(rows) != 2 {
			t.Errorf("found %d rows, want 2", len(rows))
		}
	})
}

// A row that has the entry and cannot be read is an error, not one that does not match.
func TestUnreadableCoincidenceIsAnError(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &ShortPerson{})
		p := &ShortPerson{Phone: encryptedtype.EncryptedString(w.coincidence(wanted))}
		w.ok(w.db.Create(p))
		w.plant("people", "phone", p.ID, string(newRing(t, fernet.GenerateKey()).Encrypt([]byte("x"))))
		var got []ShortPerson
		err := w.note(w.db.Where("phone = ?", wanted).Find(&got).Error)
		if !errors.Is(err, fernet.ErrInvalidToken) || !strings.Contains(err.Error(), "people.phone") || len(got) != 0 {
			t.Errorf("got %v and %d rows", err, len(got))
		}
	})
}

// Of two indexes with other transforms each finds its own, truncated or not.
func TestTruncatedIndexBesideAnotherKeepsWhatEitherMeans(t *testing.T) {
	type twofold struct {
		ID           int64
		Phone        string `gorm:"serializer:fernet" fernet:"index:Exact;index:Short,lower,bits=4,rows=100"`
		Exact, Short blindindex.Value
	}
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &named[twofold]{})
		for _, phone := range []string{canary + "a", canary + "A"} {
			w.ok(w.db.Create(&named[twofold]{twofold{Phone: phone}}))
		}
		for i := range 40 { // some have the short entry of the others
			w.ok(w.db.Create(&named[twofold]{twofold{Phone: fmt.Sprint(i)}}))
		}
		var found []named[twofold]
		w.ok(w.db.Where("phone = ?", canary+"a").Find(&found))
		if len(found) != 2 || found[0].Of.Phone != canary+"a" || found[1].Of.Phone != canary+"A" {
			t.Errorf("found %d rows", len(found))
		}
	})
}
