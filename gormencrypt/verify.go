package gormencrypt

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/schema"

	"github.com/fernetcol/fernetcol/encryptedtype"
)

// A Problem is something that [Verify] found.
type Problem struct {
	// Table and Column say where.
	Table, Column string
	// Text says what is wrong and what to do.
	Text string
}

// String returns the problem as a line.
func (p Problem) String() string { return p.Table + "." + p.Column + ": " + p.Text }

// Verify compares the encrypted columns of models with the database behind db,
// as a check at start-up or in a test. It reports
//
//   - a model that the plugin did not know,
//   - a column too narrow for its longest token: that of the plaintext that the
//     field's size tag allows, else that of 255 bytes,
//   - a column default, which would be stored in the clear,
//   - a missing CHECK,
//   - rows that hold plaintext,
//   - an encrypted type inside a field that is stored as JSON or gob, where it is
//     in the clear.
//
// The error is for what kept it from looking: a handle without the plugin, a
// missing table, a lost connection. Counting rows reads the whole table.
func Verify(ctx context.Context, db *gorm.DB, models ...any) ([]Problem, error) {
	p, ok := db.Config.Plugins[pluginName].(*Plugin)
	if !ok {
		return nil, fmt.Errorf("gormencrypt: Verify: %w", errNoPlugin)
	}
	db = db.WithContext(ctx)
	var problems []Problem
	for _, model := range models {
		found, err := p.verifyModel(db, model)
		// GORM's migrator takes a lost connection for a missing table.
		if ctx.Err() != nil {
			return nil, fmt.Errorf("gormencrypt: Verify: %w", ctx.Err())
		}
		if err != nil {
			return nil, err
		}
		problems = append(problems, found...)
	}
	return problems, nil
}

var errCannotCount = errors.New("its rows cannot be counted")

func (p *Plugin) verifyModel(db *gorm.DB, model any) ([]Problem, error) {
	stmt := &gorm.Statement{DB: db}
	if err := stmt.Parse(model); err != nil {
		return nil, fmt.Errorf("gormencrypt: Verify: %w", err)
	}
	s := stmt.Schema
	problems := insideSerialized(s)
	if len(p.tableColumns(s.Table)) == 0 && hasEncrypted(s) {
		problems = append(problems, Problem{s.Table, "*", "the plugin did not know the model " + s.Name + "; add it to Options.Models"})
	}
	if err := p.arm(s); err != nil {
		return nil, err
	}
	if !db.Migrator().HasTable(model) {
		return nil, fmt.Errorf("gormencrypt: Verify: the table %s does not exist", s.Table)
	}
	types, err := db.Migrator().ColumnTypes(model)
	if err != nil {
		return nil, fmt.Errorf("gormencrypt: Verify: the columns of table %s cannot be read", s.Table)
	}
	for _, f := range s.Fields {
		c := p.tableColumns(s.Table)[strings.ToLower(f.DBName)]
		if c == nil || f.DBName == "" {
			continue
		}
		found, err := p.verifyColumn(db, model, c, types)
		if err != nil {
			return nil, err
		}
		problems = append(problems, found...)
	}
	return problems, nil
}

func (p *Plugin) verifyColumn(db *gorm.DB, model any, c *column, types []gorm.ColumnType) ([]Problem, error) {
	var problems []Problem
	report := func(format string, args ...any) {
		problems = append(problems, Problem{c.table, c.field.DBName, fmt.Sprintf(format, args...)})
	}
	var columnType gorm.ColumnType
	for _, t := range types {
		if strings.EqualFold(t.Name(), c.field.DBName) {
			columnType = t
		}
	}
	if columnType == nil {
		report("the column does not exist; migrate the table")
		return problems, nil
	}
	need := c.longestToken()
	if width, ok := columnType.Length(); ok && width > 0 && int64(need) > width {
		report("the column holds %d bytes, but tokens take up to %d; widen it, or make it text", width, need)
	}
	if value, ok := columnType.DefaultValue(); ok && value != "" && !strings.HasPrefix(strings.ToUpper(value), "NULL") {
		report("the column has a default, which is stored in the clear; drop it")
	}
	if !db.Migrator().HasConstraint(model, c.checkName()) {
		report("the CHECK %s is missing, so that the database accepts plaintext; run AutoMigrate, or add it yourself", c.checkName())
	}
	var plaintext int64
	table := db.Statement.Quote(c.table)
	// Past the plugin, which would refuse to look into the column, but on the
	// handle's own connection: it may be a transaction.
	row := db.Statement.ConnPool.QueryRowContext(db.Statement.Context, "SELECT COUNT(*) FROM "+table+" WHERE NOT ("+p.check(c)+")")
	if err := row.Scan(&plaintext); err != nil {
		if ctxErr := db.Statement.Context.Err(); ctxErr != nil {
			err = ctxErr // the driver's own text may hold a DSN
		} else {
			err = errCannotCount
		}
		return nil, fmt.Errorf("gormencrypt: Verify: table %s: %w", c.table, err)
	}
	if plaintext > 0 {
		report("%d rows hold something that is not a token; encrypt them", plaintext)
	}
	return problems, nil
}

// longestToken is the length of the longest token to expect in the column.
func (c *column) longestToken() int {
	n := c.field.Size
	if size := c.field.TagSettings["SIZE"]; size != "" {
		fmt.Sscan(size, &n)
	}
	if n <= 0 || n > 1<<20 {
		n = 255
	}
	if c.binary() {
		return encryptedtype.BytesSize(n)
	}
	return encryptedtype.TextSize(n)
}

func hasEncrypted(s *schema.Schema) bool {
	for _, f := range s.Fields {
		if c, err := newColumn(s, f); c != nil || err != nil {
			return true
		}
	}
	return false
}

// insideSerialized finds encrypted types inside fields that GORM stores as JSON
// or gob.
func insideSerialized(s *schema.Schema) []Problem {
	var problems []Problem
	for _, f := range s.Fields {
		if f.Serializer == nil || strings.EqualFold(f.TagSettings["SERIALIZER"], serializerName) {
			continue
		}
		if holdsEncrypted(f.FieldType, map[reflect.Type]bool{}) {
			problems = append(problems, Problem{s.Table, f.DBName,
				"an encrypted type inside a serialized field is stored in the clear; encrypt the whole field with encryptedtype.Encrypted"})
		}
	}
	return problems
}

func holdsEncrypted(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	if encryptedtype.IsColumn(t) {
		return true
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return holdsEncrypted(t.Elem(), seen)
	case reflect.Map:
		return holdsEncrypted(t.Key(), seen) || holdsEncrypted(t.Elem(), seen)
	case reflect.Struct:
		for i := range t.NumField() {
			if holdsEncrypted(t.Field(i).Type, seen) {
				return true
			}
		}
	}
	return false
}
