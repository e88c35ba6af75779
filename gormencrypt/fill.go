package gormencrypt

import (
	"context"
	"reflect"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/fernetcol/fernetcol/blindindex"
)

// An index column belongs to the plugin: whatever statement writes the encrypted
// column writes the entry too, computed of the same value, and nothing else does.

// refuseWrite says why a program cannot write an index column.
func (ic *indexColumn) refuseWrite() error {
	return ic.of.refuse("its index %s is filled by the plugin; write %s instead", ic.field.DBName, ic.of.field.DBName)
}

// fillValues adds to the rows of an INSERT the entries of the indexes of the columns
// in it.
func (p *Plugin) fillValues(stmt *gorm.Statement, l *level, values clause.Values) (clause.Values, error) {
	if !l.hasIndexes() {
		return values, nil
	}
	places := map[*indexColumn]int{} // where the index columns are that the program gave
	for i, name := range values.Columns {
		if ic := l.lookupIndex("", unquoteName(name.Name)); ic != nil {
			places[ic] = i
		}
	}
	var cols []*column
	for _, name := range values.Columns {
		col, _ := l.lookup("", unquoteName(name.Name))
		if cols = append(cols, col); col == nil {
			continue
		}
		for _, ic := range col.indexes {
			if _, ok := places[ic]; !ok {
				places[ic] = -1
			}
		}
	}
	if len(places) == 0 {
		return values, nil
	}
	isMap := isMap(stmt.Dest)
	values.Columns = slices.Clone(values.Columns) // the clause is the caller's
	values.Values = slices.Clone(values.Values)
	for r := range values.Values {
		row := slices.Clone(values.Values[r])
		for ic, i := range places {
			if i < 0 {
				continue
			}
			if !fromModel(row[i], isMap) {
				return values, ic.refuseWrite()
			}
			row[i] = nil // of a row without the value
		}
		values.Values[r] = row
	}
	for i, col := range cols {
		if col == nil {
			continue
		}
		for _, ic := range col.indexes {
			at := places[ic]
			if at < 0 {
				at = len(values.Columns)
				values.Columns = append(values.Columns, clause.Column{Name: ic.field.DBName})
				for r := range values.Values {
					values.Values[r] = append(values.Values[r], nil)
				}
			}
			for _, row := range values.Values {
				entry, err := p.entry(stmt.Context, ic, row[i])
				if err != nil {
					return values, err
				}
				row[at] = entry
			}
		}
	}
	return values, nil
}

// fromModel reports whether a value for an index column may be what a model holds,
// which the plugin's own entry replaces. Anything else the program meant.
func fromModel(value any, isMap bool) bool {
	switch v := value.(type) {
	case nil:
		return true
	case blindindex.Value:
		return !isMap || v == ""
	case clause.Column:
		return v.Table == "excluded" && !isMap
	}
	return false
}

func isMap(dest any) bool {
	v := reflect.Indirect(reflect.ValueOf(dest))
	if v.Kind() == reflect.Slice {
		return v.Type().Elem().Kind() == reflect.Map
	}
	return v.Kind() == reflect.Map
}

// fillAssignments adds to the assignments of an UPDATE or of an upsert the entries of
// the indexes of the columns in them.
func (p *Plugin) fillAssignments(ctx context.Context, l *level, set clause.Set, stmt *gorm.Statement) (clause.Set, error) {
	if !l.hasIndexes() {
		return slices.Clone(set), nil
	}
	var out clause.Set
	isMap := isMap(stmt.Dest)
	var dropped *indexColumn
	for i, a := range set {
		ic := l.lookupIndex("", unquoteName(a.Column.Name))
		if ic == nil {
			if out != nil {
				out = append(out, a)
			}
			continue
		}
		if !fromModel(a.Value, isMap) {
			return nil, ic.refuseWrite()
		}
		if out == nil {
			out = slices.Clone(set[:i])
		}
		dropped = ic
	}
	if dropped == nil {
		out = slices.Clone(set)
	}
	for _, a := range out {
		col, _ := l.lookup("", unquoteName(a.Column.Name))
		if col == nil {
			continue
		}
		for _, ic := range col.indexes {
			entry, err := p.assigned(ctx, ic, a.Value)
			if err != nil {
				return nil, err
			}
			target := clause.Column{Table: a.Column.Table, Name: siblingName(a.Column.Name, ic.field.DBName)}
			out = append(out, clause.Assignment{Column: target, Value: entry})
			clearModel(stmt, ic)
		}
	}
	if len(out) == 0 && dropped != nil {
		return nil, dropped.refuseWrite()
	}
	return out, nil
}

// assigned returns what an index is set to when its column is set to value.
func (p *Plugin) assigned(ctx context.Context, ic *indexColumn, value any) (any, error) {
	if c, ok := value.(clause.Column); ok && c.Table == "excluded" && c.Name == ic.of.field.DBName {
		return clause.Column{Table: c.Table, Name: ic.field.DBName}, nil
	}
	return p.entry(ctx, ic, value)
}

// siblingName returns the name of another column of the table that name has.
func siblingName(name, column string) string {
	return name[:strings.LastIndexByte(name, '.')+1] + column
}

// clearModel empties the index field of the statement's model, whose value was that
// of the entry before.
func clearModel(stmt *gorm.Statement, ic *indexColumn) {
	if stmt.Schema != ic.field.Schema || !stmt.ReflectValue.IsValid() {
		return
	}
	clearIn := func(v reflect.Value) {
		if v = reflect.Indirect(v); v.CanAddr() && v.Type() == stmt.Schema.ModelType {
			ic.field.ReflectValueOf(stmt.Context, v).SetZero()
		}
	}
	switch stmt.ReflectValue.Kind() {
	case reflect.Struct:
		clearIn(stmt.ReflectValue)
	case reflect.Slice, reflect.Array:
		for i := range stmt.ReflectValue.Len() {
			clearIn(stmt.ReflectValue.Index(i))
		}
	}
}

// conflictColumns puts the index of a column in its place among the columns of an
// upsert's conflict: equal values have other tokens, so that no constraint can be on
// the column itself.
func conflictColumns(l *level, names []clause.Column) []clause.Column {
	out := slices.Clone(names)
	for i, name := range names {
		col, _ := l.lookup("", unquoteName(name.Name))
		if col == nil || col.deterministic {
			continue
		}
		for _, ic := range col.answering() {
			if !ic.filling && !ic.truncated() {
				out[i].Name = siblingName(name.Name, ic.field.DBName)
				break
			}
		}
	}
	return out
}
