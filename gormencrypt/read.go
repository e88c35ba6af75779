package gormencrypt

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"

	"github.com/fernetcol/fernetcol/blindindex"
	"github.com/fernetcol/fernetcol/encryptedtype"
)

// A stored value is what the driver read. Its Scan never fails: a Scanner that
// fails inside GORM leaves the later fields of the row to another row's values.
type stored struct{ value any }

// Scan implements sql.Scanner.
func (s *stored) Scan(src any) error {
	if b, ok := src.([]byte); ok {
		src = bytes.Clone(b) // the driver's memory
	}
	s.value = src
	return nil
}

// storedPool gives GORM destinations for an encrypted column: pointers to
// *stored, which NULL makes nil, so that GORM sees that a left join found
// nothing.
type storedPool struct{}

func (storedPool) Get() any { return storeds.Get() }

func (storedPool) Put(v any) {
	if s, ok := v.(**stored); ok {
		*s = nil // what one row left must not pass for the next row's value
		storeds.Put(s)
	}
}

var storeds = sync.Pool{New: func() any { return new(*stored) }}

// armField makes GORM read the field through the plugin.
func (p *Plugin) armField(c *column) {
	f := c.field
	p.migrateAs(c)
	set := f.Set
	f.NewValuePool = storedPool{}
	if !c.typed && !slices.ContainsFunc(f.StructField.Index, func(i int) bool { return i < 0 }) {
		// What GORM would wrap in a serializer, and the plugin unwrap; but not
		// behind a pointer to an embedded struct, which may be nil, nor in a map.
		inner := f.ValueOf
		f.ValueOf = func(ctx context.Context, model reflect.Value) (any, bool) {
			if reflect.Indirect(model).Kind() != reflect.Struct {
				return inner(ctx, model)
			}
			v := f.ReflectValueOf(ctx, model)
			return pending{v.Interface()}, v.IsZero()
		}
	}
	f.Set = func(ctx context.Context, model reflect.Value, value any) error {
		src, ok := value.(**stored)
		if !ok {
			return p.setPlain(ctx, c, model, value, set)
		}
		dst := f.ReflectValueOf(ctx, model)
		dst.SetZero()
		if *src == nil || (*src).value == nil {
			return nil
		}
		if ctx.Value(openedKey{}) != nil {
			return c.setOpened(dst, (*src).value)
		}
		if c.row {
			if key := rowOf(ctx, f.Schema, model); key != nil {
				ctx = withRow(ctx, key)
			}
		}
		if err := p.open(ctx, c, (*src).value, dst.Addr()); err != nil {
			defer p.empty(ctx, c, model) // after the error has named the row
			return fmt.Errorf("gormencrypt: column %s, %s: %w", c, c.primaryKey(ctx, model), err)
		}
		return nil
	}
}

// armField makes GORM read an entry without its reflection: every row has one
// beside every value.
func (ic *indexColumn) armField() {
	f := ic.field
	set := f.Set
	f.Set = func(ctx context.Context, model reflect.Value, value any) error {
		read, ok := value.(**blindindex.Value)
		if !ok {
			return set(ctx, model, value)
		}
		if dst := f.ReflectValueOf(ctx, model); *read == nil {
			dst.SetZero()
		} else {
			dst.SetString(string(**read))
		}
		return nil
	}
}

// empty empties a model of which a column cannot be read. The primary key stays if
// another column needs it to be read.
func (p *Plugin) empty(ctx context.Context, c *column, model reflect.Value) {
	fresh := reflect.New(c.field.Schema.ModelType).Elem()
	for _, other := range p.tableColumns(c.table) {
		if other == nil || !other.row {
			continue
		}
		for _, f := range c.field.Schema.PrimaryFields {
			f.ReflectValueOf(ctx, fresh).Set(f.ReflectValueOf(ctx, model))
		}
	}
	reflect.Indirect(model).Set(fresh)
}

// setPlain sets a field to a value of the program. GORM's own setter would take a
// string for a field of an encrypted type for a token, and lose it.
func (p *Plugin) setPlain(ctx context.Context, c *column, model reflect.Value, value any, set func(context.Context, reflect.Value, any) error) error {
	switch value.(type) {
	case clause.Expression, clause.Column, *gorm.DB, gorm.Valuer:
		return set(ctx, model, value) // GORM leaves the field as it is
	}
	v, isNull, err := c.simplify(value)
	if err != nil {
		return err
	}
	dst := c.field.ReflectValueOf(ctx, model)
	if isNull {
		dst.SetZero()
		return nil
	}
	if base := c.base(); v.Type() != base {
		if v, err = c.convert(v, base); err != nil {
			return err
		}
	}
	return assign(dst, v)
}

// primaryKey names the row for an error.
func (c *column) primaryKey(ctx context.Context, model reflect.Value) string {
	var parts []string
	for _, f := range c.field.Schema.PrimaryFields {
		v, isZero := f.ValueOf(ctx, model)
		if isZero {
			return "a row whose primary key was not read"
		}
		parts = append(parts, fmt.Sprintf("%s = %v", f.DBName, v))
	}
	if len(parts) == 0 {
		return "a row without a primary key"
	}
	return "row " + strings.Join(parts, ", ")
}

// open decrypts what the driver read into dst, a pointer to a field.
func (p *Plugin) open(ctx context.Context, c *column, src any, dst reflect.Value) error {
	kr, err := p.keyring(ctx, c)
	if err != nil {
		return err
	}
	if token, ok := src.(string); ok && dst.Elem().Kind() == reflect.String {
		// What most rows consist of, without reflection. An error is said below.
		if plain, err := kr.DecryptString(token); err == nil {
			dst.Elem().SetString(plain)
			return nil
		}
	}
	if c.typed {
		return encryptedtype.Into(kr, dst.Interface()).Scan(src)
	}
	plain, err := p.openBytes(ctx, c, src)
	if err != nil {
		return err
	}
	base := reflect.New(c.base())
	switch {
	case isText(c.base()):
		base.Elem().Set(reflect.ValueOf([]byte(plain)).Convert(c.base()))
	case json.Unmarshal(plain, base.Interface()) != nil:
		return errors.New("the stored value is JSON of another shape than the field") // the cause may quote it
	}
	return assign(dst.Elem(), base.Elem())
}

// openBytes decrypts what the driver read to the plaintext in the token.
func (p *Plugin) openBytes(ctx context.Context, c *column, src any) ([]byte, error) {
	kr, err := p.keyring(ctx, c)
	if err != nil {
		return nil, err
	}
	// By way of the type with the same stored form.
	var plain encryptedtype.EncryptedBytes
	err = encryptedtype.Into(kr, &plain).Scan(src)
	return plain, err
}

// assign sets dst, a field, to a value of its base type.
func assign(dst, value reflect.Value) error {
	for dst.Type() != value.Type() {
		switch {
		case dst.Kind() == reflect.Pointer:
			dst.Set(reflect.New(dst.Type().Elem()))
			dst = dst.Elem()
		case isNull(dst.Type()):
			dst.FieldByName("Valid").SetBool(true)
			dst = dst.FieldByName("V")
		default:
			return fmt.Errorf("a value of type %s does not fit %s", value.Type(), dst.Type())
		}
	}
	dst.Set(value)
	return nil
}

var _ schema.FieldNewValuePool = storedPool{}
