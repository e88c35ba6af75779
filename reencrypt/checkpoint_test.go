package reencrypt_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"testing"

	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/reencrypt"
)

// A watched is a job whose checkpoint a test reads.
type watched struct {
	t         testing.TB
	target    fernet.Key
	conflicts bool // rows were passed over, so that "behind the checkpoint" proves nothing
}

// spans are the ranges of keys that a checkpoint says are done; nil if it is not of a
// first pass.
type spans []span

type span struct{ after, upto int64 }

func (s spans) done(id int64) bool {
	for _, sp := range s {
		if sp.after < id && id <= sp.upto {
			return true
		}
	}
	return false
}

// spans reads the checkpoint of the only job in the database.
func (w *watched) spans(tx *sql.Tx) spans {
	rows, err := tx.Query("SELECT slot, state FROM " + reencrypt.StateTable + " ORDER BY slot")
	if err != nil {
		w.t.Fatal("cannot read the state table")
	}
	defer rows.Close()
	found := spans{}
	start := int64(-1)
	jobs := 0
	for rows.Next() {
		var n int64
		var text string
		if err := rows.Scan(&n, &text); err != nil {
			w.t.Fatal("cannot scan the state table")
		}
		var state struct {
			Pass        int
			After, Upto []json.RawMessage
			Counts      reencrypt.Counts
		}
		if err := json.Unmarshal([]byte(text), &state); err != nil {
			w.t.Fatal(err)
		}
		if n == 0 {
			jobs++
			if state.Pass != 1 {
				return nil
			}
			continue
		}
		w.conflicts = w.conflicts || state.Counts.Conflicts > 0
		if state.After != nil {
			found = append(found, span{start, w.id(state.After)})
		}
		start = w.id(state.Upto)
	}
	if jobs != 1 { // between two runs
		return nil
	}
	return found
}

// id reads a key of one integer, which is a text but in SQLite.
func (w *watched) id(key []json.RawMessage) int64 {
	var text string
	if json.Unmarshal(key[0], &text) != nil {
		text = string(key[0])
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		w.t.Fatal(fmt.Errorf("the checkpoint has no integer: %w", err))
	}
	return id
}
