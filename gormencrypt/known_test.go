package gormencrypt_test

import (
	"testing"

	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/internal/dbtest"
	"github.com/fernetcol/fernetcol/keyprovider"
)

// A Visitor is a Person to a part of a program that knows of no encryption.
type Visitor struct {
	ID   int64
	Name string
	Note string
}

func (Visitor) TableName() string { return "people" }

// What was found harmless must not stay so when a model with encrypted columns in
// the same table becomes known.
func TestHarmlessTextIsCheckedAgainWhenATableBecomesKnown(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := &world{T: t, database: d, out: &output{}, ring: newRing(t, fernet.GenerateKey()), indexKey: fernet.GenerateKey()}
		w.db = w.open(keyprovider.Static(w.ring))
		t.Cleanup(w.noCanary)
		if err := w.db.AutoMigrate(&Visitor{}); err != nil {
			t.Fatal(err)
		}
		find := func() error { return w.db.Where("note = ?", "x").Find(&[]Visitor{}).Error }
		for range 2 { // the second time from memory
			if err := find(); err != nil {
				t.Fatal(err)
			}
		}
		w.ok(w.db.Select("id").Find(&[]Person{}))
		w.refused(find(), "people.note")
	})
}
