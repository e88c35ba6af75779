package gormencrypt_test

import (
	"testing"

	"gorm.io/gorm"

	"github.com/fernetcol/fernetcol/blindindex"
	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/gormencrypt"
	"github.com/fernetcol/fernetcol/internal/dbtest"
	"github.com/fernetcol/fernetcol/keyprovider"
)

// The models that benchmarks read and write.
type (
	PlainUser struct {
		ID          int64
		Name, Email string
	}
	EncryptedUser struct {
		ID    int64
		Name  string
		Email encryptedtype.EncryptedString
	}
	IndexedUser struct {
		ID         int64
		Name       string
		Email      encryptedtype.EncryptedString `fernet:"index:EmailIndex"`
		EmailIndex blindindex.Value              `gorm:"index"`
	}
)

// BenchmarkStatements is over SQLite, with one row in each table: what the plugin adds
// to single statements, beside each other. The comparisons with plain tables, by
// turns, are in the folder benchmarks.
func BenchmarkStatements(b *testing.B) {
	d := dbtest.SQLite(b)
	without, with := d.GORM(b), d.GORM(b)
	options := gormencrypt.Options{IndexKey: fernet.GenerateKey()}
	if err := with.Use(gormencrypt.New(keyprovider.Static(newRing(b, fernet.GenerateKey())), options)); err != nil {
		b.Fatal(err)
	}
	if err := with.AutoMigrate(&PlainUser{}, &EncryptedUser{}, &IndexedUser{}); err != nil {
		b.Fatal(err)
	}
	const name, email = "Jane", "jane@example.com"
	plain := func() any { return &PlainUser{Name: name, Email: email} }
	encrypted := func() any { return &EncryptedUser{Name: name, Email: email} }
	indexed := func() any { return &IndexedUser{Name: name, Email: email} }
	for _, row := range []any{plain(), encrypted(), indexed()} {
		if err := with.Create(row).Error; err != nil {
			b.Fatal(err)
		}
	}
	first := func(dest any, condition, value string) func(*gorm.DB) error {
		return func(db *gorm.DB) error {
			return db.Session(&gorm.Session{}).Where(condition, value).Limit(1).Find(dest).Error
		}
	}
	// What is created is undone: the tables do not grow.
	create := func(row func() any) func(*gorm.DB) error {
		return func(db *gorm.DB) error {
			tx := db.Begin()
			defer tx.Rollback()
			return tx.Create(row()).Error
		}
	}
	for _, c := range []struct {
		name string
		db   *gorm.DB
		run  func(*gorm.DB) error
	}{
		{"Find/plain", without, first(&PlainUser{}, "name = ?", name)},
		{"Find/plain, with the plugin", with, first(&PlainUser{}, "name = ?", name)},
		{"Find/encrypted, by name", with, first(&EncryptedUser{}, "name = ?", name)},
		{"Find/by index", with, first(&IndexedUser{}, "email = ?", email)},
		{"Create/plain", without, create(plain)},
		{"Create/plain, with the plugin", with, create(plain)},
		{"Create/encrypted", with, create(encrypted)},
		{"Create/with an index", with, create(indexed)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := c.run(c.db); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
