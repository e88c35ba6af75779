package reencrypt

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/fernetcol/fernetcol/internal/dialect"
)

// StateTable is the table that holds checkpoints, in the schema of the plan's table.
// [Run] creates it if it is not there; [StateTableSQL] is the statement, for users who
// may not create tables. Rows of runs that ended are deleted; an empty table may be
// dropped.
const StateTable = "fernetcol_reencrypt"

// errTakenOver says that another call has what this one thought it had. Nothing was
// written.
var errTakenOver = errors.New("reencrypt: taken over by another run")

// The state of a run is a row for the job, in slot 0, and a row for each range of
// keys that was handed out in this pass. version goes up with every commit and is
// compared by each, which is what keeps a run that was frozen from writing: its
// version is an old one.
//
// owner is the call that works on a range; beat, by the database's clock, is when it
// last showed life.

const stateColumns = `(job varchar(64) NOT NULL, slot bigint NOT NULL, version bigint NOT NULL,
	done int NOT NULL, owner varchar(64) NOT NULL, beat bigint NOT NULL, state text NOT NULL, PRIMARY KEY (job, slot))`

// jobSlot is the row of the job itself.
const jobSlot = 0

// StateTableSQL returns the statement that creates [StateTable]. schema may be "".
func StateTableSQL(d Dialect, schema string) (string, error) {
	dl, err := dialect.For(string(d))
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return "CREATE TABLE IF NOT EXISTS " + dialect.QuoteTable(dl, schema, StateTable) + " " + stateColumns + dl.TableOptions(), nil
}

// progressState is the state of the job's row.
type progressState struct {
	Pass      int         `json:"pass"`
	Next      int64       `json:"next"`     // the number of the next range
	Frontier  dialect.Key `json:"frontier"` // where it begins
	Exhausted bool        `json:"exhausted"`
}

// rangeState is the state of a range.
type rangeState struct {
	After  dialect.Key `json:"after"` // the last key that is done
	Upto   dialect.Key `json:"upto"`  // the last of the range
	Counts Counts      `json:"counts"`
}

// A slot is a row of the state table as this call knows it.
type slot struct {
	n       int64
	version int64
	owner   string
	done    bool
	state   rangeState
}

// A jobRow is the row of the job.
type jobRow struct {
	version int64
	state   progressState
}

// A store reads and writes the state of one job. Each write says whether it was the
// first since the version was read.
type store struct{ j *job }

// marked puts the table in place of the first %s, and n placeholders in place of the
// others.
func (st store) marked(format string, n int) string {
	args := []any{st.j.state}
	for i := range n {
		args = append(args, st.j.d.Placeholder(i+1))
	}
	return fmt.Sprintf(format, args...)
}

// create makes the table if it is not there.
func (st store) create(ctx context.Context, c dialect.Conn) error {
	there, err := st.j.d.HasTable(ctx, c, st.j.table, StateTable)
	if err != nil || there {
		return err
	}
	q, err := StateTableSQL(st.j.name, st.j.table.Schema)
	if err != nil {
		return err
	}
	if _, err = c.ExecContext(ctx, q); err == nil {
		return nil
	}
	// Two calls at once: PostgreSQL lets one of them fail.
	if there, again := st.j.d.HasTable(ctx, c, st.j.table, StateTable); again == nil && there {
		return nil
	}
	return err
}

// job returns the row of the job, or nil.
func (st store) job(ctx context.Context, c dialect.Conn) (*jobRow, error) {
	var row jobRow
	var text string
	err := c.QueryRowContext(ctx, st.marked("SELECT version, state FROM %s WHERE job = %s AND slot = %s", 2), st.j.id, jobSlot).
		Scan(&row.version, &text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &row, json.Unmarshal([]byte(text), &row.state)
}

// begin inserts the row of a new job. Somebody else may have done so meanwhile, which
// is an error of the database here and good all the same.
func (st store) begin(ctx context.Context, c dialect.Conn) error {
	return st.insert(ctx, c, jobSlot, "", progressState{Pass: 1, Next: jobSlot + 1})
}

func (st store) insert(ctx context.Context, c dialect.Conn, n int64, owner string, state any) error {
	text, err := json.Marshal(state)
	if err != nil {
		return err
	}
	q := st.marked("INSERT INTO %s (job, slot, version, done, owner, beat, state) VALUES (%s, %s, 1, 0, %s, "+st.j.d.Now()+", %s)", 4)
	_, err = c.ExecContext(ctx, q, st.j.id, n, owner, string(text))
	return err
}

// setJob writes the row of the job and takes its version one up.
func (st store) setJob(ctx context.Context, c dialect.Conn, row *jobRow, state progressState) error {
	text, err := json.Marshal(state)
	if err != nil {
		return err
	}
	return st.fenced(c.ExecContext(ctx, st.marked(
		"UPDATE %s SET state = %s, version = version + 1 WHERE job = %s AND slot = %s AND version = %s", 4),
		string(text), st.j.id, jobSlot, row.version))
}

// fenced turns an update of no row into errTakenOver.
func (st store) fenced(res sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		return errTakenOver
	}
	return err
}

// clear deletes the ranges, and the row of the job too if all is set.
func (st store) clear(ctx context.Context, c dialect.Conn, all bool) error {
	from := jobSlot + 1
	if all {
		from = jobSlot
	}
	_, err := c.ExecContext(ctx, st.marked("DELETE FROM %s WHERE job = %s AND slot >= %s", 2), st.j.id, from)
	return err
}

// open returns the ranges that are not done and may be taken, and how many may not.
// isFree decides, by the owner of a range and the milliseconds since it showed life.
func (st store) open(ctx context.Context, c dialect.Conn, isFree func(s *slot, age int64) bool) (free []slot, held int, err error) {
	rows, err := c.QueryContext(ctx, st.marked("SELECT slot, version, owner, state, "+st.j.d.Now()+
		" - beat FROM %s WHERE job = %s AND slot > %s AND done = 0 ORDER BY slot", 2), st.j.id, jobSlot)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var s slot
		var text string
		var age int64
		if err := rows.Scan(&s.n, &s.version, &s.owner, &text, &age); err != nil {
			return nil, 0, err
		}
		if !isFree(&s, age) {
			held++
			continue
		}
		if err := json.Unmarshal([]byte(text), &s.state); err != nil {
			return nil, 0, err
		}
		free = append(free, s)
	}
	return free, held, rows.Err()
}

// take makes owner the owner of a range.
func (st store) take(ctx context.Context, c dialect.Conn, s *slot, owner string) error {
	return st.fenced(c.ExecContext(ctx, st.marked("UPDATE %s SET owner = %s, version = version + 1, beat = "+st.j.d.Now()+
		" WHERE job = %s AND slot = %s AND version = %s", 4), owner, st.j.id, s.n, s.version))
}

// advance writes the state of a range.
func (st store) advance(ctx context.Context, c dialect.Conn, s *slot, state rangeState, done bool) error {
	text, err := json.Marshal(state)
	if err != nil {
		return err
	}
	flag := 0
	if done {
		flag = 1
	}
	return st.fenced(c.ExecContext(ctx, st.marked("UPDATE %s SET state = %s, done = %s, version = version + 1, beat = "+st.j.d.Now()+
		" WHERE job = %s AND slot = %s AND version = %s", 5), string(text), flag, st.j.id, s.n, s.version))
}

// beat shows life.
func (st store) beat(ctx context.Context, c dialect.Conn, s *slot) error {
	_, err := c.ExecContext(ctx, st.marked("UPDATE %s SET beat = "+st.j.d.Now()+
		" WHERE job = %s AND slot = %s AND version = %s", 3), st.j.id, s.n, s.version)
	return err
}

// release gives a range back, for anybody to take at once.
func (st store) release(ctx context.Context, c dialect.Conn, s *slot) error {
	_, err := c.ExecContext(ctx, st.marked("UPDATE %s SET owner = '' WHERE job = %s AND slot = %s AND version = %s", 3),
		st.j.id, s.n, s.version)
	return err
}

// reload reads a range again; nil if it is gone.
func (st store) reload(ctx context.Context, c dialect.Conn, n int64) (*slot, error) {
	s := slot{n: n}
	var text string
	err := c.QueryRowContext(ctx, st.marked("SELECT version, owner, done, state FROM %s WHERE job = %s AND slot = %s", 2), st.j.id, n).
		Scan(&s.version, &s.owner, &s.done, &text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &s, json.Unmarshal([]byte(text), &s.state)
}

// total adds up the counts of all ranges of the pass.
func (st store) total(ctx context.Context, c dialect.Conn) (Counts, error) {
	var sum Counts
	rows, err := c.QueryContext(ctx, st.marked("SELECT state FROM %s WHERE job = %s AND slot > %s", 2), st.j.id, jobSlot)
	if err != nil {
		return sum, err
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		var s rangeState
		if err := rows.Scan(&text); err != nil {
			return sum, err
		}
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			return sum, err
		}
		sum.add(s.Counts)
	}
	return sum, rows.Err()
}
