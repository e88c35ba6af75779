package reencrypt

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/internal/dialect"
)

// A job is a plan beside the table that it is for.
type job struct {
	db      *sql.DB
	d       dialect.Dialect
	name    Dialect
	plan    Plan
	table   *dialect.Table
	columns []target
	read    []string // the columns to read: of tokens, then of indexes
	id      string   // the same for the same plan
	state   string   // the state table, quoted
}

// A target is a column of the plan.
type target struct {
	spec    *Column
	info    *dialect.Column
	at      int // in job.read
	rings   []ring
	indexes []indexTarget
}

type indexTarget struct {
	spec *Index
	info *dialect.Column
	at   int
}

// A ring opens the tokens of one context. The first of a target is the one to move to.
type ring struct {
	kr   *fernet.Keyring // derived, unless row
	base *fernet.Keyring // of what kr is derived, if row
	bind []string
	row  bool
}

// of returns the ring for a row.
func (r *ring) of(t *dialect.Table, k dialect.Key) *fernet.Keyring {
	if !r.row {
		return r.kr
	}
	return r.base.Derive(append(slices.Clone(r.bind), t.Context(k)...)...)
}

func (r *ring) label() string {
	if r.row {
		return strings.Join(append(slices.Clone(r.bind), "…"), "/")
	}
	return strings.Join(r.bind, "/")
}

func newRing(kr *fernet.Keyring, bind []string, row bool) ring {
	r := ring{base: kr, bind: bind, row: row, kr: kr}
	if !row && len(bind) > 0 {
		r.kr = kr.Derive(bind...)
	}
	return r
}

// newJob matches the plan with the table. Its errors wrap ErrRefused.
func newJob(db *sql.DB, name Dialect, d dialect.Dialect, p Plan, t *dialect.Table) (*job, error) {
	j := &job{db: db, d: d, name: name, plan: p, table: t, state: dialect.QuoteTable(d, t.Schema, StateTable)}
	position := map[string]int{}
	for i := range p.Columns {
		tg, err := j.target(&p.Columns[i])
		if err != nil {
			return nil, err
		}
		if _, twice := position[tg.spec.Name]; twice {
			return nil, refuse(j.place(tg.spec.Name), "it stands in the plan twice")
		}
		tg.at = len(j.read)
		position[tg.spec.Name] = tg.at
		j.read = append(j.read, tg.spec.Name)
		j.columns = append(j.columns, tg)
	}
	for i := range j.columns {
		for k := range j.columns[i].indexes {
			ix := &j.columns[i].indexes[k]
			if _, twice := position[ix.spec.Column]; twice {
				return nil, refuse(j.place(ix.spec.Column), "it stands in the plan twice")
			}
			ix.at = len(j.read)
			position[ix.spec.Column] = ix.at
			j.read = append(j.read, ix.spec.Column)
		}
	}
	j.id = j.fingerprint()
	return j, nil
}

func (j *job) target(c *Column) (target, error) {
	tg := target{spec: c}
	var err error
	if tg.info, err = j.column(c.Name); err != nil {
		return tg, err
	}
	place := j.place(c.Name)
	switch {
	case c.Keyring == nil:
		return tg, refuse(place, "the plan gives no key ring; set Column.Keyring")
	case c.Form == FormPlaintext && (c.Plaintext || c.Deterministic):
		return tg, refuse(place, "FormPlaintext undoes what Column.Plaintext and Column.Deterministic ask for; choose one")
	case c.Form == FormRaw && tg.info.Kind != dialect.Bytes && j.name != SQLite:
		return tg, refuse(place, "raw tokens are bytes, and its type is "+tg.info.Type+"; use a binary column (bytea, BLOB)")
	}
	tg.rings = []ring{newRing(c.Keyring, c.Bind, c.BindRow)}
	for _, s := range c.Sources {
		kr := s.Keyring
		if kr == nil {
			kr = c.Keyring
		}
		tg.rings = append(tg.rings, newRing(kr, s.Bind, s.BindRow))
	}
	for i := range tg.rings {
		if err := j.checkRow(place, &tg.rings[i]); err != nil {
			return tg, err
		}
	}
	for i := range c.Indexes {
		ix := indexTarget{spec: &c.Indexes[i]}
		if ix.info, err = j.column(ix.spec.Column); err != nil {
			return tg, err
		}
		switch n := ix.spec.Index; {
		case n == nil:
			return tg, refuse(j.place(ix.spec.Column), "the plan does not say how to compute it; set Index.Index")
		case ix.info.MaxLen > 0 && ix.info.MaxLen < int64(n.Digits()):
			return tg, refuse(j.place(ix.spec.Column), fmt.Sprintf("its type is %s, and an entry of index %s has %d digits; make it wider", ix.info.Type, n.Name(), n.Digits()))
		}
		tg.indexes = append(tg.indexes, ix)
	}
	return tg, nil
}

// checkRow refuses a binding to a key whose parts the plugin names in another way.
func (j *job) checkRow(place string, r *ring) error {
	if !r.row {
		return nil
	}
	for _, k := range j.table.Key {
		if k.Kind == dialect.KeyOther {
			return refuse(place, "BindRow takes integers, texts, bytes and UUIDs, and the key column "+k.Name+" is none of them")
		}
	}
	return nil
}

func (j *job) column(name string) (*dialect.Column, error) {
	info := j.table.Column(name)
	switch {
	case info == nil:
		var have []string
		for _, c := range j.table.Columns {
			have = append(have, c.Name)
		}
		return nil, refuse(j.place(name), "there is no such column; the table has "+strings.Join(have, ", "))
	case info.Generated:
		return nil, refuse(j.place(name), "the database generates it")
	case info.Kind == dialect.Other:
		return nil, refuse(j.place(name), "its type is "+info.Type+", which cannot hold tokens; use text, varchar or a binary type")
	case slices.ContainsFunc(j.table.Key, func(k dialect.KeyColumn) bool { return k.Name == name }):
		return nil, refuse(j.place(name), "it is part of the key that the table is read by")
	}
	return info, nil
}

// place names a column in an error.
func (j *job) place(column string) string { return j.table.Name + "." + column }

func refuse(place, why string) error { return fmt.Errorf("%w: %s: %s", ErrRefused, place, why) }

// fingerprint names the job in the state table: another plan must not resume this
// one. It holds no more of the keys than their IDs.
func (j *job) fingerprint() string {
	type context struct {
		Bind []string
		Row  bool
	}
	type column struct {
		Name, Key     string
		To            context
		From          []context
		Form          Form
		Deterministic bool
		Plaintext     bool
		Indexes       []string
	}
	var columns []column
	for _, tg := range j.columns {
		c := column{Name: tg.spec.Name, Key: tg.spec.Keyring.PrimaryID(), To: context{tg.spec.Bind, tg.spec.BindRow},
			Form: tg.spec.Form, Deterministic: tg.spec.Deterministic, Plaintext: tg.spec.Plaintext}
		for _, s := range tg.spec.Sources {
			c.From = append(c.From, context{s.Bind, s.BindRow})
		}
		for _, ix := range tg.indexes {
			c.Indexes = append(c.Indexes, ix.spec.Column, ix.spec.Index.Name())
		}
		columns = append(columns, c)
	}
	var key []string
	for _, k := range j.table.Key {
		key = append(key, k.Name)
	}
	text, err := json.Marshal([]any{"v1", j.table.Schema, j.table.Name, key, columns})
	if err != nil {
		panic("reencrypt: a plan that JSON cannot hold: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}
