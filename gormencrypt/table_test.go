package gormencrypt_test

import (
	"errors"
	"testing"

	"gorm.io/gorm"

	"github.com/fernetcol/fernetcol/gormencrypt"
	"github.com/fernetcol/fernetcol/internal/dbtest"
)

// A reader is another part of a program, which knows nothing of encryption, and
// names its tables itself.
type reader struct {
	ID   int64
	Note string
}

func TestTableNamedByTheProgramIsRecognised(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &Person{})
		p := &Person{Note: canary}
		w.ok(w.db.Create(p))

		var read []reader
		w.ok(w.db.Table("people").Find(&read))
		if len(read) != 1 || read[0].Note != canary {
			t.Error("a model of its own does not get the plaintext")
		}
		w.ok(w.db.Table("people AS p").Select("p.id, p.note").Find(&read))
		if len(read) != 1 || read[0].Note != canary {
			t.Error("nor under an alias")
		}
		w.ok(w.db.Table("people").Where("id = ?", p.ID).Updates(&reader{Note: canary + "2"}))
		w.stored("people", "note", p.ID, canary+"2")
		w.ok(w.db.Table("people").Create(&reader{ID: p.ID + 1, Note: canary + "3"}))
		w.stored("people", "note", p.ID+1, canary+"3")
		w.refused(w.db.Table("people").Where("note = ?", canary).Find(&read).Error, "people.note")
		w.refused(w.db.Table("people").Where(&reader{Note: canary}).Find(&read).Error, "people.note")
	})
}

// A program may keep a model in several tables, which the plugin has never heard of.
func TestTableNamedForAModelHasItsColumns(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &ExactPerson{})
		part := func() *gorm.DB { return w.db.Table("people_2024") }
		if err := part().AutoMigrate(&ExactPerson{}); err != nil {
			t.Fatal(err)
		}
		p := &ExactPerson{Phone: canary, Badge: canary}
		w.ok(part().Create(p))
		w.ok(part().Create(&[]ExactPerson{{Phone: "b"}, {Phone: "c"}}))
		w.ok(part().Where("id = ?", p.ID).Updates(&ExactPerson{Phone: canary + "2"}))
		w.ok(part().Model(&ExactPerson{}).Where("id = ?", p.ID).Update("badge", canary+"3"))
		w.ok(part().Model(p).Updates(map[string]any{"ssn": canary + "4"}))
		var found ExactPerson
		w.ok(part().Where("phone = ? AND badge = ?", canary+"2", canary+"3").First(&found))
		if found.Phone != canary+"2" || found.Badge != canary+"3" || *found.SSN != canary+"4" {
			t.Error("not what was written")
		}
		for _, column := range []string{"phone", "badge", "ssn"} {
			if got := string(w.raw("people_2024", column+"_index", p.ID)); len(got) != 32 {
				t.Errorf("%s has the entry %q", column, got)
			}
		}
		w.ok(w.db.Table("people_2024 AS x").Where("x.phone = ?", canary+"2").First(&found))
		var n int64
		if w.ok(w.db.Table("people_2024").Model(&ExactPerson{}).Where("phone IN ?", []string{"b", "c"}).Count(&n)); n != 2 {
			t.Errorf("counted %d", n)
		}
		w.refused(part().Model(&ExactPerson{}).Where("phone LIKE ?", canary).Find(&found).Error, "people.phone")
		w.ok(part().Where("phone = ?", "b").Delete(&ExactPerson{}))
	})
}

func TestDerivedTableKeepsItsColumnsEncrypted(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &Person{})
		w.ok(w.db.Create(&Person{Email: canary, Phone: canary}))
		var got []string
		derived := w.db.Table("(SELECT email AS e, phone AS p FROM people) AS x").Session(&gorm.Session{})
		w.ok(derived.Select("p").Where("p = ?", canary).Scan(&got))
		if len(got) != 1 || got[0] != canary {
			t.Error("a deterministic column under another name does not answer")
		}
		for name, err := range map[string]error{
			"function":  derived.Select("UPPER(e)").Scan(&got).Error,
			"condition": derived.Select("p").Where("e = ?", canary).Scan(&got).Error,
			"pattern":   derived.Select("p").Where("p LIKE ?", canary).Scan(&got).Error,
			"order":     derived.Select("p").Order("e").Scan(&got).Error,
			"group":     derived.Select("count(*)").Group("e").Scan(&got).Error,
		} {
			if !errors.Is(w.note(err), gormencrypt.ErrRefused) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
