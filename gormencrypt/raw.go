package gormencrypt

import (
	"slices"
	"strconv"

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
	r := &rewriter{parser: newParser(p, tokens, &level{aliases: columns{}}, regionNone), sql: sql, vars: vars}
	r.parse()
	if err := r.numberPlaceholders(); err != nil {
		return sql, vars, nil // no reference was found, or rewrite had said so
	}
	vars = slices.Clone(vars)
	sealAt := func(c *column, at int) error {
		i, ok := r.varOf[at]
		if !ok {
			if t := r.at(at); t.is("NULL") || t.is("DEFAULT") {
				return nil
			}
			return c.refuse("raw SQL writes something else than an argument to it; %s", useArgument)
		}
		if r.uses[i] > 1 {
			return c.refuse("one argument is used in several places; give it once for each")
		}
		v, err := p.seal(stmt.Context, c, vars[i])
		if err != nil {
			return err
		}
		vars[i] = v
		return nil
	}
	for at := range r.tokens {
		if r.tokens[at].is("INTO") {
			if err := r.sealInsert(at, sealAt); err != nil {
				return "", nil, err
			}
		}
	}
	return sql, vars, nil
}

// sealInsert seals the rows of INSERT INTO t (…) VALUES (…), (…).
func (r *rewriter) sealInsert(into int, sealAt func(*column, int) error) error {
	at := into + 1
	if at >= len(r.tokens) {
		return nil
	}
	last := nameEnd(r.tokens, at)
	if last < 0 {
		return nil
	}
	table := r.p.tableColumns(r.tokens[last].text)
	if table.any() == nil {
		return nil
	}
	at = last + 1
	if !r.at(at).is("(") {
		return table.any().refuse("INSERT without a list of columns; name them")
	}
	var targets []*column
	for at++; at < len(r.tokens) && !r.tokens[at].is(")"); at++ {
		if r.tokens[at].identifier() {
			targets = append(targets, table[lower(r.tokens[at].text)])
		}
	}
	encrypted := slices.IndexFunc(targets, func(c *column) bool { return c != nil })
	if encrypted < 0 {
		return nil
	}
	if at++; !r.at(at).is("VALUES") && !r.at(at).is("VALUE") {
		return targets[encrypted].refuse("INSERT … SELECT would store what it selects; read and write in the program")
	}
	for at++; r.at(at).is("("); at++ {
		position, depth := 0, 0
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
				if err := sealAt(targets[position], at); err != nil {
					return err
				}
			}
			if depth == 0 {
				break
			}
		}
		if !r.at(at + 1).is(",") {
			break
		}
		at++
	}
	return nil
}

func placeholder(numbered bool, n int) string {
	if numbered {
		return "$" + strconv.Itoa(n)
	}
	return "?"
}
