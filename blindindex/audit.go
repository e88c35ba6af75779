package blindindex

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// A Querier is what [Audit] reads a column by: a *[sql.DB], *[sql.Tx] or
// *[sql.Conn].
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Audit measures what a real index column gives away to whoever reads it, without
// its key. It works on PostgreSQL, SQLite, MySQL and MariaDB, and on any column: one
// of a [Grams] or [Prefixes] child table, or one with deterministic tokens.
//
// table may have a schema before a point. The names are quoted, and so taken as they
// are written. The database counts, in one statement that reads the whole column;
// what comes back grows at most with the square root of the table. An error names
// the table and the column.
func Audit(ctx context.Context, db Querier, table, column string) (*Leakage, error) {
	fail := func(err error) (*Leakage, error) {
		return nil, fmt.Errorf("blindindex: cannot audit column %q of table %q: %w", column, table, err)
	}
	if err := checkNames(table, column); err != nil {
		return fail(err)
	}
	mark, err := quotationMark(ctx, db)
	if err != nil {
		return fail(err)
	}
	h, err := histogram(ctx, db, auditQuery(table, column, mark))
	if err != nil {
		return fail(err)
	}
	return Measure(h.groups, h.nulls), nil
}

func checkNames(table, column string) error {
	for name := range strings.SplitSeq(table+"."+column, ".") {
		if name == "" || !utf8.ValidString(name) || strings.ContainsRune(name, 0) {
			return errNames
		}
	}
	if strings.Contains(column, ".") {
		return errNames
	}
	return nil
}

var errNames = errors.New("the names must not be empty or have control characters; a point may stand between a schema and its table only")

// quotationMark asks the database whether it is a MySQL, which executes such a
// comment, and which takes double quotes for those of a text.
func quotationMark(ctx context.Context, db Querier) (string, error) {
	rows, err := db.QueryContext(ctx, "SELECT 1 /*! + 1 */")
	if err != nil {
		return "", err
	}
	defer rows.Close()
	var n int
	for rows.Next() {
		if err := rows.Scan(&n); err != nil {
			return "", err
		}
	}
	if n == 2 {
		return "`", rows.Err()
	}
	return `"`, rows.Err()
}

// auditQuery returns the histogram of group sizes. The group of NULL is the one with
// rows and without filled ones. The column is qualified because SQLite takes a lone
// "name" that no column has for a text.
func auditQuery(table, column, mark string) string {
	quote := func(name string) string {
		return mark + strings.ReplaceAll(name, mark, mark+mark) + mark
	}
	var path []string
	for name := range strings.SplitSeq(table, ".") {
		path = append(path, quote(name))
	}
	c := "audited." + quote(column)
	return "SELECT members, filled, COUNT(*) FROM (" +
		"SELECT COUNT(*) AS members, COUNT(" + c + ") AS filled" +
		" FROM " + strings.Join(path, ".") + " AS audited GROUP BY " + c +
		") AS grouped GROUP BY members, filled"
}

// counted is what auditQuery finds.
type counted struct {
	groups []Group
	nulls  int64
}

func histogram(ctx context.Context, db Querier, query string) (counted, error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return counted{}, err
	}
	defer rows.Close()
	var h counted
	for rows.Next() {
		var members, filled, groups int64
		if err := rows.Scan(&members, &filled, &groups); err != nil {
			return counted{}, err
		}
		if filled == 0 {
			h.nulls += members
		} else {
			h.groups = append(h.groups, Group{Size: members, Count: groups})
		}
	}
	return h, rows.Err()
}
