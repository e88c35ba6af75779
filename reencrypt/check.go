package reencrypt

import (
	"context"
	"database/sql"
	"errors"
)

// A Preflight is what [Check] found out about a table.
type Preflight struct {
	// Key is the primary key, or the unique key without NULL, that the table is read
	// by.
	Key []string
	// Rows is how many rows the database estimates, at least 0.
	Rows int64
	// Triggers that fire when a row is updated. They will fire for every row that is
	// changed.
	Triggers []string
	// Held are columns that the database would change by itself with a row (MySQL's ON
	// UPDATE CURRENT_TIMESTAMP), and that keep their value.
	Held []string
	// Warnings are what a person should know before the run, one sentence each.
	Warnings []string
	// Resumable are the counts of a run of this plan that was stopped; nil if there
	// is none.
	Resumable *Counts
}

// Check looks at everything that can be known before a row is touched: the table and
// its columns, their types and widths, the key to go by, triggers, hidden rows,
// whether this connection may write. What makes the plan impossible is an error that
// wraps [ErrRefused] and names the place and the remedy. It changes nothing.
func Check(ctx context.Context, db *sql.DB, d Dialect, p Plan) (*Preflight, error) {
	return nil, errors.ErrUnsupported
}
