package gormencrypt

import (
	"maps"
	"slices"
)

// region is the part of a statement in which a token stands.
type region uint8

const (
	regionNone region = iota
	regionSelect
	regionFrom
	regionCondition // WHERE, ON, HAVING
	regionGroup
	regionOrder
	regionSet
	regionColumns // column lists: INSERT INTO t (…), ON CONFLICT (…)
	regionValues
	regionLimit
	regionUsing
	regionWindow
)

// frameKind is what a pair of parentheses is.
type frameKind uint8

const (
	frameGroup frameKind = iota
	frameQuery           // a query; the whole statement, too
	frameCall            // the arguments of a function
	frameOther           // a list of columns, a window
)

// A frame is a pair of parentheses, or the whole text.
type frame struct {
	parent      *frame
	kind        frameKind
	call        string // the function, in upper case
	open, close int    // tokens; -1 and len(tokens) for the whole text
	region      region
	level       *level   // of a set operation, that of the last query
	arms        []*level // those before
	isTable     bool     // a table comes next

	distinct bool
	setOp    string // UNION, "UNION ALL", INTERSECT or EXCEPT
	arm      int    // of a set operation
	position int    // in the list of SELECT
}

// A place is what is known about where a token stands.
type place struct {
	region        region
	frame         *frame
	level         *level
	arm, position int
	betweenAnd    bool // the AND of a BETWEEN
}

// A parser finds the queries of a text, their tables, and where every token
// stands. It knows no grammar: what it does not know, it leaves in the region
// before, where the check refuses whatever it does not know either.
type parser struct {
	p      *Plugin
	tokens []sqlToken
	places []place
	root   *frame
	ctes   []source
	// opaque says why names in the text may mean something else; "" if they do not.
	opaque string
}

func newParser(p *Plugin, tokens []sqlToken, l *level, start region) *parser {
	return &parser{
		p: p, tokens: tokens, places: make([]place, len(tokens)),
		root: &frame{kind: frameQuery, open: -1, close: len(tokens), level: l, region: start},
	}
}

func (ps *parser) at(i int) sqlToken {
	if i >= 0 && i < len(ps.tokens) {
		return ps.tokens[i]
	}
	return sqlToken{kind: kindSymbol}
}

func (ps *parser) parse() {
	f := ps.root
	between := map[*frame]int{}
	for i, t := range ps.tokens {
		if t.kind == kindOpaque {
			ps.opaque = "a comment, literal or name in the SQL is read differently by different databases"
		}
		switch {
		case t.is("("):
			ps.places[i] = place{region: f.region, frame: f, level: f.level, arm: f.arm, position: f.position}
			f = ps.openFrame(f, i)
			continue
		case t.is(")"):
			if f.parent != nil {
				f.close = i
				ps.closeFrame(f, i)
				f = f.parent
			}
		case t.is("BETWEEN"):
			between[f]++
		case t.is("AND"):
			if between[f] > 0 {
				between[f]--
				ps.places[i].betweenAnd = true
			}
		case t.is(","):
			f.position++
			f.isTable = f.region == regionFrom && f.kind != frameCall
		case t.kind == kindWord && ps.keyword(f, i):
		case f.isTable && t.identifier() && !ps.at(i-1).is("."):
			ps.table(f, i)
		}
		ps.places[i].region, ps.places[i].frame, ps.places[i].level = f.region, f, f.level
		ps.places[i].arm, ps.places[i].position = f.arm, f.position
	}
	ps.findAliases(ps.root)
}

// keyword moves the frame to another region.
func (ps *parser) keyword(f *frame, i int) bool {
	t, prev := ps.tokens[i], ps.at(i-1)
	if prev.is(".") || f.kind == frameCall || f.kind == frameOther || f.kind == frameGroup && f.region != regionFrom && f.region != regionCondition {
		return false
	}
	if f.kind == frameGroup && !(t.is("JOIN") || t.is("ON") || t.is("LATERAL") || t.is("ONLY")) {
		return false
	}
	to := func(r region, table bool) bool {
		f.region, f.isTable = r, table
		return true
	}
	switch {
	case t.is("SELECT"):
		f.position, f.distinct = 0, f.distinct || ps.at(i+1).is("DISTINCT")
		return to(regionSelect, false)
	case t.is("FROM"):
		if prev.is("DISTINCT") && (ps.at(i-2).is("IS") || ps.at(i-2).is("NOT")) {
			return true
		}
		return to(regionFrom, true)
	case t.is("JOIN"), t.is("STRAIGHT_JOIN"):
		return to(regionFrom, true)
	case t.is("UPDATE"):
		if prev.is("KEY") { // ON DUPLICATE KEY UPDATE
			return to(regionSet, false)
		}
		if !prev.is("DO") && !prev.is("FOR") {
			return to(regionFrom, true)
		}
	case f.isTable && (t.is("OR") && prev.is("UPDATE") || prev.is("OR") && ps.at(i-2).is("UPDATE")): // SQLite's UPDATE OR IGNORE t
		return true
	case t.is("LATERAL"), t.is("ONLY"), t.is("IGNORE"), t.is("LOW_PRIORITY"):
		return f.isTable
	case t.is("INTO"):
		return to(regionColumns, true)
	case t.is("ON"):
		if prev.is("DISTINCT") || ps.at(i+1).is("CONFLICT") || ps.at(i+1).is("DUPLICATE") {
			return true
		}
		return to(regionCondition, false)
	case t.is("NATURAL"):
		ps.opaque = "NATURAL JOIN compares columns without naming them; use ON"
		return true
	case t.is("WHERE"), t.is("HAVING"):
		return to(regionCondition, false)
	case t.is("CONFLICT"):
		return to(regionColumns, false)
	case t.is("RETURNING"):
		return to(regionSelect, false)
	case t.is("SET"):
		return to(regionSet, false)
	case t.is("VALUES"), t.is("VALUE"):
		if f.region == regionColumns || f.region == regionNone {
			return to(regionValues, false)
		}
	case t.is("BY") && prev.is("GROUP"):
		return to(regionGroup, false)
	case t.is("BY") && prev.is("ORDER"):
		return to(regionOrder, false)
	case t.is("WINDOW"):
		return to(regionWindow, false)
	case t.is("LIMIT"), t.is("OFFSET"), t.is("FETCH"):
		return to(regionLimit, false)
	case t.is("UNION"), t.is("EXCEPT"), t.is("INTERSECT"), t.is("MINUS"):
		if !t.is("UNION") || !ps.at(i+1).is("ALL") {
			f.setOp = "UNION"
		} else if f.setOp == "" {
			f.setOp = "UNION ALL"
		}
		ps.findAliases(f)
		f.arm++
		f.arms = append(f.arms, f.level)
		f.level = &level{parent: f.level.parent, aliases: columns{}}
		return to(regionNone, false)
	case t.is("USING"): // DELETE FROM a USING b
		return to(regionFrom, f.kind == frameQuery && !ps.at(i+1).is("("))
	default:
		return false
	}
	return true
}

// table adds the table whose name begins at i.
func (ps *parser) table(f *frame, i int) {
	last := nameEnd(ps.tokens, i)
	f.isTable = false
	if ps.at(last+1).is("(") && f.region == regionFrom { // a function; closeFrame adds its alias
		return
	}
	table := ps.tokens[last].text
	s := ps.p.source(ps.aliasAt(last+1, table), table)
	if n := slices.IndexFunc(ps.ctes, func(c source) bool { return c.name == lower(table) }); n >= 0 && last == i {
		s.columns, s.indexes, s.known = ps.ctes[n].columns, ps.ctes[n].indexes, ps.ctes[n].known
	}
	f.level.add(s)
	if f.region == regionColumns { // INSERT INTO t: the row may be called excluded
		s.name = "excluded"
		f.level.add(s)
	}
}

// aliasAt returns the alias at i, or name if there is none.
func (ps *parser) aliasAt(i int, name string) string {
	if ps.at(i).is("AS") {
		i++
	} else if ps.at(i).kind == kindWord && notAlias[upper(ps.at(i).text)] {
		return name
	}
	if ps.at(i).identifier() {
		return ps.at(i).text
	}
	return name
}

func (ps *parser) openFrame(f *frame, i int) *frame {
	prev := ps.at(i - 1)
	n := &frame{parent: f, open: i, close: len(ps.tokens), region: f.region, level: f.level}
	inside := i + 1
	for ps.at(inside).is("(") {
		inside++
	}
	t := ps.at(inside)
	isName := prev.identifier() && !ps.at(i-2).is("AS") && !(prev.kind == kindWord && notCall[upper(prev.text)])
	switch {
	case t.is("SELECT"), t.is("WITH"), t.is("VALUES") && !ps.at(inside+1).is("("), t.is("INSERT"), t.is("UPDATE"), t.is("DELETE"):
		n.kind, n.region, n.level = frameQuery, regionNone, &level{parent: f.level, aliases: columns{}}
		if ps.at(i + 1).is("(") {
			n.kind, n.region, n.level = frameGroup, f.region, f.level
		}
	case f.region == regionColumns:
		n.kind = frameOther
	case prev.is("USING"):
		n.kind, n.region = frameOther, regionUsing
	case prev.is("OVER"), prev.is("GROUP"), prev.is("AS"), prev.is("ON") && ps.at(i-2).is("DISTINCT"):
		n.kind, n.region = frameOther, regionWindow
	case prev.is("INDEX"), prev.is("KEY"), prev.is("PARTITION"), prev.is("BERNOULLI"), prev.is("SYSTEM"):
		n.kind = frameOther
	case f.region == regionFrom && prev.identifier() && (isName || ps.at(i-2).is("AS")) && ps.listsColumns(f, i):
		ps.opaque = "a list of names behind a table's alias renames its columns; name them with AS"
		n.kind = frameOther
	case isName || prev.identifier() && ps.at(i-2).is("AS"):
		n.kind, n.call = frameCall, upper(prev.text)
		if f.region == regionFrom {
			n.region = regionCondition
		}
	case f.region == regionFrom:
		n.isTable = f.isTable
	}
	f.isTable = false
	return n
}

// listsColumns reports whether the parenthesis at i follows the alias of a table,
// or the name of a CTE, and not a function in the place of a table.
func (ps *parser) listsColumns(f *frame, i int) bool {
	first := i - 1
	for ps.at(first - 1).is(".") {
		first -= 2
	}
	before := ps.at(first - 1)
	if before.is(",") || before.is("FROM") || before.is("JOIN") || before.is("LATERAL") || before.is("STRAIGHT_JOIN") {
		return false
	}
	return before.is("AS") || before.is(")") || before.identifier()
}

// closeFrame names what a subquery or a function in FROM, or a CTE, gives.
func (ps *parser) closeFrame(f *frame, i int) {
	if f.kind == frameQuery {
		ps.findAliases(f)
	}
	given := source{columns: columns{}, indexes: indexes{}, known: true}
	if f.kind == frameQuery {
		for _, l := range append(f.arms, f.level) {
			of, ix, known := l.union()
			for name, col := range of {
				if given.columns[name] == nil {
					given.columns[name] = col
				}
			}
			maps.Copy(given.indexes, ix)
			given.known = given.known && known
		}
		for name := range given.indexes { // what is not selected would mean another's
			if !ps.selects(f, name) {
				delete(given.indexes, name)
			}
		}
	}
	before := f.open - 1
	if f.kind == frameQuery {
		for ps.at(before).is("MATERIALIZED") || ps.at(before).is("NOT") {
			before--
		}
		if ps.at(before).is("AS") && ps.at(before-1).identifier() {
			given.name = lower(ps.at(before - 1).text)
			ps.ctes = append(ps.ctes, given)
			return
		}
		if ps.at(before).is("AS") && ps.at(before-1).is(")") {
			ps.opaque = "a list of names behind the name of a CTE renames its columns; name them with AS"
			return
		}
	}
	if f.parent.region != regionFrom || f.kind != frameQuery && f.kind != frameCall {
		return
	}
	if given.name = ps.aliasAt(i+1, ""); given.name == "" && f.kind == frameQuery {
		given.name = "\x00"
	}
	f.parent.level.add(given)
}

// selects reports whether every query of a frame gives a column under its own name.
func (ps *parser) selects(f *frame, name string) bool {
	found := make([]bool, f.arm+1)
	for i := f.open + 1; i < f.close && i < len(ps.tokens); i++ {
		t, pl, prev := ps.tokens[i], ps.places[i], ps.at(i-1)
		if pl.frame != f || pl.region != regionSelect || !t.is("*") && !(t.identifier() && lower(t.text) == name) {
			continue
		}
		begins := prev.is("SELECT") || prev.is(",") || prev.is(".") || prev.is("DISTINCT") || prev.is("ALL") || prev.is("RETURNING")
		next := ps.at(i + 1)
		found[pl.arm] = found[pl.arm] || begins && (i+1 == f.close || next.is(",") || next.is("FROM") || ps.places[i+1].region != regionSelect)
	}
	return !slices.Contains(found, false)
}

// findAliases notes the new names that the list of SELECT gives to encrypted
// columns.
func (ps *parser) findAliases(f *frame) {
	for i := f.open + 1; i < f.close && i < len(ps.tokens); i++ {
		if ps.places[i].frame != f || ps.places[i].level != f.level || ps.places[i].region != regionSelect {
			continue
		}
		last := nameEnd(ps.tokens, i)
		if last < 0 {
			continue
		}
		if alias := ps.aliasAt(last+1, ""); alias != "" {
			if c := ps.column(i, last); c != nil {
				f.level.aliases[lower(alias)] = c
			}
		}
		i = last
	}
}

// column returns the encrypted column that the dotted name from first to last
// means, or nil.
func (ps *parser) column(first, last int) *column {
	c, _ := ps.lookup(first, last)
	return c
}

func (ps *parser) lookup(first, last int) (c *column, sure bool) {
	table := ""
	if last > first {
		table = ps.tokens[last-2].text
	}
	name := ps.tokens[last].text
	l := ps.places[first].level
	if c, sure := l.lookup(table, name); c != nil || sure && table == "" {
		return c, sure
	}
	if table == "" {
		return nil, false
	}
	for up := l; up != nil; up = up.parent {
		for _, s := range up.sources {
			if s.name == lower(table) && s.known {
				return nil, true
			}
		}
	}
	if c := ps.p.tableColumns(table); c != nil { // of a query around this one
		return c[lower(name)], true
	}
	// A table that the text does not name: whatever has such a column.
	for up := l; up != nil; up = up.parent {
		for _, s := range up.sources {
			if c := s.columns[lower(name)]; c != nil {
				return c, false
			}
		}
	}
	return nil, true
}

// lookupIndex returns the index column that a name means at a token, or nil. table is
// what stands before it, or "".
func (ps *parser) lookupIndex(at int, table, name string) *indexColumn {
	l := ps.places[at].level
	if ic := l.lookupIndex(table, name); ic != nil || table == "" {
		return ic
	}
	for up := l; up != nil; up = up.parent {
		if slices.ContainsFunc(up.sources, func(s source) bool { return s.name == lower(table) }) {
			return nil
		}
	}
	return ps.p.table(table).indexes[lower(name)] // of a query around this one
}

// nameEnd returns the index of the last token of the dotted name that begins at
// i, or -1 if none does.
func nameEnd(tokens []sqlToken, i int) int {
	if i < 0 || i >= len(tokens) || !tokens[i].identifier() || i > 0 && tokens[i-1].is(".") {
		return -1
	}
	for i+2 < len(tokens) && tokens[i+1].is(".") && tokens[i+2].identifier() {
		i += 2
	}
	return i
}
