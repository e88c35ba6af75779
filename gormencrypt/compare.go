package gormencrypt

import "strings"

// checkComparison looks at what stands behind "column =".
func (r *rewriter) checkComparison(ref reference) error {
	at := ref.last + 2
	start, end := at, at // the operand without and with its parentheses
	for r.at(start).is("(") && (r.at(start+1).is("(") || r.at(start+1).kind == kindPlaceholder) {
		start++
	}
	end = start
	for n := start - at; n > 0; n-- {
		if end++; !r.at(end).is(")") {
			return ref.c.refuse("it can be compared with an argument only")
		}
	}
	switch t := r.at(start); {
	case t.kind == kindPlaceholder:
		if !r.closes(end + 1) {
			return ref.c.refuse("it can be compared with an argument alone")
		}
		return r.compare(ref, r.tokens[ref.last+1], start, end)
	case r.at(at).is("("):
		return r.checkSubquery(ref, at)
	case t.kind == kindString, t.kind == kindNumber:
		return ref.c.refuse("a literal would be compared with a token; %s", useArgument)
	case t.is("NULL"):
		return ref.c.refuse("= NULL is never true; use IS NULL")
	case t.identifier():
		return r.checkColumn(ref, start)
	}
	return ref.c.refuse("it can be compared with an argument only")
}

// checkReversed looks at what stands before "= column".
func (r *rewriter) checkReversed(ref reference) error {
	at := ref.first - 2
	for _, other := range r.refs { // of two encrypted columns the left one is checked
		if other.last == at {
			return nil
		}
	}
	switch t := r.at(at); {
	case t.kind == kindPlaceholder:
		first := at
		for r.at(first-1).is("(") && r.at(at+1).is(")") {
			first, at = first-1, at+1
		}
		if first != at {
			return ref.c.refuse("write the argument without parentheses")
		}
		if !r.opens(first - 1) {
			return ref.c.refuse("it can be compared with an argument alone")
		}
		return r.compareReversed(ref, at)
	case t.kind == kindString, t.kind == kindNumber:
		return ref.c.refuse("a literal would be compared with a token; %s", useArgument)
	case t.identifier():
		return ref.c.refuse("it is compared with a column that is not encrypted")
	}
	return ref.c.refuse("it can be compared with an argument only")
}

// checkColumn allows the comparison of two columns whose equal values have equal
// tokens.
func (r *rewriter) checkColumn(ref reference, at int) error {
	last := nameEnd(r.tokens, at)
	if last < 0 || !r.closes(last+1) {
		return ref.c.refuse("it can be compared with an argument only")
	}
	other, _ := r.resolve(at, last)
	if other == nil {
		return ref.c.refuse("it is compared with a column that is not encrypted")
	}
	return r.sameTokens(ref, other)
}

func (r *rewriter) sameTokens(ref reference, other *column) error {
	if !ref.c.deterministic || !other.deterministic {
		return ref.c.refuse("equal values of it and of %s have different tokens; %s", other, "declare both deterministic")
	}
	if ref.c.bound() != other.bound() {
		return ref.c.refuse("it and %s have keys of their own (bind), so that equal values have different tokens", other)
	}
	return nil
}

// checkSubquery allows a subquery that selects one column with the same tokens.
// open is its parenthesis.
func (r *rewriter) checkSubquery(ref reference, open int) error {
	if !r.at(open + 1).is("SELECT") {
		return ref.c.refuse("it can be compared with an argument or a subquery only")
	}
	at := open + 2
	if r.at(at).is("DISTINCT") {
		at++
	}
	last := nameEnd(r.tokens, at)
	if last < 0 || !r.at(last+1).is("FROM") && !r.at(last+1).is("AS") {
		return ref.c.refuse("a subquery must select one encrypted column alone")
	}
	f := r.places[at].frame
	if f.close >= len(r.tokens) || !r.closes(f.close+1) || f.setOp != "" {
		return ref.c.refuse("it can be compared with a subquery alone")
	}
	other, _ := r.resolve(at, last)
	if other == nil {
		return ref.c.refuse("a subquery must select one encrypted column alone")
	}
	return r.sameTokens(ref, other)
}

// tokensOf returns the tokens for the variable of a placeholder, or nil if it is
// one already: a subquery is built, and rewritten, before what surrounds it.
func (r *rewriter) tokensOf(ref reference, placeholder int) ([]newValue, error) {
	i := r.varOf[placeholder]
	v := r.vars[i]
	if _, ok := v.(sealed); ok {
		r.unplanned = true
		return nil, nil
	}
	if !ref.sure {
		return nil, ref.c.refuse("%s", notSure)
	}
	if !ref.c.deterministic {
		return nil, ref.c.refuse("%s", ref.c.whyUnanswered())
	}
	if r.uses[i] > 1 {
		return nil, ref.c.refuse("%s", usedTwice)
	}
	tokens, err := r.seal(ref.c, v)
	if err != nil {
		return nil, err
	}
	if len(tokens) == 0 {
		return nil, ref.c.refuse("a comparison with NULL is never true; use IS NULL")
	}
	values := make([]newValue, len(tokens))
	for n, t := range tokens {
		values[n] = newValue{value: t, slot: -1, from: origin{how: isToken, variable: i, column: ref.c, key: n, keys: len(tokens)}}
	}
	values[0].slot = i
	return values, nil
}

// compare answers "column = ?": with several keys, by IN. last is the last token of
// the comparison.
func (r *rewriter) compare(ref reference, operator sqlToken, placeholder, last int) error {
	if answering := ref.c.answering(); answering != nil {
		return r.lookUp(ref, answering, operand{first: ref.first, last: last, placeholders: []int{placeholder}, negated: negates(operator)})
	}
	tokens, err := r.tokensOf(ref, placeholder)
	if err != nil || tokens == nil {
		return err
	}
	if len(tokens) == 1 {
		r.replace(placeholder, tokens)
		return nil
	}
	r.edits = append(r.edits, edit{start: r.tokens[ref.last].end, end: r.tokens[last].end, text: in(operator) + "(" + places(len(tokens)) + ")", values: tokens})
	return nil
}

// compareReversed answers "? = column".
func (r *rewriter) compareReversed(ref reference, placeholder int) error {
	if answering := ref.c.answering(); answering != nil {
		return r.lookUp(ref, answering, operand{first: placeholder, last: ref.last, placeholders: []int{placeholder}, negated: negates(r.tokens[ref.first-1])})
	}
	tokens, err := r.tokensOf(ref, placeholder)
	if err != nil || tokens == nil {
		return err
	}
	if len(tokens) == 1 {
		r.replace(placeholder, tokens)
		return nil
	}
	name := r.sql[r.tokens[ref.first].start:r.tokens[ref.last].end]
	r.edits = append(r.edits, edit{
		start: r.tokens[placeholder].start, end: r.tokens[ref.last].end,
		text:   name + in(r.tokens[ref.first-1]) + "(" + places(len(tokens)) + ")",
		values: tokens,
	})
	return nil
}

func negates(operator sqlToken) bool { return operator.is("<>") || operator.is("!=") }

func in(operator sqlToken) string {
	if negates(operator) {
		return " NOT IN "
	}
	return " IN "
}

// replace puts values in the place of one placeholder.
func (r *rewriter) replace(placeholder int, values []newValue) {
	t := r.tokens[placeholder]
	r.edits = append(r.edits, edit{start: t.start, end: t.end, text: places(len(values)), values: values})
}

func places(n int) string { return strings.TrimSuffix(strings.Repeat("\x00,", n), ",") }
