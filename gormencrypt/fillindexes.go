package gormencrypt

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/schema"
)

// fillBatch is how many rows FillIndexes reads before it writes them.
const fillBatch = 500

// FillIndexes gives every row of a model's table the entries that its indexes lack,
// while the application goes on writing: for an index that is new, and whose tag says
// filling until then. It returns how many rows it wrote. It reads only rows that lack
// an entry, so that it can be stopped, by ctx too, and called again.
//
// A row is written only if its token is still the one that was read. Every program
// that writes the table must know the index before FillIndexes is called: one that
// does not would change a value and leave the entry of the old one.
//
// A row that cannot be decrypted is an error that names it; the rows before it are
// written, those behind it not until it can be read or is gone. The table needs a
// primary key. If db is a transaction, all is written in it.
//
// All rows are filled under the keys that ctx gives: conditions of db are refused. Where
// Options.IndexKeyFor gives every tenant a key of its own in one table, FillIndexes would
// give their rows entries under another's, and is not for it.
func FillIndexes(ctx context.Context, db *gorm.DB, model any) (rows int64, err error) {
	p, ok := db.Config.Plugins[pluginName].(*Plugin)
	if !ok {
		return 0, fmt.Errorf("gormencrypt: FillIndexes: %w", errNoPlugin)
	}
	if len(db.Statement.Clauses) > 0 {
		return 0, errors.New("gormencrypt: FillIndexes fills all rows; give it the handle, without conditions")
	}
	stmt := &gorm.Statement{DB: db}
	if err := stmt.Parse(model); err != nil {
		return 0, fmt.Errorf("gormencrypt: FillIndexes: %w", err)
	}
	if err := p.arm(stmt.Schema); err != nil {
		return 0, err
	}
	if len(stmt.Schema.PrimaryFields) == 0 {
		return 0, fmt.Errorf("gormencrypt: FillIndexes: the table %s has no primary key", stmt.Schema.Table)
	}
	for _, c := range p.indexedColumns(stmt.Schema) {
		f := filling{p: p, db: db.WithContext(ctx), c: c, schema: stmt.Schema}
		n, err := f.run(ctx)
		rows += n
		if err != nil {
			return rows, fmt.Errorf("gormencrypt: FillIndexes: column %s: %w", c, err)
		}
	}
	return rows, nil
}

// indexedColumns returns the columns of a model's table that have indexes.
func (p *Plugin) indexedColumns(s *schema.Schema) []*column {
	var found []*column
	for _, f := range s.Fields {
		if c := p.tableColumns(s.Table)[lower(f.DBName)]; c != nil && f.DBName != "" && len(c.indexes) > 0 {
			found = append(found, c)
		}
	}
	return found
}

// filling fills the indexes of one column. It speaks SQL past the plugin, which
// would keep it from the tokens, on the handle's own connection.
type filling struct {
	p      *Plugin
	db     *gorm.DB
	c      *column
	schema *schema.Schema
}

// maxIdle is how many batches in a row may be lost to other writers.
const maxIdle = 10

var errIdle = errors.New("its rows change faster than they can be filled; try again at a quieter time")

func (f *filling) run(ctx context.Context) (written int64, err error) {
	for idle := 0; ; idle++ {
		before := written
		batch, err := f.read(ctx, f.lacking(), fillBatch)
		if err != nil || len(batch) == 0 {
			return written, err
		}
		if idle == maxIdle {
			return written, errIdle
		}
		for _, row := range batch {
			n, err := f.write(ctx, row)
			if err != nil {
				return written, err
			}
			written += n
		}
		if written > before {
			idle = -1
		}
	}
}

// lacking is the condition that a row lacks an entry.
func (f *filling) lacking() string {
	var missing []string
	for _, ic := range f.c.indexes {
		missing = append(missing, f.p.quote(ic.field.DBName)+" IS NULL")
	}
	return f.p.quote(f.c.field.DBName) + " IS NOT NULL AND (" + strings.Join(missing, " OR ") + ")"
}

// A tokenRow is a row as FillIndexes and Verify read it.
type tokenRow struct {
	key     []any // the primary key
	token   any
	entries []sql.NullString // by index
}

// read returns rows that fulfil a condition, limit of them at most.
func (f *filling) read(ctx context.Context, where string, limit int) ([]tokenRow, error) {
	var rows []tokenRow
	err := f.each(ctx, fmt.Sprintf("%s LIMIT %d", where, limit), func(r tokenRow) error {
		rows = append(rows, r)
		return nil
	})
	return rows, err
}

// each calls do for every row that fulfils a condition.
func (f *filling) each(ctx context.Context, where string, do func(tokenRow) error) error {
	var names []string
	for _, pf := range f.schema.PrimaryFields {
		names = append(names, f.p.quote(pf.DBName))
	}
	names = append(names, f.p.quote(f.c.field.DBName))
	for _, ic := range f.c.indexes {
		names = append(names, f.p.quote(ic.field.DBName))
	}
	rows, err := f.db.Statement.ConnPool.QueryContext(ctx, "SELECT "+strings.Join(names, ", ")+" FROM "+f.p.quote(f.schema.Table)+" WHERE "+where)
	if err != nil {
		return f.clean(ctx, err)
	}
	defer rows.Close()
	keys := len(f.schema.PrimaryFields)
	for rows.Next() {
		values := make([]stored, keys+1)
		entries := make([]sql.NullString, len(f.c.indexes))
		var targets []any
		for i := range values {
			targets = append(targets, &values[i])
		}
		for i := range entries {
			targets = append(targets, &entries[i])
		}
		if err := rows.Scan(targets...); err != nil {
			return f.clean(ctx, err)
		}
		r := tokenRow{token: values[keys].value, entries: entries}
		for _, v := range values[:keys] {
			r.key = append(r.key, v.value)
		}
		if err := do(r); err != nil {
			return err
		}
	}
	return f.clean(ctx, rows.Err())
}

// clean keeps what a driver says of values and addresses out of an error.
func (f *filling) clean(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctxErr := ctx.Err(); ctxErr != nil {
		return ctxErr
	}
	return fmt.Errorf("the table %s cannot be read or written: %w", f.schema.Table, cleanError{err})
}

// A cleanError prints as the type of an error alone, and unwraps to it.
type cleanError struct{ err error }

func (e cleanError) Error() string { return fmt.Sprintf("the driver returned a %T", e.err) }
func (e cleanError) Unwrap() error { return e.err }

// text decrypts the value of a row.
func (f *filling) text(ctx context.Context, row tokenRow) (string, error) {
	if f.c.row {
		model := reflect.New(f.schema.ModelType).Elem()
		for i, pf := range f.schema.PrimaryFields {
			if err := pf.Set(ctx, model, row.key[i]); err != nil {
				return "", err
			}
		}
		ctx = withRow(ctx, rowOf(ctx, f.schema, model))
	}
	plain, err := f.p.openBytes(ctx, f.c, row.token)
	if err != nil {
		return "", fmt.Errorf("%s: %w", f.name(row), err)
	}
	return string(plain), nil
}

// name names a row for an error.
func (f *filling) name(row tokenRow) string {
	var parts []string
	for i, pf := range f.schema.PrimaryFields {
		parts = append(parts, fmt.Sprintf("%s = %s", pf.DBName, keyText(row.key[i])))
	}
	return "row " + strings.Join(parts, ", ")
}

// write writes the entries of a row, if its token is still the one that was read.
func (f *filling) write(ctx context.Context, row tokenRow) (int64, error) {
	text, err := f.text(ctx, row)
	if err != nil {
		return 0, err
	}
	var args []any
	mark := func(v any) string {
		args = append(args, v)
		return placeholder(f.p.numbered, len(args))
	}
	var set []string
	for i, ic := range f.c.indexes {
		if row.entries[i].Valid {
			continue
		}
		index, err := f.p.indexFor(ctx, ic)
		if err != nil {
			return 0, err
		}
		set = append(set, f.p.quote(ic.field.DBName)+" = "+mark(string(index.Value(text))))
	}
	var where []string
	for i, pf := range f.schema.PrimaryFields {
		where = append(where, f.p.quote(pf.DBName)+" = "+mark(row.key[i]))
	}
	token := row.token
	if b, ok := token.([]byte); ok && !f.c.binary() {
		token = string(b)
	}
	where = append(where, f.p.quote(f.c.field.DBName)+" = "+mark(token))
	result, err := f.db.Statement.ConnPool.ExecContext(ctx,
		"UPDATE "+f.p.quote(f.schema.Table)+" SET "+strings.Join(set, ", ")+" WHERE "+strings.Join(where, " AND "), args...)
	if err != nil {
		return 0, f.clean(ctx, err)
	}
	n, err := result.RowsAffected()
	return n, f.clean(ctx, err)
}

// staleEntries counts the rows whose entries are not those of their values, and
// whose value cannot be read.
func (f *filling) staleEntries(ctx context.Context) (stale []int64, unreadable int64, err error) {
	stale = make([]int64, len(f.c.indexes))
	err = f.each(ctx, f.p.quote(f.c.field.DBName)+" IS NOT NULL", func(row tokenRow) error {
		text, err := f.text(ctx, row)
		if err != nil {
			unreadable++
			return nil
		}
		for i, ic := range f.c.indexes {
			index, err := f.p.indexFor(ctx, ic)
			if err != nil {
				return err
			}
			if row.entries[i].Valid && row.entries[i].String != string(index.Value(text)) {
				stale[i]++
			}
		}
		return nil
	})
	return stale, unreadable, err
}

// missingEntries counts the rows with a value and without an entry, and the reverse.
func (f *filling) missingEntries(ctx context.Context, ic *indexColumn) (n int64, err error) {
	column, index := f.p.quote(f.c.field.DBName), f.p.quote(ic.field.DBName)
	row := f.db.Statement.ConnPool.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+f.p.quote(f.schema.Table)+
		" WHERE ("+column+" IS NULL) <> ("+index+" IS NULL)")
	err = f.clean(ctx, row.Scan(&n))
	return n, err
}
