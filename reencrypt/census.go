package reencrypt

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// A Census counts what is stored in the columns of a table.
type Census struct {
	Table   string         `json:"table"`
	Rows    int64          `json:"rows"`
	Columns []ColumnCensus `json:"columns"` // in the order of the plan
}

// A ColumnCensus counts the values of one column. Null, Plaintext, Unreadable,
// TooLong and the rows of all Keys add up to the rows of the table.
type ColumnCensus struct {
	Column     string `json:"column"`
	Null       int64  `json:"null"`
	Plaintext  int64  `json:"plaintext"`  // cannot be a token
	Unreadable int64  `json:"unreadable"` // opens under no key of the plan
	TooLong    int64  `json:"too_long"`   // plaintext whose token does not fit the column

	// Keys are the keys that opened at least one token, and always the one that the
	// plan moves to, which is first. The others stand in the order of the plan.
	Keys []KeyCount `json:"keys"`

	Raw           int64 `json:"raw"`           // tokens in raw form
	Deterministic int64 `json:"deterministic"` // deterministic tokens
	// Pending are the values that a run of the plan would change: under another key,
	// context or form, in the clear, or with an index entry that is missing or other.
	Pending int64 `json:"pending"`
	// Stale are the index entries that are missing or other, by column.
	Stale map[string]int64 `json:"stale,omitempty"`
	// Oldest is when the oldest token was made, deterministic ones apart, which have
	// no time; zero if there is none.
	Oldest time.Time `json:"oldest,omitzero"`

	clear bool // the plan says what becomes of plaintext
}

// A KeyCount is how many tokens of a column a key opens.
type KeyCount struct {
	KeyID string `json:"key_id"`
	// Bind is the context of the tokens, its elements separated by "/"; "" for tokens
	// under the ring itself.
	Bind   string    `json:"bind,omitempty"`
	Target bool      `json:"target"` // the key and context that the plan moves to
	Rows   int64     `json:"rows"`
	Oldest time.Time `json:"oldest,omitzero"` // as in ColumnCensus
}

// TakeCensus reads the whole table once, in batches, and changes nothing. Every
// token is decrypted, so that none counts that the application could not read. Rows
// written meanwhile count as they were when their batch was read. Of the options,
// BatchSize, Rate, Load, Pause, MaxReplicaLag, RetryFor, AllowEmpty, Progress and
// Unreadable apply. Unreadable values are no error here.
func TakeCensus(ctx context.Context, db *sql.DB, d Dialect, p Plan, o Options) (*Census, error) {
	o = o.withDefaults(d)
	life, cancel := newLife(ctx)
	defer cancel()
	j, _, err := prepare(life, db, d, p, o, false)
	if err != nil {
		return nil, err
	}
	r := newRun(j, &o, life)
	census, err := r.takeCensus(nil)
	if err != nil {
		return nil, r.failed(err)
	}
	return census, emptiness(census, o)
}

// Retire says whether the key with this ID may be taken out of the rings of the
// plan: nil if the census finds no value that needs it, and none that no key opens,
// which might. Otherwise the error wraps [ErrKeyInUse] or [ErrUnreadable]. The census
// is returned with both. The key that the plan moves to is refused.
//
// The plan must name every column of the table that the key protects, and there
// may be other tables.
func Retire(ctx context.Context, db *sql.DB, d Dialect, p Plan, keyID string, o Options) (*Census, error) {
	for _, c := range p.Columns {
		if c.Keyring != nil && c.Keyring.PrimaryID() == keyID {
			return nil, refuse(p.Table+"."+c.Name, "key "+keyID+" is the primary key, which encrypts; make another the first of the ring")
		}
	}
	census, err := TakeCensus(ctx, db, d, p, o)
	if err != nil {
		return census, err
	}
	var errs []error
	for i := range census.Columns {
		col := &census.Columns[i]
		var n int64
		for _, k := range col.Keys {
			if k.KeyID == keyID {
				n += k.Rows
			}
		}
		if n > 0 {
			errs = append(errs, fmt.Errorf("%w: %s.%s: %d values need key %s; run the re-encryption first", ErrKeyInUse, census.Table, col.Column, n, keyID))
		}
		if err := col.unreadable(census.Table); err != nil {
			errs = append(errs, err)
		}
	}
	return census, joined(errs)
}

// takeCensus is one scan. into collects the counts of what a run would do.
func (r *run) takeCensus(into *Counts) (*Census, error) {
	j := r.j
	t := newTally(j, r.o.Unreadable)
	r.tracker.begin(PhaseCensus, 1, Counts{})
	s := r.session()
	defer s.close()
	err := j.scan(s, r.throttle, r.tracker, func(row *row) {
		t.add(row)
		if into != nil {
			into.add(j.counts(row))
		}
	})
	if err != nil {
		return nil, err
	}
	return t.census(), nil
}
