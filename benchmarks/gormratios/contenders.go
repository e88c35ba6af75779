package main

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"

	fernetgo "github.com/fernet/fernet-go"
	"gorm.io/gorm"

	"github.com/fernetcol/fernetcol/benchmarks/internal/database"
	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/gormencrypt"
	"github.com/fernetcol/fernetcol/keyprovider"
)

// sizes are the lengths of a row's three strings, in bytes.
var sizes = values[int]{16, 32, 64}

// values are one of a kind for each of a row's three columns.
type values[T any] [3]T

// The models. All have tables of one shape.
type (
	plainRow struct {
		ID                  int64
		Short, Middle, Long string
	}
	paddedRow     plainRow // its strings are as long as tokens
	serializerRow struct {
		ID     int64
		Short  string `gorm:"serializer:fernet"`
		Middle string `gorm:"serializer:fernet"`
		Long   string `gorm:"serializer:fernet"`
	}
	typedRow struct {
		ID                  int64
		Short, Middle, Long encryptedtype.EncryptedString
	}
	rawRow struct {
		ID                  int64
		Short, Middle, Long encryptedtype.EncryptedBytes
	}
	naiveRow struct {
		ID     int64
		Short  string `gorm:"serializer:naive"`
		Middle string `gorm:"serializer:naive"`
		Long   string `gorm:"serializer:naive"`
	}
)

// The names of the contenders, as the tables and the groups use them.
const (
	namePlain      = "plain strings"
	namePadded     = "plain strings as long as the tokens"
	nameSerializer = "gormencrypt, serializer:fernet"
	nameTyped      = "gormencrypt, EncryptedString"
	nameRaw        = "gormencrypt, EncryptedBytes (raw tokens)"
	nameNaive      = "naive serializer over fernet-go"
)

// A contender is one model in one table.
type contender struct {
	name  string
	table table
}

// newContenders returns all of them, under one key.
func newContenders(conn *database.Conn) ([]contender, error) {
	key := fernet.GenerateKey()
	ring, err := fernet.NewKeyring(key)
	if err != nil {
		return nil, err
	}
	peer, err := fernetgo.DecodeKeys(key.Encode())
	if err != nil {
		return nil, fmt.Errorf("key of fernet-go: %w", err)
	}
	plain, err := conn.GORM()
	if err != nil {
		return nil, err
	}
	encrypting, err := conn.GORM()
	if err != nil {
		return nil, err
	}
	if err := encrypting.Use(gormencrypt.New(keyprovider.Static(ring), gormencrypt.Options{})); err != nil {
		return nil, err
	}
	naive, err := conn.GORM()
	if err != nil {
		return nil, err
	}
	registerNaive(peer)

	tokenSizes := sizes
	for i, n := range sizes {
		tokenSizes[i] = fernet.TokenLen(n)
	}
	return []contender{
		{namePlain, &tableOf[plainRow]{conn: conn, db: plain, sizes: sizes,
			row: func(v values[string]) plainRow { return plainRow{0, v[0], v[1], v[2]} }}},
		{namePadded, &tableOf[paddedRow]{conn: conn, db: plain, sizes: tokenSizes,
			row: func(v values[string]) paddedRow { return paddedRow{0, v[0], v[1], v[2]} }}},
		{nameSerializer, &tableOf[serializerRow]{conn: conn, db: encrypting, sizes: sizes,
			row: func(v values[string]) serializerRow { return serializerRow{0, v[0], v[1], v[2]} }}},
		{nameTyped, &tableOf[typedRow]{conn: conn, db: encrypting, sizes: sizes,
			row: func(v values[string]) typedRow {
				type e = encryptedtype.EncryptedString
				return typedRow{0, e(v[0]), e(v[1]), e(v[2])}
			}}},
		{nameRaw, &tableOf[rawRow]{conn: conn, db: encrypting, sizes: sizes,
			row: func(v values[string]) rawRow { return rawRow{0, []byte(v[0]), []byte(v[1]), []byte(v[2])} }}},
		{nameNaive, &tableOf[naiveRow]{conn: conn, db: naive, sizes: sizes,
			row: func(v values[string]) naiveRow { return naiveRow{0, v[0], v[1], v[2]} }}},
	}, nil
}

// A table is what a contender does, by row numbers counted from 0. Each of its
// methods prepares what must not be timed and returns the rest as a function.
type table interface {
	create() error
	settle() error
	insert(from, to, batch int) func() error
	read(from, to, batch int) func() error
	lookup(rows []int) func() error
	// verify reads the first n rows and compares them with what was written.
	verify(n int) error
	name() string // in SQL
}

// A tableOf is a table with one model.
type tableOf[T any] struct {
	conn  *database.Conn
	db    *gorm.DB
	sizes values[int]
	row   func(values[string]) T
}

// create makes a fresh table.
func (t *tableOf[T]) create() error {
	m := t.db.Migrator()
	if err := m.DropTable(new(T)); err != nil {
		return err
	}
	if err := t.db.AutoMigrate(new(T)); err != nil || t.conn.Name != database.Postgres {
		return err
	}
	// What runs in the background runs in the time of whoever is measured then.
	return t.db.Exec("ALTER TABLE " + t.name() + " SET (autovacuum_enabled = false)").Error
}

// settle makes the database do what is left to do.
func (t *tableOf[T]) settle() error { return t.conn.Settle(t.name()) }

// name is the table's name in SQL.
func (t *tableOf[T]) name() string {
	stmt := &gorm.Statement{DB: t.db}
	if err := stmt.Parse(new(T)); err != nil {
		panic("gormratios: " + err.Error())
	}
	return stmt.Quote(stmt.Table)
}

// insert writes rows in batches.
func (t *tableOf[T]) insert(from, to, batch int) func() error {
	rows := make([]T, to-from)
	for i := range rows {
		rows[i] = t.row(texts(from+i, t.sizes))
	}
	return func() error { return t.db.CreateInBatches(rows, batch).Error }
}

// read reads rows in batches.
func (t *tableOf[T]) read(from, to, batch int) func() error {
	return func() error {
		var rows []T
		found := t.db.Where("id > ? AND id <= ?", from, to).FindInBatches(&rows, batch, func(*gorm.DB, int) error { return nil })
		if found.Error == nil && found.RowsAffected != int64(to-from) {
			return fmt.Errorf("read %d rows of %d", found.RowsAffected, to-from)
		}
		return found.Error
	}
}

// lookup reads rows one by one.
func (t *tableOf[T]) lookup(rows []int) func() error {
	return func() error {
		for _, row := range rows {
			var found T
			if err := t.db.First(&found, row+1).Error; err != nil {
				return err
			}
		}
		return nil
	}
}

// verify reads the first n rows and compares them with what was written.
func (t *tableOf[T]) verify(n int) error {
	var rows []T
	if err := t.db.Order("id").Limit(n).Find(&rows).Error; err != nil {
		return err
	}
	for i, row := range rows {
		v := reflect.ValueOf(row)
		for column, want := range texts(i, t.sizes) {
			got := v.Field(column + 1) // the first is the ID
			if got.Kind() == reflect.Slice && string(got.Bytes()) != want || got.Kind() == reflect.String && got.String() != want {
				return fmt.Errorf("row %d, column %d is not what was written", i+1, column+1)
			}
		}
	}
	if len(rows) != n {
		return fmt.Errorf("%d rows, want %d", len(rows), n)
	}
	return nil
}

// texts are the strings of one row, always the same.
func texts(row int, sizes values[int]) values[string] {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	random := rand.New(rand.NewPCG(uint64(row), 0))
	var v values[string]
	for i, n := range sizes {
		var b strings.Builder
		for range n {
			b.WriteByte(letters[random.IntN(len(letters))])
		}
		v[i] = b.String()
	}
	return v
}
