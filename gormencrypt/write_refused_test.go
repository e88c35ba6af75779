package gormencrypt_test

import (
	"context"
	"testing"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/fernetcol/fernetcol/internal/dbtest"
)

func TestWriteThatCannotBeSealedIsAnError(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &Person{})
		p := w.existing()
		m := func() *gorm.DB { return w.db.Model(&Person{}).Where("id = ?", p.ID) }
		for _, column := range []string{"email", "note", "badge"} {
			for name, tx := range map[string]*gorm.DB{
				"Update Expr":          m().Update(column, gorm.Expr("?", canary)),
				"Update Expr of two":   m().Update(column, gorm.Expr("CONCAT(?, ?)", canary, "x")),
				"Update Expr NULL x":   m().Update(column, gorm.Expr("COALESCE(NULL, ?)", canary)),
				"Updates map Expr":     m().Updates(map[string]any{column: gorm.Expr("name")}),
				"plain from it":        m().Update("name", gorm.Expr(column)),
				"plain from COALESCE":  m().Update("name", gorm.Expr("COALESCE(name, "+column+")")),
				"plain from qualified": m().UpdateColumn("name", gorm.Expr("people."+column)),
				"plain from Column":    m().Updates(map[string]any{"name": clause.Column{Name: column}}),
				"plain from subquery":  m().Update("name", w.db.Model(&Person{}).Select(column).Where("id = ?", p.ID)),
				"Update column":        m().Update(column, clause.Column{Name: "name"}),
				"Update subquery":      m().Update(column, w.db.Model(&Person{}).Select("name").Limit(1)),
				"UpdateColumn Expr":    m().UpdateColumn(column, gorm.Expr("?", canary)),
				"Create map Expr":      w.db.Model(&Person{}).Create(map[string]any{column: gorm.Expr("?", canary)}),
				"Table Create Expr":    w.db.Table("people").Create(map[string]any{column: gorm.Expr("UPPER(?)", canary)}),
				"OnConflict Expr":      w.db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, DoUpdates: clause.Assignments(map[string]any{column: gorm.Expr("?", canary)})}).Create(&Person{ID: p.ID}),
				"OnConflict column":    w.db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, DoUpdates: clause.Assignments(map[string]any{column: clause.Column{Table: "excluded", Name: "name"}})}).Create(&Person{ID: p.ID}),
				"other type":           m().Update(column, 7),
				"struct":               m().Update(column, struct{ X int }{1}),
				"Exec literal":         w.db.Exec("UPDATE people SET " + column + " = 'x' WHERE id = 1"),
				"Exec spaces":          w.db.Exec("update  people\nset\t"+column+"=lower(?)", canary),
				"Exec concat":          w.db.Exec("UPDATE people SET "+column+" = ? || 'x'", canary),
				"Exec column":          w.db.Exec("UPDATE people SET " + column + " = name"),
				"Exec plain from it":   w.db.Exec("UPDATE people SET name = " + column),
				"Exec second":          w.db.Exec("UPDATE people SET name = ?, "+column+" = UPPER(?)", "x", canary),
				"Exec row":             w.db.Exec("UPDATE people SET ("+column+", name) = (?, ?)", canary, "x"),
				"Exec alias":           w.db.Exec("UPDATE people AS p SET "+column+" = (SELECT ?)", canary),
				"Exec quoted":          w.db.Exec("UPDATE people SET "+w.quote(column)+" = ?+0", canary),
				"Exec comment":         w.db.Exec("/* UPDATE x */ UPDATE people SET /* x */ " + column + " /* = */ = /* ? */ 'x' -- y"),
				"Exec upsert":          w.db.Exec("INSERT INTO people (id, name) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET "+column+" = 'x'", 1, "x"),
				"Exec duplicate key":   w.db.Exec("INSERT INTO people (id, name) VALUES (?, ?) ON DUPLICATE KEY UPDATE "+column+" = CONCAT(?, 'x')", 1, "x", canary),
				"Exec insert literal":  w.db.Exec("INSERT INTO people (" + column + ") VALUES ('x')"),
				"Exec insert second":   w.db.Exec("INSERT INTO people ("+column+") VALUES (?), ('x')", canary),
				"Exec insert computed": w.db.Exec("INSERT INTO people (name, "+column+") VALUES (?, LOWER(?))", "x", canary),
				"Exec insert cast":     w.db.Exec("INSERT INTO people (name, "+column+") VALUES (?, ? || 'x')", "x", canary),
				"Exec insert select":   w.db.Exec("INSERT INTO people (name, "+column+") SELECT ?, ?", "x", canary),
				"Exec insert no INTO":  w.db.Exec("INSERT people (name, "+column+") VALUES (?, ?)", "x", canary),
				"Exec ignore no INTO":  w.db.Exec("INSERT LOW_PRIORITY IGNORE people SET "+column+" = ?", canary),
				"Exec replace no INTO": w.db.Exec("REPLACE people ("+column+") VALUES (?)", canary),
				"Exec insert rows":     w.db.Exec("INSERT INTO people ("+column+") VALUES ROW(?)", canary),
				"Exec insert no list":  w.db.Exec("INSERT INTO people VALUES (?, ?)", 1, canary),
				"Exec insert quoted":   w.db.Exec("INSERT INTO people ('"+column+"') VALUES (?)", canary),
				"Exec insert default":  w.db.Exec("INSERT INTO people AS p ("+column+") VALUES (COALESCE(?, 'x'))", canary),
				"Exec REPLACE":         w.db.Exec("REPLACE INTO people ("+column+") VALUES (UPPER(?))", canary),
				"Exec insert set":      w.db.Exec("INSERT INTO people SET "+column+" = UPPER(?)", canary),
				"Exec schema":          w.db.Exec(`INSERT INTO ` + w.quote("main") + `.people (` + column + `) VALUES ('x')`),
				"Exec CTE":             w.db.Exec("WITH x AS (SELECT 1) UPDATE people SET " + column + " = 'x' WHERE id IN (SELECT * FROM x)"),
				"Exec second of two":   w.db.Exec("SELECT 1; INSERT INTO people (" + column + ") VALUES ('x')"),
				"Exec behind DDL":      w.db.Exec("SET x = 1; UPDATE people SET " + column + " = 'x'"),
				"Raw returning":        w.db.Raw("UPDATE people SET " + column + " = 'x' RETURNING id").Scan(new(int)),
			} {
				t.Run(name+"/"+column, func(t *testing.T) { w.with(t).refused(tx.Error, "people.") })
			}
			_, err := gorm.G[Person](w.db).Where("id = ?", p.ID).Update(context.Background(), column, gorm.Expr("?", canary))
			w.refused(err, "people."+column)
			_, err = gorm.G[Person](w.db).Where("id = ?", p.ID).Set(clause.Assignment{Column: clause.Column{Name: column}, Value: gorm.Expr("?", canary)}).Update(context.Background())
			w.refused(err, "people."+column)
		}
		if n := w.count("people"); n != 1 {
			t.Errorf("%d rows", n)
		}
	})
}

func TestNullAndDefaultAreWritten(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &Person{})
		for _, f := range fieldForms("") {
			p := person("n", f)
			w.ok(w.db.Create(p))
			w.ok(w.db.Model(p).Update(f.column, gorm.Expr("NULL")))
			if w.raw("people", f.column, p.ID) != nil {
				t.Errorf("%s is not NULL", f.name)
			}
			w.ok(w.db.Model(p).Update(f.column, f.plain))
			w.ok(w.db.Model(p).Update(f.column, nil))
			if w.raw("people", f.column, p.ID) != nil {
				t.Errorf("%s is not NULL", f.name)
			}
			var q Person
			w.ok(w.db.First(&q, p.ID))
			if q.Name != "n" || q.Nick != nil || q.SSN != nil || q.Alias.Valid {
				t.Errorf("%s was not read back as NULL", f.name)
			}
		}
		empty := w.existing()
		for column, null := range map[string]bool{"email": false, "phone": false, "note": false, "age": false, "nick": true, "ssn": true, "alias": true, "photo": true, "blob": true} {
			if got := w.raw("people", column, empty.ID) == nil; got != null {
				t.Errorf("the zero value of %s: NULL is %v", column, got)
			}
		}
	})
}

func TestPlaintextThatLooksLikeATokenIsEncrypted(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &Person{})
		token := w.ring.EncryptString("x")
		for _, column := range []string{"email", "note", "phone", "badge", "ssn"} {
			p := w.existing()
			w.ok(w.db.Model(p).Update(column, token))
			w.stored("people", column, p.ID, token)
			w.ok(w.db.Exec("UPDATE people SET "+column+" = ? WHERE id = ?", token, p.ID))
			w.stored("people", column, p.ID, token)
			var s []string
			w.ok(w.db.Model(&Person{}).Where("id = ?", p.ID).Pluck(column, &s))
			if s[0] != token {
				t.Errorf("%s was decrypted twice", column)
			}
		}
		var n int64
		w.ok(w.db.Model(&Person{}).Where("badge = ?", token).Count(&n))
		if n != 1 {
			t.Error("the condition was not sealed")
		}
	})
}
