package gormencrypt_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/fernetcol/fernetcol/gormencrypt"
	"github.com/fernetcol/fernetcol/internal/dbtest"
)

// refusedConditions would find too little, too much or nothing.
var refusedConditions = []string{
	"email = ?", "? = email", "email IN (?)", "email NOT IN (?)", "email <> ?", "note = ?", "people.note = ?", "blob = ?", "age = ?", "photo = ?",
	"phone = 'x'", "'x' = phone", "phone IN (?, 'x')", "phone = NULL", "phone IS TRUE",
	"phone > ?", "phone >= ?", "? < phone", "phone BETWEEN ? AND 'z'", "id BETWEEN ? AND phone", "id BETWEEN 1 AND phone = ?",
	"phone LIKE ?", "phone NOT LIKE ?", "phone ILIKE ?", "phone SIMILAR TO ?", "phone REGEXP ?", "phone GLOB ?", "phone ~ ?", "phone !~* ?", "phone RLIKE ?",
	"lower(phone) = ?", "LOWER ( phone ) = ?", "lower((phone)) = ?", "? = upper(people.phone)", "COALESCE(phone, ?) = 'x'", "COALESCE(?, phone) = 'x'", "length(phone) > ?",
	"phone || ? = 'x'", "? || phone = 'x'", "phone = ? || 'x'", "'x' || ? = phone", "phone = (? || 'x')", "phone = badge || ?", "concat(phone, ?) = 'x'",
	"phone::text = ?", "phone = ?::text", "CAST(phone AS text) = ?", "phone = CAST(? AS text)", "phone COLLATE NOCASE = ?", "BINARY phone = ?",
	"phone = ANY(?)", "phone = ANY (?)", "? = ANY(ARRAY[phone])", "? = ANY(ARRAY [phone, badge])", "phone = ALL(?)", "phone IN ?",
	"(phone, name) = (?, 'x')", "(name, phone) = (?, 'x')", "(phone, name) IN ((?, 'x'))", "ROW(phone, name) = (?, 'x')",
	"phone IS DISTINCT FROM ?", "phone IS NOT DISTINCT FROM ?", "? IS DISTINCT FROM phone", "phone <=> ?",
	"CASE phone WHEN ? THEN 1 END = 1", "CASE WHEN 1=1 THEN phone ELSE name END = ?", "NULLIF(phone, ?) IS NULL",
	"name = phone OR name = ?", "phone = name OR name = ?", "phone = id AND id = ?", "substring(phone FROM ?) = 'x'", "trim(? FROM phone) = 'x'", "position(? IN phone) > 0",
	"phone -> ? = 'x'", "phone ->> ? = 'x'", "phone @> ?", "JSON_EXTRACT(phone, ?) = 1", "phone /* x */ LIKE /* y */ ?", "phone -- x\n LIKE ?", "PHONE LIKE ?",
	"phone = ? = ?", "phone + ? = 1", "phone = - ?", "phone IN (SELECT name FROM people WHERE name = ?)", "name IN (SELECT phone FROM people WHERE name = ?)",
	"? IN (SELECT phone FROM people)", "phone = (SELECT name FROM people WHERE name = ?)", "phone = (SELECT lower(badge) FROM people WHERE name = ?)",
	"EXISTS (SELECT 1 FROM people p WHERE p.phone LIKE ?)", "id IN (SELECT id FROM (SELECT id, phone AS x FROM people) t WHERE x = 'a' AND id = ?)",
	"id IN (SELECT id FROM (SELECT id, phone x FROM people) t WHERE t.x LIKE ?)", "id IN (WITH c AS (SELECT id, phone AS y FROM people) SELECT id FROM c WHERE y LIKE ?)",
	"id IN (WITH c(i, y) AS (SELECT id, phone FROM people) SELECT i FROM c WHERE y = ?)", "id IN (SELECT i FROM (SELECT id, phone FROM people) t(i, y) WHERE y = ?)",
	"id IN (SELECT id FROM people NATURAL JOIN orders WHERE id = ?)", "id IN (SELECT p.id FROM people p JOIN orders o USING (phone) WHERE p.id = ?)",
	"id IN (SELECT name FROM people WHERE id = ? UNION SELECT phone FROM people)", "phone MATCH ?", "phone DIV ? = 1", "phone & ? = 1", "max(phone) = ?",
	"phone = ?1", "phone = :p AND id = ?", "phone = ? COLLATE \"C\"", "first_value(phone) OVER (ORDER BY id) = ?", "NOT phone LIKE ?", "phone AND ?", "phone OR name = ?",
}

func TestUnanswerableConditionsAreErrors(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newPeople(t, d)
		for _, condition := range refusedConditions {
			t.Run(condition, func(t *testing.T) {
				w := w.with(t)
				arg := any(canary)
				if strings.Contains(condition, "IN ?") {
					condition, arg = "phone IN (lower(?))", canary
				}
				if strings.Contains(condition, "ARRAY [") && d.Dialect != "postgres" {
					return // no arrays
				}
				args := slices.Repeat([]any{arg}, strings.Count(condition, "?"))
				for _, tx := range []*gorm.DB{
					w.db.Where(condition, args...).Find(&[]Person{}),
					w.db.Table("people p2").Where("p2.id IN (?)", w.db.Model(&Person{}).Select("id").Where(condition, args...)).Delete(&Order{}),
					w.db.Raw("SELECT id FROM people WHERE "+condition, args...).Scan(&[]int64{}),
					w.db.Exec("DELETE FROM people WHERE "+condition, args...),
					w.db.Model(&Person{}).Where(condition, args...).Update("name", "x"),
				} {
					w.note(tx.Error)
					if !errors.Is(tx.Error, gormencrypt.ErrRefused) {
						t.Errorf("got %v, want ErrRefused", tx.Error)
					}
				}
				if n := w.count("people"); n != 3 {
					t.Fatalf("%d rows are left", n)
				}
			})
		}
	})
}

func TestUnanswerableClausesAreErrors(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newPeople(t, d)
		var p []Person
		m := func() *gorm.DB { return w.db.Model(&Person{}) }
		for name, tx := range map[string]*gorm.DB{
			"Order":              m().Order("phone").Find(&p),
			"Order desc":         m().Order("people.email desc").Find(&p),
			"Order column":       m().Order(clause.OrderByColumn{Column: clause.Column{Name: "email"}}).Find(&p),
			"Order alias":        m().Select("id, phone AS x").Order("x").Find(&p),
			"Order position":     m().Select("id, phone").Order("2").Find(&p),
			"Order position *":   m().Order("3").Find(&p),
			"Order expression":   m().Order("length(phone)").Find(&p),
			"Group":              m().Select("email").Group("email").Find(&p),
			"Group position":     w.db.Raw("SELECT phone, count(*) FROM people GROUP BY 1").Scan(&[]map[string]any{}),
			"Group expression":   m().Select("count(*)").Group("lower(phone)").Find(&[]map[string]any{}),
			"Having":             m().Select("name").Group("name").Having("MAX(phone) = ?", canary).Find(&p),
			"Having alias":       m().Select("name, phone AS x").Group("name, phone").Having("x LIKE ?", canary).Find(&p),
			"Distinct":           m().Distinct("email").Find(&p),
			"Distinct two":       m().Distinct("name", "email").Find(&p),
			"Count distinct":     m().Distinct("email").Count(new(int64)),
			"Select function":    m().Select("upper(phone) AS p").Find(&[]map[string]any{}),
			"Select second":      m().Select("COALESCE(name, phone) AS p").Find(&[]map[string]any{}),
			"Select concat":      m().Select("name || phone AS p").Find(&[]map[string]any{}),
			"Select cast":        m().Select("CAST(phone AS text) AS p").Find(&[]map[string]any{}),
			"Select window":      m().Select("id, rank() OVER (ORDER BY phone) AS r").Find(&[]map[string]any{}),
			"Select case":        m().Select("CASE WHEN id = 1 THEN phone END AS p").Find(&[]map[string]any{}),
			"Select max":         m().Select("MAX(email)").Scan(new(string)),
			"Pluck function":     m().Pluck("lower(phone)", &[]string{}),
			"Where alias":        w.db.Table("(?) AS u", m().Select("id, phone AS x")).Where("u.x LIKE ?", canary).Find(&[]map[string]any{}),
			"join function":      m().Joins("JOIN orders o ON lower(o.contact) = ?", canary).Find(&p),
			"join with plain":    m().Joins("JOIN orders o ON o.phone = people.phone").Find(&p),
			"join other":         m().Joins("JOIN orders o ON o.contact = people.email").Find(&p),
			"clause.Like":        m().Where(clause.Like{Column: "phone", Value: canary}).Find(&p),
			"clause.Gt":          m().Where(clause.Gt{Column: "phone", Value: canary}).Find(&p),
			"clause.Eq email":    m().Where(clause.Eq{Column: "email", Value: canary}).Find(&p),
			"struct":             m().Where(&Person{Email: canary}).Find(&p),
			"struct serializer":  m().Where(&Person{Note: canary}).Find(&p),
			"map":                m().Where(map[string]any{"age": canaryNumber}).Find(&p),
			"Not":                m().Not(map[string]any{"note": canary}).Find(&p),
			"FirstOrCreate":      w.db.Where(Person{Note: canary}).FirstOrCreate(&Person{}),
			"Delete struct":      w.db.Where(&Person{Note: canary}).Delete(&Person{}),
			"unknown table":      m().Joins("JOIN unknown u ON u.id = people.id").Where("u.phone = ?", canary).Find(&p),
			"subquery ambiguous": m().Where("id IN (SELECT id FROM unknown WHERE phone = ?)", canary).Find(&p),
			"UNION":              w.db.Raw("SELECT name FROM people UNION ALL SELECT phone FROM people").Scan(&[]string{}),
			"UNION random":       w.db.Raw("SELECT email FROM people UNION SELECT email FROM people").Scan(&[]string{}),
			"multi-statement":    w.db.Exec("SELECT 1; UPDATE people SET phone = 'x'"),
		} {
			w.note(tx.Error)
			if !errors.Is(tx.Error, gormencrypt.ErrRefused) {
				t.Errorf("%s: got %v, want ErrRefused", name, tx.Error)
			}
		}
	})
}

func TestRowAfterARefusalDoesNotPanic(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newPeople(t, d)
		var s string
		if err := w.db.Model(&Person{}).Select("name").Where("email = ?", canary).Row().Scan(&s); !errors.Is(err, gormencrypt.ErrRefused) {
			t.Errorf("Row: %v", err)
		}
		if err := w.db.Raw("SELECT name FROM people WHERE email = ?", canary).Row().Scan(&s); !errors.Is(err, gormencrypt.ErrRefused) {
			t.Errorf("Raw.Row: %v", err)
		}
		if _, err := w.db.Model(&Person{}).Where("email = ?", canary).Rows(); !errors.Is(err, gormencrypt.ErrRefused) {
			t.Errorf("Rows: %v", err)
		}
	})
}
