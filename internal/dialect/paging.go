package dialect

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// A Page is a request for rows in the order of the key.
type Page struct {
	Columns []string // beside the key
	After   Key      // the key before the first row; nil begins at the start
	Upto    Key      // the last key; nil goes to the end
	Limit   int
}

// Read calls visit for each row of the page with its key and its values, string,
// []byte or nil and in SQLite numbers too, which visit may keep. If visit returns
// false the page ends there.
func Read(ctx context.Context, d Dialect, c Conn, t *Table, p Page, visit func(Key, []any) bool) error {
	var exprs []string
	for _, k := range t.Key {
		exprs = append(exprs, fmt.Sprintf(k.read, qualified(d, k.Name)))
	}
	for _, name := range p.Columns {
		exprs = append(exprs, columnExpr(d, name))
	}
	q, args := query(d, t, exprs, p.After, p.Upto)
	q += " ORDER BY " + strings.Join(t.order(d, ""), ", ") + fmt.Sprintf(" LIMIT %d", p.Limit)

	rows, err := c.QueryContext(ctx, q, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	cells := make([]any, len(exprs))
	into := make([]any, len(exprs))
	for i := range cells {
		into[i] = &cells[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		key := make(Key, len(t.Key))
		for i := range key {
			if key[i], err = part(d, cells[i]); err != nil {
				return err
			}
		}
		values := make([]any, len(p.Columns))
		copy(values, cells[len(key):])
		if !visit(key, values) {
			break
		}
	}
	return rows.Err()
}

// Boundary returns the key of the n-th row after the key after, counted from 1, or
// nil if there are fewer.
func Boundary(ctx context.Context, d Dialect, c Conn, t *Table, after Key, n int) (Key, error) {
	return edge(ctx, d, c, t, after, "", fmt.Sprintf(" LIMIT 1 OFFSET %d", n-1))
}

// Last returns the greatest key that is greater than after, or nil.
func Last(ctx context.Context, d Dialect, c Conn, t *Table, after Key) (Key, error) {
	return edge(ctx, d, c, t, after, " DESC", " LIMIT 1")
}

func edge(ctx context.Context, d Dialect, c Conn, t *Table, after Key, direction, limit string) (Key, error) {
	var exprs []string
	for _, k := range t.Key {
		exprs = append(exprs, fmt.Sprintf(k.read, qualified(d, k.Name)))
	}
	q, args := query(d, t, exprs, after, nil)
	q += " ORDER BY " + strings.Join(t.order(d, direction), ", ") + limit
	cells := make([]any, len(exprs))
	into := make([]any, len(exprs))
	for i := range cells {
		into[i] = &cells[i]
	}
	err := c.QueryRowContext(ctx, q, args...).Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	key := make(Key, len(cells))
	for i := range key {
		if key[i], err = part(d, cells[i]); err != nil {
			return nil, err
		}
	}
	return key, nil
}

// qualified names a column with its table. ORDER BY "id" would mean the result column
// of that name, which holds a text, and sort 10 before 9.
func qualified(d Dialect, name string) string { return "t." + d.Quote(name) }

// columnExpr reads a column of values. In SQLite the plus, which does nothing, takes
// the declared type away, by which drivers would convert.
func columnExpr(d Dialect, name string) string {
	if _, ok := d.(sqlite); ok {
		return "+" + qualified(d, name)
	}
	return qualified(d, name)
}

func (t *Table) order(d Dialect, direction string) []string {
	exprs := make([]string, len(t.Key))
	for i, k := range t.Key {
		exprs[i] = fmt.Sprintf(k.order, qualified(d, k.Name)) + direction
	}
	return exprs
}

// query returns SELECT … FROM … WHERE the key is in the range, without an order.
func query(d Dialect, t *Table, exprs []string, after, upto Key) (string, []any) {
	b := &builder{d: d}
	var conds []string
	if after != nil {
		conds = append(conds, b.compare(t, after, ">", ">"))
	}
	if upto != nil {
		conds = append(conds, b.compare(t, upto, "<", "<="))
	}
	q := "SELECT " + strings.Join(exprs, ", ") + " FROM " + QuoteTable(d, t.Schema, t.Name) + " AS t"
	if conds != nil {
		q += " WHERE " + strings.Join(conds, " AND ")
	}
	return q, b.args
}

// A builder collects arguments in the order of their placeholders.
type builder struct {
	d    Dialect
	args []any
}

func (b *builder) arg(v any) string {
	b.args = append(b.args, v)
	return b.d.Placeholder(len(b.args))
}

// compare returns the condition that the key is beyond k: strict is > or <, last the
// operator for the last column. Where tuples are not compared by the index, it is
// (a, b) > (x, y) written out, with a first condition that gives the index a range.
func (b *builder) compare(t *Table, k Key, strict, last string) string {
	column := func(i int) string { return fmt.Sprintf(t.Key[i].order, qualified(b.d, t.Key[i].Name)) }
	bound := func(i int) string { return fmt.Sprintf(t.Key[i].bind, b.arg(k[i])) }
	n := len(t.Key)
	if n == 1 {
		return column(0) + " " + last + " " + bound(0)
	}
	if b.d.tuples() {
		var left, right []string
		for i := range n {
			left, right = append(left, column(i)), append(right, bound(i))
		}
		return "(" + strings.Join(left, ", ") + ") " + last + " (" + strings.Join(right, ", ") + ")"
	}
	first := column(0) + " " + strict + "= " + bound(0)
	var alternatives []string
	for i := range n {
		var all []string
		for j := range i {
			all = append(all, column(j)+" = "+bound(j))
		}
		op := strict
		if i == n-1 {
			op = last
		}
		all = append(all, column(i)+" "+op+" "+bound(i))
		alternatives = append(alternatives, "("+strings.Join(all, " AND ")+")")
	}
	return first + " AND (" + strings.Join(alternatives, " OR ") + ")"
}
