package gormencrypt_test

import (
	"errors"
	"strings"
	"testing"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/fernetcol/fernetcol/blindindex"
	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/gormencrypt"
	"github.com/fernetcol/fernetcol/internal/dbtest"
	"github.com/fernetcol/fernetcol/keyprovider"
)

// A Record has encrypted columns whose tags ask for other types and sizes.
type Record struct {
	ID     int64
	Name   string                        `gorm:"uniqueIndex;type:varchar(50)"`
	Text   string                        `gorm:"serializer:fernet;size:20"`
	Number int                           `gorm:"serializer:fernet"`
	Narrow string                        `gorm:"serializer:fernet;type:varchar(255)"`
	Order  encryptedtype.EncryptedString `gorm:"size:20"` // a reserved word
	Bytes  encryptedtype.EncryptedBytes
}

// use opens a handle with the plugin and these options.
func use(t *testing.T, d *dbtest.Database, options gormencrypt.Options) (*gorm.DB, *fernet.Keyring) {
	t.Helper()
	ring := newRing(t, fernet.GenerateKey())
	db := d.GORM(t, &gorm.Config{TranslateError: true, Logger: logger.Discard})
	if err := db.Use(gormencrypt.New(keyprovider.Static(ring), options)); err != nil {
		t.Fatal(err)
	}
	return db, ring
}

func TestAutoMigrateMakesColumnsAndChecks(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &Record{})
		types, err := w.db.Migrator().ColumnTypes(&Record{})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range types {
			length, hasLength := c.Length()
			switch c.Name() {
			case "text", "number", "order":
				if !strings.Contains(strings.ToLower(c.DatabaseTypeName()), "text") {
					t.Errorf("%s is %s", c.Name(), c.DatabaseTypeName())
				}
			case "narrow":
				if hasLength && length != 255 && d.Dialect != "sqlite" {
					t.Errorf("narrow has %d characters", length)
				}
			}
		}
		w.ok(w.db.Create(&Record{ID: 1, Name: "a", Text: canary, Number: canaryNumber, Narrow: canary, Order: canary, Bytes: []byte(canary)}))

		// The database refuses plaintext from whoever writes it.
		for _, column := range []string{"text", "number", "narrow", "order", "bytes"} {
			name := w.quote(column)
			for _, plain := range []any{"plaintext", "", []byte("plaintext"), "gAAAAABplaintext"} {
				if _, err := d.SQL.Exec("UPDATE records SET "+name+" = "+d.Placeholder(1), plain); err == nil {
					t.Errorf("%s takes %T", column, plain)
				}
			}
			if _, err := d.SQL.Exec("UPDATE records SET " + name + " = NULL"); err != nil {
				t.Errorf("%s refuses NULL: %v", column, err)
			}
		}
		if _, err := d.SQL.Exec("UPDATE records SET name = 'plain'"); err != nil {
			t.Errorf("a plain column: %v", err)
		}

		// Again, nothing changes.
		w.out.mu.Lock()
		before := w.out.buf.Len()
		w.out.mu.Unlock()
		if err := w.db.AutoMigrate(&Record{}); err != nil {
			t.Fatal(err)
		}
		w.out.mu.Lock()
		again := w.out.buf.String()[before:]
		w.out.mu.Unlock()
		for _, ddl := range []string{"ALTER TABLE", "CREATE TABLE", "CREATE UNIQUE", "DROP "} {
			if strings.Contains(again, ddl) {
				t.Errorf("the second AutoMigrate has a %s", ddl)
			}
		}
	})
}

// An existing table gets the CHECKs, if no row stands in the way.
func TestAutoMigrateAddsChecksToATable(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		without, ring := use(t, d, gormencrypt.Options{WithoutCheck: true})
		if err := without.AutoMigrate(&Record{}); err != nil {
			t.Fatal(err)
		}
		set := func(value string) error {
			_, err := d.SQL.Exec("UPDATE records SET text = "+d.Placeholder(1), value)
			return err
		}
		if err := without.Create(&Record{ID: 1, Name: "a"}).Error; err != nil {
			t.Fatal(err)
		}
		if err := set("plaintext"); err != nil {
			t.Fatal(err) // WithoutCheck
		}
		with, _ := use(t, d, gormencrypt.Options{})
		if err := with.AutoMigrate(&Record{}); err == nil {
			t.Error("a CHECK is added although a row holds plaintext")
		}
		if d.Dialect == "postgres" {
			later, _ := use(t, d, gormencrypt.Options{CheckNotValid: true})
			if err := later.AutoMigrate(&Record{}); err != nil {
				t.Fatal(err)
			}
			if set("other plaintext") == nil {
				t.Error("NOT VALID does not check new values")
			}
			const validate = "ALTER TABLE records VALIDATE CONSTRAINT chk_records_text_fernet"
			if _, err := d.SQL.Exec(validate); err == nil {
				t.Error("validated over plaintext")
			}
			if err := set(ring.EncryptString("x")); err != nil {
				t.Fatal(err)
			}
			if _, err := d.SQL.Exec(validate); err != nil {
				t.Error(err)
			}
			return
		}
		if err := set(ring.EncryptString("x")); err != nil {
			t.Fatal(err)
		}
		if err := with.AutoMigrate(&Record{}); err != nil {
			t.Fatal(err)
		}
		if set("plaintext") == nil {
			t.Error("no CHECK was added")
		}
	})
}

// What GORM asks of a dialector goes through the one that stands before it.
func TestDialectorStillServesGORM(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		db, _ := use(t, d, gormencrypt.Options{})
		if err := db.AutoMigrate(&Record{}); err != nil {
			t.Fatal(err)
		}
		if err := db.Create(&Record{Name: "a"}).Error; err != nil {
			t.Fatal(err)
		}
		if err := db.Create(&Record{Name: "a"}).Error; !errors.Is(err, gorm.ErrDuplicatedKey) && d.Name != "sqlite" { // GORM knows mattn's errors only
			t.Errorf("TranslateError: %v", err)
		}
		errInner := errors.New("inner")
		err := db.Transaction(func(tx *gorm.DB) error {
			if err := tx.Create(&Record{Name: "outer"}).Error; err != nil {
				return err
			}
			err := tx.Transaction(func(tx *gorm.DB) error { // a savepoint
				if err := tx.Create(&Record{Name: "inner"}).Error; err != nil {
					return err
				}
				return errInner
			})
			if !errors.Is(err, errInner) {
				return err
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		if err := db.Model(&Record{}).Order("id").Pluck("name", &names).Error; err != nil || len(names) != 2 || names[1] != "outer" {
			t.Errorf("after a rolled back savepoint: %q, %v", names, err)
		}
	})
}

// A Long has columns whose CHECKs would share a name if it were only cut.
type Long struct {
	ID int64
	A1 string `gorm:"serializer:fernet;column:a_column_with_a_long_name_of_its_own_one"`
	A2 string `gorm:"serializer:fernet;column:a_column_with_a_long_name_of_its_own_two"`
}

func (Long) TableName() string { return "a_table_with_a_name_that_is_long" }

func TestLongNamesGiveEveryColumnItsCheck(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		db, _ := use(t, d, gormencrypt.Options{})
		if err := db.AutoMigrate(&Long{}); err != nil {
			t.Fatal(err)
		}
		if err := db.Create(&Long{ID: 1, A1: "x", A2: "y"}).Error; err != nil {
			t.Fatal(err)
		}
		for _, column := range []string{"one", "two"} {
			if _, err := d.SQL.Exec("UPDATE a_table_with_a_name_that_is_long SET a_column_with_a_long_name_of_its_own_" + column + " = 'plaintext'"); err == nil {
				t.Errorf("column %s has no CHECK", column)
			}
		}
		if err := db.AutoMigrate(&Long{}); err != nil {
			t.Errorf("again: %v", err)
		}
	})
}

// An Odd has columns with names that stand in quotes only.
type Odd struct {
	ID    int64
	A     string           `gorm:"serializer:fernet;column:der Straße" fernet:"index:B"`
	B     blindindex.Value `gorm:"column:My Index"`
	Order string           `gorm:"serializer:fernet;column:order" fernet:"index:Group"`
	Group blindindex.Value `gorm:"column:GROUP"`
}

func TestNamesThatNeedQuotesGetTheirChecks(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &Odd{})
		if err := w.db.AutoMigrate(&Odd{}); err != nil {
			t.Errorf("again: %v", err)
		}
		w.ok(w.db.Create(&Odd{ID: 1, A: canary, Order: canary}))
		for _, column := range []string{"der Straße", "My Index", "order", "GROUP"} {
			if _, err := d.SQL.Exec("UPDATE odds SET " + w.quote(column) + " = 'plaintext'"); err == nil {
				t.Errorf("column %s has no CHECK", column)
			}
			w.ok(w.db.Where(map[string]any{column: canary}).First(&Odd{}))
			w.ok(w.db.Where("odds."+w.quote(column)+" IN ?", []string{canary}).First(&Odd{}))
		}
		w.ok(w.db.Model(&Odd{ID: 1}).Updates(map[string]any{"order": canary + "2", "der Straße": canary + "3"}))
		w.ok(w.db.Where(&Odd{A: canary + "3", Order: canary + "2"}).First(&Odd{}))
	})
}

func TestCheckTagOnEncryptedColumnIsRefused(t *testing.T) {
	type checked struct {
		ID int64
		A  string `gorm:"serializer:fernet;check:a <> ''"`
	}
	db, _ := use(t, dbtest.SQLite(t), gormencrypt.Options{})
	if err := db.AutoMigrate(&checked{}); err == nil || !strings.Contains(err.Error(), "check: tag") {
		t.Errorf("got %v", err)
	}
}
