package gormencrypt

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
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
//   - an index column that is missing or too narrow, rows without their entry, and
//     rows whose entry is not that of their value: after a change of the index key,
//     a transform, or a name, and after a writer that did not know the index,
//   - an encrypted type inside a field that is stored as JSON or gob, where it is
//     in the clear.
//
// The error is for what kept it from looking: a handle without the plugin, a
// missing table, a lost connection. Counting rows reads the whole table, and for a
// column with an index decrypts it.
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
		if columnAt(types, c.field.DBName) < 0 {
			continue
		}
		if found, err = p.verifyIndexes(db, model, s, c, types); err != nil {
			return nil, err
		}
		problems = append(problems, found...)
	}
	return problems, nil
}

// columnAt returns the place of a column, or -1.
func columnAt(types []gorm.ColumnType, name string) int {
	return slices.IndexFunc(types, func(t gorm.ColumnType) bool { return strings.EqualFold(t.Name(), name) })
}

// verifyIndexes looks at the indexes of a column that exists.
func (p *Plugin) verifyIndexes(db *gorm.DB, model any, s *schema.Schema, c *column, types []gorm.ColumnType) ([]Problem, error) {
	if len(c.indexes) == 0 {
		return nil, nil
	}
	var problems []Problem
	report := func(ic *indexColumn, format string, args ...any) {
		problems = append(problems, Problem{c.table, ic.field.DBName, fmt.Sprintf(format, args...)})
	}
	for _, ic := range c.indexes {
		i := columnAt(types, ic.field.DBName)
		if i < 0 {
			report(ic, "the index column does not exist; migrate the table")
			return problems, nil
		}
		if width, ok := types[i].Length(); ok && width > 0 && width < int64(ic.field.Size) {
			report(ic, "the column holds %d characters, but entries have %d; widen it", width, ic.field.Size)
		}
		if !db.Migrator().HasConstraint(model, ic.checkName()) {
			report(ic, "the CHECK %s is missing, so that another client may leave the entry out; run AutoMigrate, or add it yourself", ic.checkName())
		}
	}
	ctx := db.Statement.Context
	f := filling{p: p, db: db, c: c, schema: s}
	stale, unreadable, err := f.staleEntries(ctx)
	if err != nil {
		return nil, fmt.Errorf("gormencrypt: Verify: %w", err)
	}
	for i, ic := range c.indexes {
		missing, err := f.missingEntries(ctx, ic)
		if err != nil {
			return nil, fmt.Errorf("gormencrypt: Verify: %w", err)
		}
		if missing > 0 && !ic.filling {
			report(ic, "%d rows have a value and no entry, or the reverse, and are not found; say filling in the tag and run FillIndexes", missing)
		}
		if stale[i] > 0 {
			report(ic, "%d rows have an entry that is not that of their value, and are not found: another index key, transform or name, or a writer that did not know the index; set those entries to NULL and run FillIndexes", stale[i])
		}
	}
	if unreadable > 0 {
		problems = append(problems, Problem{c.table, c.field.DBName, fmt.Sprintf("%d rows cannot be decrypted, so that their entries were not compared", unreadable)})
	}
	return problems, nil
}

func (p *Plugin) verifyColumn(db *gorm.DB, model any, c *column, types []gorm.ColumnType) ([]Problem, error) {
	var problems []Problem
	report := func(format string, args ...any) {
		problems = append(problems, Problem{c.table, c.field.DBName, fmt.Sprintf(format, args...)})
	}
	i := columnAt(types, c.field.DBName)
	if i < 0 {
		report("the column does not exist; migrate the table")
		return problems, nil
	}
	columnType := types[i]
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
