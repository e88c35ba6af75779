package reencrypt

import "time"

// Counts are what was found and done. They count committed batches only, and
// nothing twice, however often a run was stopped.
type Counts struct {
	Rows       int64 `json:"rows"`       // looked at
	Rotated    int64 `json:"rotated"`    // tokens moved to the key, context or form of the plan
	Encrypted  int64 `json:"encrypted"`  // plaintext values that became tokens
	Decrypted  int64 `json:"decrypted"`  // tokens that became plaintext
	Indexed    int64 `json:"indexed"`    // entries of blind indexes written
	Current    int64 `json:"current"`    // values that were as planned
	Null       int64 `json:"null"`       // values that are NULL
	Plaintext  int64 `json:"plaintext"`  // values left in the clear, as the plan does not encrypt them
	Unreadable int64 `json:"unreadable"` // values left as they are because no key opens them
	TooLong    int64 `json:"too_long"`   // values left as they are because the new token does not fit
	Conflicts  int64 `json:"conflicts"`  // rows that the application wrote or held meanwhile, for the next pass
}

func (c *Counts) add(d Counts) {
	c.Rows += d.Rows
	c.Rotated += d.Rotated
	c.Encrypted += d.Encrypted
	c.Decrypted += d.Decrypted
	c.Indexed += d.Indexed
	c.Current += d.Current
	c.Null += d.Null
	c.Plaintext += d.Plaintext
	c.Unreadable += d.Unreadable
	c.TooLong += d.TooLong
	c.Conflicts += d.Conflicts
}

func (c *Counts) subtract(d Counts) {
	c.Rows -= d.Rows
	c.Rotated -= d.Rotated
	c.Encrypted -= d.Encrypted
	c.Decrypted -= d.Decrypted
	c.Indexed -= d.Indexed
	c.Current -= d.Current
	c.Null -= d.Null
	c.Plaintext -= d.Plaintext
	c.Unreadable -= d.Unreadable
	c.TooLong -= d.TooLong
	c.Conflicts -= d.Conflicts
}

// A Phase is what a call does at a time.
type Phase string

// The phases.
const (
	PhaseRewrite Phase = "rewrite"
	PhaseCensus  Phase = "census"
)

// Progress is how far a call has come.
type Progress struct {
	Phase Phase
	Pass  int // counted from 1
	// Counts of this pass, with what earlier calls did of it.
	Counts Counts
	// Total is how many rows the database estimates the table to have, at least 0.
	Total int64
	// Rate is the rows a second of this call in this phase.
	Rate float64
	// Left is the time that the rest of the phase takes at this rate, or -1 if that
	// cannot be told.
	Left time.Duration
}

// A Result is what [Run] did. Beside an error it says how far Run came.
type Result struct {
	// Counts are what this call did, in all its passes.
	Counts Counts
	// Resumed are the counts of the unfinished pass that this call found in the
	// checkpoint; zero for a new run.
	Resumed Counts
	// Passes is how often this call went through the table.
	Passes int
	// Census is the closing one; nil if Run did not come so far, and in a dry run.
	Census *Census
}

// An UnreadableRow is a value that was left as it is.
type UnreadableRow struct {
	Table  string
	Column string
	// Key is the primary key, for people: its parts separated by commas, bytes in
	// hexadecimal.
	Key    string
	Reason Reason
}

// A Reason says why a value was left as it is.
type Reason string

// The reasons.
const (
	ReasonUnreadable Reason = "no key opens it"
	ReasonTooLong    Reason = "its token does not fit the column"
	ReasonNotText    Reason = "it is neither text nor bytes"
)
