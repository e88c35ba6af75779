package gormencrypt

import "strings"

func upper(s string) string { return strings.ToUpper(s) }

func words(list string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(list) {
		set[w] = true
	}
	return set
}

var (
	// notCall are the words after which an opening parenthesis is not a call.
	notCall = words(`AND OR NOT XOR WHERE ON HAVING SELECT BY WHEN THEN ELSE CASE BETWEEN LIKE ILIKE SET
		RETURNING IN ANY ALL SOME EXISTS DISTINCT FROM JOIN LATERAL UNION EXCEPT INTERSECT MINUS IS AS USING
		VALUES VALUE LIMIT OFFSET FILTER OVER ESCAPE SIMILAR TO REGEXP RLIKE GLOB MATCH END NULL TRUE FALSE ONLY`)

	// notAlias are the words behind a table or a column that are not its alias.
	notAlias = words(`WHERE ON USING JOIN INNER LEFT RIGHT FULL OUTER CROSS NATURAL STRAIGHT_JOIN SET VALUES VALUE
		SELECT FROM GROUP ORDER HAVING LIMIT OFFSET FETCH FOR UNION EXCEPT INTERSECT MINUS WINDOW RETURNING
		DEFAULT FORCE USE IGNORE PARTITION TABLESAMPLE INDEXED NOT AND OR XOR IS IN LIKE ILIKE BETWEEN COLLATE
		ISNULL NOTNULL ASC DESC NULLS THEN ELSE END WHEN DIV MOD REGEXP RLIKE GLOB MATCH SIMILAR OVERRIDING
		INTO LOCK AT ESCAPE DO`)

	// reserved are the words that all databases take for a column only in quotes.
	reserved = words(`SELECT FROM WHERE GROUP ORDER HAVING LIMIT UNION INTO TABLE TO AS ON AND OR NOT IN IS NULL DISTINCT
		CASE WHEN THEN ELSE`)

	// opens are the words and symbols behind which an operand may begin.
	opens = words(`WHERE AND OR XOR NOT ON HAVING WHEN THEN ELSE SELECT BY RETURNING ( , ALL DISTINCT`)

	// closes are the words and symbols before which an operand ends.
	closes = words(`AND OR XOR ) , THEN ELSE END WHEN GROUP ORDER LIMIT OFFSET FETCH HAVING WHERE UNION EXCEPT
		INTERSECT MINUS FOR RETURNING ON JOIN LEFT RIGHT INNER OUTER CROSS FULL NATURAL STRAIGHT_JOIN SET ; AS WINDOW
		FROM DO LOCK ASC DESC NULLS INTO`)
)

// reserved reports whether a name is none, but a keyword.
func (r *rewriter) reserved(first, last int) bool {
	return first == last && r.tokens[first].kind == kindWord && reserved[upper(r.tokens[first].text)]
}

// opens reports whether an operand may begin behind the token at i, which may be
// before the first.
func (r *rewriter) opens(i int) bool {
	if i < 0 {
		return true
	}
	t := r.tokens[i]
	return (t.kind == kindWord || t.kind == kindSymbol) && opens[upper(t.text)] && !r.places[i].betweenAnd || t.is(";")
}

// closes reports whether an operand ends before the token at i, which may be
// behind the last.
func (r *rewriter) closes(i int) bool {
	if i >= len(r.tokens) {
		return true
	}
	t := r.tokens[i]
	return (t.kind == kindWord || t.kind == kindSymbol) && closes[upper(t.text)]
}
