package gormencrypt_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
	"testing"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	"gorm.io/gorm/utils/tests"

	"github.com/fernetcol/fernetcol/blindindex"
	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/gormencrypt"
	"github.com/fernetcol/fernetcol/keyprovider"
)

// The models that benchmarks read and write.
type (
	plainUser     struct{ ID, Name, Email string }
	encryptedUser struct {
		ID, Name string
		Email    encryptedtype.EncryptedString
	}
	indexedUser struct {
		ID, Name   string
		Email      encryptedtype.EncryptedString `fernet:"index:EmailIndex"`
		EmailIndex blindindex.Value
	}
)

// BenchmarkStatements is over a database that takes no time: what GORM and the plugin
// cost, beside each other. The benchmarks over real databases are in the folder of
// that name.
func BenchmarkStatements(b *testing.B) {
	key, indexKey := fernet.GenerateKey(), fernet.GenerateKey()
	ring := newRing(b, key)
	token := ring.EncryptString("jane@example.com")
	open := func(b *testing.B, withPlugin bool, names []string, row []driver.Value) *gorm.DB {
		pool := sql.OpenDB(instant{names, row})
		b.Cleanup(func() { pool.Close() })
		db, err := gorm.Open(tests.DummyDialector{}, &gorm.Config{ConnPool: pool, Logger: logger.Discard, SkipDefaultTransaction: true})
		if err == nil && withPlugin {
			err = db.Use(gormencrypt.New(keyprovider.Static(ring), gormencrypt.Options{IndexKey: indexKey}))
		}
		if err != nil {
			b.Fatal(err)
		}
		return db
	}
	three, four := []string{"id", "name", "email"}, []string{"id", "name", "email", "email_index"}
	plain := []driver.Value{"1", "Jane", "jane@example.com"}
	encrypted := []driver.Value{"1", "Jane", token, "0123456789abcdef0123456789abcdef"}
	const byName, byEmail = "name = ?", "email = ?"
	for _, c := range []struct {
		name   string
		plugin bool
		names  []string
		row    []driver.Value
		run    func(db *gorm.DB) error
	}{
		{"First/plain", false, three, plain, func(db *gorm.DB) error { return db.First(&plainUser{}, byEmail, "jane@example.com").Error }},
		{"First/plain, with plugin", true, three, plain, func(db *gorm.DB) error { return db.First(&plainUser{}, byEmail, "jane@example.com").Error }},
		{"First/encrypted, by name", true, three, encrypted[:3], func(db *gorm.DB) error { return db.First(&encryptedUser{}, byName, "Jane").Error }},
		{"First/by index", true, four, encrypted, func(db *gorm.DB) error { return db.First(&indexedUser{}, byEmail, "jane@example.com").Error }},
		{"Create/plain", false, three, plain, func(db *gorm.DB) error {
			return db.Create(&plainUser{"1", "Jane", "jane@example.com"}).Error
		}},
		{"Create/plain, with plugin", true, three, plain, func(db *gorm.DB) error {
			return db.Create(&plainUser{"1", "Jane", "jane@example.com"}).Error
		}},
		{"Create/encrypted", true, three, plain, func(db *gorm.DB) error {
			return db.Create(&encryptedUser{"1", "Jane", "jane@example.com"}).Error
		}},
		{"Create/with index", true, three, plain, func(db *gorm.DB) error {
			return db.Create(&indexedUser{ID: "1", Name: "Jane", Email: "jane@example.com"}).Error
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			db := open(b, c.plugin, c.names, c.row)
			b.ReportAllocs()
			for b.Loop() {
				if err := c.run(db); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("entry", func(b *testing.B) {
		index, err := blindindex.New(indexKey, "users", "email", "email_index", blindindex.Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			index.Value("jane@example.com")
		}
	})
}

// instant is a database that answers every query with one row, at once.
type instant struct {
	names []string
	row   []driver.Value
}

func (c instant) Connect(context.Context) (driver.Conn, error) { return c, nil }
func (c instant) Driver() driver.Driver                        { return nil }
func (c instant) Prepare(string) (driver.Stmt, error)          { return nil, driver.ErrSkip }
func (c instant) Close() error                                 { return nil }
func (c instant) Begin() (driver.Tx, error)                    { return nil, driver.ErrSkip }

// QueryContext implements [driver.QueryerContext].
func (c instant) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return &instantRows{instant: c}, nil
}

// ExecContext implements [driver.ExecerContext].
func (c instant) ExecContext(context.Context, string, []driver.NamedValue) (driver.Result, error) {
	return driver.RowsAffected(1), nil
}

type instantRows struct {
	instant
	read bool
}

func (r *instantRows) Columns() []string { return r.names }

func (r *instantRows) Next(dest []driver.Value) error {
	if r.read {
		return io.EOF
	}
	r.read = true
	copy(dest, r.row)
	return nil
}
