package gormencrypt_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"gorm.io/gorm"

	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/gormencrypt"
	"github.com/fernetcol/fernetcol/internal/dbtest"
	"github.com/fernetcol/fernetcol/keyprovider"
)

// readForms read row 2, the only one whose name is "full".
var readForms = map[string]func(w *world) Person{
	"Find":          func(w *world) Person { return w.one(w.db.Where("name = ?", "full")) },
	"First":         func(w *world) (p Person) { w.ok(w.db.First(&p, 2)); return p },
	"First by key":  func(w *world) Person { p := Person{ID: 2}; w.ok(w.db.First(&p)); return p },
	"Take":          func(w *world) (p Person) { w.ok(w.db.Where("id = 2").Take(&p)); return p },
	"Last":          func(w *world) (p Person) { w.ok(w.db.Where("id < 3").Last(&p)); return p },
	"Find array":    func(w *world) Person { var p [3]Person; w.ok(w.db.Order("id").Find(&p)); return p[1] },
	"Find pointers": func(w *world) Person { var p []*Person; w.ok(w.db.Order("id").Find(&p)); return *p[1] },
	"FindInBatches": func(w *world) (found Person) {
		var p []Person
		w.ok(w.db.FindInBatches(&p, 1, func(tx *gorm.DB, batch int) error {
			if p[0].ID == 2 {
				found = p[0]
			}
			return nil
		}))
		return found
	},
	"Rows and ScanRows": func(w *world) (p Person) {
		rows, err := w.db.Model(&Person{}).Where("id = 2").Rows()
		if w.note(err) != nil {
			w.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			if err := w.db.ScanRows(rows, &p); w.note(err) != nil {
				w.Fatal(err)
			}
		}
		return p
	},
	"Raw Scan": func(w *world) (p Person) { w.ok(w.db.Raw("SELECT * FROM people WHERE id = ?", 2).Scan(&p)); return p },
	"Raw Scan slice": func(w *world) Person {
		var p []Person
		w.ok(w.db.Raw("SELECT * FROM people ORDER BY id").Scan(&p))
		return p[1]
	},
	"Raw Find":      func(w *world) (p Person) { w.ok(w.db.Raw("SELECT * FROM people WHERE id = ?", 2).Find(&p)); return p },
	"Table Scan":    func(w *world) (p Person) { w.ok(w.db.Table("people").Where("id = 2").Scan(&p)); return p },
	"aliased table": func(w *world) (p Person) { w.ok(w.db.Table("people AS q").Where("q.id = ?", 2).Take(&p)); return p },
	"G": func(w *world) Person {
		p, err := gorm.G[Person](w.db).Where("id = ?", 2).First(context.Background())
		w.note(err)
		return p
	},
	"G Find": func(w *world) Person {
		p, err := gorm.G[Person](w.db).Where("id = ?", 2).Find(context.Background())
		w.note(err)
		return p[0]
	},
	"G Raw": func(w *world) Person {
		p, err := gorm.G[Person](w.db).Raw("SELECT * FROM people WHERE id = ?", 2).First(context.Background())
		w.note(err)
		return p
	},
	"PrepareStmt": func(w *world) (p Person) { w.ok(w.db.Session(&gorm.Session{PrepareStmt: true}).First(&p, 2)); return p },
	"QueryFields": func(w *world) (p Person) { w.ok(w.db.Session(&gorm.Session{QueryFields: true}).First(&p, 2)); return p },
	"FirstOrInit": func(w *world) (p Person) { w.ok(w.db.Where("id = 2").FirstOrInit(&p)); return p },
	"derived table": func(w *world) (p Person) {
		w.ok(w.db.Table("(?) AS t", w.db.Model(&Person{}).Where("id = 2")).Find(&p))
		return p
	},
	"Preload": func(w *world) Person { var o Order; w.ok(w.db.Preload("Person").First(&o)); return *o.Person },
	"Preload with condition": func(w *world) Person {
		var o Order
		w.ok(w.db.Preload("Person", "phone = ?", canary+"-phone").First(&o))
		return *o.Person
	},
	"Joins": func(w *world) Person { var o Order; w.ok(w.db.Joins("Person").First(&o)); return *o.Person },
	"InnerJoins": func(w *world) Person {
		var o Order
		w.ok(w.db.InnerJoins("Person", w.db.Where(&Person{Phone: canary + "-phone"})).First(&o))
		return *o.Person
	},
	"Association": func(w *world) (p Person) {
		w.note(w.db.Model(&Order{ID: 1, PersonID: 2}).Association("Person").Find(&p))
		return p
	},
}

func (w *world) one(tx *gorm.DB) Person {
	w.Helper()
	var p []Person
	w.ok(tx.Find(&p))
	if len(p) != 1 {
		w.Fatalf("found %d", len(p))
	}
	return p[0]
}

func newReaders(t *testing.T, d *dbtest.Database) (*world, *Person) {
	w := newWorld(t, d, &Person{}, &Order{})
	full := person("full", fieldForms("")...)
	w.ok(w.db.Create([]*Person{person("first"), full, person("third", fieldForms("-3")...)}))
	w.ok(w.db.Create(&Order{PersonID: full.ID, Phone: "plain", Name: "name"}))
	return w, full
}

func TestEveryReadDecrypts(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w, full := newReaders(t, d)
		for name, read := range readForms {
			t.Run(name, func(t *testing.T) {
				got := read(w.with(t))
				for _, f := range append(fieldForms(""), fieldForm{name: "Name"}) {
					g, want := reflect.ValueOf(got).FieldByName(f.name).Interface(), reflect.ValueOf(*full).FieldByName(f.name).Interface()
					if !reflect.DeepEqual(g, want) {
						t.Errorf("%s differs", f.name)
					}
				}
			})
		}
	})
}

func TestReadIntoOtherDestinations(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w, full := newReaders(t, d)
		m := func() *gorm.DB { return w.db.Model(&Person{}).Where("id = ?", full.ID) }
		want := func(what string, got any, ok bool) {
			t.Helper()
			if !ok {
				t.Errorf("%s: not the plaintext (%T)", what, got)
			}
		}
		for _, f := range fieldForms("") {
			text, isText := f.plain.(string)
			if b, ok := f.plain.([]byte); ok {
				text, isText = string(b), true
			}
			if isText {
				var s []string
				w.ok(m().Pluck(f.column, &s))
				want("Pluck "+f.name, s, len(s) == 1 && s[0] == text)
				var ptr []*string
				w.ok(m().Pluck(f.column, &ptr))
				want("Pluck pointer "+f.name, ptr, len(ptr) == 1 && *ptr[0] == text)
				var b [][]byte
				w.ok(m().Pluck(f.column, &b))
				want("Pluck bytes "+f.name, b, len(b) == 1 && string(b[0]) == text)
				var one string
				w.ok(m().Select(f.column).Scan(&one))
				want("Scan "+f.name, one, one == text)
				one = ""
				w.ok(w.db.Raw("SELECT "+w.quote(f.column)+" FROM people WHERE id = ?", full.ID).Scan(&one))
				want("Raw Scan "+f.name, one, one == text)
				one = ""
				w.ok(m().Select(f.column).Find(&one))
				want("Find "+f.name, one, one == text)
				var null []sql.NullString
				w.ok(m().Pluck(f.column, &null))
				want("Pluck NullString "+f.name, null, len(null) == 1 && null[0].String == text)
			}
			typed := reflect.New(reflect.SliceOf(reflect.TypeOf(f.value)))
			w.ok(m().Pluck(f.column, typed.Interface()))
			want("Pluck typed "+f.name, typed.Elem().Interface(), typed.Elem().Len() == 1 && reflect.DeepEqual(typed.Elem().Index(0).Interface(), f.value))

			var one map[string]any
			w.ok(m().Take(&one))
			var many []map[string]any
			w.ok(m().Find(&many))
			given := map[string]any{}
			w.ok(w.db.Table("people").Select("id", w.quote(f.column)).Where("id = ?", full.ID).Take(&given))
			var raw []map[string]any
			w.ok(w.db.Raw("SELECT * FROM people WHERE id = ?", full.ID).Scan(&raw))
			for how, row := range map[string]map[string]any{"map": one, "maps": many[0], "Table map": given, "Raw maps": raw[0]} {
				want(how+" "+f.name, row[f.column], fmt.Sprint(row[f.column]) == fmt.Sprint(f.plain) || fmt.Sprintf("%s", row[f.column]) == f.stored)
			}
		}
		type small struct {
			ID    int64
			Email string
			Nick  *string
			Blob  []byte
			Age   int64
		}
		var s small
		w.ok(m().Find(&s))
		want("smaller struct", s, s.Email == canary+"-email" && *s.Nick == canary+"-nick" && string(s.Blob) == canary+"-blob" && s.Age == canaryNumber)
		var ss []small
		w.ok(w.db.Table("people").Where("id = ?", full.ID).Scan(&ss))
		want("Table Scan small", ss, len(ss) == 1 && ss[0].Email == canary+"-email")
		w.ok(w.db.Raw("SELECT id, email FROM people WHERE id = ?", full.ID).Scan(&ss))
		want("Raw Scan small", ss, len(ss) == 1 && ss[0].Email == canary+"-email")
		var renamed struct{ Mail string }
		w.ok(m().Select("email AS mail").Scan(&renamed))
		want("alias", renamed, renamed.Mail == canary+"-email")

		var p Person
		w.ok(w.db.Select("id", "email").Take(&p, full.ID))
		want("Select", p, p.Email == canary+"-email" && p.Note == "")
		rows, err := m().Select("email").Rows()
		if err == nil { // database/sql's own rows: only a typed destination decrypts
			defer rows.Close()
		}
		var n int64
		w.ok(m().Select("email").Count(&n))
		want("Count", n, n == 1)
	})
}

func TestJoinThatFindsNothingIsNil(t *testing.T) {
	type Item struct {
		ID       int64
		PersonID *int64
		Person   *Person
	}
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &Person{}, &Item{})
		p := person("n", fieldForms("")...)
		w.ok(w.db.Create(&[]Item{{}, {Person: p}, {}}))
		var items []Item
		w.ok(w.db.Joins("Person").Order("items.id").Find(&items))
		if items[0].Person != nil || items[2].Person != nil || items[1].Person == nil || items[1].Person.Note != canary+"-note" {
			t.Error("the joined rows are not those of their own")
		}
	})
}

func TestUnreadableRowIsAnError(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		for _, f := range fieldForms("") {
			t.Run(f.name, func(t *testing.T) {
				w, full := newReaders(t, d.Reopen(t))
				defer w.db.Migrator().DropTable(&Order{}, &Person{})
				stranger := newRing(t, fernet.GenerateKey())
				if f.name == "Photo" {
					w.plant("people", f.column, full.ID, stranger.EncryptRaw([]byte("x")))
				} else {
					w.plant("people", f.column, full.ID, string(stranger.Encrypt([]byte("x"))))
				}
				var people []Person
				var p Person
				var maps []map[string]any
				for name, tx := range map[string]*gorm.DB{
					"Find":    w.db.Order("id").Find(&people),
					"First":   w.db.First(&p, full.ID),
					"maps":    w.db.Model(&Person{}).Order("id").Find(&maps),
					"Raw":     w.db.Raw("SELECT * FROM people").Scan(&[]Person{}),
					"Preload": w.db.Preload("Person").Find(&[]Order{}),
					"Joins":   w.db.Joins("Person").Find(&[]Order{}),
					"Pluck":   w.db.Model(&Person{}).Pluck(f.column, reflect.New(reflect.SliceOf(reflect.TypeOf(f.value))).Interface()),
				} {
					w.note(tx.Error)
					if !errors.Is(tx.Error, fernet.ErrInvalidToken) {
						t.Errorf("%s: got %v, want ErrInvalidToken", name, tx.Error)
						continue
					}
					names(t, tx.Error, "people."+f.column)
					if name != "Pluck" && name != "maps" {
						names(t, tx.Error, fmt.Sprintf("id = %d", full.ID))
					}
				}
				if len(people) != 0 || len(maps) != 0 || !reflect.DeepEqual(p, Person{}) {
					t.Error("the destination keeps a part of the result")
				}
				rows, err := w.db.Model(&Person{}).Order("id").Rows()
				if err != nil {
					t.Fatal(err)
				}
				defer rows.Close()
				for rows.Next() {
					var p Person
					err := w.note(w.db.ScanRows(rows, &p))
					if p.Name == "full" || (err != nil) != (p.ID == 0) {
						t.Error("ScanRows keeps a part of the row")
					}
				}
			})
		}
	})
}

func names(t *testing.T, err error, what string) {
	t.Helper()
	if !strings.Contains(err.Error(), what) {
		t.Errorf("the error does not name %s: %v", what, err)
	}
}

func TestHandleWithoutKeyringReadsAndWritesNothing(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w, full := newReaders(t, d)
		for name, p := range map[string]gormencrypt.Provider{
			"nil ring": keyprovider.Func(func(context.Context) (*fernet.Keyring, error) { return nil, nil }),
			"error":    keyprovider.Func(func(context.Context) (*fernet.Keyring, error) { return nil, errors.New("no tenant") }),
		} {
			db := w.open(p)
			for what, err := range map[string]error{
				"Create": db.Create(person("n", fieldForms("")...)).Error,
				"Update": db.Model(&Person{}).Where("id = 1").Update("email", canary).Error,
				"Where":  db.Where("phone = ?", canary).Find(&[]Person{}).Error,
				"Find":   db.First(&Person{}, full.ID).Error,
				"Pluck":  db.Model(&Person{}).Where("id = 2").Pluck("email", &[]string{}).Error,
			} {
				if w.note(err); !errors.Is(err, gormencrypt.ErrNoKeyring) {
					t.Errorf("%s, %s: got %v", name, what, err)
				}
			}
		}
		if w.count("people") != 3 {
			t.Error("a row was written")
		}
	})
}
