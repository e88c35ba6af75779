package reencrypt

import (
	"slices"
	"time"

	"github.com/fernetcol/fernetcol/internal/dialect"
)

// A tally adds up a census. Its size depends on the number of keys and not of rows.
type tally struct {
	j      *job
	report func(UnreadableRow)
	rows   int64
	counts []ColumnCensus
	keys   []map[keyPlace]*KeyCount
}

// A keyPlace is a key in one ring of a target.
type keyPlace struct {
	ring int
	id   string
}

func newTally(j *job, report func(UnreadableRow)) *tally {
	t := &tally{j: j, report: report}
	for i := range j.columns {
		tg := &j.columns[i]
		target := keyPlace{0, tg.spec.Keyring.PrimaryID()}
		t.keys = append(t.keys, map[keyPlace]*KeyCount{
			target: {KeyID: target.id, Bind: tg.rings[0].label(), Target: true},
		})
		c := ColumnCensus{Column: tg.spec.Name, clear: tg.spec.Plaintext || tg.spec.Form == FormPlaintext}
		if len(tg.indexes) > 0 {
			c.Stale = map[string]int64{}
		}
		t.counts = append(t.counts, c)
	}
	return t
}

func (t *tally) add(r *row) {
	t.rows++
	for i, f := range r.found {
		c := &t.counts[i]
		if f.writes() || len(f.stale) > 0 {
			c.Pending++
		}
		for k := range f.stale {
			c.Stale[t.j.columns[i].indexes[k].spec.Column]++
		}
		switch f.kind {
		case isNull:
			c.Null++
		case isPlaintext, toEncrypt:
			c.Plaintext++
		case isUnreadable:
			c.Unreadable++
			t.unreadable(i, r.key, ReasonUnreadable)
		case isNotText:
			c.Unreadable++
			t.unreadable(i, r.key, ReasonNotText)
		case isTooLong:
			c.TooLong++
			t.unreadable(i, r.key, ReasonTooLong)
		}
		if f.keyID != "" && f.kind != isUnreadable {
			t.token(i, f)
		}
	}
}

func (t *tally) token(i int, f finding) {
	c := &t.counts[i]
	place := keyPlace{f.ring, f.keyID}
	k := t.keys[i][place]
	if k == nil {
		k = &KeyCount{KeyID: f.keyID, Bind: t.j.columns[i].rings[f.ring].label()}
		t.keys[i][place] = k
	}
	k.Rows++
	if f.raw {
		c.Raw++
	}
	if f.deterministic {
		c.Deterministic++
		return
	}
	at := time.Unix(f.time, 0).UTC()
	if k.Oldest.IsZero() || at.Before(k.Oldest) {
		k.Oldest = at
	}
	if c.Oldest.IsZero() || at.Before(c.Oldest) {
		c.Oldest = at
	}
}

func (t *tally) unreadable(i int, k dialect.Key, why Reason) {
	if t.report != nil {
		t.report(UnreadableRow{Table: t.j.table.Name, Column: t.j.columns[i].spec.Name, Key: k.String(), Reason: why})
	}
}

func (t *tally) census() *Census {
	c := &Census{Table: t.j.table.Name, Rows: t.rows, Columns: t.counts}
	for i := range c.Columns {
		places := make([]keyPlace, 0, len(t.keys[i]))
		for p := range t.keys[i] {
			places = append(places, p)
		}
		slices.SortFunc(places, func(a, b keyPlace) int {
			x, y := t.keys[i][a], t.keys[i][b]
			switch {
			case x.Target != y.Target:
				if x.Target {
					return -1
				}
				return 1
			case a.ring != b.ring:
				return a.ring - b.ring
			case x.KeyID < y.KeyID:
				return -1
			}
			return 1
		})
		for _, p := range places {
			c.Columns[i].Keys = append(c.Columns[i].Keys, *t.keys[i][p])
		}
	}
	return c
}
