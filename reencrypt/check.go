package reencrypt

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/internal/dialect"
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
	o := Options{}.withDefaults(d)
	life, cancel := newLife(ctx)
	defer cancel()
	j, pre, err := prepare(life, db, d, p, o, true)
	if err != nil {
		return nil, err
	}
	r := newRun(j, &o, life)
	s := r.session()
	defer s.close()
	err = s.retry(func(c *sql.Conn) error {
		there, err := j.d.HasTable(life.hard, c, j.table, StateTable)
		if err != nil || !there {
			return err
		}
		row, err := r.store.job(life.hard, c)
		if err != nil || row == nil {
			return err
		}
		sum, err := r.store.total(life.hard, c)
		pre.Resumable = &sum
		return err
	})
	if err != nil {
		return nil, r.failed(err)
	}
	return pre, nil
}

// prepare is the preflight of every call. With write, the connection must be able to
// change the columns.
func prepare(life *life, db *sql.DB, name Dialect, p Plan, o Options, write bool) (*job, *Preflight, error) {
	d, err := dialect.For(string(name))
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if len(p.Columns) == 0 {
		return nil, nil, fmt.Errorf("%w: the plan for table %s names no column", ErrNothing, p.Table)
	}
	if o.MaxReplicaLag > 0 && name != PostgreSQL {
		return nil, nil, refuse(p.Table, "MaxReplicaLag is for PostgreSQL; use Options.Pause")
	}
	s := &session{j: &job{db: db, d: d, name: name}, o: &o, life: life}
	defer s.close()

	var t *dialect.Table
	err = s.retry(func(c *sql.Conn) (err error) {
		t, err = d.Describe(life.hard, c, p.Schema, p.Table)
		switch {
		case errors.Is(err, dialect.ErrNoTable):
			return &dialect.Error{Code: "there is no such table"}
		case errors.Is(err, dialect.ErrNoKey):
			return &dialect.Error{Code: "it has no primary key, and no unique key without NULL, by which rows could be told apart; add one"}
		}
		return err
	})
	if err != nil {
		return nil, nil, refusedOr(life, p.Table, err)
	}
	if len(t.Obstacles) > 0 {
		return nil, nil, refuse(t.Name, strings.Join(t.Obstacles, "; "))
	}
	j, err := newJob(db, name, d, p, t)
	if err != nil {
		return nil, nil, err
	}
	s.j = j
	if t.NullKey {
		if err := s.retry(func(c *sql.Conn) error { return j.checkNullKey(life.hard, c) }); err != nil {
			return nil, nil, refusedOr(life, t.Name, err)
		}
	}
	if write {
		if err := s.retry(func(c *sql.Conn) error { return j.checkWritable(life.hard, c, o) }); err != nil {
			return nil, nil, refusedOr(life, t.Name, err)
		}
	}
	return j, j.preflight(), nil
}

// refusedOr makes the error of a preflight: refused, unless the context ended or the
// server is not there.
func refusedOr(life *life, table string, err error) error {
	if err := life.soft.Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrStopped, err)
	}
	if e, ok := errors.AsType[*dialect.Error](err); ok && e.Class == dialect.Permanent {
		return refuse(table, e.Error())
	}
	return broken(table, err)
}

// checkNullKey refuses rows whose key is NULL, which SQLite allows in a primary key.
func (j *job) checkNullKey(ctx context.Context, c *sql.Conn) error {
	var conds []string
	for _, k := range j.table.Key {
		conds = append(conds, j.d.Quote(k.Name)+" IS NULL")
	}
	var n int64
	err := c.QueryRowContext(ctx, "SELECT count(*) FROM "+dialect.QuoteTable(j.d, j.table.Schema, j.table.Name)+
		" WHERE "+strings.Join(conds, " OR ")).Scan(&n)
	if err == nil && n > 0 {
		return &dialect.Error{Code: fmt.Sprintf("the primary key of %d rows is NULL, so that they cannot be told apart; give them a key", n)}
	}
	return err
}

// checkWritable updates no row: the database checks privileges and whether it is
// read-only all the same.
func (j *job) checkWritable(ctx context.Context, c *sql.Conn, o Options) error {
	tx, err := j.d.Begin(ctx, c, o.LockTimeout)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var set []string
	for _, name := range j.read {
		set = append(set, j.d.Quote(name)+" = "+j.d.Quote(name))
	}
	_, err = tx.ExecContext(ctx, "UPDATE "+dialect.QuoteTable(j.d, j.table.Schema, j.table.Name)+" SET "+strings.Join(set, ", ")+" WHERE 1 = 0")
	return err
}

func (j *job) preflight() *Preflight {
	p := &Preflight{Rows: j.table.Rows, Triggers: j.table.Triggers}
	for _, k := range j.table.Key {
		p.Key = append(p.Key, k.Name)
	}
	for _, c := range j.table.Columns {
		if c.Held {
			p.Held = append(p.Held, c.Name)
		}
	}
	if len(p.Triggers) > 0 {
		p.Warnings = append(p.Warnings, fmt.Sprintf("triggers fire for every row that is changed: %s", strings.Join(p.Triggers, ", ")))
	}
	for _, tg := range j.columns {
		shortest := fernet.TokenLen(0)
		if tg.spec.Form == FormRaw || tg.spec.Form == FormKeep && tg.info.Kind == dialect.Bytes {
			shortest = fernet.RawTokenLen(0)
		}
		if tg.info.MaxLen > 0 && tg.info.MaxLen < int64(shortest) {
			p.Warnings = append(p.Warnings, fmt.Sprintf("%s is %s, in which not even the shortest token fits, which has %d; make it wider",
				j.place(tg.spec.Name), tg.info.Type, shortest))
		}
	}
	return p
}
