package reencrypt

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// verdict is the error of a run that came to its end.
func (r *run) verdict(c *Census) error {
	var errs []error
	if err := emptiness(c, *r.o); err != nil {
		errs = append(errs, err)
	}
	for i := range c.Columns {
		col := &c.Columns[i]
		if err := col.incomplete(c.Table, r.refusal); err != nil {
			errs = append(errs, err)
		}
		if err := col.unreadable(c.Table); err != nil {
			errs = append(errs, err)
		}
	}
	return joined(errs)
}

// joined is one line, unlike errors.Join.
func joined(errs []error) error {
	switch len(errs) {
	case 0:
		return nil
	case 1:
		return errs[0]
	}
	lines := make([]string, len(errs))
	for i, err := range errs {
		lines[i] = err.Error()
	}
	return &jointError{text: strings.Join(lines, "; "), errs: errs}
}

type jointError struct {
	text string
	errs []error
}

func (e *jointError) Error() string   { return e.text }
func (e *jointError) Unwrap() []error { return e.errs }

// emptiness is ErrNothing if there was nothing to look at.
func emptiness(c *Census, o Options) error {
	switch {
	case o.AllowEmpty:
		return nil
	case c.Rows == 0:
		return fmt.Errorf("%w: table %s has no rows; if that is right, set Options.AllowEmpty", ErrNothing, c.Table)
	}
	for _, col := range c.Columns {
		if col.Null < c.Rows {
			return nil
		}
	}
	return fmt.Errorf("%w: the columns of table %s hold nothing but NULL; if that is right, set Options.AllowEmpty", ErrNothing, c.Table)
}

// incomplete names what a run left that the plan would change.
func (c *ColumnCensus) incomplete(table, refusal string) error {
	if c.Pending == 0 {
		return nil
	}
	var left []string
	for _, k := range c.Keys {
		if !k.Target {
			left = append(left, fmt.Sprintf("%d under %s", k.Rows, k))
		}
	}
	if c.clear && c.Plaintext > 0 {
		left = append(left, fmt.Sprintf("%d in the clear", c.Plaintext))
	}
	for _, index := range slices.Sorted(maps.Keys(c.Stale)) {
		if n := c.Stale[index]; n > 0 {
			left = append(left, fmt.Sprintf("%d without their entry in %s", n, index))
		}
	}
	why := "a writer still does this, or held rows locked; give every writer the new keys and run again"
	if refusal != "" {
		why = refusal
	}
	if len(left) == 0 {
		left = []string{"in another form"}
	}
	return fmt.Errorf("%w: %s.%s: %d values left (%s): %s", ErrNotComplete, table, c.Column, c.Pending, strings.Join(left, ", "), why)
}

// unreadable names what no run can change.
func (c *ColumnCensus) unreadable(table string) error {
	var left []string
	if c.Unreadable > 0 {
		left = append(left, fmt.Sprintf("%d values open under no key of the plan", c.Unreadable))
	}
	if c.TooLong > 0 {
		left = append(left, fmt.Sprintf("the tokens of %d values do not fit the column", c.TooLong))
	}
	if c.Plaintext > 0 && !c.clear {
		left = append(left, fmt.Sprintf("%d values are in the clear, which Column.Plaintext encrypts", c.Plaintext))
	}
	if left == nil {
		return nil
	}
	return fmt.Errorf("%w: %s.%s: %s; they were left as they are", ErrUnreadable, table, c.Column, strings.Join(left, ", "))
}

// String names the key and the context.
func (k KeyCount) String() string {
	if k.Bind == "" {
		return "key " + k.KeyID
	}
	return "key " + k.KeyID + " for " + k.Bind
}

// pending are the values that a run would change.
func (c *Census) pending() int64 {
	var n int64
	for _, col := range c.Columns {
		n += col.Pending
	}
	return n
}
