package dialect

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Apply is one statement over a JSON document of the rows, which the server reads as
// a table.
func (d mysql) Apply(ctx context.Context, c Conn, u Update, rows []UpdateRow) (int64, error) {
	if !representable(rows) {
		return applySingly(ctx, d, c, u, rows, d.guard)
	}
	var columns, set, where []string
	column := func(name string) {
		columns = append(columns, fmt.Sprintf("%s LONGTEXT PATH '$[%d]'", name, len(columns)))
	}
	for i, k := range u.Table.Key {
		name := "k" + strconv.Itoa(i)
		column(name)
		where = append(where, fmt.Sprintf(k.order, "t."+d.Quote(k.Name))+" = "+fmt.Sprintf(k.bind, "u."+name))
	}
	for i, ch := range u.Changes {
		quoted := "t." + d.Quote(ch.Column.Name)
		switch name := "o" + strconv.Itoa(i); ch.Guard {
		case IsOld:
			column(name)
			if ch.Column.Kind == Bytes {
				where = append(where, quoted+" = FROM_BASE64(u."+name+")")
			} else {
				where = append(where, bytesEqual(quoted, "u."+name, ch.Column))
			}
		case IsNull:
			where = append(where, quoted+" IS NULL")
		}
		if name := "n" + strconv.Itoa(i); ch.Set {
			column(name)
			value := "u." + name
			if ch.Column.Kind == Bytes {
				value = "FROM_BASE64(u." + name + ")"
			}
			set = append(set, quoted+" = "+value)
		}
	}
	set = append(set, held(d, u.Table, "t.")...)
	// The order of the join is fixed: the rows of the document, each found by key.
	res, err := c.ExecContext(ctx, "UPDATE JSON_TABLE(?, '$[*]' COLUMNS ("+strings.Join(columns, ", ")+")) AS u STRAIGHT_JOIN "+
		QuoteTable(d, u.Table.Schema, u.Table.Name)+" AS t ON "+strings.Join(where, " AND ")+
		" SET "+strings.Join(set, ", "), document(u, rows))
	if e := Clean(d, err); e != nil && e.Class == Permanent && !e.Refused && e.context == nil {
		// A server without JSON_TABLE. A statement that fails leaves its transaction.
		return applySingly(ctx, d, c, u, rows, d.guard)
	}
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// guard is the condition of applySingly.
func (d mysql) guard(c *Column, mark string) string {
	if c.Kind == Bytes {
		return d.Quote(c.Name) + " = " + mark
	}
	return bytesEqual(d.Quote(c.Name), mark, c)
}

// bytesEqual compares a text column by its bytes: collations ignore case, accents
// and, _bin too, spaces at the end. What the client sent is put into the column's
// character set first.
func bytesEqual(column, value string, c *Column) string {
	return "CAST(" + column + " AS BINARY) = CAST(CONVERT(" + value + " USING " + c.charset + ") AS BINARY)"
}

// representable reports whether JSON can hold all texts of the rows. A text that is
// not UTF-8 comes out of a connection in another character set.
func representable(rows []UpdateRow) bool {
	for _, r := range rows {
		for _, values := range [][]any{r.Key, r.Old, r.New} {
			for _, v := range values {
				if s, ok := v.(string); ok && !utf8.ValidString(s) {
					return false
				}
			}
		}
	}
	return true
}

// document is an array of an array for each row, with values in the order of the
// columns; binary ones in base64, because JSON is text.
func document(u Update, rows []UpdateRow) string {
	b := []byte{'['}
	for i, r := range rows {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '[')
		for _, part := range r.Key {
			b = append(appendJSON(b, Text, part), ',')
		}
		for j, ch := range u.Changes {
			if ch.Guard == IsOld {
				b = append(appendJSON(b, ch.Column.Kind, r.Old[j]), ',')
			}
			if ch.Set {
				b = append(appendJSON(b, ch.Column.Kind, r.New[j]), ',')
			}
		}
		b[len(b)-1] = ']' // over the last comma
	}
	return string(append(b, ']'))
}

func appendJSON(b []byte, kind Kind, v any) []byte {
	var s string
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case string:
		s = v
	case []byte:
		s = string(v)
	default:
		s = fmt.Sprint(v)
	}
	if kind == Bytes {
		b = append(b, '"')
		b = base64.StdEncoding.AppendEncode(b, []byte(s))
		return append(b, '"')
	}
	if plain(s) {
		return append(append(append(b, '"'), s...), '"')
	}
	quoted, _ := json.Marshal(s) // a string has no error
	return append(b, quoted...)
}

// plain reports whether s needs no escapes in JSON, as no token and few keys do.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
