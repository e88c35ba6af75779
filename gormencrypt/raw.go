package gormencrypt

import (
	"slices"
	"strconv"
	"strings"

	"gorm.io/gorm"
)

// sealRaw seals the arguments that raw SQL writes to encrypted columns, in the
// two forms it recognises: INSERT INTO t (a, b) VALUES (?, ?) and SET a = ?. Any
// other use of an encrypted column as a target is an error.
func (p *Plugin) sealRaw(stmt *gorm.Statement, sql string, vars []any) (string, []any, error) {
	tokens := lex(sql, p.grammar())
	if !p.mayConcern(tokens) {
		return sql, vars, nil
	}
	r := &rewriter{parser: newParser(p, tokens, &level{aliases: columns{}}, regionNone), sql: sql, vars: slices.Clone(vars)}
	r.entry = func(ic *indexColumn, v any) (any, error) { return p.entry(stmt.Context, ic, v) }
	if p.grammar() == dialectMySQL {
		p.markQuoted(tokens)
	}
	r.parse()
	if err := r.numberPlaceholders(); err != nil {
		return sql, vars, nil // no reference was found, or rewrite had said so
	}
	// The entries are computed before the value is sealed.
	sealAt := func(c *column, at int) ([]newValue, error) {
		entries := make([]newValue, len(c.indexes))
		for n := range entries {
			entries[n].slot = -1
		}
		i, ok := r.varOf[at]
		if !ok {
			if t := r.at(at); t.is("NULL") || t.is("DEFAULT") {
				return entries, nil
			}
			return nil, c.refuse("raw SQL writes something else than an argument to it; %s", useArgument)
		}
		if r.uses[i] > 1 {
			return nil, c.refuse("%s", usedTwice)
		}
		for n, ic := range c.indexes {
			entry, err := r.entry(ic, r.vars[i])
			if err != nil {
				return nil, err
			}
			entries[n].value = entry
		}
		v, err := p.seal(stmt.Context, c, r.vars[i])
		r.vars[i] = v
		return entries, err
	}
	for at := range r.tokens {
		if c := r.insertsWithoutInto(at); c != nil {
			return "", nil, c.refuse("INSERT or REPLACE without INTO; write INTO")
		}
		if r.tokens[at].is("INTO") {
			if err := r.sealInsert(at, sealAt); err != nil {
				return "", nil, err
			}
		}
	}
	text, vars := r.apply()
	return text, vars, nil
}

// insertsWithoutInto returns an encrypted column of the table into which MySQL's
// INSERT t (…) at a token writes, or nil.
func (r *rewriter) insertsWithoutInto(at int) *column {
	if !r.at(at).is("INSERT") && !r.at(at).is("REPLACE") || r.at(at-1).is("OR") { // UPDATE OR REPLACE t
		return nil
	}
	for at++; r.at(at).is("LOW_PRIORITY") || r.at(at).is("HIGH_PRIORITY") || r.at(at).is("DELAYED") || r.at(at).is("IGNORE"); at++ {
	}
	if last := nameEnd(r.tokens, at); last >= 0 {
		return r.p.tableColumns(r.tokens[last].text).any()
	}
	return nil
}

// sealInsert seals the rows of INSERT INTO t (…) VALUES (…), (…), and adds the
// entries of indexes. sealAt seals the value at a token and returns them.
func (r *rewriter) sealInsert(into int, sealAt func(*column, int) ([]newValue, error)) error {
	at := into + 1
	if at >= len(r.tokens) {
		return nil
	}
	last := nameEnd(r.tokens, at)
	if last < 0 {
		return nil
	}
	known := r.p.table(r.tokens[last].text)
	table := known.columns
	if table.any() == nil {
		return nil
	}
	at = last + 1
	if !r.at(at).is("(") {
		return table.any().refuse("INSERT without a list of columns; name them")
	}
	var targets []*column
	var names strings.Builder // of the indexes
	for at++; at < len(r.tokens) && !r.tokens[at].is(")"); at++ {
		last := nameEnd(r.tokens, at)
		if last < 0 {
			continue
		}
		at = last
		name := lower(r.tokens[at].text)
		if ic := known.indexes[name]; ic != nil {
			return ic.refuseWrite()
		}
		targets = append(targets, table[name])
		if c := table[name]; c != nil {
			for _, ic := range c.indexes {
				names.WriteString(", " + r.p.quote(ic.field.DBName))
			}
		}
	}
	encrypted := slices.IndexFunc(targets, func(c *column) bool { return c != nil })
	if encrypted < 0 {
		return nil
	}
	r.insertBefore(at, names.String(), nil)
	if at++; !r.at(at).is("VALUES") && !r.at(at).is("VALUE") {
		return targets[encrypted].refuse("INSERT … SELECT would store what it selects; read and write in the program")
	}
	if !r.at(at + 1).is("(") {
		return targets[encrypted].refuse("VALUES takes rows in parentheses alone; write VALUES (…), (…)")
	}
	for at++; r.at(at).is("("); at++ {
		position, depth := 0, 0
		var entries []newValue
		for ; at < len(r.tokens); at++ {
			t := r.tokens[at]
			switch {
			case t.is("("):
				depth++
			case t.is(")"):
				depth--
			case t.is(",") && depth == 1:
				position++
			case depth >= 1 && position < len(targets) && targets[position] != nil:
				simple := depth == 1 && (r.at(at+1).is(",") || r.at(at+1).is(")")) && (r.at(at-1).is(",") || r.at(at-1).is("("))
				if !simple {
					return targets[position].refuse("raw SQL computes its value; give the value as an argument")
				}
				added, err := sealAt(targets[position], at)
				if err != nil {
					return err
				}
				entries = append(entries, added...)
			}
			if depth == 0 {
				break
			}
		}
		r.insertBefore(at, strings.Repeat(", \x00", len(entries)), entries)
		if !r.at(at + 1).is(",") {
			break
		}
		at++
	}
	return nil
}

// insertBefore adds text before a token, with values for its placeholders.
func (r *rewriter) insertBefore(at int, text string, values []newValue) {
	if start := r.at(at).start; text != "" && at < len(r.tokens) {
		r.edits = append(r.edits, edit{start: start, end: start, text: text, values: values})
	}
}

func placeholder(numbered bool, n int) string {
	if numbered {
		return "$" + strconv.Itoa(n)
	}
	return "?"
}
