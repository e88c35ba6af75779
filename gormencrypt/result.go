package gormencrypt

import "gorm.io/gorm"

// resultColumns returns, for every column of a result, the encrypted column that
// it comes from, or nil.
func (p *Plugin) resultColumns(stmt *gorm.Statement, names []string) []*column {
	out := make([]*column, len(names))
	tokens := lex(stmt.SQL.String(), p.grammar())
	if !p.mayConcern(tokens) {
		return out
	}
	ps := newParser(p, tokens, p.levelOf(stmt), regionNone)
	l := ps.root.level
	ps.parse()
	if ps.selected(out) {
		return out
	}
	// SELECT *: by name. A name that several tables have comes once from each.
	seen := map[string]int{}
	for i, name := range names {
		name = lower(name)
		if c := l.aliases[name]; c != nil {
			out[i] = c
			continue
		}
		n := 0
		for _, s := range l.sources {
			c, ok := s.columns[name]
			if !ok {
				continue
			}
			if n == seen[name] {
				out[i] = c
			}
			n++
		}
		seen[name]++
	}
	return out
}

// selected fills in what the list of SELECT names, and reports whether the list
// is such that every item is one column of the result.
func (ps *parser) selected(out []*column) bool {
	found := make([]*column, len(out))
	items := 0
	for i, t := range ps.tokens {
		pl := ps.places[i]
		if pl.frame != ps.root || pl.region != regionSelect || pl.arm > 0 {
			continue
		}
		items = max(items, pl.position+1)
		if t.is("*") && (ps.at(i-1).is("SELECT") || ps.at(i-1).is(",") || ps.at(i-1).is(".") || ps.at(i-1).is("DISTINCT")) {
			return false
		}
		first := ps.at(i - 1)
		if last := nameEnd(ps.tokens, i); last >= 0 && pl.position < len(found) &&
			(first.is("SELECT") || first.is(",") || first.is("DISTINCT") || first.is("RETURNING")) {
			found[pl.position] = ps.column(i, last)
		}
	}
	if items != len(out) {
		return false
	}
	copy(out, found)
	return true
}
