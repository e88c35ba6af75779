package gormencrypt_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/gormencrypt"
	"github.com/fernetcol/fernetcol/internal/dbtest"
	"github.com/fernetcol/fernetcol/keyprovider"
)

type Bound struct {
	ID    int64
	One   string `gorm:"serializer:fernet" fernet:"bind"`
	Two   string `gorm:"serializer:fernet" fernet:"bind"`
	Named string `gorm:"serializer:fernet" fernet:"deterministic;bind:bounds.named"`
	Free  encryptedtype.DeterministicString
}

// Renamed is Bound, with another name for the table, a field and its column.
type Renamed struct {
	ID    int64
	Moved string `gorm:"column:named;serializer:fernet" fernet:"deterministic;bind:bounds.named"`
}

func (Renamed) TableName() string { return "bounds" }

func TestBoundColumnHasKeysOfItsOwn(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &Bound{})
		b := &Bound{One: canary, Two: canary, Named: canary, Free: canary}
		w.ok(w.db.Create(b))
		if _, err := w.ring.Decrypt(w.raw("bounds", "one", b.ID)); !errors.Is(err, fernet.ErrInvalidToken) {
			t.Error("the ring's own keys open a bound column")
		}
		var r Renamed
		w.ok(w.db.Where("named = ?", canary).First(&r))
		if r.Moved != canary {
			t.Error("a renamed field does not open")
		}
		var got Bound
		w.ok(w.db.Where(&Bound{Named: canary}).First(&got))
		if got != *b {
			t.Error("not what was written")
		}
		w.plant("bounds", "two", b.ID, string(w.raw("bounds", "one", b.ID)))
		if err := w.note(w.db.First(&got, b.ID).Error); !errors.Is(err, fernet.ErrInvalidToken) || !strings.Contains(err.Error(), "bounds.two") {
			t.Errorf("a moved ciphertext opens: %v", err)
		}
		w.refused(w.db.Where("named = free").Find(&[]Bound{}).Error, "bounds.named")
	})
}

func TestMisuseIsAnErrorOfUse(t *testing.T) {
	type unknown struct {
		ID int64
		A  string `gorm:"serializer:fernet" fernet:"sometimes"`
	}
	type plain struct {
		ID int64
		B  string `fernet:"deterministic"`
	}
	type byDefault struct {
		ID int64
		C  string `gorm:"serializer:fernet;default:x"`
	}
	type key struct {
		D string `gorm:"serializer:fernet;primaryKey"`
	}
	type twice struct {
		ID int64
		E  encryptedtype.EncryptedString `gorm:"serializer:fernet"`
	}
	type random struct {
		ID int64
		F  encryptedtype.EncryptedString `fernet:"deterministic"`
	}
	for field, model := range map[string]any{"A": &unknown{}, "B": &plain{}, "C": &byDefault{}, "D": &key{}, "E": &twice{}, "F": &random{}} {
		d := dbtest.SQLite(t)
		ring := keyprovider.Static(newRing(t, fernet.GenerateKey()))
		if err := d.GORM(t).Use(gormencrypt.New(ring, gormencrypt.Options{Models: []any{model}})); err == nil || !strings.Contains(err.Error(), "."+field) {
			t.Errorf("%s: Use returned %v", field, err)
		}
		db := d.GORM(t)
		if err := db.Use(gormencrypt.New(ring, gormencrypt.Options{})); err != nil {
			t.Fatal(err)
		}
		for what, err := range map[string]error{
			"AutoMigrate": db.AutoMigrate(model),
			"Create":      db.Create(model).Error,
			"Find":        db.Find(model).Error,
		} {
			if err == nil || !strings.Contains(err.Error(), "."+field) {
				t.Errorf("%s: %s returned %v", field, what, err)
			}
		}
	}
	if err := dbtest.SQLite(t).GORM(t).Use(gormencrypt.New(nil, gormencrypt.Options{})); err == nil {
		t.Error("Use took no provider")
	}
}

func TestTagFailsWithoutThePlugin(t *testing.T) {
	db := dbtest.SQLite(t).GORM(t)
	if err := db.AutoMigrate(&Profile{}); err == nil { // another test has registered the serializer
		if err := db.Create(&Profile{Motto: canary}).Error; err == nil {
			t.Error("plaintext was stored without the plugin")
		} else if findCanary(err.Error()) != "" {
			t.Error("the error shows the value")
		}
	}
}
