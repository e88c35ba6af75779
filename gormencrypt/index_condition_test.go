package gormencrypt_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/fernetcol/fernetcol/blindindex"
	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/gormencrypt"
	"github.com/fernetcol/fernetcol/internal/dbtest"
)

// The models of the table people whose columns have an index of one kind.
type (
	ExactPerson struct {
		ID                               int64
		Name                             string
		Phone                            encryptedtype.EncryptedString `fernet:"index:PhoneIndex"`
		Badge                            string                        `gorm:"serializer:fernet" fernet:"index:BadgeIndex"`
		SSN                              *string                       `gorm:"serializer:fernet" fernet:"index:SSNIndex"`
		PhoneIndex, BadgeIndex, SSNIndex blindindex.Value              `gorm:"index"`
	}
	LowerPerson struct {
		ID                               int64
		Name                             string
		Phone                            string  `gorm:"serializer:fernet" fernet:"index:PhoneIndex,lower;bind"`
		Badge                            []byte  `gorm:"serializer:fernet" fernet:"index:BadgeIndex,fold,nfkc"`
		SSN                              *string `gorm:"serializer:fernet" fernet:"index:SSNIndex,trim,own"`
		PhoneIndex, BadgeIndex, SSNIndex blindindex.Value
	}
	SlowPerson struct {
		ID                               int64
		Name                             string
		Phone                            encryptedtype.EncryptedString  `fernet:"index:PhoneIndex,argon2id=m16t1p2"`
		Badge                            encryptedtype.EncryptedBytes   `fernet:"index:BadgeIndex,argon2id=m8t1p1"`
		SSN                              *encryptedtype.EncryptedString `fernet:"index:SSNIndex,argon2id=m8t1p1"`
		PhoneIndex, BadgeIndex, SSNIndex blindindex.Value
	}
	// Two indexes, of which one is being filled: row 1 lacks its entry.
	TwicePerson struct {
		ID                               int64
		Name                             string
		Phone                            encryptedtype.EncryptedString `fernet:"index:PhoneIndex;index:PhoneNew,lower,filling"`
		Badge                            string                        `gorm:"serializer:fernet" fernet:"index:BadgeNew,filling;index:BadgeIndex"`
		SSN                              *string                       `gorm:"serializer:fernet" fernet:"index:SSNIndex;index:SSNNew;deterministic"`
		PhoneIndex, BadgeIndex, SSNIndex blindindex.Value
		PhoneNew, BadgeNew, SSNNew       blindindex.Value
	}
	ShortPerson struct {
		ID                               int64
		Name                             string
		Phone                            encryptedtype.EncryptedString `fernet:"index:PhoneIndex,bits=4,rows=100"`
		Badge                            string                        `gorm:"serializer:fernet" fernet:"index:BadgeIndex,bits=4,rows=100"`
		SSN                              *string                       `gorm:"serializer:fernet" fernet:"index:SSNIndex,bits=4,rows=100"`
		PhoneIndex, BadgeIndex, SSNIndex blindindex.Value
	}
)

func (ExactPerson) TableName() string { return "people" }
func (LowerPerson) TableName() string { return "people" }
func (SlowPerson) TableName() string  { return "people" }
func (TwicePerson) TableName() string { return "people" }
func (ShortPerson) TableName() string { return "people" }

// Parcel is an Order of a person with indexes.
type Parcel[P any] struct {
	ID       int64
	PersonID int64
	Person   *P `gorm:"-:migration"`
	Phone    string
	Name     encryptedtype.DeterministicString `gorm:"type:varchar(255)"`
	Contact  encryptedtype.DeterministicString `gorm:"type:varchar(255)"`
}

func (Parcel[P]) TableName() string { return "orders" }

// indexedModel is modelOf for a model with indexes.
func indexedModel[T any]() model { return model{reflect.TypeFor[T](), &Parcel[T]{}} }

// notByIndex are the conditions that compare columns with each other, or group: an
// index of a random column cannot answer them.
var notByIndex = []string{"two columns", "subquery of column", "join on columns", "Having"}

// indexedPeople makes the rows that conditions are about. stored is the text of the
// rows 1 and 2, which is not always what is asked for.
func indexedPeople[P any](t *testing.T, d *dbtest.Database, stored, other string) *world {
	t.Helper()
	m := indexedModel[P]()
	w := newWorld(t, d, m.row(), m.orders)
	for _, row := range []any{
		m.row("Name", "a", "Phone", stored, "Badge", stored, "SSN", stored),
		m.row("Name", "b", "Phone", stored, "Badge", stored, "SSN", stored),
		m.row("Name", "c", "Phone", other, "Badge", other, "SSN", other),
	} {
		w.ok(w.db.Create(row))
	}
	w.ok(w.db.Create(&[]Parcel[P]{
		{PersonID: 1, Phone: "plain", Name: "o", Contact: wanted},
		{PersonID: 2, Phone: "plain", Name: "o", Contact: wanted},
		{PersonID: 3, Phone: "x", Name: "x", Contact: "x"},
	}))
	return w
}

func TestEqualityIsAnsweredByIndexes(t *testing.T) {
	for _, kind := range []struct {
		name   string
		model  model
		people func(*testing.T, *dbtest.Database, string, string) *world
		stored string
	}{
		{"exact", indexedModel[ExactPerson](), indexedPeople[ExactPerson], wanted},
		{"transforms", indexedModel[LowerPerson](), indexedPeople[LowerPerson], strings.ToUpper(wanted[:len(canary)+2]) + wanted[len(canary)+2:]},
		{"argon2id", indexedModel[SlowPerson](), indexedPeople[SlowPerson], wanted},
		{"two", indexedModel[TwicePerson](), indexedPeople[TwicePerson], wanted},
	} {
		t.Run(kind.name, func(t *testing.T) {
			dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
				w := kind.people(t, d, kind.stored, "other")
				if kind.name == "two" { // row 1 was written before the new index
					for _, column := range []string{"phone_new", "badge_new"} {
						w.plant("people", column, 1, nil)
					}
				}
				for name, condition := range conditions(w.quote, kind.model) {
					t.Run(name, func(t *testing.T) {
						w := w.with(t)
						if slices.Contains(notByIndex, name) && kind.name != "two" {
							_, tx := kind.model.found(condition(w.db))
							w.refused(tx.Error, "people.")
							return
						}
						if slices.Contains(notByIndex, name) {
							return
						}
						ids, tx := kind.model.found(condition(w.db).Select("people.id"))
						w.ok(tx)
						if want := []int64{1, 2}; !slices.Equal(ids, want) {
							t.Errorf("found %v, want %v", ids, want)
						}
						var n int64
						w.ok(condition(w.db.Model(kind.model.row())).Distinct("people.id").Count(&n))
						if n != 2 {
							t.Errorf("counted %d, want 2", n)
						}
						shown := w.db.ToSQL(func(tx *gorm.DB) *gorm.DB { return condition(tx).Find(kind.model.row()) })
						if findCanary(strings.ToLower(shown)) != "" {
							t.Error("the SQL shows the plaintext")
						}
					})
				}
			})
		})
	}
}

func TestOtherStatementsFindByIndex(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := indexedPeople[ExactPerson](t, d, wanted, "other")
		ctx := context.Background()
		for range 2 {
			for _, phone := range []encryptedtype.EncryptedString{wanted, canary + "-fresh"} {
				var p ExactPerson
				w.ok(w.db.Where(ExactPerson{Phone: phone}).FirstOrCreate(&p))
				if p.Phone != phone {
					t.Error("FirstOrCreate did not set what it was asked for")
				}
			}
		}
		if n := w.count("people"); n != 4 {
			t.Errorf("%d rows, want 4: FirstOrCreate must make one", n)
		}
		p, err := gorm.G[ExactPerson](w.db).Where("phone = ?", wanted).First(ctx)
		if w.note(err) != nil || p.Phone != wanted {
			t.Errorf("generics: %v", err)
		}
		if n, err := gorm.G[ExactPerson](w.db).Where("badge = ?", wanted).Count(ctx, "*"); w.note(err) != nil || n != 2 {
			t.Errorf("generics counted %d: %v", n, err)
		}
		entry := w.entry("people", "phone", "phone_index", wanted)
		for _, tx := range []*gorm.DB{ // no stale models
			w.db.Where("phone <> ?", "other").Where("phone_index = ?", entry),
			w.db.Where("phone = ? OR phone_index = ?", "nobody", entry),
			w.db.Where("phone_index = ? AND NOT EXISTS (SELECT 1 FROM people o WHERE o.id = people.id AND o.phone = ?)", entry, "other"),
		} {
			if ids, tx := indexedModel[ExactPerson]().found(tx); w.ok(tx).Error == nil && !slices.Equal(ids, []int64{1, 2}) {
				t.Errorf("found %v", ids)
			}
		}
		var inCTE []int64
		w.ok(w.db.Raw("WITH q AS (SELECT id, phone, phone_index FROM people) SELECT id FROM q WHERE phone = ? ORDER BY id", wanted).Scan(&inCTE))
		if !slices.Equal(inCTE, []int64{1, 2}) {
			t.Errorf("in a CTE found %v", inCTE)
		}
		w.ok(w.db.Preload("Person", "phone = ?", wanted).Find(&[]Parcel[ExactPerson]{}))
		var ids []int64
		w.ok(w.db.Raw("SELECT p.id FROM people AS p WHERE p.phone IN (?, ?) ORDER BY p.id", wanted, "other").Scan(&ids))
		if !slices.Equal(ids, []int64{1, 2, 3}) {
			t.Errorf("raw SQL found %v", ids)
		}
		var rows int
		for _, err := range gormencrypt.Each[ExactPerson](w.db.Where("phone = ?", wanted)) {
			if w.note(err) != nil {
				t.Error(err)
			}
			rows++
		}
		if rows != 2 {
			t.Errorf("Each found %d rows", rows)
		}
		if r := w.ok(w.db.Model(&ExactPerson{}).Where("phone = ?", wanted).Update("badge", canary+"-badge")); r.RowsAffected != 2 {
			t.Errorf("updated %d, want 2", r.RowsAffected)
		}
		var found ExactPerson
		w.ok(w.db.First(&found, "badge = ?", canary+"-badge"))
		if r := w.ok(w.db.Where(&ExactPerson{Phone: wanted}).Delete(&ExactPerson{})); r.RowsAffected != 2 {
			t.Errorf("deleted %d, want 2", r.RowsAffected)
		}
		if r := w.ok(w.db.Exec("DELETE FROM people WHERE ? = people.phone", "other")); r.RowsAffected != 1 {
			t.Errorf("deleted %d, want 1", r.RowsAffected)
		}
	})
}

// The index column itself takes plaintext, as its column does, or its entries.
func TestIndexColumnTakesPlaintext(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &Person{})
		a := &Person{Name: "a", Zip: canary + "-zip", Login: new(encryptedtype.EncryptedString(canary))}
		w.ok(w.db.Create(a))
		w.ok(w.db.Create(&Person{Name: "b", Zip: "other"}))
		area := w.entry("people", "zip", "zip_area", "ca-area", blindindex.Prefix(2))
		for name, tx := range map[string]*gorm.DB{
			"plaintext":     w.db.Where("zip_area = ?", canary),
			"part":          w.db.Where("zip_area = ?", canary[:2]),
			"qualified":     w.db.Where("people.zip_area = ?", canary),
			"reversed":      w.db.Where("? = people.zip_area", canary),
			"IN":            w.db.Where("zip_area IN ?", []string{canary, "zz"}),
			"NOT IN":        w.db.Where("zip_area NOT IN ?", []string{"other", "zz"}),
			"<>":            w.db.Where("zip_area <> ?", "other"),
			"map":           w.db.Where(map[string]any{"zip_area": canary}),
			"entry":         w.db.Where("zip_area = ?", area),
			"entries":       w.db.Where("zip_area IN ?", []blindindex.Value{area}),
			"struct":        w.db.Where(&Person{ZipArea: area}),
			"model as read": w.db.Where(a),
			"NULL":          w.db.Where("login_index IS NOT NULL AND zip_area LIKE '%'"),
			"clause":        w.db.Where(clause.Eq{Column: "zip_area", Value: canary}),
			"subquery":      w.db.Where("id IN (?)", w.db.Model(&Person{}).Select("id").Where("zip_area = ?", canary)),
			"raw subquery":  w.db.Where("id IN (?)", w.db.Raw("SELECT id FROM people WHERE zip_area = ?", canary)),
		} {
			ids, tx := modelOf[Person]().found(tx)
			w.ok(tx)
			if !slices.Equal(ids, []int64{a.ID}) {
				t.Errorf("%s: found %v", name, ids)
			}
		}
		var groups []struct {
			ZipArea blindindex.Value
			N       int
		}
		w.ok(w.db.Model(&Person{}).Select("zip_area, COUNT(*) AS n").Group("zip_area").Order("zip_area").Find(&groups))
		if len(groups) != 2 || groups[0].N != 1 {
			t.Errorf("grouped by the index: %v", groups)
		}
	})
}

// An index of a part of the value does not answer for the value.
func TestIndexOfAPartDoesNotAnswerForTheValue(t *testing.T) {
	type domains struct {
		ID    int64
		Email string `gorm:"serializer:fernet" fernet:"index:Index,domain"`
		Index blindindex.Value
	}
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &Person{}, &domains{})
		w.ok(w.db.Create(&[]Person{{Zip: canary + "1"}, {Zip: canary + "2"}}))
		ids, tx := modelOf[Person]().found(w.db.Where("zip = ?", canary+"2"))
		if w.ok(tx); !slices.Equal(ids, []int64{2}) {
			t.Errorf("found %v", ids)
		}
		w.refused(w.db.Where("email = ?", canary).Find(&[]domains{}).Error, "domains.email")
	})
}

// What would reach the database as it is, and find nothing, is refused.
func TestIndexColumnIsComparedByEqualityAlone(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &Person{})
		w.ok(w.db.Create(&Person{Name: "a", Zip: canary + "-zip"}))
		for _, condition := range []string{
			"zip_area = LOWER(?)", "zip_area = ? || ''", "zip_area = CAST(? AS char(32))", "zip_area || '' = ?", "COALESCE(zip_area, '') = ?", "COALESCE(zip_area, ?) = 'x'", "? = LOWER(zip_area)",
			"zip_area LIKE ?", "? NOT LIKE zip_area", "zip_area > ?", "zip_area BETWEEN ? AND 'z'", "zip_area IS ?", "zip_area <=> ?", "zip_area IS NOT DISTINCT FROM ?", "? IS DISTINCT FROM zip_area",
			"zip_area = (SELECT ?)", "zip_area IN (SELECT ?)", "zip_area IN (SELECT LOWER(?) FROM people)", "zip_area = (SELECT COALESCE((SELECT ?), 'x'))", "(SELECT ?) = zip_area",
			"zip_area IN (LOWER(?))", "zip_area IN ('x', ? || 'y')", "? IN (zip_area)", "(zip_area, name) = (?, 'a')", "(zip_area, name) IN ((?, 'a'))",
			"CASE zip_area WHEN ? THEN 1 ELSE 0 END = 1", "CASE ? WHEN zip_area THEN 1 ELSE 0 END = 1", "id = 1 AND (zip_area) LIKE (?)",
		} {
			w.refused(w.db.Where(condition, canary).Find(&[]Person{}).Error, "zip_area")
			w.refused(w.db.Exec("DELETE FROM people WHERE "+condition, canary).Error, "zip_area")
		}
		for _, condition := range []string{
			"(zip_area) = (?)", "((zip_area)) = ?", "zip_area IN (?, NULL)", "zip_area = ? AND (zip_area > '' OR name = 'x')", "CASE WHEN zip_area = ? THEN 1 ELSE 0 END = 1",
			"COALESCE(zip_area = ?, 1 = 0)", "NOT (NOT zip_area = ?)",
		} {
			ids, tx := modelOf[Person]().found(w.db.Where(condition, canary))
			if w.ok(tx); !slices.Equal(ids, []int64{1}) {
				t.Errorf("%s found %v", condition, ids)
			}
		}
		w.ok(w.db.Where("CASE WHEN name = ? THEN zip_area ELSE name END IS NOT NULL", "a").First(&Person{}))
		// What stands in a subquery is not compared with it.
		ids, tx := modelOf[Person]().found(w.db.Where("zip_area IN (?)", w.db.Model(&Person{}).Select("zip_area").Where("name = ?", "a")))
		if w.ok(tx); !slices.Equal(ids, []int64{1}) {
			t.Errorf("a subquery found %v", ids)
		}
	})
}

// refusedByIndex are conditions on indexed columns that have no answer, with what
// the error must name.
func TestUnanswerableConditionsOnIndexedColumnsAreErrors(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := indexedPeople[ExactPerson](t, d, wanted, "other")
		for _, condition := range refusedConditions {
			if strings.HasPrefix(condition, "email") || strings.HasPrefix(condition, "note") || strings.Contains(condition, "email") ||
				strings.Contains(condition, "note") || strings.Contains(condition, "blob") || strings.Contains(condition, "age") || strings.Contains(condition, "photo") {
				continue // columns of the other model
			}
			arg := any(canary)
			if strings.Contains(condition, "IN ?") {
				condition = "phone IN (lower(?))"
			}
			if strings.Contains(condition, "ARRAY [") && d.Dialect != "postgres" {
				continue // no arrays
			}
			args := slices.Repeat([]any{arg}, strings.Count(condition, "?"))
			for _, tx := range []*gorm.DB{
				w.db.Where(condition, args...).Find(&[]ExactPerson{}),
				w.db.Raw("SELECT id FROM people WHERE "+condition, args...).Scan(&[]int64{}),
				w.db.Exec("DELETE FROM people WHERE "+condition, args...),
				w.db.Model(&ExactPerson{}).Where(condition, args...).Update("name", "x"),
			} {
				w.note(tx.Error)
				if !errors.Is(tx.Error, gormencrypt.ErrRefused) {
					t.Errorf("%s: got %v, want ErrRefused", condition, tx.Error)
				}
			}
		}
		if n := w.count("people"); n != 3 {
			t.Fatalf("%d rows are left", n)
		}
	})
}

func TestIndexIsNotAskedWhereItWouldMeanSomethingElse(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := indexedPeople[ExactPerson](t, d, wanted, "other")
		entry := w.entry("people", "phone", "phone_index", wanted)
		m := func() *gorm.DB { return w.db.Model(&ExactPerson{}) }
		var p []ExactPerson
		stale := &ExactPerson{Phone: canary + "-new", PhoneIndex: entry}
		for name, tx := range map[string]*gorm.DB{
			"an entry for the column": m().Where("phone = ?", entry).Find(&p),
			"an entry in a map":       m().Where(map[string]any{"phone": entry}).Find(&p),
			"an alias":                w.db.Table("(?) AS u", m().Select("id, phone AS x")).Where("u.x = ?", canary).Find(&[]map[string]any{}),
			"a stale model":           m().Where(stale).Find(&p),
			"not a stale model":       m().Not(stale).Find(&p),
			"a CTE without it":        w.db.Raw("WITH q AS (SELECT id AS i, phone FROM people) SELECT id FROM people WHERE EXISTS (SELECT 1 FROM q WHERE q.i <> people.id AND phone = ?)", canary).Scan(&p),
			"another under its name":  w.db.Raw("WITH q AS (SELECT phone, badge_index AS phone_index FROM people) SELECT 1 FROM q WHERE phone = ?", canary).Scan(&p),
			"NULL":                    m().Where("phone = ?", nil).Find(&p),
			"NULL in a list":          m().Where("phone IN ?", []any{nil, canary}).Find(&p),
			"hidden by another table": m().Where("EXISTS (SELECT 1 FROM (SELECT id AS i, name AS phone_index FROM orders) o WHERE phone = ?)", canary).Find(&p),
			"GROUP BY the column":     m().Select("phone").Group("phone").Find(&p),
			"DISTINCT":                m().Distinct("phone").Find(&p),
			"COUNT DISTINCT":          m().Distinct("phone").Count(new(int64)),
			"a table not known":       m().Where("EXISTS (SELECT 1 FROM strangers WHERE phone = ?)", canary).Find(&p),
			"the index twice":         w.db.Raw("SELECT 1 FROM people WHERE " + strings.ReplaceAll(twice(w), "phone ", "phone_index ")).Scan(&p),
			"one argument twice":      w.db.Raw("SELECT 1 FROM people WHERE " + twice(w)).Scan(&p),
			"another column's index":  m().Joins("JOIN orders o ON o.contact = people.phone").Find(&p),
		} {
			w.note(tx.Error)
			if (name == "one argument twice" || name == "the index twice") && d.Dialect != "postgres" {
				continue
			}
			if name == "hidden by another table" && tx.Error == nil {
				continue // the derived table may be understood
			}
			if !errors.Is(tx.Error, gormencrypt.ErrRefused) {
				t.Errorf("%s: got %v, want ErrRefused", name, tx.Error)
			}
		}
	})
}

// twice is a condition that uses an argument in two places.
func twice(w *world) string {
	if w.database.Dialect == "postgres" {
		return "phone = $1 OR badge = $1"
	}
	return "phone = ? OR badge = ?"
}

func TestIndexedValuesOfEveryRowAreFoundAgain(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &ExactPerson{})
		values := []string{"", " ", "a", "A", "ä", "日本", strings.Repeat("x", 5000), "gAAAAA", "' OR 1=1 --", "\x00", "%", "NULL", fmt.Sprint(w.entry("people", "phone", "phone_index", "a"))}
		if d.Dialect == "postgres" {
			values = slices.DeleteFunc(values, func(v string) bool { return false }) // a zero byte is encrypted too
		}
		for _, v := range values {
			w.ok(w.db.Create(&ExactPerson{Phone: encryptedtype.EncryptedString(v)}))
		}
		for i, v := range values {
			ids, tx := indexedModel[ExactPerson]().found(w.db.Where("phone = ?", v))
			w.ok(tx)
			if !slices.Equal(ids, []int64{int64(i + 1)}) {
				t.Errorf("value %d: found %v", i, ids)
			}
		}
	})
}
