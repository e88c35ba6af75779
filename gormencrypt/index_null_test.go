package gormencrypt_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"gorm.io/gorm"

	"github.com/fernetcol/fernetcol/blindindex"
	"github.com/fernetcol/fernetcol/internal/dbtest"
)

// A Sparse has values that are NULL, and indexes of which one or the other lacks
// entries; an Oracle has the same values in the clear.
type Sparse struct {
	ID               int64
	One              *string `gorm:"serializer:fernet" fernet:"index:OneIndex"`
	Two              *string `gorm:"serializer:fernet" fernet:"index:TwoIndex;index:TwoNew,filling"`
	OneIndex         blindindex.Value
	TwoIndex, TwoNew blindindex.Value
}

type Oracle struct {
	ID  int64
	One *string
	Two *string
}

// A rewritten condition is true, false and NULL for the rows for which the one on
// plaintext is.
func TestIndexesKeepTheLogicOfNull(t *testing.T) {
	conditions := []string{
		"%s = ?", "? = %s", "%s <> ?", "%s != ?", "%s IN (?)", "%s NOT IN (?)", "%s IN (?, NULL)", "%s NOT IN (?, NULL)",
		"NOT %s = ?", "NOT (%s = ?)", "NOT (%s <> ?)", "NOT %s IN (?)", "NOT (%s NOT IN (?))", "NOT NOT %s = ?", "NOT (NOT (%s <> ?))",
		"(%s = ?) IS NULL", "(%s <> ?) IS NULL", "(%s = ?) IS NOT NULL", "NOT (%s = ? OR id = 2)", "NOT (%s = ? AND id < 9)", "id > 0 AND NOT (id = 1 AND %s = ?)",
		"CASE WHEN %s = ? THEN 1 ELSE 0 END = 0", "CASE WHEN NOT %s <> ? THEN 1 ELSE 0 END = 1", "id IN (SELECT o.id FROM tables o WHERE o.%s = ?)", "id NOT IN (SELECT o.id FROM tables o WHERE o.%s = ?)",
		"NOT EXISTS (SELECT 1 FROM tables o WHERE o.id = tables.id AND o.%s = ?)", "EXISTS (SELECT 1 FROM tables o WHERE o.id = tables.id AND NOT (o.%s = ?))", "(%s = ?) = (id > 0)", "(id > 0) = (%s <> ?)",
		"COALESCE(%s = ?, 1 = 1)", "COALESCE(%s <> ?, 1 = 1)", "CASE WHEN id > 0 THEN %s = ? END IS NULL", "(SELECT o.%s = ? FROM tables o WHERE o.id = tables.id) IS NULL",
		"(SELECT COUNT(*) FROM tables o WHERE (CASE WHEN o.id > 0 THEN (o.%s <> ?) END) IS NULL) = id",
		"%s IS NULL OR %[1]s = ?", "NOT (%s IS NULL OR %[1]s <> ?)",
	}
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &Sparse{})
		oracle := d.GORM(t) // without the plugin, its log and its search
		if err := oracle.AutoMigrate(&Oracle{}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { oracle.Migrator().DropTable(&Oracle{}) })
		for _, v := range []*string{new(canary), new("other"), nil, new(canary), new("")} {
			w.ok(w.db.Create(&Sparse{One: v, Two: v}))
			if err := oracle.Create(&Oracle{One: v, Two: v}).Error; err != nil {
				t.Fatal(err)
			}
		}
		w.plant("sparses", "two_new", 1, nil)
		w.plant("sparses", "two_new", 2, nil)
		find := func(db *gorm.DB, table, condition, value string) []int64 {
			condition = strings.ReplaceAll(condition, "tables", table)
			var ids []int64
			if tx := db.Table(table).Where(condition, value).Order("id").Pluck("id", &ids); w.note(tx.Error) != nil {
				t.Errorf("%s: %v", condition, tx.Error)
			}
			return ids
		}
		conditions := conditions
		if d.Dialect == "mysql" {
			conditions = append(slices.Clone(conditions), "(%s = ?) XOR (id > 2)", "id > 2 XOR %s = ?", "(%s <> ?) XOR (id > 2)")
		}
		for _, condition := range conditions {
			for _, column := range []string{"one", "two"} {
				for _, value := range []string{canary, "other", "", "nobody"} {
					text := fmt.Sprintf(condition, column)
					if got, want := find(w.db, "sparses", text, value), find(oracle, "oracles", text, value); !slices.Equal(got, want) {
						t.Errorf("%s finds %v, on plaintext %v", text, got, want)
					}
				}
			}
		}
	})
}
