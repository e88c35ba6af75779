package gormencrypt

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/fernetcol/fernetcol/encryptedtype"
)

// GORM's Scan reads rows that it opened before it looks at the destination, and
// wants them to be *sql.Rows. So that scalars, maps and other structs get the
// plaintext there too, those rows come from a driver of our own, which reads the
// real rows and decrypts.

// openedKey marks the context of a statement whose rows are decrypted already.
type openedKey struct{}

// openRows puts decrypting rows in the place of those that GORM's Scan reads.
// What Rows gives to the program itself is left as it is.
func (p *Plugin) openRows(db *gorm.DB) {
	stmt := db.Statement
	rows, ok := stmt.Dest.(*sql.Rows)
	if !ok || rows == nil || db.Error != nil || reflect.TypeOf(db.Logger) != reflect.TypeOf(logger.Recorder.New()) {
		return
	}
	names, err := rows.Columns()
	if err != nil {
		return // Scan meets it again
	}
	columns := p.resultColumns(stmt, names)
	if !slices.ContainsFunc(columns, func(c *column) bool { return c != nil }) {
		return
	}
	types, err := rows.ColumnTypes()
	if err != nil {
		return
	}
	source := &openedRows{rows: rows, types: types, names: names, columns: columns, p: p, ctx: stmt.Context}
	opened, err := p.opener().QueryContext(context.Background(), "", source)
	if err != nil {
		rows.Close()
		db.AddError(err)
		return
	}
	stmt.Dest = opened
	stmt.Context = context.WithValue(stmt.Context, openedKey{}, true)
}

func (p *Plugin) opener() *sql.DB {
	p.openerOnce.Do(func() { p.openerDB = sql.OpenDB(opener{}) })
	return p.openerDB
}

// opener is a driver whose only query gives the rows that are its argument.
type opener struct{}

func (opener) Connect(context.Context) (driver.Conn, error) { return opener{}, nil }
func (opener) Driver() driver.Driver                        { return opener{} }
func (opener) Open(string) (driver.Conn, error)             { return opener{}, nil }
func (opener) Prepare(string) (driver.Stmt, error)          { return nil, driver.ErrSkip }
func (opener) Close() error                                 { return nil }
func (opener) Begin() (driver.Tx, error)                    { return nil, driver.ErrSkip }
func (opener) CheckNamedValue(*driver.NamedValue) error     { return nil }
func (opener) QueryContext(_ context.Context, _ string, args []driver.NamedValue) (driver.Rows, error) {
	return args[0].Value.(*openedRows), nil
}

var (
	_ driver.QueryerContext    = opener{}
	_ driver.NamedValueChecker = opener{}
)

type openedRows struct {
	rows    *sql.Rows
	types   []*sql.ColumnType
	names   []string
	columns []*column
	p       *Plugin
	ctx     context.Context
}

func (o *openedRows) Columns() []string { return o.names }
func (o *openedRows) Close() error      { return o.rows.Close() }

func (o *openedRows) Next(dest []driver.Value) error {
	if !o.rows.Next() {
		if err := o.rows.Err(); err != nil {
			return err
		}
		return io.EOF
	}
	values := make([]any, len(dest))
	targets := make([]any, len(dest))
	for i := range values {
		targets[i] = &values[i]
	}
	if err := o.rows.Scan(targets...); err != nil {
		return err
	}
	for i, c := range o.columns {
		dest[i] = values[i]
		if c == nil || values[i] == nil {
			continue
		}
		field := reflect.New(c.field.FieldType)
		if err := o.p.open(o.rowContext(c, values), c, values[i], field); err != nil {
			return fmt.Errorf("gormencrypt: column %s, %s: %w", c, o.primaryKey(c, values), err)
		}
		var err error
		if dest[i], err = driverValue(plainValue(field.Elem())); err != nil {
			return fmt.Errorf("gormencrypt: column %s: %w", c, err)
		}
	}
	return nil
}

// rowContext returns the context for a column of a row: for a row-bound one, it
// names the row, if its primary key was read.
func (o *openedRows) rowContext(c *column, values []any) context.Context {
	if !c.row {
		return o.ctx
	}
	model := reflect.New(c.field.Schema.ModelType).Elem()
	for _, f := range c.field.Schema.PrimaryFields {
		i := slices.IndexFunc(o.names, func(name string) bool { return strings.EqualFold(name, f.DBName) })
		if i < 0 || f.Set(o.ctx, model, values[i]) != nil {
			return o.ctx
		}
	}
	if key := rowOf(o.ctx, c.field.Schema, model); key != nil {
		return withRow(o.ctx, key)
	}
	return o.ctx
}

// primaryKey names the row for an error.
func (o *openedRows) primaryKey(c *column, values []any) string {
	var parts []string
	for _, f := range c.field.Schema.PrimaryFields {
		i := slices.IndexFunc(o.names, func(name string) bool { return strings.EqualFold(name, f.DBName) })
		if i < 0 {
			return "a row whose primary key was not read"
		}
		parts = append(parts, fmt.Sprintf("%s = %s", f.DBName, keyText(values[i])))
	}
	return "row " + strings.Join(parts, ", ")
}

func keyText(v any) string {
	if b, ok := v.([]byte); ok {
		return string(b)
	}
	return fmt.Sprint(v)
}

// driverValue returns a plain value as a driver gives it: what is not one of its
// types is JSON.
func driverValue(v any) (driver.Value, error) {
	rv := reflect.ValueOf(v)
	switch {
	case v == nil:
		return nil, nil
	case rv.Kind() == reflect.String:
		return rv.String(), nil
	case isText(rv.Type()):
		return rv.Bytes(), nil
	case rv.CanInt():
		return rv.Int(), nil
	case rv.CanUint() && int64(rv.Uint()) >= 0:
		return int64(rv.Uint()), nil
	case rv.CanFloat():
		return rv.Float(), nil
	case rv.Kind() == reflect.Bool:
		return rv.Bool(), nil
	}
	if t, ok := v.(time.Time); ok {
		return t, nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, errors.New("the value cannot be written as JSON") // the cause may quote it
	}
	return b, nil
}

// setOpened sets a field to what driverValue made of its value.
func (c *column) setOpened(dst reflect.Value, value any) error {
	base, v := c.base(), reflect.ValueOf(value)
	b, isBytes := value.([]byte)
	if isBytes && !isText(base) && !(encryptedtype.IsColumn(base) && isText(base.Field(0).Type)) {
		inner := reflect.New(base)
		if json.Unmarshal(b, inner.Interface()) != nil {
			return errors.New("the stored value is JSON of another shape than the field")
		}
		return assign(dst, inner.Elem())
	}
	if v.Type() != base {
		var err error
		if v, err = c.convert(v, base); err != nil {
			return err
		}
	}
	return assign(dst, v)
}

func (o *openedRows) ColumnTypeScanType(i int) reflect.Type {
	if o.columns[i] != nil {
		return reflect.TypeFor[any]()
	}
	return o.types[i].ScanType()
}

func (o *openedRows) ColumnTypeDatabaseTypeName(i int) string { return o.types[i].DatabaseTypeName() }
func (o *openedRows) ColumnTypeNullable(i int) (nullable, ok bool) {
	return o.types[i].Nullable()
}
