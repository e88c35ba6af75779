package gormencrypt_test

import (
	"context"
	"reflect"
	"testing"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/fernetcol/fernetcol/internal/dbtest"
)

// A writeForm is one way to write a value to a column. It returns the row.
type writeForm struct {
	name  string
	write func(w *world, f fieldForm) int64
}

func (w *world) created(p *Person) int64 {
	w.Helper()
	w.ok(w.db.Create(p))
	return p.ID
}

// existing inserts a row that has no value for any encrypted field but others'.
func (w *world) existing() *Person {
	w.Helper()
	p := &Person{Name: "existing"}
	w.ok(w.db.Create(p))
	return p
}

func (w *world) last() int64 {
	var p Person
	w.ok(w.db.Select("id").Last(&p))
	return p.ID
}

var writeForms = []writeForm{
	{"Create pointer", func(w *world, f fieldForm) int64 { return w.created(person("n", f)) }},
	{"Create slice", func(w *world, f fieldForm) int64 {
		people := []Person{{Name: "a"}, *person("b", f)}
		w.ok(w.db.Create(&people))
		return people[1].ID
	}},
	{"Create slice of pointers", func(w *world, f fieldForm) int64 {
		people := []*Person{{Name: "a"}, person("b", f)}
		w.ok(w.db.Create(people))
		return people[1].ID
	}},
	{"Create map by column", func(w *world, f fieldForm) int64 {
		w.ok(w.db.Model(&Person{}).Create(map[string]any{"name": "n", f.column: f.plain}))
		return w.last()
	}},
	{"Create map by field", func(w *world, f fieldForm) int64 {
		w.ok(w.db.Model(&Person{}).Create(map[string]any{"Name": "n", f.name: f.value}))
		return w.last()
	}},
	{"Create maps", func(w *world, f fieldForm) int64 {
		w.ok(w.db.Model(&Person{}).Create(&[]map[string]any{{"name": "n", f.column: f.plain}, {"name": "m", f.column: f.value}}))
		return w.last()
	}},
	{"Table Create map", func(w *world, f fieldForm) int64 {
		w.ok(w.db.Table("people").Create(map[string]any{"name": "n", f.column: f.plain}))
		return w.last()
	}},
	{"CreateInBatches", func(w *world, f fieldForm) int64 {
		people := []Person{{Name: "a"}, *person("b", f), *person("c", f)}
		w.ok(w.db.CreateInBatches(&people, 2))
		w.stored("people", f.column, people[2].ID, f.stored)
		return people[1].ID
	}},
	{"Create Select", func(w *world, f fieldForm) int64 {
		p := person("n", f)
		w.ok(w.db.Select("Name", f.name).Create(p))
		return p.ID
	}},
	{"Create Omit", func(w *world, f fieldForm) int64 {
		p := person("n", f)
		w.ok(w.db.Omit("Name").Create(p))
		return p.ID
	}},
	{"Save new", func(w *world, f fieldForm) int64 {
		p := person("n", f)
		w.ok(w.db.Save(p))
		return p.ID
	}},
	{"Save existing", func(w *world, f fieldForm) int64 {
		p := person("n", f)
		p.ID = w.existing().ID
		w.ok(w.db.Save(p))
		return p.ID
	}},
	{"Save missing", func(w *world, f fieldForm) int64 {
		p := person("n", f)
		p.ID = w.existing().ID + 1e6
		w.ok(w.db.Save(p))
		w.stored("people", f.column, p.ID, f.stored)
		w.ok(w.db.Delete(p)) // the next row gets the next number
		return w.created(person("n", f))
	}},
	{"Save slice", func(w *world, f fieldForm) int64 {
		p := person("n", f)
		p.ID = w.existing().ID
		w.ok(w.db.Save([]*Person{p}))
		return p.ID
	}},
	{"Updates struct", func(w *world, f fieldForm) int64 {
		p := w.existing()
		w.ok(w.db.Model(p).Updates(*person("u", f)))
		return p.ID
	}},
	{"Updates pointer with Where", func(w *world, f fieldForm) int64 {
		p := w.existing()
		w.ok(w.db.Model(&Person{}).Where("id = ?", p.ID).Updates(person("u", f)))
		return p.ID
	}},
	{"Updates other struct", func(w *world, f fieldForm) int64 {
		p := w.existing()
		w.ok(w.db.Model(p).Updates(otherStruct(f)))
		return p.ID
	}},
	{"Updates map", func(w *world, f fieldForm) int64 {
		p := w.existing()
		w.ok(w.db.Model(p).Updates(map[string]any{f.column: f.plain, "name": "u"}))
		return p.ID
	}},
	{"Updates map by field", func(w *world, f fieldForm) int64 {
		p := w.existing()
		w.ok(w.db.Model(&Person{}).Where("id = ?", p.ID).Updates(map[string]any{f.name: f.value}))
		return p.ID
	}},
	{"Update", func(w *world, f fieldForm) int64 {
		p := w.existing()
		w.ok(w.db.Model(p).Update(f.column, f.plain))
		return p.ID
	}},
	{"Update typed", func(w *world, f fieldForm) int64 {
		p := w.existing()
		w.ok(w.db.Model(&Person{}).Where("id = ?", p.ID).Update(f.name, f.value))
		return p.ID
	}},
	{"UpdateColumn", func(w *world, f fieldForm) int64 {
		p := w.existing()
		w.ok(w.db.Model(p).UpdateColumn(f.column, f.plain))
		return p.ID
	}},
	{"UpdateColumns struct", func(w *world, f fieldForm) int64 {
		p := w.existing()
		w.ok(w.db.Model(p).UpdateColumns(person("u", f)))
		return p.ID
	}},
	{"UpdateColumns map", func(w *world, f fieldForm) int64 {
		p := w.existing()
		w.ok(w.db.Model(p).UpdateColumns(map[string]any{f.column: f.plain}))
		return p.ID
	}},
	{"Updates Select", func(w *world, f fieldForm) int64 {
		p := w.existing()
		w.ok(w.db.Model(p).Select(f.name).Updates(person("u", f)))
		return p.ID
	}},
	{"Table Updates map", func(w *world, f fieldForm) int64 {
		p := w.existing()
		w.ok(w.db.Table("people").Where("id = ?", p.ID).Updates(map[string]any{f.column: f.plain}))
		return p.ID
	}},
	{"Table alias Updates map", func(w *world, f fieldForm) int64 {
		if w.database.Dialect != "mysql" { // the only one with UPDATE table alias in GORM's form
			return w.created(person("n", f))
		}
		p := w.existing()
		w.ok(w.db.Table("people AS p").Where("p.id = ?", p.ID).Updates(map[string]any{"p." + f.column: f.plain}))
		return p.ID
	}},
	{"FirstOrCreate Assign map", func(w *world, f fieldForm) int64 {
		var p Person
		w.ok(w.db.Where("name = ?", "nobody").Assign(map[string]any{f.column: notBytes(f)}).FirstOrCreate(&p))
		return p.ID
	}},
	{"FirstOrCreate Assign map to existing", func(w *world, f fieldForm) int64 {
		p := w.existing()
		w.ok(w.db.Where("id = ?", p.ID).Assign(map[string]any{f.column: notBytes(f)}).FirstOrCreate(&Person{}))
		return p.ID
	}},
	{"FirstOrCreate Assign struct to existing", func(w *world, f fieldForm) int64 {
		p := w.existing()
		w.ok(w.db.Where("id = ?", p.ID).Assign(*person("", f)).FirstOrCreate(&Person{}))
		return p.ID
	}},
	{"FirstOrCreate Attrs", func(w *world, f fieldForm) int64 {
		var p Person
		w.ok(w.db.Where("name = ?", "nobody").Attrs(*person("n", f)).FirstOrCreate(&p))
		return p.ID
	}},
	{"FirstOrInit and Save", func(w *world, f fieldForm) int64 {
		var p Person
		w.ok(w.db.Where("name = ?", "nobody").Attrs(map[string]any{f.column: notBytes(f)}).FirstOrInit(&p))
		w.ok(w.db.Save(&p))
		return p.ID
	}},
	{"OnConflict UpdateAll", func(w *world, f fieldForm) int64 {
		p := person("n", f)
		p.ID = w.existing().ID
		w.ok(w.db.Clauses(clause.OnConflict{UpdateAll: true}).Create(p))
		return p.ID
	}},
	{"OnConflict Assignments", func(w *world, f fieldForm) int64 {
		p := w.existing()
		w.ok(w.db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, DoUpdates: clause.Assignments(map[string]any{f.column: f.plain})}).
			Create(&Person{ID: p.ID, Name: "x"}))
		return p.ID
	}},
	{"OnConflict AssignmentColumns", func(w *world, f fieldForm) int64 {
		p := person("n", f)
		p.ID = w.existing().ID
		w.ok(w.db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, DoUpdates: clause.AssignmentColumns([]string{"name", f.column})}).Create(p))
		return p.ID
	}},
	{"G Create", func(w *world, f fieldForm) int64 {
		p := person("n", f)
		w.note(gorm.G[Person](w.db).Create(context.Background(), p))
		return p.ID
	}},
	{"G Update", func(w *world, f fieldForm) int64 {
		p := w.existing()
		_, err := gorm.G[Person](w.db).Where("id = ?", p.ID).Update(context.Background(), f.column, f.plain)
		w.note(err)
		return p.ID
	}},
	{"G Updates", func(w *world, f fieldForm) int64 {
		p := w.existing()
		_, err := gorm.G[Person](w.db).Where("id = ?", p.ID).Updates(context.Background(), *person("u", f))
		w.note(err)
		return p.ID
	}},
	{"G Set Update", func(w *world, f fieldForm) int64 {
		p := w.existing()
		_, err := gorm.G[Person](w.db).Where("id = ?", p.ID).Set(clause.Assignment{Column: clause.Column{Name: f.column}, Value: f.plain}).Update(context.Background())
		w.note(err)
		return p.ID
	}},
	{"G Set Create", func(w *world, f fieldForm) int64 {
		w.note(gorm.G[Person](w.db).Set(clause.Assignment{Column: clause.Column{Name: f.column}, Value: f.plain}).Create(context.Background()))
		return w.last()
	}},
	{"SET clause", func(w *world, f fieldForm) int64 {
		p := w.existing()
		w.ok(w.db.Model(&Person{}).Where("id = ?", p.ID).Clauses(clause.Set{{Column: clause.Column{Name: f.column}, Value: f.plain}}).Updates(map[string]any{}))
		return p.ID
	}},
	{"Session and PrepareStmt", func(w *world, f fieldForm) int64 {
		p := person("n", f)
		tx := w.db.Session(&gorm.Session{PrepareStmt: true, CreateBatchSize: 3})
		w.ok(tx.Create(p))
		w.ok(tx.Model(p).Update(f.column, f.plain))
		w.ok(tx.Model(p).Update(f.column, f.plain))
		return p.ID
	}},
	{"Scopes", func(w *world, f fieldForm) int64 {
		p := w.existing()
		w.ok(w.db.Model(&Person{}).Scopes(func(tx *gorm.DB) *gorm.DB { return tx.Where("id = ?", p.ID) }).Update(f.column, f.plain))
		return p.ID
	}},
	{"Returning", func(w *world, f fieldForm) int64 {
		var p Person
		p.ID = w.existing().ID
		if w.database.Dialect == "mysql" { // has no UPDATE … RETURNING
			return w.created(person("n", f))
		}
		w.ok(w.db.Model(&p).Clauses(clause.Returning{}).Where("id = ?", p.ID).Update(f.column, f.plain))
		if !reflect.DeepEqual(reflect.ValueOf(p).FieldByName(f.name).Interface(), f.value) {
			w.Error("RETURNING did not give the plaintext")
		}
		return p.ID
	}},
	{"nested transaction", func(w *world, f fieldForm) int64 {
		p := w.existing()
		w.note(w.db.Transaction(func(tx *gorm.DB) error {
			_ = tx.Transaction(func(tx *gorm.DB) error {
				tx.Model(p).Update(f.column, f.plain)
				return context.Canceled // roll back to the savepoint
			})
			return tx.Transaction(func(tx *gorm.DB) error { return tx.Model(p).Update(f.column, f.plain).Error })
		}))
		return p.ID
	}},
	{"Exec UPDATE", func(w *world, f fieldForm) int64 {
		p := w.existing()
		w.ok(w.db.Exec("UPDATE people SET name = ?, "+w.quote(f.column)+" = ? WHERE id = ?", "u", f.plain, p.ID))
		return p.ID
	}},
	{"Exec INSERT", func(w *world, f fieldForm) int64 {
		w.ok(w.db.Exec("INSERT INTO people (name, "+w.quote(f.column)+") VALUES (?, ?), (?, ?)", "u", f.value, "v", f.plain))
		return w.last()
	}},
	{"Exec UPDATE of two tables", func(w *world, f fieldForm) int64 {
		if w.database.Dialect != "mysql" {
			return w.created(person("n", f))
		}
		p := w.existing()
		w.ok(w.db.Exec("UPDATE people AS p JOIN people AS o ON o.id = p.id SET p."+w.quote(f.column)+" = ? WHERE o.id = ?", f.plain, p.ID))
		return p.ID
	}},
	{"Exec upsert", func(w *world, f fieldForm) int64 {
		p := w.existing()
		column := w.quote(f.column)
		update := " ON CONFLICT (id) DO UPDATE SET " + column + " = excluded." + column
		if w.database.Dialect == "mysql" {
			update = " ON DUPLICATE KEY UPDATE " + column + " = VALUES(" + column + ")"
		}
		w.ok(w.db.Exec("INSERT INTO people (id, name, "+column+") VALUES (?, ?, ?)"+update, p.ID, "u", f.value))
		return p.ID
	}},
	{"Exec UPDATE OR", func(w *world, f fieldForm) int64 {
		update := "UPDATE people"
		if w.database.Dialect == "sqlite" {
			update = "UPDATE OR REPLACE people"
		}
		p := w.existing()
		w.ok(w.db.Exec(update+" SET "+w.quote(f.column)+" = ? WHERE id = ?", f.plain, p.ID))
		return p.ID
	}},
	{"Exec INSERT by qualified and quoted names", func(w *world, f fieldForm) int64 {
		name, column := "name", `"`+f.column+`"`
		if w.database.Dialect == "mysql" {
			name, column = "people.name", "people."+w.quote(f.column)
		}
		w.ok(w.db.Exec("INSERT INTO people ("+name+", "+column+") VALUES ('u', ?)", f.value))
		return w.last()
	}},
	{"Exec named", func(w *world, f fieldForm) int64 {
		p := w.existing()
		w.ok(w.db.Exec("UPDATE people SET "+w.quote(f.column)+" = @v WHERE id = @id", map[string]any{"v": f.plain, "id": p.ID}))
		return p.ID
	}},
}

func TestEveryWriteStoresOneToken(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &Person{})
		for _, form := range writeForms {
			for _, f := range fieldForms("") {
				t.Run(form.name+"/"+f.name, func(t *testing.T) {
					sub := w.with(t)
					id := form.write(sub, f)
					sub.stored("people", f.column, id, f.stored)
				})
			}
		}
	})
}
