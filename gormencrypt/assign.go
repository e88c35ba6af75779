package gormencrypt

// isTarget reports whether a name is what SET sets.
func (r *rewriter) isTarget(first, last int) bool {
	before := r.at(first - 1)
	return r.places[first].frame.kind == frameQuery && r.at(last+1).is("=") &&
		(before.is("SET") || before.is(",") || before.is("UPDATE"))
}

// assign seals the argument that SQL sets a column to: SET column = ?.
func (r *rewriter) assign(ref reference) error {
	at := ref.last + 2
	switch t := r.at(at); {
	case (t.is("NULL") || t.is("DEFAULT")) && r.closes(at+1):
		return r.alsoSet(ref, at, nil, func(*indexColumn) string { return "NULL" })
	case t.kind == kindPlaceholder && r.closes(at+1):
		i := r.varOf[at]
		value := r.look(i)
		if _, done := value.(sealed); done {
			return nil
		}
		if r.uses[i] > 1 {
			return ref.c.refuse("%s", usedTwice)
		}
		v, err := r.sealOne(ref.c, value)
		if err != nil {
			return err
		}
		r.replace(at, []newValue{{value: v, slot: i}})
		return r.alsoSet(ref, at, value, nil)
	case t.is("VALUES"): // MySQL's name for the row of the INSERT
		if last := nameEnd(r.tokens, at+2); last >= 0 && r.at(at+1).is("(") && r.at(last+1).is(")") && r.closes(last+2) && r.sameColumn(ref.c, at+2, last) {
			return r.alsoSet(ref, last+1, nil, func(ic *indexColumn) string {
				return r.sql[t.start:r.tokens[last].start] + r.p.quote(ic.field.DBName) + ")"
			})
		}
	case t.identifier():
		if last := nameEnd(r.tokens, at); r.closes(last+1) && r.sameColumn(ref.c, at, last) {
			return r.alsoSet(ref, last, nil, func(ic *indexColumn) string {
				return r.sql[t.start:r.tokens[last].start] + r.p.quote(ic.field.DBName)
			})
		}
	}
	return ref.c.refuse("it is set to something else than an argument; %s", useArgument)
}

// alsoSet makes raw SQL that sets a column set its indexes too. at is the last token
// of the assignment; the entries are those of value, or what right says.
func (r *rewriter) alsoSet(ref reference, at int, value any, right func(*indexColumn) string) error {
	if !r.raw || len(ref.c.indexes) == 0 {
		return nil // what GORM builds has them already
	}
	text, values, err := r.indexAssignments(ref, value, right)
	if err != nil {
		return err
	}
	end := r.tokens[at].end
	r.edits = append(r.edits, edit{start: end, end: end, text: text, values: values})
	return nil
}

// sameColumn reports whether a name means the column c itself, in the row that is
// or in the one that was to be inserted.
func (r *rewriter) sameColumn(c *column, first, last int) bool {
	other, _ := r.lookup(first, last)
	return other == c
}

// isInserted reports whether the reference is the right side of an assignment
// that assign has allowed.
func (r *rewriter) isInserted(ref reference) bool {
	at := ref.name - 1
	if r.at(at).is("(") && r.at(at-1).is("VALUES") {
		at -= 2
	}
	if !r.at(at).is("=") {
		return false
	}
	last := at - 1
	first := last
	for r.at(first - 1).is(".") {
		first -= 2
	}
	return first >= 0 && r.places[first].region == regionSet && r.isTarget(first, last) && r.sameColumn(ref.c, first, last)
}

// checkTargets refuses the targets of writes that are not names to the lexer:
// SQLite takes 'email' for a column in SET and INSERT INTO.
func (r *rewriter) checkTargets() error {
	for i, t := range r.tokens {
		region := r.places[i].region
		if t.kind != kindString || region != regionColumns && (region != regionSet || !r.isTarget(i, i)) {
			continue
		}
		if c := r.involved(); c != nil {
			return c.refuse("a column is named in quotes that are those of a literal")
		}
	}
	return nil
}
