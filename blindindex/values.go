package blindindex

import (
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
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

// Scan implements [sql.Scanner]. It takes string, []byte and nil, the text form of an
// array and the binary one, in which pgx without database/sql reads it. It refuses
// what is not an array of one dimension of entries without NULL. On an error *vs is
// nil.
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
	parse := parseArray
	if strings.HasPrefix(text, "\x00") { // the number of dimensions, 0 or 1
		parse = parseBinaryArray
	}
	read, ok := parse(text)
	if !ok {
		return errNotValues
	}
	*vs = read
	return nil
}

// parseArray reads {entry,entry}.
func parseArray(text string) (Values, bool) {
	inner, open := strings.CutPrefix(text, "{")
	inner, closed := strings.CutSuffix(inner, "}")
	if !open || !closed {
		return nil, false
	}
	read := Values{}
	if inner == "" {
		return read, true
	}
	for entry := range strings.SplitSeq(inner, ",") {
		if !Value(entry).valid() {
			return nil, false
		}
		read = append(read, Value(entry))
	}
	return read, true
}

// parseBinaryArray reads what array_send of PostgreSQL writes, in 32-bit numbers: the
// dimensions, whether there is a NULL, the type of the elements; for a dimension its
// length and its first index; for an element its length and its bytes.
func parseBinaryArray(text string) (Values, bool) {
	next := func() (n int32, ok bool) {
		if len(text) < 4 {
			return 0, false
		}
		n = int32(binary.BigEndian.Uint32([]byte(text[:4])))
		text = text[4:]
		return n, true
	}
	dimensions, _ := next()
	null, _ := next()
	if _, ok := next(); !ok || null != 0 {
		return nil, false
	}
	if dimensions == 0 {
		return Values{}, text == ""
	}
	length, _ := next()
	if _, ok := next(); !ok || dimensions != 1 {
		return nil, false
	}
	read := Values{}
	for range length {
		n, ok := next()
		if !ok || n < 1 || int(n) > len(text) || !Value(text[:n]).valid() {
			return nil, false
		}
		read = append(read, Value(text[:n]))
		text = text[n:]
	}
	return read, text == "" && length > 0
}

// distinct sorts vs and takes repetitions away.
func (vs Values) distinct() Values {
	slices.Sort(vs)
	return slices.Compact(vs)
}
