package main

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"gorm.io/gorm"

	"github.com/fernetcol/fernetcol/benchmarks/internal/database"
	"github.com/fernetcol/fernetcol/blindindex"
	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/gormencrypt"
	"github.com/fernetcol/fernetcol/internal/bulk"
	"github.com/fernetcol/fernetcol/keyprovider"
)

// The models. One column more is in a row, and nothing else, which is nearly the
// hardest case for encryption. Without that one, SQLite would find all of a plain row
// in its index and not read the row, as no lookup of a real table does.
type (
	plainRow struct {
		ID    int64
		Name  string
		Email string `gorm:"index"`
	}
	serializerRow struct {
		ID         int64
		Name       string
		Email      string           `gorm:"serializer:fernet" fernet:"index:EmailIndex"`
		EmailIndex blindindex.Value `gorm:"index"`
	}
	typedRow struct {
		ID         int64
		Name       string
		Email      encryptedtype.EncryptedString `fernet:"index:EmailIndex"`
		EmailIndex blindindex.Value              `gorm:"index"`
	}
	lowerRow struct {
		ID         int64
		Name       string
		Email      encryptedtype.EncryptedString `fernet:"index:EmailIndex,lower"`
		EmailIndex blindindex.Value              `gorm:"index"`
	}
	// Four rows, of a million, have the entry of another.
	shortRow struct {
		ID         int64
		Name       string
		Email      encryptedtype.EncryptedString `fernet:"index:EmailIndex,bits=18,rows=1000000"`
		EmailIndex blindindex.Value              `gorm:"index"`
	}
)

// The tables. Models with the same stored form share one.
const (
	tablePlain = "plain"
	tableExact = "exact"
	tableLower = "lower"
	tableShort = "short"
)

func (plainRow) TableName() string      { return tablePlain }
func (serializerRow) TableName() string { return tableExact }
func (typedRow) TableName() string      { return tableExact }
func (lowerRow) TableName() string      { return tableLower }
func (shortRow) TableName() string      { return tableShort }

func (r plainRow) found() (int64, string)      { return r.ID, r.Email }
func (r serializerRow) found() (int64, string) { return r.ID, r.Email }
func (r typedRow) found() (int64, string)      { return r.ID, string(r.Email) }
func (r lowerRow) found() (int64, string)      { return r.ID, string(r.Email) }
func (r shortRow) found() (int64, string)      { return r.ID, string(r.Email) }

// The names of the contenders, as the tables and the groups use them.
const (
	namePlain      = "GORM, plain column"
	nameSerializer = "gormencrypt, serializer:fernet, index"
	nameTyped      = "gormencrypt, EncryptedString, index"
	nameLower      = "gormencrypt, EncryptedString, index of lower case"
	nameShort      = "gormencrypt, EncryptedString, index of 18 bits, filtered"
	nameByHand     = "GORM without the plugin, EncryptedString, index asked by hand"
	nameSQLPlain   = "database/sql, plain column"
	nameSQL        = "database/sql, EncryptedString, index"
	nameSQLLower   = "database/sql, EncryptedString, index of lower case"
)

// A contender is one way to look up a row by its e-mail address.
type contender struct {
	name   string
	lookup func(email string) (id int64, found string, err error)
}

// defaultRing is the one key ring, also of the types where no plugin gives another.
var defaultRing = sync.OnceValues(func() (*fernet.Keyring, error) {
	ring, err := fernet.NewKeyring(fernet.GenerateKey())
	if err == nil {
		err = encryptedtype.SetDefault(ring)
	}
	return ring, err
})

// newContenders loads the tables and returns all contenders, under one key.
func newContenders(conn *database.Conn, rows int) ([]contender, error) {
	ring, err := defaultRing()
	if err != nil {
		return nil, err
	}
	indexKey := fernet.GenerateKey()
	index := func(table string, o blindindex.Options) *blindindex.Index {
		ix, err := blindindex.New(indexKey, table, "email", "email_index", o)
		if err != nil {
			panic("searchratios: " + err.Error())
		}
		return ix
	}
	exact := index(tableExact, blindindex.Options{})
	lower := index(tableLower, blindindex.Options{Transforms: []blindindex.Transform{blindindex.Lower}})
	short := index(tableShort, blindindex.Options{Bits: 18, Rows: 1_000_000})

	plain, err := conn.GORM()
	if err != nil {
		return nil, err
	}
	var encrypting [4]*gorm.DB // a handle for each model
	for i := range encrypting {
		if encrypting[i], err = conn.GORM(); err != nil {
			return nil, err
		}
		if err := encrypting[i].Use(gormencrypt.New(keyprovider.Static(ring), gormencrypt.Options{IndexKey: indexKey})); err != nil {
			return nil, err
		}
	}
	for _, t := range []struct {
		db    *gorm.DB
		model any
		name  string
		index *blindindex.Index
	}{
		{plain, &plainRow{}, tablePlain, nil},
		{encrypting[1], &typedRow{}, tableExact, exact},
		{encrypting[2], &lowerRow{}, tableLower, lower},
		{encrypting[3], &shortRow{}, tableShort, short},
	} {
		if err := load(conn, t.db, t.model, t.name, rows, ring, t.index); err != nil {
			return nil, fmt.Errorf("load %s: %w", t.name, err)
		}
	}
	return []contender{
		{namePlain, byGORM[plainRow](plain)},
		{nameSerializer, byGORM[serializerRow](encrypting[0])},
		{nameTyped, byGORM[typedRow](encrypting[1])},
		{nameLower, byGORM[lowerRow](encrypting[2])},
		{nameShort, byGORM[shortRow](encrypting[3])},
		{nameByHand, byHand(plain, exact)},
		{nameSQLPlain, bySQL(conn, tablePlain, nil, nil)},
		{nameSQL, bySQL(conn, tableExact, exact, ring)},
		{nameSQLLower, bySQL(conn, tableLower, lower, ring)},
	}, nil
}

// name is in every row.
const name = "Jane Doe"

// email is the address of a row, counted from 1.
func email(row int) string { return fmt.Sprintf("user%07d@example.com", row) }

// load makes a table and fills it with what a program would have written: with
// tokens and entries if there is an index, and in the clear without.
func load(conn *database.Conn, db *gorm.DB, model any, table string, rows int, ring *fernet.Keyring, index *blindindex.Index) error {
	m := db.Migrator()
	if err := m.CreateTable(model); err != nil {
		return err
	}
	columns, indexName := []string{"id", "name", "email"}, "idx_"+table+"_email"
	if index != nil {
		columns, indexName = append(columns, "email_index"), indexName+"_index"
	}
	if err := m.DropIndex(model, indexName); err != nil { // faster made when the rows are there
		return err
	}
	if conn.Name == database.Postgres { // what runs in the background runs in the time of whoever is measured then
		if err := db.Exec("ALTER TABLE " + table + " SET (autovacuum_enabled = false)").Error; err != nil {
			return err
		}
	}
	n, err := bulk.Load(context.Background(), conn.Pool, table, columns, func(yield func([]any) bool) {
		for i := 1; i <= rows; i++ {
			row := []any{int64(i), name, email(i)}
			if index != nil {
				row = []any{int64(i), name, ring.EncryptString(email(i)), string(index.Value(email(i)))}
			}
			if !yield(row) {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	if n != int64(rows) {
		return fmt.Errorf("%d rows, want %d", n, rows)
	}
	if err := m.CreateIndex(model, indexName); err != nil {
		return err
	}
	return conn.Settle(table)
}

// byGORM looks up by the condition that every program writes.
func byGORM[T interface{ found() (int64, string) }](db *gorm.DB) func(string) (int64, string, error) {
	return func(email string) (int64, string, error) {
		var row T
		err := db.Where("email = ?", email).First(&row).Error
		id, text := row.found()
		return id, text, err
	}
}

// byHand looks up as a program without the plugin does: it asks for the entry, and
// the type decrypts.
func byHand(db *gorm.DB, index *blindindex.Index) func(string) (int64, string, error) {
	return func(email string) (int64, string, error) {
		var row typedRow
		err := db.Where("email_index = ?", index.Value(email)).First(&row).Error
		return row.ID, string(row.Email), err
	}
}

// bySQL looks up by SQL of the program's own, without GORM.
func bySQL(conn *database.Conn, table string, index *blindindex.Index, ring *fernet.Keyring) func(string) (int64, string, error) {
	query := "SELECT id, name, email FROM " + table + " WHERE email = ?"
	if index != nil {
		query = strings.Replace(query, "email = ?", "email_index = ?", 1)
	}
	if conn.Name == database.Postgres {
		query = strings.Replace(query, "?", "$1", 1)
	}
	return func(email string) (id int64, _ string, err error) {
		var name string
		if index == nil {
			var text string
			err = conn.Pool.QueryRow(query, email).Scan(&id, &name, &text)
			return id, text, err
		}
		var text encryptedtype.EncryptedString
		err = conn.Pool.QueryRow(query, index.Value(email)).Scan(&id, &name, encryptedtype.Into(ring, &text))
		return id, string(text), err
	}
}
