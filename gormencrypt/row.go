package gormencrypt

import (
	"context"
	"encoding"
	"encoding/hex"
	"fmt"
	"reflect"
	"strconv"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"
)

// A column with the option bind:row has another key in every row: its keys are
// derived for the primary key too, so that a token copied to another row does not
// open there. The primary key travels to where the ring is taken in the context.

type rowKey struct{}

// withRow returns a context that names the row by its primary key.
func withRow(ctx context.Context, key []string) context.Context {
	return context.WithValue(ctx, rowKey{}, key)
}

// rowContext returns what the keys of a row-bound column are derived for.
func (c *column) rowContext(ctx context.Context) ([]string, error) {
	key, ok := ctx.Value(rowKey{}).([]string)
	if !ok {
		return nil, c.refuse("its key is bound to the row (bind:row), and this statement does not name one row by its primary key; %s", useModel)
	}
	return append(append([]string(nil), c.context...), key...), nil
}

// useModel is the way out for a row-bound column.
const useModel = "write and read it through its model, with the primary key set"

// rowOf returns the primary key of a model, as the context takes it, or nil if
// the model has none yet.
func rowOf(ctx context.Context, s *schema.Schema, model reflect.Value) []string {
	if s == nil || len(s.PrimaryFields) == 0 {
		return nil
	}
	var key []string
	for _, f := range s.PrimaryFields {
		v, isZero := f.ValueOf(ctx, model)
		if isZero {
			return nil
		}
		text, ok := keyPart(v)
		if !ok {
			return nil
		}
		key = append(key, text)
	}
	return key
}

// keyPart returns a part of a primary key as text, the same for the value that
// was written and the one that was read.
func keyPart(v any) (string, bool) {
	rv := reflect.ValueOf(v)
	for rv.Kind() == reflect.Pointer && !rv.IsNil() {
		rv = rv.Elem()
	}
	switch {
	case rv.CanInt():
		return strconv.FormatInt(rv.Int(), 10), true
	case rv.CanUint():
		return strconv.FormatUint(rv.Uint(), 10), true
	case rv.Kind() == reflect.String:
		return rv.String(), true
	case rv.Kind() == reflect.Slice && rv.Type().Elem().Kind() == reflect.Uint8:
		return hex.EncodeToString(rv.Bytes()), true
	}
	if rv.IsValid() {
		if m, ok := rv.Interface().(encoding.TextMarshaler); ok { // uuid.UUID
			text, err := m.MarshalText()
			return string(text), err == nil
		}
	}
	return "", false
}

// rowContexts returns a context for every row of an INSERT, naming it by the
// primary key among its values.
func rowContexts(ctx context.Context, s *schema.Schema, values clause.Values) []context.Context {
	contexts := make([]context.Context, len(values.Values))
	for r, row := range values.Values {
		contexts[r] = ctx
		if s == nil {
			continue
		}
		model := reflect.New(s.ModelType).Elem()
		for i, column := range values.Columns {
			if f := s.LookUpField(column.Name); f != nil && f.PrimaryKey {
				if f.Set(ctx, model, row[i]) != nil {
					break
				}
			}
		}
		if key := rowOf(ctx, s, model); key != nil {
			contexts[r] = withRow(ctx, key)
		}
	}
	return contexts
}

// updateContext returns the context for the assignments of an UPDATE: it names a
// row if the statement's model is one with its primary key set, to which GORM then
// confines the UPDATE.
func updateContext(stmt *gorm.Statement) context.Context {
	if stmt.Schema == nil || stmt.ReflectValue.Kind() != reflect.Struct || stmt.ReflectValue.Type() != stmt.Schema.ModelType {
		return stmt.Context
	}
	if key := rowOf(stmt.Context, stmt.Schema, stmt.ReflectValue); key != nil {
		return withRow(stmt.Context, key)
	}
	return stmt.Context
}

// checkUpsert refuses an upsert that could put the token of one row into another:
// one whose conflict is not over the primary key.
func (c *column) checkUpsert(conflict clause.OnConflict) error {
	primary := map[string]bool{}
	for _, f := range c.field.Schema.PrimaryFields {
		primary[f.DBName] = true
	}
	for _, column := range conflict.Columns {
		if !primary[column.Name] {
			return c.refuse("its key is bound to the row (bind:row), and a conflict over %s may be with another row", column.Name)
		}
	}
	if len(conflict.Columns) != len(primary) {
		return c.refuse("its key is bound to the row (bind:row); name the primary key as the conflict's columns")
	}
	return nil
}

// checkKeyUnchanged refuses to change the primary key of a row with row-bound
// columns: their tokens would not open any more.
func checkKeyUnchanged(cols columns, set clause.Set, s *schema.Schema) error {
	for _, c := range cols {
		if c == nil || !c.row {
			continue
		}
		for _, a := range set {
			if f := s.LookUpField(a.Column.Name); f != nil && f.PrimaryKey {
				return fmt.Errorf("%w: column %s is encrypted for its row (bind:row), whose primary key cannot change", ErrRefused, c)
			}
		}
	}
	return nil
}
