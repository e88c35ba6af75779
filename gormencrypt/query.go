package gormencrypt

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/callbacks"
	"gorm.io/gorm/logger"

	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
)

// registerCallbacks adds the plugin to every kind of statement.
func (p *Plugin) registerCallbacks(db *gorm.DB) error {
	// Replace would log that it replaces.
	quiet := db.Logger
	db.Logger = logger.Discard
	defer func() { db.Logger = quiet }()
	c := db.Callback()
	const arm, raw = "gormencrypt:arm", "gormencrypt:raw"
	return errors.Join(
		c.Create().Before("*").Register(arm, p.armStatement),
		c.Update().Before("*").Register(arm, p.armStatement),
		c.Delete().Before("*").Register(arm, p.armStatement),
		c.Query().Before("*").Register(arm, p.prepareQuery),
		c.Row().Before("*").Register(arm, p.prepareRaw),
		c.Raw().Before("*").Register(arm, p.prepareRaw),
		c.Query().Replace("gorm:query", p.query),
		c.Row().After("gorm:row").Register(raw, failRow),
		c.Row().After("gorm:row").Register("gormencrypt:open", p.openRows),
	)
}

// prepareQuery is prepareRaw for a statement that gives rows to GORM, which can drop
// some of them.
func (p *Plugin) prepareQuery(db *gorm.DB) {
	p.prepareRaw(db)
	p.allowNarrowing(db.Statement)
}

// prepareRaw arms the statement and, if it was given as SQL, checks it.
func (p *Plugin) prepareRaw(db *gorm.DB) {
	p.armStatement(db)
	stmt := db.Statement
	if db.Error != nil || stmt.SQL.Len() == 0 {
		return
	}
	text := stmt.SQL.String()
	if definesSchema(text) {
		return
	}
	sql, vars, _, err := p.rewrite(stmt, &level{aliases: columns{}}, text, 0, stmt.Vars, 0, regionNone, true)
	if err == nil {
		sql, vars, err = p.sealRaw(stmt, sql, vars)
	}
	if err != nil {
		db.AddError(err)
		sql, vars = "", nil
	}
	stmt.SQL.Reset()
	stmt.SQL.WriteString(sql)
	stmt.Vars = vars
}

// definesSchema reports whether SQL is of the kind that neither reads nor writes
// rows: CREATE, ALTER, PRAGMA.
func definesSchema(sql string) bool {
	words := strings.Fields(sql)
	if len(words) == 0 {
		return true
	}
	if strings.Contains(strings.TrimRight(sql, "; \t\r\n"), ";") {
		return false // another statement may follow
	}
	switch strings.ToUpper(words[0]) {
	case "CREATE", "ALTER", "DROP", "PRAGMA", "SET", "SHOW", "COMMENT", "GRANT", "REVOKE", "VACUUM", "ANALYZE", "TRUNCATE":
		return true
	}
	return false
}

// query is GORM's query callback, with rows that decrypt.
func (p *Plugin) query(db *gorm.DB) {
	if db.Error != nil {
		return
	}
	callbacks.BuildQuerySQL(db)
	stmt := db.Statement
	narrowing := p.narrowingOf(stmt)
	if db.Error == nil && narrowing.narrows() {
		if err := narrowing.check(stmt); err != nil {
			db.AddError(err)
			stmt.Vars = append(stmt.Vars, refusal{err}) // for the statement around a subquery
		}
	}
	if db.DryRun || db.Error != nil {
		return
	}
	rows, err := stmt.ConnPool.QueryContext(stmt.Context, stmt.SQL.String(), stmt.Vars...)
	if err != nil {
		db.AddError(err)
		return
	}
	defer func() { db.AddError(rows.Close()) }()
	decrypting := p.newRows(db, rows)
	if narrowing.narrows() {
		if err := narrowing.prepare(p.resultColumns(stmt, decrypting.names)); err != nil {
			db.AddError(err)
			return
		}
		decrypting.narrowing = narrowing
	}
	gorm.Scan(decrypting, db, 0)
	decrypting.fillMaps(stmt.Dest)
	if stmt.Result != nil {
		stmt.Result.RowsAffected = db.RowsAffected
	}
	if errors.Is(db.Error, fernet.ErrInvalidToken) || errors.Is(db.Error, ErrNoKeyring) {
		clearDestination(stmt.Dest)
	}
}

// clearDestination empties what was read before a row that cannot be: half a
// result must not pass for a whole one.
func clearDestination(dest any) {
	v := reflect.ValueOf(dest)
	switch {
	case v.Kind() == reflect.Pointer && !v.IsNil():
		v.Elem().SetZero()
	case v.Kind() == reflect.Map:
		v.Clear()
	}
}

// decryptingRows gives GORM the plaintext where a destination is not a field of
// an armed schema: Pluck, maps, other structs.
type decryptingRows struct {
	*sql.Rows
	p       *Plugin
	ctx     context.Context
	columns []*column // by position, nil where the column is not encrypted; none if fields decrypt
	names   []string
	isMap   bool
	values  [][]any // for maps, of every row

	narrowing *narrowing
	err       error
}

func (p *Plugin) newRows(db *gorm.DB, rows *sql.Rows) *decryptingRows {
	d := &decryptingRows{Rows: rows, p: p, ctx: db.Statement.Context}
	d.names, _ = rows.Columns()
	if !p.readsItself(db.Statement) {
		d.columns = p.resultColumns(db.Statement, d.names)
	}
	switch db.Statement.Dest.(type) {
	case map[string]any, *map[string]any, []map[string]any, *[]map[string]any:
		d.isMap = true
	}
	return d
}

// readsItself reports whether the destination is of the statement's own model, and
// all its fields for encrypted columns decrypt. Those of another model of the same
// table, which knows of no encryption, do not.
func (p *Plugin) readsItself(stmt *gorm.Statement) bool {
	if stmt.TableExpr != nil || !isOwnModel(stmt) {
		return false
	}
	decrypts := func(table string) bool {
		for name, c := range p.tableColumns(table) {
			if c == nil || c.field.Schema == stmt.Schema {
				continue
			}
			if f := stmt.Schema.LookUpField(name); f != nil && f.NewValuePool != (storedPool{}) {
				return false
			}
		}
		return true
	}
	return decrypts(stmt.Table) && (stmt.Table == stmt.Schema.Table || decrypts(stmt.Schema.Table))
}

// Scan implements [gorm.Rows].
func (d *decryptingRows) Scan(dest ...any) error {
	if d.leaveToFields(dest) {
		return d.Rows.Scan(dest...)
	}
	targets := append([]any(nil), dest...)
	held := make([]*stored, len(dest))
	for i, c := range d.columns {
		if c == nil || i >= len(dest) {
			continue
		}
		if _, armed := dest[i].(**stored); armed {
			continue // Field.Set decrypts
		}
		held[i] = &stored{}
		targets[i] = held[i]
	}
	if len(dest) == 1 && len(d.columns) == 1 && held[0] == nil {
		return d.Rows.Scan(dest...)
	}
	if err := d.Rows.Scan(targets...); err != nil {
		return err
	}
	row := make([]any, len(dest))
	for i, s := range held {
		if s == nil {
			continue
		}
		value, err := d.plain(d.columns[i], s.value)
		if err != nil {
			zeroAll(dest)
			return fmt.Errorf("gormencrypt: column %s: %w", d.columns[i], err)
		}
		if row[i] = value; d.isMap {
			continue
		}
		if err := put(dest[i], value); err != nil {
			zeroAll(dest)
			return fmt.Errorf("gormencrypt: column %s: %w", d.columns[i], err)
		}
	}
	if d.isMap {
		d.values = append(d.values, row)
	}
	return nil
}

// leaveToFields reports whether all that is encrypted goes to armed fields.
func (d *decryptingRows) leaveToFields(dest []any) bool {
	if d.isMap {
		return false
	}
	for i, c := range d.columns {
		if c == nil || i >= len(dest) {
			continue
		}
		if _, armed := dest[i].(**stored); !armed {
			return false
		}
	}
	return true
}

// plain decrypts to the plain Go value: string for an EncryptedString.
func (d *decryptingRows) plain(c *column, src any) (any, error) {
	if src == nil {
		return nil, nil
	}
	field := reflect.New(c.field.FieldType)
	if err := d.p.open(d.ctx, c, src, field); err != nil {
		return nil, err
	}
	return plainValue(field.Elem()), nil
}

// plainValue returns what a field holds as the plain Go value.
func plainValue(v reflect.Value) any {
	for v.Kind() == reflect.Pointer || isNull(v.Type()) {
		if v.Kind() == reflect.Pointer {
			v = v.Elem()
		} else {
			v = v.FieldByName("V")
		}
	}
	switch {
	case !encryptedtype.IsColumn(v.Type()):
		return v.Interface()
	case v.Kind() == reflect.String:
		return v.String()
	case v.Kind() == reflect.Slice:
		return v.Bytes()
	}
	return v.Field(0).Interface() // Encrypted[T]
}

// put sets what dest points to.
func put(dest, value any) error {
	if scanner, ok := dest.(sql.Scanner); ok && !encryptedtype.IsColumn(reflect.TypeOf(dest)) {
		return scanner.Scan(value)
	}
	v := reflect.ValueOf(dest)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return fmt.Errorf("cannot read into %T", dest)
	}
	v = v.Elem()
	if value == nil {
		v.SetZero()
		return nil
	}
	for v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	if isNull(v.Type()) {
		v.FieldByName("Valid").SetBool(true)
		v = v.FieldByName("V")
	}
	x := reflect.ValueOf(value)
	switch {
	case x.Type().AssignableTo(v.Type()):
		v.Set(x)
	case v.Kind() == reflect.Struct && encryptedtype.IsColumn(v.Type()) && x.Type().AssignableTo(v.Field(0).Type()):
		v.Field(0).Set(x)
	case isText(x.Type()) && isText(v.Type()), isNumber(x.Kind()) && isNumber(v.Kind()):
		v.Set(x.Convert(v.Type()))
	default:
		return fmt.Errorf("a %T does not fit %s", value, v.Type())
	}
	return nil
}

func zeroAll(dest []any) {
	for _, d := range dest {
		if v := reflect.ValueOf(d); v.Kind() == reflect.Pointer && !v.IsNil() {
			v.Elem().SetZero()
		}
	}
}

// fillMaps puts the plaintext into maps, which GORM filled with what a driver
// would store.
func (d *decryptingRows) fillMaps(dest any) {
	if !d.isMap {
		return
	}
	var maps []map[string]any
	switch m := dest.(type) {
	case map[string]any:
		maps = append(maps, m)
	case *map[string]any:
		maps = append(maps, *m)
	case *[]map[string]any:
		maps = *m
	}
	if len(maps) > len(d.values) { // rows were there before
		maps = maps[len(maps)-len(d.values):]
	}
	for r, m := range maps {
		for i, c := range d.columns {
			if c != nil && r < len(d.values) {
				m[d.names[i]] = d.values[r][i]
			}
		}
	}
}

// failRow gives Row a row that carries the error: GORM would return nil, and the
// caller's Scan would panic.
func failRow(db *gorm.DB) {
	if db.Error == nil || !errors.Is(db.Error, ErrRefused) {
		return
	}
	if rows, _ := db.Get("rows"); rows == true {
		return
	}
	db.Statement.Dest = db.Statement.ConnPool.QueryRowContext(failedContext{db.Statement.Context, db.Error}, "SELECT 1")
}

// failedContext is a context that has ended with an error of ours.
type failedContext struct {
	context.Context
	err error
}

func (c failedContext) Err() error { return c.err }

func (c failedContext) Done() <-chan struct{} {
	done := make(chan struct{})
	close(done)
	return done
}

func isWord(sql, word string) bool { return strings.EqualFold(strings.TrimSpace(sql), word) }
