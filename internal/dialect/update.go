package dialect

import (
	"context"
	"fmt"
	"strings"
)

// An Update is what is done to each row of a batch.
type Update struct {
	Table   *Table
	Changes []Change
}

// A Change is what an Update does with one column. Rows hold an old and a new value
// for each, in the same order.
type Change struct {
	Column *Column
	Guard  Guard
	Set    bool // to the row's new value, nil for NULL
}

// A Guard is what a column must hold for the row to be updated.
type Guard int

// The guards.
const (
	Unguarded Guard = iota
	IsOld           // the old value, byte for byte
	IsNull          // NULL
)

// An UpdateRow is one row of a batch.
type UpdateRow struct {
	Key Key
	Old []any // string or []byte where the change is guarded by IsOld
	New []any // string, []byte or nil where it is Set
}

// applySingly runs one prepared statement for each row. guard gives the condition
// that a column holds the value of the placeholder.
func applySingly(ctx context.Context, d Dialect, c Conn, u Update, rows []UpdateRow, guard func(*Column, string) string) (int64, error) {
	t := u.Table
	n := 0
	mark := func() string { n++; return d.Placeholder(n) }
	var set, where []string
	for _, ch := range u.Changes {
		if ch.Set {
			set = append(set, d.Quote(ch.Column.Name)+" = "+mark())
		}
	}
	set = append(set, held(d, t, "")...)
	for _, k := range t.Key {
		where = append(where, fmt.Sprintf(k.order, d.Quote(k.Name))+" = "+fmt.Sprintf(k.bind, mark()))
	}
	for _, ch := range u.Changes {
		switch ch.Guard {
		case IsOld:
			where = append(where, guard(ch.Column, mark()))
		case IsNull:
			where = append(where, d.Quote(ch.Column.Name)+" IS NULL")
		}
	}
	stmt, err := c.PrepareContext(ctx, "UPDATE "+QuoteTable(d, t.Schema, t.Name)+" SET "+
		strings.Join(set, ", ")+" WHERE "+strings.Join(where, " AND "))
	if err != nil {
		return 0, err
	}
	defer stmt.Close()
	var changed int64
	args := make([]any, 0, n)
	for _, r := range rows {
		args = args[:0]
		for i, ch := range u.Changes {
			if ch.Set {
				args = append(args, r.New[i])
			}
		}
		args = append(args, r.Key...)
		for i, ch := range u.Changes {
			if ch.Guard == IsOld {
				args = append(args, r.Old[i])
			}
		}
		res, err := stmt.ExecContext(ctx, args...)
		if err != nil {
			return 0, err
		}
		affected, err := res.RowsAffected()
		if err != nil {
			return 0, err
		}
		changed += affected
	}
	return changed, nil
}

// held returns assignments of columns to themselves, for those that would change by
// themselves.
func held(d Dialect, t *Table, alias string) []string {
	var set []string
	for _, c := range t.Columns {
		if c.Held {
			set = append(set, alias+d.Quote(c.Name)+" = "+alias+d.Quote(c.Name))
		}
	}
	return set
}
