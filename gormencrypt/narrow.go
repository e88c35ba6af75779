package gormencrypt

import (
	"fmt"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/fernetcol/fernetcol/blindindex"
)

// A truncated index finds rows with other values too. Find, First and the like drop
// them after decryption: the query runs without its LIMIT, and what matches is
// counted here. Where rows do not come back, as in Count, Delete and Update, nothing
// can be dropped, and the condition is refused.

// narrowingKey is where a statement keeps its narrowing.
const narrowingKey = "fernetcol:narrowing"

// A narrowing is what a query drops of the rows that the database found.
type narrowing struct {
	filters []filter
	// limit is how many rows are wanted, -1 for all; offset, how many before them
	// are not.
	limit, offset int
}

// A filter keeps the rows in which a column is equal, under one of the indexes that
// were asked, to one of the wanted texts.
type filter struct {
	c       *column
	indexes []*blindindex.Index
	wanted  []string
	at      int // the column's place in the result
}

func (f filter) keeps(text string) bool {
	return slices.ContainsFunc(f.wanted, func(wanted string) bool {
		return slices.ContainsFunc(f.indexes, func(ix *blindindex.Index) bool { return ix.Matches(text, wanted) })
	})
}

// allowNarrowing lets the conditions of a query use truncated indexes. Without one,
// nothing is kept: GORM's map of settings is slow to begin.
func (p *Plugin) allowNarrowing(stmt *gorm.Statement) {
	if p.truncates.Load() {
		stmt.Settings.Store(narrowingKey, &narrowing{limit: -1})
	}
}

func (p *Plugin) forbidNarrowing(stmt *gorm.Statement) {
	if p.truncates.Load() {
		stmt.Settings.Delete(narrowingKey)
	}
}

func (p *Plugin) narrowingOf(stmt *gorm.Statement) *narrowing {
	if !p.truncates.Load() {
		return nil
	}
	v, _ := stmt.Settings.Load(narrowingKey)
	n, _ := v.(*narrowing)
	return n
}

// narrows reports whether rows must be dropped.
func (n *narrowing) narrows() bool { return n != nil && len(n.filters) > 0 }

// wrapLimit keeps LIMIT and OFFSET out of a query whose rows are dropped later.
func (p *Plugin) wrapLimit(db *gorm.DB) {
	inner, ok := db.ClauseBuilders["LIMIT"]
	if !ok {
		inner = func(c clause.Clause, b clause.Builder) { c.Build(b) }
	}
	db.ClauseBuilders["LIMIT"] = func(c clause.Clause, b clause.Builder) {
		stmt, ok := b.(*gorm.Statement)
		limit, isLimit := c.Expression.(clause.Limit)
		if n := (*narrowing)(nil); ok && isLimit {
			if n = p.narrowingOf(stmt); n.narrows() {
				n.offset = max(limit.Offset, 0)
				if limit.Limit != nil && *limit.Limit >= 0 {
					n.limit = *limit.Limit
				}
				return
			}
		}
		inner(c, b)
	}
}

// onlyFindAndFirst is the way out for a truncated index.
const onlyFindAndFirst = "its index is truncated and finds other rows too, which only Find and First can drop, as a condition that stands alone or behind AND"

// narrowTo notes that a lookup by indexes of which one is truncated is to be narrowed.
func (r *rewriter) narrowTo(ref reference, asked []*indexColumn, o operand) error {
	if r.narrowing == nil || o.negated || !r.isConjunct(o.first, o.last) || !r.selectsRows() {
		return ref.c.refuse("%s", onlyFindAndFirst)
	}
	from := 0 // how many tables give the column: in the result, they look alike
	for _, s := range r.root.level.sources {
		for _, c := range s.columns {
			if c == ref.c {
				from++
			}
		}
	}
	if from > 1 {
		return ref.c.refuse("its index is truncated, and the query reads its table twice; compare the values after reading them (Each)")
	}
	planned := plannedFilter{c: ref.c, indexes: asked}
	for _, p := range o.placeholders {
		planned.variables = append(planned.variables, r.varOf[p])
	}
	f, err := planned.filter(r.vars, r.indexFor)
	if err != nil {
		return err
	}
	r.filters = append(r.filters, planned)
	r.narrowing.filters = append(r.narrowing.filters, f)
	return nil
}

// A plannedFilter is a filter without the values.
type plannedFilter struct {
	c         *column
	indexes   []*indexColumn
	variables []int
}

func (pf plannedFilter) filter(vars []any, indexFor func(*indexColumn) (*blindindex.Index, error)) (filter, error) {
	f := filter{c: pf.c}
	for _, i := range pf.variables {
		plain, _, err := pf.c.plaintext(vars[i])
		if err != nil {
			return filter{}, err
		}
		f.wanted = append(f.wanted, string(plain))
	}
	for _, ic := range pf.indexes {
		index, err := indexFor(ic)
		if err != nil {
			return filter{}, err
		}
		f.indexes = append(f.indexes, index)
	}
	return f, nil
}

// isConjunct reports whether the tokens first to last are a condition that every row
// of the statement must fulfil.
func (r *rewriter) isConjunct(first, last int) bool {
	for f := r.places[first].frame; ; f = f.parent {
		before, after := r.at(first-1), r.at(last+1)
		begins := before.is("WHERE") || before.is("AND") && !r.places[first-1].betweenAnd || before.is("(")
		if !begins || !(r.closes(last+1) || last+1 == len(r.tokens)) || after.is("OR") || after.is("XOR") {
			return false
		}
		where := false
		for i, t := range r.tokens {
			if r.places[i].frame != f || i == f.open {
				continue
			}
			if t.is("WHERE") {
				where = true
			}
			if t.is("ON") || t.is("HAVING") || t.is("OR") || t.is("XOR") || t.is("CASE") {
				if r.places[i].region == regionCondition {
					return false
				}
			}
		}
		if f == r.root {
			return where
		}
		if f.kind != frameGroup || f.parent == nil {
			return false
		}
		first, last = f.open, f.close
	}
}

// selectsRows reports whether the statement gives the rows that it finds: it neither
// groups nor counts them.
func (r *rewriter) selectsRows() bool {
	if r.root.distinct || r.root.setOp != "" {
		return false
	}
	for i, t := range r.tokens {
		pl := r.places[i]
		if pl.frame == r.root && pl.region == regionGroup {
			return false
		}
		if t.is("(") && pl.frame == r.root && pl.region == regionSelect {
			return false
		}
	}
	return true
}

// errNotSelected is for a filter whose column is not in the result.
func (f filter) errNotSelected() error {
	return f.c.refuse("its index is truncated and finds other rows too, which only the value itself tells apart; select the column")
}

// check refuses a query that does not give the rows that it finds, or gives them to
// another: a subquery, or one that is shown only.
func (n *narrowing) check(stmt *gorm.Statement) error {
	if stmt.DryRun || stmt.Distinct || stmt.Clauses["GROUP BY"].Expression != nil {
		return n.filters[0].c.refuse("%s", onlyFindAndFirst)
	}
	return nil
}

// prepare finds the columns of the filters in the result.
func (n *narrowing) prepare(columns []*column) error {
	for i, f := range n.filters {
		n.filters[i].at = slices.Index(columns, f.c)
		if n.filters[i].at < 0 {
			return f.errNotSelected()
		}
		if slices.Contains(columns[n.filters[i].at+1:], f.c) {
			return f.c.refuse("its index is truncated, and the column stands in the result twice; select it once")
		}
	}
	return nil
}

// Next implements [gorm.Rows].
func (d *decryptingRows) Next() bool {
	n := d.narrowing
	if !n.narrows() {
		return d.Rows.Next()
	}
	for n.limit != 0 && d.Rows.Next() {
		ok, err := d.matches()
		if err != nil {
			d.err = err
			return false
		}
		if !ok {
			continue
		}
		if n.offset > 0 {
			n.offset--
			continue
		}
		if n.limit > 0 {
			n.limit--
		}
		return true
	}
	return false
}

// Err implements [gorm.Rows].
func (d *decryptingRows) Err() error {
	if d.err != nil {
		return d.err
	}
	return d.Rows.Err()
}

// ignored is a destination for what is not looked at. GORM scans the row again.
type ignored struct{}

// Scan implements [sql.Scanner].
func (ignored) Scan(any) error { return nil }

// matches reports whether the row is one that was asked for.
func (d *decryptingRows) matches() (bool, error) {
	targets := make([]any, len(d.names))
	for i := range targets {
		targets[i] = ignored{}
	}
	held := make([]stored, len(d.names)) // several filters may be of one column
	for _, f := range d.narrowing.filters {
		targets[f.at] = &held[f.at]
	}
	if err := d.Rows.Scan(targets...); err != nil {
		return false, err
	}
	for _, f := range d.narrowing.filters {
		plain, err := d.p.openBytes(d.ctx, f.c, held[f.at].value)
		if err != nil {
			return false, fmt.Errorf("gormencrypt: column %s: %w", f.c, err)
		}
		if !f.keeps(string(plain)) {
			return false, nil
		}
	}
	return true, nil
}
