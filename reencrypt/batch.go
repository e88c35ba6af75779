package reencrypt

import (
	"database/sql"
	"errors"
	"fmt"

	"github.com/fernetcol/fernetcol/internal/dialect"
)

// A batch is the rows of one transaction, in groups of those in which the same
// columns change in the same way: each group is one statement, and columns that do
// not change are not written.
type batch struct {
	groups []*group
	after  dialect.Key // the checkpoint when it is done
	last   bool        // of its range
	counts Counts      // of what is not written
	rows   []row
}

type group struct {
	update dialect.Update
	rows   []dialect.UpdateRow
	per    Counts // what a row of the group counts
}

func (j *job) newBatch(rows []row, after dialect.Key, last bool) *batch {
	b := &batch{after: after, last: last, rows: rows}
	byShape := map[string]*group{}
	var shape []byte
	for i := range rows {
		r := &rows[i]
		c := j.counts(r)
		c.Rotated, c.Encrypted, c.Decrypted, c.Indexed = 0, 0, 0, 0
		b.counts.add(c)
		if shape = j.shape(shape[:0], r); shape == nil {
			continue
		}
		g := byShape[string(shape)]
		if g == nil {
			g = j.newGroup(r)
			byShape[string(shape)] = g
			b.groups = append(b.groups, g)
		}
		g.rows = append(g.rows, j.updateRow(r))
	}
	return b
}

// shape says what changes in a row; nil for nothing.
func (j *job) shape(dst []byte, r *row) []byte {
	changes := false
	for i, f := range r.found {
		dst = append(dst, byte(f.kind))
		changes = changes || f.writes()
		for k := range j.columns[i].indexes {
			_, stale := f.stale[k]
			mark := byte('-')
			if stale {
				mark = 'i'
			}
			dst = append(dst, mark)
			changes = changes || stale
		}
	}
	if !changes {
		return nil
	}
	return dst
}

// newGroup returns the group of rows that change as r does. A column is guarded if it
// is written, or if an index entry is that depends on it.
func (j *job) newGroup(r *row) *group {
	g := &group{update: dialect.Update{Table: j.table}}
	for i, f := range r.found {
		tg := &j.columns[i]
		set := f.writes()
		if set || len(f.stale) > 0 {
			guard := dialect.IsOld
			if f.kind == isNull {
				guard = dialect.IsNull
			}
			g.update.Changes = append(g.update.Changes, dialect.Change{Column: tg.info, Guard: guard, Set: set})
		}
		switch f.kind {
		case toRotate:
			g.per.Rotated++
		case toEncrypt:
			g.per.Encrypted++
		case toDecrypt:
			g.per.Decrypted++
		}
		for k := range tg.indexes {
			if _, stale := f.stale[k]; stale {
				g.update.Changes = append(g.update.Changes, dialect.Change{Column: tg.indexes[k].info, Set: true})
				g.per.Indexed++
			}
		}
	}
	return g
}

// updateRow gives the values for the changes of newGroup, in the same order.
func (j *job) updateRow(r *row) dialect.UpdateRow {
	u := dialect.UpdateRow{Key: r.key}
	for i, f := range r.found {
		tg := &j.columns[i]
		if f.writes() || len(f.stale) > 0 {
			u.Old, u.New = append(u.Old, r.values[tg.at]), append(u.New, f.new)
		}
		for k := range tg.indexes {
			if entry, stale := f.stale[k]; stale {
				u.Old, u.New = append(u.Old, nil), append(u.New, entry)
			}
		}
	}
	return u
}

// write commits the batch with its checkpoint, and s becomes what was committed. When
// the rows cannot be locked, or the database refuses one of them, the batch is split,
// at last into single rows, of which one that cannot be written is passed over.
func (w *worker) write(s *slot, b *batch, splitting bool) error {
	tries := fullTries
	if splitting {
		tries = splitTries
	}
	p := w.s.patience()
	for {
		err := w.commit(s, b)
		if err == nil || errors.Is(err, errTakenOver) {
			return err
		}
		e, ok := errors.AsType[*dialect.Error](err)
		if !ok {
			return err
		}
		if e.Class == dialect.Lost {
			if committed, reloadErr := w.reload(s); committed || reloadErr != nil {
				return reloadErr
			}
		}
		if e.Class == dialect.Locked && w.j.d.RowLocks() {
			tries--
		}
		// Without rows there is the checkpoint alone, which must be written.
		if len(b.rows) > 0 && (tries <= 0 || e.Refused) {
			return w.split(s, b, e)
		}
		if !p.wait(err) {
			return err
		}
	}
}

const (
	fullTries  = 3 // of a whole batch that meets a lock
	splitTries = 1 // of a part of it
)

func (w *worker) split(s *slot, b *batch, why *dialect.Error) error {
	if len(b.rows) == 1 {
		if why.Refused {
			w.r.refused(b.rows[0].key, why)
		}
		skipped := &batch{after: b.after, last: b.last, counts: b.counts}
		skipped.counts.Conflicts++
		return w.write(s, skipped, false)
	}
	half := len(b.rows) / 2
	first := w.j.newBatch(b.rows[:half], b.rows[half-1].key, false)
	if err := w.write(s, first, true); err != nil {
		return err
	}
	return w.write(s, w.j.newBatch(b.rows[half:], b.after, b.last), true)
}

// commit is one try.
func (w *worker) commit(s *slot, b *batch) error {
	counts := b.counts
	next := rangeState{After: b.after, Upto: s.state.Upto, Counts: s.state.Counts}
	err := w.s.try(func(c *sql.Conn) error {
		ctx := w.s.life.hard
		tx, err := w.j.d.Begin(ctx, c, w.s.o.LockTimeout)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		for _, g := range b.groups {
			n, err := w.j.d.Apply(ctx, tx, g.update, g.rows)
			if err != nil {
				return err
			}
			counts.Rotated += n * g.per.Rotated
			counts.Encrypted += n * g.per.Encrypted
			counts.Decrypted += n * g.per.Decrypted
			counts.Indexed += n * g.per.Indexed
			counts.Conflicts += int64(len(g.rows)) - n
		}
		next.Counts.add(counts)
		if err := w.r.store.advance(ctx, tx, s, next, b.last); err != nil {
			return err
		}
		return tx.Commit()
	})
	if err == nil {
		s.version, s.state, s.done = s.version+1, next, b.last
		w.r.committed(counts)
	}
	return err
}

// reload finds out what became of a commit whose answer was lost.
func (w *worker) reload(s *slot) (committed bool, err error) {
	var now *slot
	err = w.s.retry(func(c *sql.Conn) error {
		var err error
		now, err = w.r.store.reload(w.s.life.hard, c, s.n)
		return err
	})
	switch {
	case err != nil:
		return false, err
	case now == nil || now.owner != w.r.owner || now.version > s.version+1:
		return false, errTakenOver
	case now.version == s.version:
		return false, nil
	}
	counts := now.state.Counts
	counts.subtract(s.state.Counts)
	*s = *now
	w.r.committed(counts)
	return true, nil
}

// refused remembers the first row that the database would not take.
func (r *run) refused(k dialect.Key, why *dialect.Error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refusal == "" {
		r.refusal = fmt.Sprintf("row %s: %s", k, why)
	}
}
