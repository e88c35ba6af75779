package gormencrypt_test

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/internal/dbtest"
)

// Order belongs to a Person, and has the name of a plain column for an encrypted
// one and the other way round.
type Order struct {
	ID       int64
	PersonID int64
	Person   *Person
	Phone    string                            // plain; encrypted in people
	Name     encryptedtype.DeterministicString `gorm:"type:varchar(255)"` // encrypted; plain in people
	Contact  encryptedtype.DeterministicString `gorm:"type:varchar(255)"`
}

const wanted = canary + "-wanted"

// A model is a Go type for the table people, which the conditions are about.
type model struct {
	reflect.Type
	orders any // a model of the table orders
}

func modelOf[T any]() model { return model{reflect.TypeFor[T](), &Order{}} }

// row returns a pointer to a new model with fields set, given as name and text.
func (m model) row(fields ...string) any {
	row := reflect.New(m.Type)
	for i := 0; i < len(fields); i += 2 {
		f := row.Elem().FieldByName(fields[i])
		if f.Kind() == reflect.Pointer {
			f.Set(reflect.New(f.Type().Elem()))
			f = f.Elem()
		}
		f.Set(reflect.ValueOf(fields[i+1]).Convert(f.Type()))
	}
	return row.Interface()
}

// value returns a text as the type of a field.
func (m model) value(field, text string) any {
	f, _ := m.FieldByName(field)
	return reflect.ValueOf(text).Convert(f.Type).Interface()
}

// slice returns a slice of models.
func (m model) slice(rows ...any) any {
	s := reflect.MakeSlice(reflect.SliceOf(m.Type), 0, len(rows))
	for _, row := range rows {
		s = reflect.Append(s, reflect.ValueOf(row).Elem())
	}
	return s.Interface()
}

// found runs a query over the model and returns the rows that it finds.
func (m model) found(tx *gorm.DB) ([]int64, *gorm.DB) {
	rows := reflect.New(reflect.SliceOf(m.Type))
	tx = tx.Find(rows.Interface())
	var ids []int64
	for i := range rows.Elem().Len() {
		ids = append(ids, rows.Elem().Index(i).FieldByName("ID").Int())
	}
	slices.Sort(ids)
	return ids, tx
}

// conditions find the rows 1 and 2, whose phone and badge are wanted, the first
// under the primary key and the second under the retired one. Row 3 has others,
// and row 4 none. %s is the table as the database quotes it.
func conditions(q func(string) string, m model) map[string]func(*gorm.DB) *gorm.DB {
	where := func(query any, args ...any) func(*gorm.DB) *gorm.DB {
		return func(db *gorm.DB) *gorm.DB { return db.Where(query, args...) }
	}
	typed := m.value("Phone", wanted)
	people := q("people")
	sub := func(db *gorm.DB) *gorm.DB { return db.Session(&gorm.Session{NewDB: true}) }
	return map[string]func(*gorm.DB) *gorm.DB{
		"string":             where("phone = ?", wanted),
		"string typed":       where("phone = ?", typed),
		"string pointer":     where("badge = ?", new(wanted)),
		"no spaces":          where("phone=?", wanted),
		"many spaces":        where("  phone\n\t =   ?  ", wanted),
		"comment":            where("phone /* it's = */ = ?", wanted),
		"qualified":          where("people.phone = ?", wanted),
		"quoted":             where(q("phone")+" = ?", wanted),
		"qualified quoted":   where(people+"."+q("phone")+" = ?", wanted),
		"upper case":         where("people.PHONE = ?", wanted),
		"reversed":           where("? = phone", wanted),
		"reversed qualified": where("? = people.badge", wanted),
		"parentheses":        where("((phone) = (?))", wanted),
		"AND":                where("phone = ? AND badge = ? AND id < ?", wanted, wanted, 4),
		"OR":                 where("phone = ? OR badge = ?", wanted, "x"),
		"mixed":              where("(id = ? OR (phone = ?)) AND name <> ? AND id < 3", 77, wanted, "x"),
		"AND behind BETWEEN": where("id BETWEEN ? AND ? AND phone = ?", 0, 9, wanted),
		"IN":                 where("phone IN ?", []string{wanted, "x"}),
		"IN one":             where("phone IN ?", []string{wanted}),
		"IN parentheses":     where("phone IN (?)", []string{wanted, "x"}),
		"IN two":             where("phone in (?, ?)", "x", wanted),
		"IN typed":           where("phone IN ?", []any{m.value("Phone", "x"), typed}),
		"NOT IN":             where("phone NOT IN ?", []string{"other", "x"}),
		"<>":                 where("phone <> ?", "other"),
		"!=":                 where("? != phone", "other"),
		"NOT":                where("NOT phone = ?", "other"),
		"NOT parentheses":    where("NOT (phone = ? OR id > 3)", "other"),
		"named map":          where("phone = @p AND badge = @b", map[string]any{"p": wanted, "b": wanted}),
		"named":              where("phone = @p", sql.Named("p", wanted)),
		"named twice":        where("phone = @p OR badge = @p", sql.Named("p", wanted)),
		"named struct":       where("phone = @P", struct{ P string }{wanted}),
		"named IN":           where("phone IN @p", sql.Named("p", []string{wanted, "y"})),
		"one column":         where("phone", wanted),
		"map":                where(map[string]any{"phone": wanted}),
		"map typed":          where(map[string]any{"phone": typed}),
		"map of strings":     where(map[string]string{"phone": wanted}),
		"map qualified":      where(map[string]any{"people.phone": wanted}),
		"map slice":          where(map[string]any{"phone": []string{wanted, "x"}}),
		"map interfaces":     where(map[any]any{"phone": wanted}),
		"struct":             where(m.row("Phone", wanted, "Badge", wanted)),
		"struct value":       where(reflect.ValueOf(m.row("Badge", wanted)).Elem().Interface()),
		"struct pointer":     where(m.row("SSN", wanted)),
		"struct by names":    where(m.row("Phone", wanted, "Name", "x"), "Phone"),
		"slice of structs":   where(m.slice(m.row("Phone", wanted), m.row("Badge", wanted))),
		"Not string":         func(db *gorm.DB) *gorm.DB { return db.Not("phone = ?", "other") },
		"Not map":            func(db *gorm.DB) *gorm.DB { return db.Not(map[string]any{"phone": "other"}) },
		"Not struct":         func(db *gorm.DB) *gorm.DB { return db.Not(m.row("Phone", "other")) },
		"Not slice":          func(db *gorm.DB) *gorm.DB { return db.Not(map[string]any{"phone": []string{"other", "x"}}) },
		"Or":                 func(db *gorm.DB) *gorm.DB { return db.Where("phone = ?", "x").Or("badge = ?", wanted) },
		"Or struct":          func(db *gorm.DB) *gorm.DB { return db.Where("id = ?", 77).Or(m.row("Phone", wanted)) },
		"group":              func(db *gorm.DB) *gorm.DB { return db.Where(sub(db).Where("phone = ?", wanted).Or("phone = ?", "x")) },
		"clause.Eq":          where(clause.Eq{Column: "phone", Value: wanted}),
		"clause.Eq column":   where(clause.Eq{Column: clause.Column{Table: clause.CurrentTable, Name: "phone"}, Value: typed}),
		"clause.Eq slice":    where(clause.Eq{Column: "phone", Value: []string{wanted, "x"}}),
		"clause.Neq":         where(clause.Neq{Column: "phone", Value: "other"}),
		"clause.IN":          where(clause.IN{Column: "phone", Values: []any{wanted, "x"}}),
		"clause.Or":          where(clause.Or(clause.Eq{Column: "phone", Value: wanted}, clause.Eq{Column: "badge", Value: wanted})),
		"clause.Not":         where(clause.Not(clause.Eq{Column: "phone", Value: "other"})),
		"Clauses": func(db *gorm.DB) *gorm.DB {
			return db.Clauses(clause.Where{Exprs: []clause.Expression{clause.Eq{Column: "phone", Value: wanted}}})
		},
		"Expr": where("? ", gorm.Expr("phone = ?", wanted)),
		"subquery": func(db *gorm.DB) *gorm.DB {
			return db.Where("id IN (?)", sub(db).Model(m.row()).Select("id").Where("phone = ?", wanted))
		},
		"subquery struct": func(db *gorm.DB) *gorm.DB {
			return db.Where("id IN (?)", sub(db).Model(m.row()).Select("id").Where(m.row("Phone", wanted)))
		},
		"subquery of column": func(db *gorm.DB) *gorm.DB { return db.Where("phone IN (?)", sub(db).Model(m.row()).Select("badge")) },
		"subquery on orders": func(db *gorm.DB) *gorm.DB {
			return db.Where("id IN (?)", sub(db).Model(m.orders).Select("person_id").Where("name = ?", "o"))
		},
		"subquery plain": func(db *gorm.DB) *gorm.DB {
			return db.Where("id IN (?)", sub(db).Model(m.orders).Select("person_id").Where("phone = ?", "plain"))
		},
		"raw subquery": func(db *gorm.DB) *gorm.DB {
			return db.Where("id IN (?)", sub(db).Raw("SELECT id FROM people WHERE phone = ?", wanted))
		},
		"EXISTS": func(db *gorm.DB) *gorm.DB {
			return db.Where("EXISTS (?)", sub(db).Table("people AS o").Select("1").Where("o.id = people.id AND o.phone = ?", wanted))
		},
		"correlated": func(db *gorm.DB) *gorm.DB {
			return db.Where("EXISTS (?)", sub(db).Table("orders").Select("1").Where("orders.person_id = people.id AND people.phone = ? AND orders.phone = ?", wanted, "plain"))
		},
		"CASE":        where("CASE WHEN phone = ? THEN 1 ELSE 0 END = 1", wanted),
		"two columns": where("people.phone = people.badge"),
		"join condition": func(db *gorm.DB) *gorm.DB {
			return db.Joins("JOIN orders o ON o.person_id = people.id AND o.phone = ? AND o.name = ?", "plain", "o").Where("people.phone = ?", wanted)
		},
		"join on columns": func(db *gorm.DB) *gorm.DB {
			return db.Joins("JOIN orders o ON o.contact = people.phone").Where("o.phone = ?", "plain").Group("people.id")
		},
		"Having": func(db *gorm.DB) *gorm.DB {
			return db.Select("MIN(id) AS id, phone").Group("phone").Having("phone = ?", wanted)
		},
	}
}

func newPeople(t *testing.T, d *dbtest.Database) *world {
	w := newWorld(t, d, &Person{}, &Order{})
	people := []Person{
		{Name: "a", Phone: wanted, Badge: wanted, SSN: new(wanted), Email: wanted, Note: wanted},
		{Name: "b", Phone: wanted, Badge: wanted, SSN: new(wanted), Email: wanted, Note: wanted},
		{Name: "c", Phone: "other", Badge: "other badge", SSN: new("other"), Email: "other", Note: "other"},
	}
	w.ok(w.db.Create(&people))
	for _, column := range []string{"phone", "badge", "ssn"} {
		w.plant("people", column, 2, string(w.oldRing.EncryptDeterministic([]byte(wanted))))
	}
	orders := []Order{
		{PersonID: 1, Phone: "plain", Name: "o", Contact: wanted},
		{PersonID: 2, Phone: "plain", Name: "o", Contact: wanted},
		{PersonID: 3, Phone: "x", Name: "x", Contact: "x"},
	}
	w.ok(w.db.Create(&orders))
	w.plant("orders", "contact", 2, string(w.oldRing.EncryptDeterministic([]byte(wanted))))
	return w
}

func (w *world) quote(name string) string {
	if w.database.Dialect == "mysql" {
		return "`" + name + "`"
	}
	return `"` + name + `"`
}

func TestEqualityIsAnsweredUnderEveryKey(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newPeople(t, d)
		for name, condition := range conditions(w.quote, modelOf[Person]()) {
			t.Run(name, func(t *testing.T) {
				w := w.with(t)
				want := []int64{1, 2}
				if name == "Having" { // a group for each key
					var rows []Person
					w.ok(condition(w.db.Model(&Person{})).Find(&rows))
					if len(rows) != 2 {
						t.Errorf("got %d groups, want 2", len(rows))
					}
					return
				}
				ids, tx := modelOf[Person]().found(condition(w.db).Select("people.id"))
				w.ok(tx)
				if !slices.Equal(ids, want) {
					t.Errorf("found %v, want %v", ids, want)
				}
				var n int64
				w.ok(condition(w.db.Model(&Person{})).Distinct("people.id").Count(&n))
				if n != 2 {
					t.Errorf("counted %d, want 2", n)
				}
			})
		}
	})
}

func TestOtherStatementsFindByEquality(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newPeople(t, d)
		for range 2 {
			for _, phone := range []encryptedtype.DeterministicString{wanted, canary + "-fresh"} {
				var p Person
				w.ok(w.db.Where(Person{Phone: phone}).FirstOrCreate(&p))
				if p.Phone != phone {
					t.Error("FirstOrCreate did not set what it was asked for")
				}
			}
		}
		if n := w.count("people"); n != 4 {
			t.Errorf("%d rows, want 4: FirstOrCreate must make one", n)
		}
		w.ok(w.db.Exec("DELETE FROM orders"))
		var p Person
		w.ok(w.db.Where(&Person{Phone: canary + "-nobody"}).FirstOrInit(&p))
		if p.ID != 0 || p.Phone != canary+"-nobody" {
			t.Error("FirstOrInit")
		}
		w.ok(w.db.First(&p, "phone = ?", wanted))
		_, err := gorm.G[Person](w.db).Where("phone = ?", wanted).First(context.Background())
		if w.note(err) != nil {
			t.Error(err)
		}
		var phones []encryptedtype.DeterministicString
		w.ok(w.db.Model(&Person{}).Distinct("phone").Where("phone IS NOT NULL").Find(&phones))
		if len(phones) != 4 { // wanted under two keys, other, fresh
			t.Errorf("%d distinct phones", len(phones))
		}
		var n int64
		w.ok(w.db.Model(&Person{}).Where("email IS NOT NULL AND note IS NOT NULL").Count(&n))
		w.ok(w.db.Model(&Person{}).Distinct("phone").Count(&n))
		w.ok(w.db.Model(&Person{}).Where("phone = ?", wanted).Update("name", "renamed"))
		if r := w.ok(w.db.Where(&Person{Phone: wanted}).Delete(&Person{})); r.RowsAffected != 2 {
			t.Errorf("deleted %d, want 2", r.RowsAffected)
		}
		if r := w.ok(w.db.Exec("DELETE FROM people WHERE phone = ?", "other")); r.RowsAffected != 1 {
			t.Errorf("deleted %d, want 1", r.RowsAffected)
		}
	})
}

func TestDryRunShowsTokensOnly(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newPeople(t, d)
		for name, condition := range conditions(w.quote, modelOf[Person]()) {
			stmt := condition(w.db.Session(&gorm.Session{DryRun: true})).Find(&[]Person{}).Statement
			shown := stmt.SQL.String() + fmt.Sprintf("%v %+v %#v", stmt.Vars, stmt.Vars, stmt.Vars)
			shown += w.db.ToSQL(func(tx *gorm.DB) *gorm.DB { return condition(tx).Find(&[]Person{}) })
			if findCanary(shown) != "" {
				t.Errorf("%s shows the plaintext", name)
			}
		}
		for _, f := range fieldForms("") {
			stmt := w.db.Session(&gorm.Session{DryRun: true}).Create(person("n", f)).Statement
			if findCanary(stmt.SQL.String()+fmt.Sprintf("%v %+v %#v", stmt.Vars, stmt.Vars, stmt.Vars)) != "" {
				t.Errorf("Create shows %s", f.name)
			}
		}
	})
}

func TestConditionLeavesTheCallersValuesAlone(t *testing.T) {
	w := newPeople(t, dbtest.SQLite(t))
	phones := []string{wanted, "x"}
	m := map[string]any{"phone": phones, "name": "a"}
	before := fmt.Sprint(m)
	tx := w.db.Where(m).Session(&gorm.Session{})
	for range 2 { // a session is used again
		var people []Person
		w.ok(tx.Find(&people))
		if len(people) != 1 {
			t.Errorf("found %d", len(people))
		}
	}
	if fmt.Sprint(m) != before || !reflect.DeepEqual(phones, []string{wanted, "x"}) {
		t.Error("the arguments were changed")
	}
	if strings.Contains(fmt.Sprint(tx.Statement.Vars), canary) {
		t.Error("the statement keeps the value")
	}
}
