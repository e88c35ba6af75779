package gormencrypt

import (
	"maps"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// columns are the columns of a table, by lower-case name: nil is a plain one.
type columns map[string]*column

// any returns an encrypted column, always the same one, or nil.
func (c columns) any() *column {
	for _, name := range slices.Sorted(maps.Keys(c)) {
		if c[name] != nil {
			return c[name]
		}
	}
	return nil
}

// A source is a table in a statement, under the name it has there.
type source struct {
	name    string // lower case
	columns columns
	indexes indexes
	known   bool // else it may have any column
}

// A level is a query, with its tables and the columns that it gives new names.
// A subquery is a level inside another.
type level struct {
	parent  *level
	sources []source
	aliases columns
}

func (l *level) add(s source) {
	s.name = lower(s.name)
	if s.name != "" && !slices.ContainsFunc(l.sources, func(o source) bool { return o.name == s.name }) {
		l.sources = append(l.sources, s)
	}
}

// stand adds a table, in the place of one that is not known: a program that names a
// table of its own for a model says that it has the model's columns.
func (l *level) stand(s source) {
	s.name = lower(s.name)
	l.sources = slices.DeleteFunc(l.sources, func(o source) bool { return o.name == s.name && !o.known })
	l.add(s)
}

// lookup returns the encrypted column that a name means. sure is false if it
// could be that of a table whose columns are not known.
func (l *level) lookup(table, name string) (c *column, sure bool) {
	table, name = lower(table), lower(name)
	sure = true
	for ; l != nil; l = l.parent {
		if c := l.aliases[name]; c != nil && table == "" {
			return c, sure
		}
		var plain, unknown bool
		for _, s := range l.sources {
			if table != "" && table != s.name {
				continue
			}
			c, ok := s.columns[name]
			if c != nil {
				return c, sure
			}
			plain = plain || ok || table != "" && s.known
			unknown = unknown || !s.known
		}
		if plain {
			return nil, true
		}
		sure = sure && !unknown
	}
	return nil, sure
}

// lookupIndex returns the index column that a name means, or nil.
func (l *level) lookupIndex(table, name string) *indexColumn {
	table, name = lower(table), lower(name)
	for ; l != nil; l = l.parent {
		for _, s := range l.sources {
			if table != "" && table != s.name {
				continue
			}
			if ic := s.indexes[name]; ic != nil {
				return ic
			}
			if _, other := s.columns[name]; other || table != "" || !s.known {
				return nil
			}
		}
	}
	return nil
}

// hasIndexes reports whether a table in the level, or around it, has an index.
func (l *level) hasIndexes() bool {
	for ; l != nil; l = l.parent {
		if slices.ContainsFunc(l.sources, func(s source) bool { return len(s.indexes) > 0 }) {
			return true
		}
	}
	return false
}

// union is what a query over the level gives to the one around it.
func (l *level) union() (c columns, ix indexes, known bool) {
	c, ix, known = columns{}, indexes{}, true
	for _, s := range l.sources {
		for name, ic := range s.indexes {
			if ix[name] == nil {
				ix[name] = ic
			}
		}
		for name, col := range s.columns {
			if c[name] == nil {
				c[name] = col
			}
		}
		known = known && s.known
	}
	for name, col := range l.aliases {
		c[name] = col
	}
	return c, ix, known
}

// source returns the table of a name that a statement uses.
func (p *Plugin) source(name, table string) source {
	t := p.table(table)
	return source{name: name, columns: t.columns, indexes: t.indexes, known: t.columns != nil}
}

// levelOf returns the outermost level of a statement of GORM, from what GORM
// holds apart: the text may not name the tables yet.
func (p *Plugin) levelOf(stmt *gorm.Statement) *level {
	l := &level{aliases: columns{}}
	if stmt.Schema != nil && stmt.TableExpr == nil {
		l.add(p.source(stmt.Table, stmt.Schema.Table))
	} else if stmt.TableExpr == nil {
		l.add(p.source(stmt.Table, stmt.Table))
	} else {
		p.parseTables(l, "FROM "+stmt.TableExpr.SQL)
		if stmt.Schema != nil && !strings.Contains(stmt.TableExpr.SQL, "(") {
			l.stand(p.source(stmt.Table, stmt.Schema.Table))
		} else if stmt.Schema != nil {
			l.add(p.source(stmt.Table, stmt.Schema.Table))
		}
	}
	from, ok := stmt.Clauses["FROM"].Expression.(clause.From)
	if !ok {
		return l
	}
	for _, t := range from.Tables {
		l.add(p.source(tableName(t), t.Name))
	}
	for _, j := range from.Joins {
		switch e := j.Expression.(type) {
		case nil:
			l.add(p.source(tableName(j.Table), j.Table.Name))
		case clause.Expr:
			p.parseTables(l, "FROM x "+e.SQL)
		case clause.NamedExpr:
			p.parseTables(l, "FROM x "+e.SQL)
		}
	}
	return l
}

func tableName(t clause.Table) string {
	if t.Alias != "" {
		return t.Alias
	}
	return t.Name
}

// parseTables adds the tables that a piece of SQL names.
func (p *Plugin) parseTables(l *level, sql string) {
	ps := newParser(p, lex(sql, p.grammar()), l, regionNone)
	ps.parse()
	l.sources = slices.DeleteFunc(l.sources, func(s source) bool { return s.name == "x" && !s.known })
}

// mayConcern reports whether SQL with these tokens can use an encrypted column:
// whether it names one, or a table that has one.
func (p *Plugin) mayConcern(tokens []sqlToken) bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	for _, t := range tokens {
		if t.identifier() || t.kind == kindString {
			if p.words[lower(strings.Trim(t.text, `'"`))] {
				return true
			}
		}
	}
	return false
}
