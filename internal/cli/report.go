package cli

import (
	"bytes"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/fernetcol/fernetcol/reencrypt"
)

// unreadableLine is a line of JSON on standard output, for a value that was left as
// it is.
type unreadableLine struct {
	Event  string           `json:"event"` // "unreadable"
	Table  string           `json:"table"`
	Column string           `json:"column"`
	Key    string           `json:"key"`
	Reason reencrypt.Reason `json:"reason"`
}

// unreadable returns the [reencrypt.Options.Unreadable] of a table, and a function
// that returns the first error of writing.
func (a *app) unreadable(f *tableFlags, p *progress) (list func(reencrypt.UnreadableRow), failed func() error) {
	var first error
	list = func(row reencrypt.UnreadableRow) {
		err := p.aside(func() error {
			if f.json {
				return a.writeJSON(unreadableLine{"unreadable", row.Table, row.Column, row.Key, row.Reason})
			}
			return a.write(fmt.Appendf(nil, "%s.%s, row %s: %s\n", row.Table, row.Column, row.Key, row.Reason))
		})
		if first == nil {
			first = err
		}
	}
	return list, func() error { return first }
}

// censusLine is a census as a line of JSON.
type censusLine struct {
	Event string `json:"event"` // "census"
	*reencrypt.Census
}

// resultLine is the end of a run as a line of JSON.
type resultLine struct {
	Event   string            `json:"event"` // "result"
	Table   string            `json:"table"`
	DryRun  bool              `json:"dry_run"`
	Counts  reencrypt.Counts  `json:"counts"`
	Resumed reencrypt.Counts  `json:"resumed"`
	Passes  int               `json:"passes"`
	Census  *reencrypt.Census `json:"census"` // null if the run did not come so far
}

func (a *app) writeCensus(f *tableFlags, c *reencrypt.Census) error {
	if f.json {
		return a.writeJSON(censusLine{"census", c})
	}
	return a.write(censusTable(c))
}

// censusTable is a census for people.
func censusTable(c *reencrypt.Census) []byte {
	var out bytes.Buffer
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s, %d rows\tVALUES\tOLDEST\n", c.Table, c.Rows)
	for _, col := range c.Columns {
		name := "  " + col.Column
		line := func(what string, n int64, oldest time.Time) {
			when := ""
			if !oldest.IsZero() {
				when = oldest.UTC().Format(time.RFC3339)
			}
			fmt.Fprintf(w, "%s: %s\t%d\t%s\n", name, what, n, when)
		}
		for _, k := range col.Keys {
			what := "key " + k.KeyID
			if k.Bind != "" {
				what += " for " + strings.TrimPrefix(k.Bind, "gormencrypt/")
			}
			if k.Target {
				what += " (primary)"
			}
			line(what, k.Rows, k.Oldest)
		}
		line("NULL", col.Null, time.Time{})
		line("plaintext", col.Plaintext, time.Time{})
		line("unreadable", col.Unreadable, time.Time{})
		for _, more := range []struct {
			what string
			n    int64
		}{
			{"too long for the column", col.TooLong},
			{"of these deterministic", col.Deterministic},
			{"of these raw", col.Raw},
		} {
			if more.n > 0 {
				line(more.what, more.n, time.Time{})
			}
		}
		for index, n := range col.Stale {
			line("missing or other in "+index, n, time.Time{})
		}
	}
	w.Flush()
	// tabwriter pads the last column too.
	lines := strings.Split(out.String(), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return []byte(strings.Join(lines, "\n"))
}

func (a *app) writeResult(f *tableFlags, table string, r *reencrypt.Result) error {
	if f.json {
		return a.writeJSON(resultLine{"result", table, f.options.DryRun, r.Counts, r.Resumed, r.Passes, r.Census})
	}
	if err := a.write([]byte(summary(table, f.options.DryRun, r) + "\n")); err != nil {
		return err
	}
	if r.Census == nil {
		return nil
	}
	return a.write(censusTable(r.Census))
}

// summary is what a run did, in a line for people.
func summary(table string, dryRun bool, r *reencrypt.Result) string {
	c := r.Counts
	var parts []string
	for _, part := range []struct {
		n      int64
		what   string
		always bool
	}{
		{c.Rotated, "re-encrypted", true},
		{c.Encrypted, "encrypted", false},
		{c.Indexed, "index entries written", false},
		{c.Current, "current already", true},
		{c.Null, "NULL", false},
		{c.Plaintext, "plaintext and left so", false},
		{c.Unreadable, "unreadable", false},
		{c.TooLong, "too long for the column", false},
		{c.Conflicts, "written by others meanwhile", false},
	} {
		if part.n > 0 || part.always {
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.what))
		}
	}
	did := "looked at"
	if dryRun {
		did = "looked at, nothing written"
	}
	return fmt.Sprintf("%s: %d rows %s: %s", table, c.Rows, did, strings.Join(parts, ", "))
}
