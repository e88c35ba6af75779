package gormencrypt_test

import (
	"testing"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/fernetcol/fernetcol/internal/dbtest"
)

// Tag has nothing encrypted, and names that are encrypted elsewhere.
type Tag struct {
	ID       int64
	PersonID int64
	Email    string
	Note     string
}

func TestQueriesBesideEncryptedColumnsAreLeftAlone(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &Person{}, &Tag{})
		w.ok(w.db.Create(person("full", fieldForms("")...)))
		w.ok(w.db.Create(&Tag{PersonID: 1, Email: "e", Note: "n"}))
		people := func() *gorm.DB { return w.db.Model(&Person{}) }
		tags := func() *gorm.DB { return w.db.Model(&Tag{}) }
		var rows []map[string]any
		for name, tx := range map[string]*gorm.DB{
			"plain equality":    tags().Where("email = ? AND note LIKE ?", "e", "n%").Find(&rows),
			"plain functions":   tags().Where("lower(email) = ?", "e").Order("email, length(note)").Find(&rows),
			"plain struct":      tags().Where(&Tag{Email: "e"}).Find(&rows),
			"plain Expr":        tags().Where("id = 1").Update("note", gorm.Expr("LOWER(note)")),
			"plain literal":     w.db.Exec("UPDATE tags SET note = 'n' WHERE email = 'e'"),
			"plain raw":         w.db.Raw("SELECT email, count(*) AS n FROM tags WHERE note <> '' GROUP BY 1 ORDER BY 2 DESC").Scan(&rows),
			"plain insert":      w.db.Exec("INSERT INTO tags (email, note) VALUES ('a', ?), (LOWER(?), 'c')", "b", "C"),
			"joined plain":      people().Joins("JOIN tags ON tags.person_id = people.id AND tags.email LIKE ?", "e%").Where("tags.note = ?", "n").Select("people.id", "people.email").Find(&rows),
			"joined alias":      people().Joins("JOIN tags t ON t.person_id = people.id").Where("t.email = ? AND lower(t.note) = ?", "e", "n").Order("t.note").Select("people.id").Find(&rows),
			"subquery on plain": people().Where("id IN (?)", tags().Select("person_id").Where("email = ? AND note > ?", "e", "a")).Find(&rows),
			"EXISTS on plain":   people().Where("EXISTS (SELECT 1 FROM tags WHERE tags.person_id = people.id AND email = ?)", "e").Find(&rows),
			"derived plain":     people().Joins("JOIN (SELECT person_id, email FROM tags WHERE email LIKE ?) x ON x.person_id = people.id", "e%").Where("x.email = ?", "e").Select("people.id").Find(&rows),
			"aggregate":         people().Select("name, count(*) AS n, max(id) AS m").Where("name LIKE ? OR upper(name) = ?", "f%", "F").Group("name").Having("count(*) > ?", 0).Order("n DESC").Find(&rows),
			"BETWEEN and CASE":  people().Where("id BETWEEN ? AND ? AND CASE WHEN name = ? THEN 1 ELSE 0 END = ?", 1, 9, "full", 1).Find(&rows),
			"literal":           people().Where("name = 'it''s email' OR name = ?", "full").Find(&rows),
			"window":            people().Select("id, row_number() OVER (PARTITION BY name ORDER BY id DESC) AS r").Find(&rows),
			"order by case":     people().Order(clause.OrderBy{Expression: clause.Expr{SQL: "CASE WHEN id = ? THEN 0 ELSE 1 END", Vars: []any{1}}}).Find(&rows),
			"update expression": people().Where("id = ?", 1).Updates(map[string]any{"name": gorm.Expr("LOWER(name)")}),
			"locking":           people().Clauses(clause.Locking{Strength: "UPDATE"}).Where("id = ?", 1).Find(&rows),
			"coalesce":          w.db.Raw("SELECT COALESCE(t.email, ?) AS x FROM people p LEFT JOIN tags t ON t.person_id = p.id", "none").Scan(&rows),
			"union of plain":    w.db.Raw("SELECT name FROM people UNION SELECT email FROM tags ORDER BY 1").Scan(&rows),
		} {
			rows = nil
			if w.note(tx.Error); tx.Error != nil {
				t.Errorf("%s: %v", name, tx.Error)
			}
		}
		stmt := w.db.Session(&gorm.Session{DryRun: true}).Where("email = ? AND note LIKE ?", "e", "n").Find(&Tag{}).Statement
		if len(stmt.Vars) != 2 || stmt.Vars[0] != "e" {
			t.Error("a plain condition was changed")
		}
	})
}
