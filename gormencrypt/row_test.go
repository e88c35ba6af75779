package gormencrypt_test

import (
	"errors"
	"testing"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/gormencrypt"
	"github.com/fernetcol/fernetcol/internal/dbtest"
	"github.com/fernetcol/fernetcol/keyprovider"
)

// A Ticket has tokens that open in their own row only.
type Ticket struct {
	Region string                        `gorm:"primaryKey;type:varchar(20)"`
	No     uint32                        `gorm:"primaryKey;autoIncrement:false"`
	Serial string                        `gorm:"type:varchar(20);uniqueIndex"`
	Note   string                        `gorm:"serializer:fernet" fernet:"bind:row"`
	Typed  encryptedtype.EncryptedString `fernet:"bind:row,tickets.typed"`
}

func ticket(no uint32) *Ticket {
	return &Ticket{Region: "eu", No: no, Serial: string(rune('a' + no)), Note: canary, Typed: canary}
}

func TestRowBoundTokensOpenInTheirRowOnly(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &Ticket{})
		w.ok(w.db.Create([]*Ticket{ticket(1), ticket(2)}))
		read := func(no uint32) (Ticket, error) {
			var got Ticket
			err := w.note(w.db.First(&got, "region = ? AND no = ?", "eu", no).Error)
			return got, err
		}
		mustRead := func(no uint32, note string) {
			t.Helper()
			got, err := read(no)
			if err != nil || got.Note != note || string(got.Typed) != canary {
				t.Errorf("row %d: not what was written: %v", no, err)
			}
		}
		mustRead(1, canary)
		mustRead(2, canary)

		// Every write that names the row.
		one := ticket(1)
		w.ok(w.db.Model(one).Update("note", canary+"2"))
		mustRead(1, canary+"2")
		w.ok(w.db.Model(one).Updates(map[string]any{"note": canary + "3"}))
		mustRead(1, canary+"3")
		w.ok(w.db.Model(one).Updates(Ticket{Note: canary + "4"}))
		mustRead(1, canary+"4")
		one.Note = canary + "5"
		w.ok(w.db.Save(one))
		mustRead(1, canary+"5")
		one.Note = canary + "6"
		w.ok(w.db.Clauses(clause.OnConflict{UpdateAll: true}).Create(one))
		mustRead(1, canary+"6")
		w.ok(w.db.Model(&Ticket{}).Create(map[string]any{"region": "eu", "no": 3, "serial": "s", "note": canary, "typed": canary}))
		mustRead(3, canary)

		// A token that was copied from another row of the column.
		for _, column := range []string{"note", "typed"} {
			if _, err := d.SQL.Exec("UPDATE tickets SET " + column + " = (SELECT x FROM (SELECT " + column + " AS x FROM tickets WHERE no = 1) AS t) WHERE no = 2"); err != nil {
				t.Fatal(err)
			}
			got, err := read(2)
			if !errors.Is(err, fernet.ErrInvalidToken) || got.Note != "" || got.Typed != "" {
				t.Errorf("%s: a token of another row opens: %v", column, err)
			}
		}
		mustRead(1, canary+"6")
	})
}

func TestRowBoundColumnsRefuseWhatNamesNoRow(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &Ticket{})
		w.ok(w.db.Create(ticket(1)))
		other := clause.OnConflict{Columns: []clause.Column{{Name: "serial"}}, DoUpdates: clause.AssignmentColumns([]string{"note"})}
		var notes []string
		var maps []map[string]any
		for name, tx := range map[string]*gorm.DB{
			"no key":           w.db.Create(&Ticket{Region: "eu", Serial: "x", Note: canary}),
			"map without key":  w.db.Model(&Ticket{}).Create(map[string]any{"region": "eu", "note": canary}),
			"by condition":     w.db.Model(&Ticket{}).Where("serial = ?", "b").Update("note", canary),
			"table":            w.db.Table("tickets").Where("no = 1").Updates(map[string]any{"note": canary}),
			"exec":             w.db.Exec("UPDATE tickets SET note = ? WHERE no = 1", canary),
			"exec insert":      w.db.Exec("INSERT INTO tickets (region, no, note) VALUES ('eu', 9, ?)", canary),
			"another conflict": w.db.Clauses(other).Create(&Ticket{Region: "us", No: 7, Serial: "b", Note: canary}),
			"key changes":      w.db.Model(ticket(1)).Updates(map[string]any{"no": 5, "note": canary}),
			"key alone":        w.db.Model(ticket(1)).Update("no", 5),
			"pluck":            w.db.Model(&Ticket{}).Pluck("note", &notes),
			"maps":             w.db.Model(&Ticket{}).Find(&maps),
			"condition":        w.db.Where("note = ?", canary).Find(&[]Ticket{}),
		} {
			if err := w.note(tx.Error); !errors.Is(err, gormencrypt.ErrRefused) {
				t.Errorf("%s: %v", name, err)
			}
		}
		var n int64
		w.ok(w.db.Model(&Ticket{}).Count(&n))
		if n != 1 {
			t.Errorf("%d rows", n)
		}
	})
}

func TestRowBoundMisuseIsAnErrorOfUse(t *testing.T) {
	type deterministic struct {
		ID int64
		A  string `gorm:"serializer:fernet" fernet:"deterministic;bind:row"`
	}
	type keyless struct {
		A string `gorm:"serializer:fernet" fernet:"bind:row"`
	}
	d := dbtest.SQLite(t)
	for _, model := range []any{&deterministic{}, &keyless{}} {
		ring, err := fernet.NewKeyring(fernet.GenerateKey())
		if err != nil {
			t.Fatal(err)
		}
		if err := d.GORM(t).Use(gormencrypt.New(keyprovider.Static(ring), gormencrypt.Options{Models: []any{model}})); err == nil {
			t.Errorf("%T is accepted", model)
		}
	}
}
