package reencrypt_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fernetcol/fernetcol/fernet"
)

// A crowd is an application: writers that keep changing the rows of a table, and that
// remember what they wrote. Rows have an identity, in the column who, beside a
// primary key that writers change too. Every second one is still: no writer touches
// it.
type crowd struct {
	f     *fixture
	rings []*fernet.Keyring // to write with, one or the other

	rows []*member

	stop   chan struct{}
	wg     sync.WaitGroup
	writes atomic.Int64 // that the database confirmed
	moves  atomic.Int64 // of them, those that changed the primary key
	doubts atomic.Int64 // whose answer was lost
	lost   atomic.Int64 // that a writer no longer found when it came back to the row
}

// A member is a row. The values are what the column may hold: more than one after a
// write whose answer was lost.
type member struct {
	who    int
	ids    []int64
	values []string
}

const (
	writers  = 8
	idFactor = 10_000
)

// newCrowd makes the table people with n rows: of three, one in the clear and two
// under the old key.
func newCrowd(f *fixture, n int) *crowd {
	f.t.Helper()
	c := &crowd{f: f, rings: []*fernet.Keyring{f.old, f.kr}}
	f.exec("CREATE TABLE people (id bigint PRIMARY KEY, who int, secret " + f.TextType() + ")")
	f.exec("CREATE INDEX people_who ON people (who)")
	tx, err := f.SQL.Begin()
	if err != nil {
		f.t.Fatal(err)
	}
	defer tx.Rollback()
	for who := range n {
		m := &member{who: who, ids: []int64{int64(who) * idFactor}, values: []string{fmt.Sprint("first of ", who)}}
		stored := m.values[0]
		if who%3 != 0 {
			stored = f.old.EncryptString(stored)
		}
		if _, err := tx.Exec(f.q("INSERT INTO people (id, who, secret) VALUES (?, ?, ?)"), m.ids[0], who, stored); err != nil {
			f.t.Fatal("cannot insert a row")
		}
		c.rows = append(c.rows, m)
	}
	if err := tx.Commit(); err != nil {
		f.t.Fatal(err)
	}
	return c
}

func still(who int) bool { return who%2 == 0 }

// start lets the writers loose. Each has rows of its own, so that the last write of a
// row is known.
func (c *crowd) start() {
	c.stop = make(chan struct{})
	for w := range writers {
		var own []*member
		for _, m := range c.rows {
			if !still(m.who) && m.who/2%writers == w {
				own = append(own, m)
			}
		}
		c.wg.Go(func() { c.write(own) })
	}
}

func (c *crowd) end() {
	close(c.stop)
	c.wg.Wait()
}

func (c *crowd) write(own []*member) {
	for n := 0; ; n++ {
		select {
		case <-c.stop:
			return
		case <-time.After(time.Duration(rand.IntN(4)) * time.Millisecond): // leave the processor to others
		}
		m := own[rand.IntN(len(own))]
		c.look(m)
		value := fmt.Sprintf("write %d of %d", n, m.who)
		token := c.rings[rand.IntN(len(c.rings))].EncryptString(value)
		id := m.ids[0]
		if rand.IntN(10) == 0 {
			id = rand.Int64N(int64(len(c.rows)))*idFactor + int64(m.who)
		}
		// With the answer to a write lost, the row may have either key.
		var err error
		var changed int64
		for _, old := range m.ids {
			var res sql.Result
			res, err = c.f.SQL.Exec(c.f.q("UPDATE people SET secret = ?, id = ? WHERE id = ?"), token, id, old)
			if err != nil {
				break
			}
			if changed, _ = res.RowsAffected(); changed == 1 {
				break
			}
		}
		switch {
		case err != nil: // done or not: both are right from now on
			c.doubts.Add(1)
			m.values = append(m.values, value)
			if !slices.Contains(m.ids, id) {
				m.ids = append(m.ids, id)
			}
			m.ids = c.where(m)
		case changed != 1:
			c.f.t.Errorf("%s: a row of a writer is gone", c.f.Name)
			return
		default:
			c.writes.Add(1)
			if id != m.ids[0] {
				c.moves.Add(1)
			}
			m.ids, m.values = []int64{id}, []string{value}
		}
	}
}

// look compares a row with what its writer wrote last.
func (c *crowd) look(m *member) {
	var stored string
	if err := c.f.SQL.QueryRow(c.f.q("SELECT secret FROM people WHERE who = ?"), m.who).Scan(&stored); err != nil {
		return // the server is away
	}
	if fernet.MaybeToken(stored) {
		stored, _ = c.f.kr.DecryptString(stored)
	}
	if !slices.Contains(m.values, stored) {
		c.lost.Add(1)
		m.values = append(m.values, stored) // counted once
	}
}

// where asks which key a row has, once the server answers.
func (c *crowd) where(m *member) []int64 {
	for {
		var id int64
		err := c.f.SQL.QueryRow(c.f.q("SELECT id FROM people WHERE who = ?"), m.who).Scan(&id)
		if err == nil {
			return []int64{id}
		}
		if errors.Is(err, sql.ErrNoRows) {
			return m.ids
		}
		select {
		case <-c.stop:
			return m.ids
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// A toll is what must all be zero.
type toll struct {
	lost, corrupt, plaintext, halfDone int
}

// check compares every row with what was written last. Every value must be a token
// under target.
func (c *crowd) check(target fernet.Key) (t toll) {
	t.lost = int(c.lost.Swap(0))
	rows := c.f.strings("SELECT who, secret FROM people")
	if len(rows) != len(c.rows) {
		t.lost += len(c.rows) - len(rows)
	}
	for _, row := range rows {
		var who int
		fmt.Sscan(row[0], &who)
		if !fernet.MaybeToken(row[1]) {
			t.plaintext++
			continue
		}
		p, err := c.f.kr.DecryptString(row[1])
		id, _ := c.f.kr.KeyID([]byte(row[1]))
		switch {
		case err != nil || id != target.ID():
			t.corrupt++
		case !slices.Contains(c.rows[who].values, p):
			t.lost++
		}
	}
	return t
}

// halfDone counts the still rows of the first pass that contradict the checkpoint:
// behind it and not under the target, or before it and under the target already. Both
// are read in one snapshot. ok is false if there is nothing to compare.
func (c *crowd) halfDone(job *watched) (n int, ok bool) {
	ctx := context.Background()
	options := &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	if c.f.Dialect == "sqlite" { // where a transaction is a snapshot anyway
		options = nil
	}
	tx, err := c.f.SQL.BeginTx(ctx, options)
	if err != nil {
		c.f.t.Fatal(err)
	}
	defer tx.Rollback()
	spans := job.spans(tx)
	if spans == nil || job.conflicts {
		return 0, false
	}
	rows, err := tx.Query("SELECT id, who, secret FROM people")
	if err != nil {
		c.f.t.Fatal("cannot read the rows")
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var who int
		var secret string
		if err := rows.Scan(&id, &who, &secret); err != nil {
			c.f.t.Fatal("cannot scan a row")
		}
		if !still(who) {
			continue
		}
		keyID, _ := c.f.kr.KeyID([]byte(secret)) // "" for plaintext
		if done := spans.done(id); done != (keyID == job.target.ID()) {
			n++
		}
	}
	if err := rows.Err(); err != nil {
		c.f.t.Fatal("cannot read the rows")
	}
	return n, true
}

func wantZero(t *testing.T, got toll) {
	t.Helper()
	if got != (toll{}) {
		t.Errorf("%+v, want zeros", got)
	}
}
