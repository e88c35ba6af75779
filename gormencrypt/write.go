package gormencrypt

import (
	"context"
	"database/sql/driver"
	"errors"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/fernetcol/fernetcol/blindindex"
)

// A refusal stands in a statement that was refused where GORM drops the error,
// as it does for a subquery. It keeps the statement from running: no driver gets
// a value from it.
type refusal struct{ err error }

// Value implements [driver.Valuer].
func (r refusal) Value() (driver.Value, error) { return nil, r.err }

// roomForMore is how many bytes the clauses behind a condition mostly need at most:
// ORDER BY and LIMIT.
const roomForMore = 64

// buildClause builds one clause. Values are sealed before, where GORM keeps them
// apart (sealClause), and conditions after, in the text it made of them.
func (p *Plugin) buildClause(c clause.Clause, stmt *gorm.Statement, check bool, inner clause.ClauseBuilder, sealClause func(clause.Clause, *gorm.Statement) (clause.Clause, error)) {
	if stmt.Error != nil && errors.Is(stmt.Error, ErrRefused) {
		return // what follows would be sent nowhere, but logged
	}
	textStart, varStart := stmt.SQL.Len(), len(stmt.Vars)
	refuse := func(err error) {
		stmt.AddError(err)
		sql := stmt.SQL.String()[:textStart] // a log line must not show the values
		stmt.SQL.Reset()
		stmt.SQL.WriteString(sql)
		stmt.Vars = slices.Clip(stmt.Vars[:varStart])
		stmt.AddVar(stmt, refusal{err})
	}
	if sealClause != nil {
		var err error
		if c, err = sealClause(c, stmt); err != nil {
			refuse(err)
			return
		}
	}
	inner(c, stmt)
	for _, v := range stmt.Vars[varStart:] {
		if r, ok := v.(refusal); ok { // of a subquery
			refuse(r.err)
			return
		}
	}
	if !check {
		return
	}
	sql := stmt.SQL.String()
	if c.Name == "SET" && strings.HasPrefix(sql[textStart:], c.Name) {
		textStart += len(c.Name) // not the name of a column
	}
	from, start := textStart, regionNone
	replace := func(text string, vars []any) {
		before := stmt.SQL.String()[:textStart]
		stmt.SQL.Reset()
		stmt.SQL.Grow(len(before) + len(text) + roomForMore)
		stmt.SQL.WriteString(before)
		stmt.SQL.WriteString(text)
		stmt.Vars = vars
	}
	key, age, simple := textKey{}, 0, false
	if c.Name != "ON CONFLICT" {
		if key, simple = p.textKey(stmt, sql, from, varStart); simple {
			var known *plan
			if known, age = p.known.plan(key); known != nil {
				if known.unchanged {
					return
				}
				if vars, ok := p.follow(stmt, known, varStart); ok {
					replace(known.text, vars)
					return
				}
			}
		}
	}
	level := p.levelOf(stmt)
	if c.Name == "ON CONFLICT" { // the rows of the INSERT need not be read again
		sql, from, start = sql[textStart:], 0, regionColumns
		if len(level.sources) > 0 {
			excluded := level.sources[0]
			excluded.name = "excluded"
			level.add(excluded)
		}
	}
	text, vars, made, err := p.rewrite(stmt, level, sql, from, stmt.Vars[varStart:], varStart, start, false)
	if err != nil {
		refuse(err)
		return
	}
	if simple && made != nil {
		p.known.put(key, made, age)
	}
	if text == sql[from:] && len(vars) == len(stmt.Vars)-varStart {
		copy(stmt.Vars[varStart:], vars)
		return
	}
	replace(text, append(slices.Clip(stmt.Vars[:varStart]), vars...))
}

// namesNothing reports whether a clause, as GORM builds it, is SELECT * or FROM the
// statement's own table. Most are, and there is nothing to check in them.
func namesNothing(c clause.Clause, stmt *gorm.Statement) bool {
	if c.Name != "SELECT" && c.Name != "FROM" || c.BeforeExpression != nil || c.AfterNameExpression != nil || c.AfterExpression != nil || c.Builder != nil || stmt.TableExpr != nil {
		return false
	}
	switch e := c.Expression.(type) {
	case clause.Select:
		return !e.Distinct && len(e.Columns) == 0 && e.Expression == nil
	case clause.From:
		return len(e.Tables) == 0 && len(e.Joins) == 0
	}
	return false
}

// rewrite runs a rewriter over the part of a text that begins at from, and
// follows base variables. made is how to do the same again, or nil.
func (p *Plugin) rewrite(stmt *gorm.Statement, l *level, sql string, from int, vars []any, base int, start region, raw bool) (text string, newVars []any, made *plan, err error) {
	tokens := lex(sql, p.grammar())
	// Table("(SELECT …) AS x") may give an encrypted column another name.
	if !p.mayConcern(tokens) && (stmt.TableExpr == nil || !p.mayConcern(lex(stmt.TableExpr.SQL, p.grammar()))) {
		return sql[from:], vars, unchanged, nil
	}
	if p.grammar() == dialectMySQL { // with ANSI_QUOTES, "email" is a name
		p.markQuoted(tokens)
	}
	r := &rewriter{
		parser: newParser(p, tokens, l, start),
		sql:    sql, from: from, vars: vars, base: base,
		seal:     func(c *column, v any) ([]any, error) { return p.sealAll(stmt.Context, c, v) },
		sealOne:  func(c *column, v any) (any, error) { return p.seal(stmt.Context, c, v) },
		entry:    func(ic *indexColumn, v any) (any, error) { return p.entry(stmt.Context, ic, v) },
		indexFor: func(ic *indexColumn) (*blindindex.Index, error) { return p.indexFor(stmt.Context, ic) },
		raw:      raw,
	}
	if !raw {
		r.narrowing = p.narrowingOf(stmt)
	}
	if text, newVars, err = r.run(); err != nil {
		return "", nil, nil, err
	}
	return text, newVars, r.plan(), nil
}

// markQuoted makes names of the double-quoted texts that would be encrypted
// columns if MySQL ran with ANSI_QUOTES.
func (p *Plugin) markQuoted(tokens []sqlToken) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	for i, t := range tokens {
		if t.kind == kindString && strings.HasPrefix(t.text, `"`) && p.words[lower(strings.Trim(t.text, `"`))] {
			tokens[i].kind, tokens[i].text = kindQuoted, unquote(t.text)
		}
	}
}

// sealValues seals the rows of an INSERT.
func (p *Plugin) sealValues(c clause.Clause, stmt *gorm.Statement) (clause.Clause, error) {
	values, ok := c.Expression.(clause.Values)
	if !ok {
		return c, nil
	}
	l := p.levelOf(stmt)
	values, err := p.fillValues(stmt, l, values)
	if err != nil {
		return c, err
	}
	sealedRows := false
	var contexts []context.Context
	for i, name := range values.Columns {
		col, _ := l.lookup("", unquoteName(name.Name))
		if col == nil {
			continue
		}
		if !sealedRows { // the rows belong to the caller's clause
			rows := make([][]any, len(values.Values))
			flat := make([]any, 0, len(values.Values)*len(values.Columns))
			for r, row := range values.Values {
				start := len(flat)
				flat = append(flat, row...)
				rows[r] = flat[start:len(flat):len(flat)]
			}
			values.Values, sealedRows = rows, true
		}
		if col.row && contexts == nil {
			contexts = rowContexts(stmt.Context, stmt.Schema, values)
		}
		for r, row := range values.Values {
			ctx := stmt.Context
			if col.row {
				ctx = contexts[r]
			}
			v, err := p.sealInto(ctx, col, row[i])
			if err != nil {
				return c, err
			}
			row[i] = v
		}
	}
	c.Expression = values
	return c, nil
}

// sealSet seals the assignments of an UPDATE.
func (p *Plugin) sealSet(c clause.Clause, stmt *gorm.Statement) (clause.Clause, error) {
	set, ok := c.Expression.(clause.Set)
	if !ok {
		return c, nil
	}
	if stmt.Schema != nil {
		if err := checkKeyUnchanged(p.tableColumns(stmt.Schema.Table), set, stmt.Schema); err != nil {
			return c, err
		}
	}
	sealedSet, err := p.sealAssignments(updateContext(stmt), set, stmt)
	c.Expression = sealedSet
	return c, err
}

func (p *Plugin) sealAssignments(ctx context.Context, set clause.Set, stmt *gorm.Statement) (clause.Set, error) {
	l := p.levelOf(stmt)
	out, err := p.fillAssignments(ctx, l, set, stmt)
	if err != nil {
		return nil, err
	}
	for i, a := range out {
		col, _ := l.lookup("", unquoteName(a.Column.Name))
		if col == nil {
			continue
		}
		v, err := p.sealInto(ctx, col, a.Value)
		if err != nil {
			return nil, err
		}
		out[i].Value = v
	}
	return out, nil
}

// sealOnConflict seals what an upsert writes.
func (p *Plugin) sealOnConflict(c clause.Clause, stmt *gorm.Statement) (clause.Clause, error) {
	conflict, ok := c.Expression.(clause.OnConflict)
	if !ok {
		return c, nil
	}
	l := p.levelOf(stmt)
	conflict.Columns = conflictColumns(l, conflict.Columns)
	c.Expression = conflict
	if len(conflict.DoUpdates) == 0 {
		return c, nil
	}
	for _, a := range conflict.DoUpdates {
		if col, _ := l.lookup("", unquoteName(a.Column.Name)); col != nil && col.row {
			if err := col.checkUpsert(conflict); err != nil {
				return c, err
			}
		}
	}
	updates, err := p.sealAssignments(stmt.Context, conflict.DoUpdates, stmt)
	conflict.DoUpdates = updates
	c.Expression = conflict
	return c, err
}

// sealInto seals one value that is written to a column.
func (p *Plugin) sealInto(ctx context.Context, col *column, value any) (any, error) {
	switch v := value.(type) {
	case clause.Column:
		// ON CONFLICT DO UPDATE SET c = excluded.c: the token of the same column.
		if v.Table == "excluded" && v.Name == col.field.DBName {
			return v, nil
		}
	case clause.Expr:
		if len(v.Vars) == 0 && (isWord(v.SQL, "DEFAULT") || isWord(v.SQL, "NULL")) {
			return v, nil
		}
	}
	return p.seal(ctx, col, value)
}
