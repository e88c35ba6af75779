package reencrypt

import (
	"context"
	"database/sql"
	"errors"
)

// StateTable is the table that holds checkpoints, in the schema of the plan's table.
// [Run] creates it if it is not there; [StateTableSQL] is the statement, for users who
// may not create tables. Rows of runs that ended are deleted; an empty table may be
// dropped.
const StateTable = "fernetcol_reencrypt"

// StateTableSQL returns the statement that creates [StateTable].
func StateTableSQL(d Dialect, schema string) (string, error) { return "", errors.ErrUnsupported }

// Run brings the table to what the plan says, while others keep writing to it, and
// proves it with a census. It is safe to stop at any instant and to call again, also
// while another call for the same plan runs.
//
// When ctx ends, the batches under way are finished, and the error wraps [ErrStopped]
// and the context's error. A nil error means that the census found nothing that the
// plan would change, and nothing unreadable; see [ErrRefused], [ErrNothing],
// [ErrUnreadable] and [ErrNotComplete] for the others. The Result is never nil.
//
// Run takes [Options.Workers] connections of db at once and no others while it holds
// one.
func Run(ctx context.Context, db *sql.DB, d Dialect, p Plan, o Options) (*Result, error) {
	return &Result{}, errors.ErrUnsupported
}
