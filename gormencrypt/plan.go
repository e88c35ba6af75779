package gormencrypt

import (
	"slices"
	"strings"

	"gorm.io/gorm"

	"github.com/fernetcol/fernetcol/blindindex"
)

// A plan is what becomes of a text, whatever its values are: the new text, and where
// each of its variables comes from. It holds no value. A statement that differs from
// the one it was made of in more than its values (another number of keys, a NULL, an
// entry in the place of a plaintext) does not follow it, and is taken apart anew.
type plan struct {
	// unchanged says that the text and its variables stay as they are.
	unchanged bool
	text      string
	vars      []origin
	filters   []plannedFilter
}

// unchanged is the plan for a text that uses no encrypted column.
var unchanged = &plan{unchanged: true}

// An origin is where a variable of a new text comes from.
type origin struct {
	how       how
	variable  int // of the old text
	index     *indexColumn
	column    *column
	key, keys int // the token under one key of so many
}

// how a variable becomes one of the new text.
type how uint8

const (
	isUnknown how = iota
	isGiven       // as it is: no encrypted column uses it
	isEntry
	isToken
)

// plan returns how to do again what run has done, or nil if that depends on more than
// the text.
func (r *rewriter) plan() *plan {
	if r.unplanned {
		return nil
	}
	if len(r.edits) == 0 {
		return unchanged
	}
	// The edits once more, with the origins in the place of the values.
	given := make([]any, len(r.vars))
	for i := range given {
		given[i] = origin{how: isGiven, variable: i}
	}
	again := *r
	again.vars, again.edits = given, slices.Clone(r.edits)
	for i, e := range again.edits {
		e.values = slices.Clone(e.values)
		for n := range e.values {
			e.values[n].value = e.values[n].from
		}
		again.edits[i] = e
	}
	text, vars := again.apply()
	made := &plan{text: strings.Clone(text), vars: make([]origin, len(vars)), filters: r.filters}
	for i, v := range vars {
		if made.vars[i] = v.(origin); made.vars[i].how == isUnknown {
			return nil
		}
	}
	return made
}

// follow returns the variables of the statement when those from base on are a plan's.
// It reports false, and has changed nothing, if the statement must be taken apart anew;
// that says what is wrong, too.
func (p *Plugin) follow(stmt *gorm.Statement, pl *plan, base int) ([]any, bool) {
	narrowing := p.narrowingOf(stmt)
	if len(pl.filters) > 0 && narrowing == nil {
		return nil, false
	}
	vars := stmt.Vars[base:]
	all := make([]any, base+len(pl.vars), base+len(pl.vars)+1) // LIMIT has one more
	copy(all, stmt.Vars[:base])
	out := all[base:]
	var tokens map[int][]any // by variable
	for i, from := range pl.vars {
		value := vars[from.variable]
		switch from.how {
		case isGiven:
			out[i] = value
		case isEntry:
			entry, err := p.entry(stmt.Context, from.index, value)
			if err != nil || entry == nil { // NULL; an entry is refused
				return nil, false
			}
			out[i] = entry
		case isToken:
			sealedAs, done := tokens[from.variable]
			if !done {
				if _, isSealed := value.(sealed); isSealed {
					return nil, false
				}
				var err error
				if sealedAs, err = p.sealAll(stmt.Context, from.column, value); err != nil || len(sealedAs) != from.keys {
					return nil, false
				}
				if tokens == nil {
					tokens = map[int][]any{}
				}
				tokens[from.variable] = sealedAs
			}
			out[i] = sealedAs[from.key]
		default:
			return nil, false
		}
	}
	if len(pl.filters) == 0 {
		return all, true
	}
	filters := make([]filter, len(pl.filters))
	for i, pf := range pl.filters {
		var err error
		indexFor := func(ic *indexColumn) (*blindindex.Index, error) { return p.indexFor(stmt.Context, ic) }
		if filters[i], err = pf.filter(vars, indexFor); err != nil {
			return nil, false
		}
	}
	narrowing.filters = append(narrowing.filters, filters...)
	return all, true
}
