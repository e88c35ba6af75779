package gormencrypt

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/fernetcol/fernetcol/blindindex"
)

// A rewriter checks SQL, a whole statement or as much of one as GORM has built,
// for what it does with encrypted columns. Comparisons that can be answered get
// tokens for their values; everything that cannot is an error. It works on the
// text as GORM has built it, so that there is one mechanism for conditions in
// maps, structs, strings, joins, subqueries and raw SQL.
type rewriter struct {
	*parser
	// seal returns the tokens that a value has in a column, one for every key.
	seal func(c *column, value any) ([]any, error)
	// sealOne returns the token under the primary key, or nil for NULL.
	sealOne func(c *column, value any) (any, error)
	// entry returns the entry of a value in an index, or nil for NULL.
	entry    func(ic *indexColumn, value any) (any, error)
	indexFor func(ic *indexColumn) (*blindindex.Index, error)
	// raw says that the SQL is the program's own, whole.
	raw bool
	// narrowing takes in lookups by truncated indexes; nil if it cannot.
	narrowing *narrowing

	sql  string
	from int   // where in sql the part begins that is checked
	vars []any // those of that part; to read by look, unless a plan repeats it
	base int   // for numbered placeholders: how many variables come before

	// varOf is, for every placeholder token, the index of its variable in vars.
	varOf map[int]int
	uses  map[int]int // how many placeholders each variable has
	edits []edit
	refs  []reference

	indexRefs []indexReference
	asked     []askedEntry

	// filters are those that were added to narrowing.
	filters []plannedFilter
	// unplanned says that what became of the text depends on a value in a way that
	// no plan can repeat.
	unplanned bool
}

// An edit replaces a part of the text. Its placeholders are written as \x00.
type edit struct {
	start, end int
	text       string
	values     []newValue
}

// A newValue takes the place of a variable, or is one more if slot is -1.
type newValue struct {
	value any
	slot  int
	from  origin
}

// run returns the part from r.from in its new form, and its variables. If it
// uses no encrypted column, they are the old ones.
func (r *rewriter) run() (string, []any, error) {
	r.parse()
	if c := r.involved(); c != nil && r.opaque != "" {
		return "", nil, c.refuse("%s", r.opaque)
	}
	if err := r.checkTargets(); err != nil {
		return "", nil, err
	}
	r.references()
	r.indexReferences()
	if err := r.numberPlaceholders(); err != nil {
		if len(r.refs)+len(r.indexRefs) == 0 {
			return r.sql[r.from:], r.vars, nil
		}
		return "", nil, err
	}
	for _, ref := range r.refs {
		if r.tokens[ref.first].start < r.from {
			continue
		}
		if err := r.check(ref); err != nil {
			return "", nil, err
		}
	}
	for _, ref := range r.indexRefs {
		if r.tokens[ref.first].start < r.from {
			continue
		}
		if err := r.checkIndex(ref); err != nil {
			return "", nil, err
		}
	}
	if err := r.checkPositions(); err != nil {
		return "", nil, err
	}
	if err := r.checkSetOperations(); err != nil {
		return "", nil, err
	}
	sql, vars := r.apply()
	return sql, vars, nil
}

// involved returns an encrypted column of a table in the statement, or nil.
func (r *rewriter) involved() *column {
	seen := map[*level]bool{}
	for _, pl := range append(r.places, place{level: r.root.level}) {
		for l := pl.level; l != nil && !seen[l]; l = l.parent {
			seen[l] = true
			for _, s := range l.sources {
				if c := s.columns.any(); c != nil {
					return c
				}
			}
		}
	}
	return nil
}

// A reference is a use of an encrypted column: the tokens first to last, with any
// parentheses around them.
type reference struct {
	c           *column
	first, last int
	name        int  // the token where the name begins
	sure        bool // the name can mean nothing else
	distinct    bool // DISTINCT stands before it
}

// references finds the uses of encrypted columns.
func (r *rewriter) references() {
	for i := 0; i < len(r.tokens); i++ {
		first, last := i, nameEnd(r.tokens, i)
		if last < 0 {
			continue
		}
		i = last
		if c, sure := r.resolve(first, last); c != nil && !r.reserved(first, last) {
			r.refs = append(r.refs, r.widen(reference{c: c, first: first, last: last, name: first, sure: sure}))
		}
	}
}

// resolve returns the encrypted column that a dotted name means, or nil.
func (r *rewriter) resolve(first, last int) (*column, bool) {
	pl := r.places[first]
	if pl.region == regionFrom || r.at(last+1).is("(") && pl.region != regionColumns {
		return nil, true
	}
	if before := r.at(first - 1); before.is("::") || before.is(":") || before.is("@") {
		return nil, true
	}
	if r.isAlias(first, last) {
		return nil, true
	}
	return r.lookup(first, last)
}

// isAlias reports whether a name names a thing anew, and means nothing yet.
func (r *rewriter) isAlias(first, last int) bool {
	before := r.at(first - 1)
	if first != last {
		return false
	}
	if before.is("AS") {
		return true
	}
	// SELECT a b: an alias without AS.
	return r.places[first].region == regionSelect && r.closes(last+1) &&
		(before.kind == kindQuoted || before.is(")") || before.kind == kindWord && !r.opens(first-1) && !notAlias[upper(before.text)])
}

// widen takes in the parentheses around a reference.
func (r *rewriter) widen(ref reference) reference {
	for {
		if r.at(ref.first-1).is("DISTINCT") && r.places[ref.first].region != regionCondition {
			ref.distinct = true
		}
		f := r.places[ref.first].frame
		if f.kind != frameGroup || f.open != ref.first-1 || f.close != ref.last+1 {
			return ref
		}
		if before := r.at(f.open - 1); before.is("VALUES") || before.is("IN") {
			return ref
		}
		ref.first, ref.last = f.open, f.close
	}
}

// numberPlaceholders finds the variable of every placeholder.
func (r *rewriter) numberPlaceholders() error {
	r.varOf, r.uses = map[int]int{}, map[int]int{}
	n := 0
	for i, t := range r.tokens {
		if t.kind != kindPlaceholder || t.start < r.from {
			continue
		}
		index := n
		if r.p.numbered {
			number, err := strconv.Atoi(t.text[1:])
			if err != nil {
				return fmt.Errorf("%w: a placeholder is not a number", ErrRefused)
			}
			index = number - 1 - r.base
		}
		if index < 0 || index >= len(r.vars) {
			return fmt.Errorf("%w: a statement that uses an encrypted column has placeholders without an argument", ErrRefused)
		}
		r.varOf[i] = index
		r.uses[index]++
		n++
	}
	if n != len(r.vars) && !r.p.numbered {
		return fmt.Errorf("%w: a statement that uses an encrypted column has arguments without a placeholder", ErrRefused)
	}
	return nil
}

// look returns a variable. What becomes of the text then depends on its value, so that
// there is no plan.
func (r *rewriter) look(variable int) any {
	r.unplanned = true
	return r.vars[variable]
}

// apply makes the edits.
func (r *rewriter) apply() (string, []any) {
	if len(r.edits) == 0 {
		return r.sql[r.from:], r.vars
	}
	slices.SortFunc(r.edits, func(a, b edit) int { return a.start - b.start })
	var out strings.Builder
	var vars []any
	if r.p.numbered {
		vars = slices.Clone(r.vars)
	}
	next := 0 // the first token not yet copied
	copyTo := func(pos, end int) {
		out.WriteString(r.sql[pos:end])
		for ; next < len(r.tokens) && r.tokens[next].end <= end; next++ {
			if i, ok := r.varOf[next]; ok && r.tokens[next].start >= pos && !r.p.numbered {
				vars = append(vars, r.vars[i])
			}
		}
	}
	pos := r.from
	for _, e := range r.edits {
		copyTo(pos, e.start)
		for i, text := range strings.Split(e.text, "\x00") {
			if i > 0 {
				v := e.values[i-1]
				if r.p.numbered && v.slot >= 0 {
					vars[v.slot] = v.value
					out.WriteString(placeholder(r.p.numbered, r.base+v.slot+1))
				} else {
					vars = append(vars, v.value)
					out.WriteString(placeholder(r.p.numbered, r.base+len(vars)))
				}
			}
			out.WriteString(text)
		}
		pos = e.end
	}
	copyTo(pos, len(r.sql))
	return out.String(), vars
}
