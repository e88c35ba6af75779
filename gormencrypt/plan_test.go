package gormencrypt_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"gorm.io/gorm"

	"github.com/fernetcol/fernetcol/blindindex"
	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/internal/dbtest"
	"github.com/fernetcol/fernetcol/keyprovider"
)

// A PlannedPerson has a column of every kind that a condition is answered by.
type PlannedPerson struct {
	ID    int64
	Name  string
	Phone encryptedtype.EncryptedString     `fernet:"index:PhoneIndex,lower"`
	Badge string                            `gorm:"serializer:fernet" fernet:"index:BadgeIndex;index:BadgeNew,trim,filling"`
	SSN   *string                           `gorm:"serializer:fernet" fernet:"index:SSNIndex,bits=4,rows=100"`
	Code  encryptedtype.DeterministicString `gorm:"type:varchar(255)"`

	PhoneIndex, BadgeIndex, BadgeNew, SSNIndex blindindex.Value
}

func (PlannedPerson) TableName() string { return "people" }

// What becomes of a text is remembered, whatever the values are. A statement must
// then do what it does when it is the first with its text: with every kind of value,
// in any order, and with another number of keys.
func TestStatementsDoNotDependOnThoseBefore(t *testing.T) {
	find := func(condition string, n int) func(db *gorm.DB, arg any) *gorm.DB {
		return func(db *gorm.DB, arg any) *gorm.DB { return db.Where(condition, slices.Repeat([]any{arg}, n)...) }
	}
	// A subquery that GORM builds is sealed before the text around it, which is then
	// that of a subquery in a string.
	built := func(column string) func(db *gorm.DB, arg any) *gorm.DB {
		return func(db *gorm.DB, arg any) *gorm.DB {
			if _, ok := arg.(*string); ok {
				fresh := db.Session(&gorm.Session{NewDB: true})
				return db.Where("id IN (?)", fresh.Model(&PlannedPerson{}).Select("id").Where(column+" = ?", arg))
			}
			return db.Where("id IN (SELECT "+db.Statement.Quote("id")+" FROM "+db.Statement.Quote("people")+" WHERE "+column+" = ?)", arg)
		}
	}
	conditions := map[string]func(db *gorm.DB, arg any) *gorm.DB{
		"index": find("phone = ?", 1), "index reversed": find("? = phone", 1), "index <>": find("phone <> ?", 1), "index IN": find("phone IN ?", 1),
		"two": find("badge = ?", 1), "two IN": find("badge NOT IN ?", 1), "OR": find("phone = ? OR badge = ?", 2),
		"truncated": find("ssn = ?", 1), "truncated IN": find("ssn IN ?", 1), "truncated OR": find("ssn = ? OR phone = ?", 2),
		"tokens": find("code = ?", 1), "tokens reversed": find("? = code", 1), "tokens IN": find("code IN ?", 1), "tokens and index": find("code = ? AND phone = ?", 2),
		"entry": find("phone_index = ?", 1), "entry >=": find("phone_index >= ?", 1), "entry IN": find("phone_index IN (?, ?)", 2), "entry beside value": find("phone = ? AND phone_index = ?", 2),
		"subquery on tokens": built("code"), "subquery on index": built("phone"), "subquery on entry": built("phone_index"),
		"plain beside": func(db *gorm.DB, arg any) *gorm.DB { return db.Where("name = ? AND phone = ? AND id < ?", "a", arg, 9) },
		"map":          func(db *gorm.DB, arg any) *gorm.DB { return db.Where(map[string]any{"phone": arg}) },
		"not":          func(db *gorm.DB, arg any) *gorm.DB { return db.Not("badge = ?", arg) },
	}
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &PlannedPerson{})
		first, second := fernet.GenerateKey(), fernet.GenerateKey()
		rings := []*fernet.Keyring{newRing(t, first), newRing(t, second, first), newRing(t, first)}
		kr := rings[0]
		provider := keyprovider.Func(func(context.Context) (*fernet.Keyring, error) { return kr, nil })
		warm := w.open(provider)
		text, other := wanted, "other"
		w.ok(warm.Create(&[]PlannedPerson{
			{Name: "a", Phone: wanted, Badge: wanted, SSN: &text, Code: wanted}, {Name: "b", Phone: "other", Badge: "other", SSN: &other, Code: "other"},
		}))
		entry := w.entry("people", "phone", "phone_index", wanted, blindindex.Lower)
		args := []any{
			wanted, "other", nil, wanted, encryptedtype.EncryptedString(wanted), []byte(wanted), &text, (*string)(nil), entry, &entry, blindindex.Value("ff"),
			5, []string{wanted}, []string{wanted, "other"}, []any{wanted, nil}, []string{}, []blindindex.Value{entry, "ff"}, gorm.Expr("name"), wanted,
			func(db *gorm.DB) any { return db.Model(&PlannedPerson{}).Select("code").Where("code = ?", wanted) },
			func(db *gorm.DB) any { return db.Model(&PlannedPerson{}).Select("id").Where("ssn = ?", wanted) },
		}
		run := func(db *gorm.DB, condition func(*gorm.DB, any) *gorm.DB, arg any) string {
			if of, ok := arg.(func(*gorm.DB) any); ok {
				arg = of(db)
			}
			var found []PlannedPerson
			foundErr := w.note(condition(db, arg).Order("id").Find(&found).Error)
			var n int64
			countErr := w.note(condition(db.Model(&PlannedPerson{}), arg).Count(&n).Error)
			rows, rowsErr := condition(db.Model(&PlannedPerson{}), arg).Order("id").Rows()
			if w.note(rowsErr) == nil {
				rows.Close()
			}
			updated := condition(db.Model(&PlannedPerson{}), arg).UpdateColumn("name", gorm.Expr("name"))
			var ids []int64
			for _, p := range found {
				ids = append(ids, p.ID)
			}
			return fmt.Sprint(ids, foundErr, n, countErr, rowsErr, w.note(updated.Error))
		}
		for name, condition := range conditions {
			for _, kr = range rings {
				for i, arg := range args {
					got, want := run(warm, condition, arg), run(w.open(provider), condition, arg)
					if got != want {
						t.Errorf("%s, argument %d: got %s, want %s as in a new handle", name, i, got, want)
					}
				}
			}
		}
	})
}
