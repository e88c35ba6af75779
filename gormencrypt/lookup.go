package gormencrypt

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fernetcol/fernetcol/blindindex"
)

// An operand is what a column is compared with: the tokens first to last of the
// whole comparison, and the placeholders in it.
type operand struct {
	first, last  int
	placeholders []int
	negated      bool // <> or NOT IN
	list         bool // IN
	null         bool // the list has a NULL
}

// lookUp answers a comparison by the indexes of the column. One index takes the
// column's place. Of several, which one row may lack and another has, every one is
// asked.
func (r *rewriter) lookUp(ref reference, answering []*indexColumn, o operand) error {
	c := ref.c
	if !ref.sure {
		return c.refuse("%s", notSure)
	}
	for _, p := range o.placeholders {
		if r.uses[r.varOf[p]] > 1 {
			return c.refuse("%s", usedTwice)
		}
	}
	var terms []lookUpTerm
	var values []newValue
	for n, ic := range answering {
		name, err := r.indexName(ref, ic)
		if err != nil {
			return err
		}
		for _, p := range o.placeholders {
			i := r.varOf[p]
			entry, err := r.entry(ic, r.vars[i])
			if err != nil {
				return err
			}
			if entry == nil {
				return c.refuse("a comparison with NULL is never true; use IS NULL")
			}
			v := newValue{value: entry, slot: -1}
			if n == 0 {
				v.slot = i // takes the place of the plaintext
			}
			values = append(values, v)
			if len(o.placeholders) == 1 && !o.negated {
				r.asked = append(r.asked, askedEntry{ic, r.places[ref.first].frame, entry})
			}
		}
		terms = append(terms, lookUpTerm{name, name + o.comparison()})
	}
	if slices.ContainsFunc(answering, (*indexColumn).truncated) {
		if err := r.narrowTo(ref, answering, o); err != nil {
			return err
		}
	}
	column := r.sql[r.tokens[ref.name].start:r.tokens[nameEnd(r.tokens, ref.name)].end]
	text := terms[0].condition
	if len(terms) > 1 {
		text = combine(column, terms, o.negated, r.positive(ref.first))
	}
	r.edits = append(r.edits, edit{start: r.tokens[o.first].start, end: r.tokens[o.last].end, text: text, values: values})
	return nil
}

// A lookUpTerm is what a lookup asks one index: its name, and the condition.
type lookUpTerm struct{ index, condition string }

// combine asks several indexes for what a comparison with the column would be, where
// an index may lack its entry. positive says that NULL counts as false where the
// condition stands; elsewhere it must be NULL exactly where the column is.
func combine(column string, terms []lookUpTerm, negated, positive bool) string {
	var parts []string
	for _, t := range terms {
		switch {
		case negated:
			parts = append(parts, "("+t.index+" IS NULL OR "+t.condition+")")
		case positive:
			parts = append(parts, t.condition)
		default:
			parts = append(parts, "("+t.index+" IS NOT NULL AND "+t.condition+")")
		}
	}
	switch {
	case negated && positive:
		parts = append(parts, column+" IS NOT NULL")
	case negated:
		parts = append(parts, "("+column+" IS NOT NULL OR NULL)")
	case !positive:
		parts = append(parts, "("+column+" IS NULL AND NULL)")
	}
	if negated {
		return "(" + strings.Join(parts, " AND ") + ")"
	}
	return "(" + strings.Join(parts, " OR ") + ")"
}

// positive reports whether a condition that begins at a token counts as false where
// it is NULL: in WHERE, ON or HAVING, behind no NOT or CASE.
func (r *rewriter) positive(at int) bool {
	if r.places[at].region != regionCondition {
		return false
	}
	for f := r.places[at].frame; f != nil; f = f.parent {
		if f.kind != frameGroup && f.kind != frameQuery {
			return false
		}
		for i, t := range r.tokens {
			if r.places[i].frame != f || r.places[i].region != regionCondition {
				continue
			}
			if t.is("CASE") || t.is("XOR") || t.is("!") || t.is("NOT") && r.opens(i-1) {
				return false
			}
		}
		if f.kind == frameQuery {
			return true
		}
		if before := r.at(f.open - 1); !r.closes(f.close+1) || !(before.is("WHERE") || before.is("ON") || before.is("HAVING") || before.is("AND") || before.is("OR") || before.is("(")) {
			return false // what is in the parentheses is an operand
		}
	}
	return true
}

// comparison returns the operator and what follows it.
func (o operand) comparison() string {
	if !o.list {
		if o.negated {
			return " <> \x00"
		}
		return " = \x00"
	}
	list := places(len(o.placeholders))
	if o.null {
		list += ",NULL"
	}
	if o.negated {
		return " NOT IN (" + list + ")"
	}
	return " IN (" + list + ")"
}

// indexName returns the name of an index in the place of its column's.
func (r *rewriter) indexName(ref reference, ic *indexColumn) (string, error) {
	last := nameEnd(r.tokens, ref.name)
	name, table := r.tokens[last], ""
	if last > ref.name {
		table = r.tokens[last-2].text
	}
	if lower(name.text) != lower(ic.of.field.DBName) {
		return "", ref.c.refuse("it has another name here, under which it has no index; compare it where its name is its own")
	}
	if r.lookupIndex(ref.name, table, ic.field.DBName) != ic {
		return "", ref.c.refuse("its index %s is hidden here by a column of that name; write %s with its table", ic.field.DBName, ref.c.field.DBName)
	}
	return r.sql[r.tokens[ref.name].start:name.start] + r.p.quote(ic.field.DBName), nil
}

// askedEntry is what one lookup asked an index for.
type askedEntry struct {
	ic    *indexColumn
	frame *frame
	entry any
}

// indexReference is a use of an index column, under its own name.
type indexReference struct {
	ic          *indexColumn
	first, last int
}

// indexReferences finds the uses of index columns.
func (r *rewriter) indexReferences() {
	for i := 0; i < len(r.tokens); i++ {
		first, last := i, nameEnd(r.tokens, i)
		if last < 0 {
			continue
		}
		i = last
		if r.places[first].region == regionFrom || r.isAlias(first, last) || r.at(last+1).is("(") && r.places[first].region != regionColumns {
			continue
		}
		table := ""
		if last > first {
			table = r.tokens[last-2].text
		}
		if ic := r.lookupIndex(first, table, r.tokens[last].text); ic != nil {
			r.indexRefs = append(r.indexRefs, indexReference{ic, first, last})
		}
	}
}

// checkIndex looks at a use of an index column. It holds no plaintext and may be
// used as any column; but what it is compared with by =, <> or IN is a plaintext of
// the program, and gets the entry's place, unless it is a blindindex.Value.
func (r *rewriter) checkIndex(ref indexReference) error {
	before, after := r.at(ref.first-1), r.at(ref.last+1)
	if r.raw && r.places[ref.first].region == regionSet && r.isTarget(ref.first, ref.last) {
		return ref.ic.refuseWrite()
	}
	switch {
	case comparison(after):
		at := ref.last + 2
		for r.at(at).is("(") {
			at++
		}
		return r.replaceEntry(ref, at)
	case comparison(before):
		at := ref.first - 2
		for r.at(at).is(")") {
			at--
		}
		return r.replaceEntry(ref, at)
	case after.is("IN"), after.is("NOT") && r.at(ref.last+2).is("IN"):
		at := ref.last + 2
		if after.is("NOT") {
			at++
		}
		if !r.at(at).is("(") {
			return nil
		}
		for at++; at < len(r.tokens) && !r.at(at).is(")"); at++ {
			if err := r.replaceEntry(ref, at); err != nil {
				return err
			}
		}
	}
	return nil
}

// replaceEntry puts the entry in the place of a plaintext.
func (r *rewriter) replaceEntry(ref indexReference, placeholder int) error {
	i, ok := r.varOf[placeholder]
	if !ok {
		return nil
	}
	switch v := r.vars[i].(type) {
	case blindindex.Value:
		return r.checkFresh(ref, v)
	case *blindindex.Value, nil:
		return nil
	}
	if r.uses[i] > 1 {
		return ref.ic.of.refuse("%s", usedTwice)
	}
	entry, err := r.entry(ref.ic, r.vars[i])
	if err != nil {
		return err
	}
	r.replace(placeholder, []any{entry})
	return nil
}

// checkFresh refuses a condition that asks for a value and, beside it, for the entry
// of another: a model that was read, got another value, and is given as the
// condition. It would match no row.
func (r *rewriter) checkFresh(ref indexReference, v blindindex.Value) error {
	f := r.places[ref.first].frame
	for _, a := range r.asked {
		if a.ic != ref.ic || a.frame != f || a.entry == any(v) {
			continue
		}
		for i, t := range r.tokens {
			if r.places[i].frame == f && t.is("OR") {
				return nil
			}
		}
		return ref.ic.of.refuse("the condition asks for a value and for the entry of another in its index %s; empty the model's index field", ref.ic.field.DBName)
	}
	return nil
}

// indexAssignments returns ", index = …" for the indexes of a column that raw SQL
// sets: to the entry of value, or to what right gives for an index.
func (r *rewriter) indexAssignments(ref reference, value any, right func(*indexColumn) string) (string, []newValue, error) {
	var text strings.Builder
	var values []newValue
	for _, ic := range ref.c.indexes {
		last := nameEnd(r.tokens, ref.name)
		name := r.sql[r.tokens[ref.name].start:r.tokens[last].start] + r.p.quote(ic.field.DBName)
		if right != nil {
			fmt.Fprintf(&text, ", %s = %s", name, right(ic))
			continue
		}
		entry, err := r.entry(ic, value)
		if err != nil {
			return "", nil, err
		}
		fmt.Fprintf(&text, ", %s = \x00", name)
		values = append(values, newValue{value: entry, slot: -1})
	}
	return text.String(), values, nil
}
