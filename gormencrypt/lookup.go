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
			v, err := r.entryOf(ic, r.varOf[p])
			if err != nil {
				return err
			}
			if v.value == nil {
				return c.refuse("a comparison with NULL is never true; use IS NULL")
			}
			if n > 0 {
				v.slot = -1 // the first takes the place of the plaintext
			}
			values = append(values, v)
			if len(o.placeholders) == 1 {
				r.asked = append(r.asked, askedEntry{ic, r.places[ref.first].frame, v.value, o.negated})
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
		return "", ref.c.refuse("its index %s is not selected here, or hidden by a column of that name; select it too, or write %s with its table", ic.field.DBName, ref.c.field.DBName)
	}
	return r.sql[r.tokens[ref.name].start:name.start] + r.p.quote(ic.field.DBName), nil
}

// askedEntry is what one lookup asked an index for.
type askedEntry struct {
	ic    *indexColumn
	frame *frame
	entry any
	// negated says that it was asked for other entries.
	negated bool
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
		if ic := r.lookupIndex(first, table, r.tokens[last].text); ic != nil && !r.reserved(first, last) {
			r.indexRefs = append(r.indexRefs, indexReference{ic, first, last})
		}
	}
}

// checkIndex looks at a use of an index column. It holds no plaintext and may be
// used as any column; but what it is compared with by =, <> or IN is a plaintext of
// the program, and gets the entry's place, unless it is a blindindex.Value. An
// argument that meets it in any other way would not, and is refused.
func (r *rewriter) checkIndex(ref indexReference) error {
	if r.places[ref.first].region == regionSet && r.isTarget(ref.first, ref.last) {
		if r.raw {
			return ref.ic.refuseWrite()
		}
		return nil // the plugin's own
	}
	w := r.widen(reference{first: ref.first, last: ref.last})
	arguments, negated, ok := r.comparedWith(w.first, w.last)
	if !ok && r.places[ref.first].region == regionColumns {
		return nil
	}
	if !ok {
		for _, at := range r.beside(w.first, w.last) {
			switch r.look(r.varOf[at]).(type) { // the next one may be plaintext
			case blindindex.Value, *blindindex.Value, nil:
			default:
				return ref.ic.of.refuse("its index %s is compared with an argument in another way than =, <> or IN alone", ref.ic.field.DBName)
			}
		}
		return nil
	}
	for _, at := range arguments {
		if err := r.replaceEntry(ref, at, negated); err != nil {
			return err
		}
	}
	return nil
}

// comparedWith returns the placeholders that the tokens first to last are compared
// with, if they are, by =, <> or IN alone.
func (r *rewriter) comparedWith(first, last int) (arguments []int, negated, ok bool) {
	before, after := r.at(first-1), r.at(last+1)
	switch {
	case comparison(after) && r.opens(first-1):
		at, end := last+2, 0
		for ; r.at(at).is("("); at++ {
			end++
		}
		arguments = []int{at}
		for ; end > 0 && r.at(at+1).is(")"); end-- {
			at++
		}
		return arguments, negates(after), r.isPlaceholder(arguments[0]) && end == 0 && r.closes(at+1)
	case comparison(before) && r.closes(last+1):
		at := first - 2
		return []int{at}, negates(before), r.isPlaceholder(at) && r.opens(at-1)
	case (after.is("IN") || after.is("NOT") && r.at(last+2).is("IN")) && r.opens(first-1):
		at := last + 2
		if negated = after.is("NOT"); negated {
			at++
		}
		if !r.at(at).is("(") {
			return nil, false, false
		}
		for at++; r.isPlaceholder(at) || r.at(at).is("NULL") || r.at(at).kind == kindString; at += 2 {
			if r.isPlaceholder(at) {
				arguments = append(arguments, at)
			}
			if r.at(at + 1).is(")") {
				return arguments, negated, r.closes(at + 2)
			}
			if !r.at(at + 1).is(",") {
				break
			}
		}
	}
	return nil, false, false
}

func (r *rewriter) isPlaceholder(at int) bool {
	_, ok := r.varOf[at]
	return ok
}

// beside returns the placeholders that stand in one expression with the tokens first
// to last, but for those in the conditions of a subquery.
func (r *rewriter) beside(first, last int) []int {
	var found []int
	for f := r.places[first].frame; ; f = f.parent {
		list := f.kind == frameQuery // its commas part expressions
		inCase := r.at(first-1).is("CASE") || r.at(first-1).is("WHEN") && r.at(last+1).is("THEN")
		ends := func(t sqlToken, i int, words map[string]bool) bool {
			if r.places[i].frame != f {
				return false
			}
			if t.is(",") {
				return list
			}
			if t.is("SET") || t.is("UPDATE") {
				return true
			}
			goesOn := inCase && (t.is("WHEN") || t.is("THEN") || t.is("ELSE")) || t.is("NOT") || t.is("DISTINCT") || t.is("FROM") && r.at(i-1).is("DISTINCT")
			return !goesOn && !t.is("(") && !t.is(")") && (t.kind == kindWord || t.kind == kindSymbol) && words[upper(t.text)] && !r.places[i].betweenAnd
		}
		begin, end := first-1, min(last+1, len(r.tokens))
		for ; begin > f.open && !ends(r.tokens[begin], begin, opens); begin-- {
		}
		for ; end < f.close && end < len(r.tokens) && !ends(r.tokens[end], end, closes); end++ {
		}
		for i := begin + 1; i < end; i++ {
			if r.isPlaceholder(i) && r.reaches(i, f) {
				found = append(found, i)
			}
		}
		if f.kind == frameQuery || f.parent == nil || begin != f.open || end != f.close || end == len(r.tokens) {
			return found
		}
		first, last = f.open, f.close
	}
}

// reaches reports whether what stands at a token is a part of an expression in a frame
// around it: it is not if it stands in a subquery, but among what that selects.
func (r *rewriter) reaches(at int, f *frame) bool {
	region := r.places[at].region
	for within := r.places[at].frame; within != f; within = within.parent {
		if within.kind != frameQuery {
			continue
		}
		if region != regionSelect && region != regionValues {
			return false
		}
		region = r.places[within.open].region
	}
	return true
}

// replaceEntry puts the entry in the place of a plaintext.
func (r *rewriter) replaceEntry(ref indexReference, placeholder int, negated bool) error {
	i := r.varOf[placeholder]
	switch v := r.vars[i].(type) {
	case blindindex.Value:
		r.unplanned = true
		return r.checkFresh(ref, v, negated)
	case *blindindex.Value, nil:
		r.unplanned = true
		return nil
	}
	if ref.ic.filling {
		return ref.ic.of.refuse("its index %s is not filled yet, or any more, so that rows would be missing; run FillIndexes, then take filling out of the tag", ref.ic.field.DBName)
	}
	if r.uses[i] > 1 {
		return ref.ic.of.refuse("%s", usedTwice)
	}
	v, err := r.entryOf(ref.ic, i)
	if err != nil {
		return err
	}
	r.replace(placeholder, []newValue{v})
	return nil
}

// entryOf returns the entry of a variable, for its place.
func (r *rewriter) entryOf(ic *indexColumn, variable int) (newValue, error) {
	entry, err := r.entry(ic, r.vars[variable])
	return newValue{value: entry, slot: variable, from: origin{how: isEntry, variable: variable, index: ic}}, err
}

// checkFresh refuses a condition that asks for a value and, beside it, for the entry
// of another: a model that was read, got another value, and is given as the
// condition. It would match no row.
func (r *rewriter) checkFresh(ref indexReference, v blindindex.Value, negated bool) error {
	f := r.places[ref.first].frame
	for _, a := range r.asked {
		if a.ic != ref.ic || a.frame != f || a.negated != negated || a.entry == any(v) {
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
