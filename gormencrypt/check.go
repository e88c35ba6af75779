package gormencrypt

// check decides what the statement does with one reference: it is harmless, it
// is answered by an edit, or it is an error.
func (r *rewriter) check(ref reference) error {
	before, after := r.at(ref.first-1), r.at(ref.last+1)
	pl := r.places[ref.first]
	begins := r.opens(ref.first - 1)
	switch {
	case pl.region == regionSet && r.isTarget(ref.first, ref.last):
		return r.assign(ref)
	case pl.region == regionSet && r.isInserted(ref):
		return nil
	case after.is("IS") && begins:
		return r.checkIs(ref)
	case (after.is("ISNULL") || after.is("NOTNULL")) && begins && r.closes(ref.last+2):
		return nil
	case comparison(after) && begins:
		return r.checkComparison(ref)
	case comparison(before) && r.closes(ref.last+1):
		return r.checkReversed(ref)
	case (after.is("IN") || after.is("NOT") && r.at(ref.last+2).is("IN")) && begins:
		return r.checkIn(ref)
	case pl.frame.kind == frameCall:
		return r.checkCall(ref)
	case pl.region == regionUsing:
		return r.checkUsing(ref)
	case pl.region == regionColumns && pl.frame.kind == frameOther, pl.region == regionColumns && pl.frame == r.root:
		return nil
	case pl.region == regionSelect && pl.frame.kind == frameQuery:
		return r.checkSelected(ref)
	case pl.region == regionGroup && pl.frame.kind == frameQuery:
		if !r.listed(ref) {
			return ref.c.refuse("GROUP BY takes the column alone")
		}
		return ref.needDeterministic("GROUP BY compares tokens, which differ for equal values")
	case pl.region == regionOrder:
		return ref.c.refuse("ORDER BY would sort tokens; sort the values after reading them (blindindex.Top)")
	}
	return ref.c.refuse("only =, <>, IN and IS NULL can be answered; this condition cannot; compare the values after reading them (Each), or see docs/search.md for parts of a text")
}

func (ref reference) needDeterministic(why string) error {
	if ref.c.deterministic {
		return nil
	}
	if len(ref.c.indexes) > 0 {
		return ref.c.refuse("%s; use its index column %s", why, ref.c.indexes[0].field.DBName)
	}
	return ref.c.refuse("%s; %s", why, useDeterministic)
}

func comparison(t sqlToken) bool {
	return t.is("=") || t.is("<>") || t.is("!=") || t.is("==")
}

// checkUsing allows JOIN … USING (column) if every table that has the column has
// the same tokens in it.
func (r *rewriter) checkUsing(ref reference) error {
	name := lower(r.tokens[ref.last].text)
	for _, s := range r.places[ref.first].level.sources {
		c, ok := s.columns[name]
		switch {
		case c == nil && (ok || !s.known):
			return ref.c.refuse("USING compares it with a column that is not encrypted")
		case c != nil:
			if err := r.sameTokens(ref, c); err != nil {
				return err
			}
		}
	}
	return nil
}

// listed reports whether the reference stands alone between the commas of a list.
func (r *rewriter) listed(ref reference) bool {
	before := r.at(ref.first - 1)
	begins := before.is(",") || before.is("SELECT") || before.is("DISTINCT") || before.is("ALL") || before.is("BY") ||
		before.is("RETURNING") || ref.first == 0 || before.is(")") && r.places[ref.first].frame.distinct
	return begins && r.closes(ref.last+1)
}

// checkSelected looks at a reference in the list of SELECT.
func (r *rewriter) checkSelected(ref reference) error {
	f := r.places[ref.first].frame
	alone := r.listed(ref)
	if !alone && r.at(ref.last+1).identifier() && r.aliasIs(ref.last+1) { // an alias without AS
		alone = r.listed(reference{first: ref.first, last: ref.last + 1})
	}
	if !alone {
		return ref.c.refuse("it can be selected, but not computed with")
	}
	if ref.distinct || f.distinct {
		if err := ref.needDeterministic("DISTINCT compares tokens, which differ for equal values"); err != nil {
			return err
		}
	}
	if f.parent == nil || f.parent.region == regionFrom || r.at(f.open-1).is("EXISTS") || r.isCTE(f) {
		return nil
	}
	// A subquery for one value: what it is compared with must be such a column.
	i := f.open - 1
	for r.at(i).is("(") {
		i--
	}
	if r.at(i).is("IN") || comparison(r.at(i)) {
		if i--; r.at(i).is("NOT") {
			i--
		}
		for _, other := range r.refs {
			if other.last == i {
				return r.sameTokens(other, ref.c)
			}
		}
	}
	return ref.c.refuse("the subquery gives tokens to something else than a comparison with such a column")
}

func (r *rewriter) aliasIs(i int) bool {
	t := r.at(i)
	return t.kind == kindQuoted || t.kind == kindWord && !notAlias[upper(t.text)]
}

func (r *rewriter) isCTE(f *frame) bool {
	before := r.at(f.open - 1)
	return before.is("AS") || before.is("MATERIALIZED")
}

// checkCall allows COUNT, which reads nothing of the value.
func (r *rewriter) checkCall(ref reference) error {
	f := r.places[ref.first].frame
	first := ref.first
	if ref.distinct {
		first--
	}
	if f.call != "COUNT" || f.open != first-1 || f.close != ref.last+1 {
		return ref.c.refuse("the function %s would see a token; compute in the program", f.call)
	}
	if ref.distinct {
		return ref.needDeterministic("COUNT(DISTINCT) compares tokens, which differ for equal values")
	}
	return nil
}

// checkIs allows IS NULL and IS NOT NULL.
func (r *rewriter) checkIs(ref reference) error {
	what := ref.last + 2
	if r.at(what).is("NOT") {
		what++
	}
	if !r.at(what).is("NULL") || !r.closes(what+1) {
		return ref.c.refuse("IS works with NULL only")
	}
	return nil
}

// checkIn looks at the list of IN or NOT IN.
func (r *rewriter) checkIn(ref reference) error {
	at := ref.last + 2
	if r.at(ref.last + 1).is("NOT") {
		at++
	}
	if !r.at(at).is("(") {
		return ref.c.refuse("IN takes a list of arguments or a subquery")
	}
	if r.at(at + 1).is("SELECT") {
		return r.checkSubquery(ref, at)
	}
	answering := ref.c.answering()
	o := operand{first: ref.first, negated: r.at(ref.last + 1).is("NOT"), list: true}
	for i, comma := at+1, false; i < len(r.tokens); i, comma = i+1, !comma {
		switch t := r.tokens[i]; {
		case comma && t.is(","):
		case comma && t.is(")"):
			if !r.closes(i + 1) {
				return ref.c.refuse("IN must stand alone")
			}
			if o.last = i; len(o.placeholders) > 0 {
				return r.lookUp(ref, answering, o)
			}
			return nil
		case comma:
			return ref.c.refuse("IN takes a list of arguments or a subquery")
		case t.kind == kindPlaceholder && answering != nil:
			o.placeholders = append(o.placeholders, i)
		case t.kind == kindPlaceholder:
			tokens, err := r.tokensOf(ref, i)
			if err != nil {
				return err
			}
			if tokens != nil {
				r.replace(i, tokens)
			}
		case t.is("NULL"): // GORM writes an empty list as (NULL)
			o.null = true
		case t.kind == kindString, t.kind == kindNumber:
			return ref.c.refuse("a literal would be compared with a token; %s", useArgument)
		default:
			return ref.c.refuse("IN takes a list of arguments or a subquery")
		}
	}
	return ref.c.refuse("the list of IN does not end")
}

// checkPositions refuses ORDER BY 2 and GROUP BY 2 where 2 may be an encrypted
// column.
func (r *rewriter) checkPositions() error {
	for i, t := range r.tokens {
		pl := r.places[i]
		before := r.at(i - 1)
		if t.kind != kindNumber || pl.frame.kind != frameQuery || t.start < r.from ||
			pl.region != regionOrder && pl.region != regionGroup || !before.is("BY") && !before.is(",") {
			continue
		}
		for j, other := range r.tokens {
			if r.places[j].frame != pl.frame || r.places[j].region != regionSelect {
				continue
			}
			if other.is("*") {
				if c, _, _ := pl.level.union(); c.any() != nil {
					return c.any().refuse("ORDER BY or GROUP BY a position may mean it; name the columns")
				}
			}
			for _, ref := range r.refs {
				if ref.name == j {
					return ref.c.refuse("ORDER BY or GROUP BY a position may mean it; name the columns")
				}
			}
		}
	}
	return nil
}

// checkSetOperations allows UNION ALL, and with deterministic columns UNION and
// the like, of queries that select the same columns in the same places.
func (r *rewriter) checkSetOperations() error {
	type slot struct {
		f             *frame
		arm, position int
	}
	selected := map[slot]reference{}
	for _, ref := range r.refs {
		pl := r.places[ref.first]
		if pl.region == regionSelect && pl.frame.setOp != "" && pl.frame.kind == frameQuery {
			selected[slot{pl.frame, pl.arm, pl.position}] = ref
		}
	}
	for at, ref := range selected {
		for arm := range at.f.arm + 1 {
			other, ok := selected[slot{at.f, arm, at.position}]
			if !ok {
				return ref.c.refuse("a set operation puts it and something else into one column")
			}
			if at.f.setOp != "UNION ALL" {
				if err := r.sameTokens(ref, other.c); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
