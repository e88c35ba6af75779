package blindindex

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Values are the entries of a text in a partial index. As a column they are an array
// of PostgreSQL, text[], in the form {entry,entry}: with a GIN index on it, the rows
// that may contain a part are those WHERE grams @> $1, with [Grams.Query]. In other
// databases, store each [Value] as a row of a child table.
//
// The nil Values is NULL; the empty Values is the array without elements.
type Values []Value

var (
	_ driver.Valuer = Values(nil)
	_ sql.Scanner   = (*Values)(nil)
)

// errNotValues says nothing of what was read, for the reason of errNotAValue.
var errNotValues = errors.New("blindindex: not an array of index values, as in {0a1b,2c3d}; make them with Grams.Values or Prefixes.Values")

// Value implements [driver.Valuer]: a string, or nil for the nil Values. An element
// that is empty or not lower-case hexadecimal is an error, so that a plaintext
// converted to this type is not stored.
func (vs Values) Value() (driver.Value, error) {
	if vs == nil {
		return nil, nil
	}
	size := 2
	for _, v := range vs {
		if !v.valid() {
			return nil, errNotValues
		}
		size += len(v) + 1
	}
	out := make([]byte, 0, size) // hexadecimal needs no quotes
	out = append(out, '{')
	for i, v := range vs {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, v...)
	}
	return string(append(out, '}')), nil
}

// Scan implements [sql.Scanner]. It takes string, []byte and nil, and refuses what is
// not an array of one dimension of entries without NULL. On an error *vs is nil.
func (vs *Values) Scan(src any) error {
	*vs = nil
	var text string
	switch s := src.(type) {
	case nil:
		return nil
	case string:
		text = s
	case []byte:
		text = string(s)
	default:
		return fmt.Errorf("blindindex: cannot read a %T into Values; the column must be an array of text", src)
	}
	inner, open := strings.CutPrefix(text, "{")
	inner, closed := strings.CutSuffix(inner, "}")
	if !open || !closed {
		return errNotValues
	}
	read := Values{}
	if inner != "" {
		for entry := range strings.SplitSeq(inner, ",") {
			if !Value(entry).valid() {
				return errNotValues
			}
			read = append(read, Value(entry))
		}
	}
	*vs = read
	return nil
}

// distinct sorts vs and takes repetitions away.
func (vs Values) distinct() Values {
	slices.Sort(vs)
	return slices.Compact(vs)
}
