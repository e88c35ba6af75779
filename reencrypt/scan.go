package reencrypt

import (
	"database/sql"
	"time"

	"github.com/fernetcol/fernetcol/internal/dialect"
)

// batchBytes is how many bytes of values make a batch full, whatever the number of
// rows: what is held in memory, and sent in one statement, stays below a few times as
// much. MySQL's packets had 4 MiB in older versions.
const batchBytes = 1 << 20

// A row is one that was read.
type row struct {
	key    dialect.Key
	values []any // in the order of job.read
	found  []finding
}

// A reader reads pages. It is for one goroutine.
type reader struct {
	s *session
	e *examiner
	// limit shrinks while rows are long, because some drivers read to the end of a
	// result that was left early.
	limit int
}

// page reads at most max rows behind after, examined. last says that there are no
// more up to upto.
func (r *reader) page(after, upto dialect.Key, max int) (rows []row, last bool, err error) {
	if r.limit == 0 || r.limit > max {
		r.limit = max
	}
	size := 0
	err = r.s.retry(func(c *sql.Conn) error {
		rows, size = rows[:0], 0
		p := dialect.Page{Columns: r.s.j.read, After: after, Upto: upto, Limit: r.limit}
		return dialect.Read(r.s.life.hard, r.s.j.d, c, r.s.j.table, p, func(k dialect.Key, values []any) bool {
			r.s.j.normalize(values)
			for _, v := range values {
				size += sizeOf(v)
			}
			rows = append(rows, row{key: k, values: values})
			return size < batchBytes
		})
	})
	if err != nil {
		return nil, false, err
	}
	full := len(rows) == r.limit || size >= batchBytes
	switch {
	case size >= batchBytes:
		r.limit = len(rows)
	case size < batchBytes/2:
		r.limit = min(max, r.limit*2)
	}
	for i := range rows {
		rows[i].found = r.e.row(rows[i].key, rows[i].values)
	}
	return rows, !full, nil
}

func sizeOf(v any) int {
	switch v := v.(type) {
	case string:
		return len(v)
	case []byte:
		return len(v)
	}
	return 0
}

// normalize gives values the type of their column, whichever the driver chose. In
// SQLite, the type is part of the value.
func (j *job) normalize(values []any) {
	if j.name == SQLite {
		return
	}
	for i, name := range j.read {
		isBytes := j.table.Column(name).Kind == dialect.Bytes
		switch v := values[i].(type) {
		case string:
			if isBytes {
				values[i] = []byte(v)
			}
		case []byte:
			if !isBytes {
				values[i] = string(v)
			}
		}
	}
}

// A scan reads the whole table in one order, for the census and for dry runs.
func (j *job) scan(s *session, t *throttle, tr *tracker, visit func(*row)) error {
	r := reader{s: s, e: newExaminer(j)}
	var after dialect.Key
	for {
		if err := t.before(s, func() {}); err != nil {
			return err
		}
		start := time.Now()
		rows, last, err := r.page(after, nil, t.limit())
		if err != nil {
			return err
		}
		var c Counts
		for i := range rows {
			c.add(j.counts(&rows[i]))
			visit(&rows[i])
			after = rows[i].key
		}
		tr.add(c)
		if last {
			return nil
		}
		if err := t.after(len(rows), time.Since(start), func() {}); err != nil {
			return err
		}
	}
}

// counts are those of one row, with what would be changed as if it were.
func (j *job) counts(r *row) Counts {
	c := Counts{Rows: 1}
	for _, f := range r.found {
		switch f.kind {
		case isNull:
			c.Null++
		case isCurrent:
			c.Current++
		case toRotate:
			c.Rotated++
		case toEncrypt:
			c.Encrypted++
		case toDecrypt:
			c.Decrypted++
		case isPlaintext:
			c.Plaintext++
		case isUnreadable, isNotText:
			c.Unreadable++
		case isTooLong:
			c.TooLong++
		}
		c.Indexed += int64(len(f.stale))
	}
	return c
}
