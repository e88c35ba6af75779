package cli

import (
	"context"
	"database/sql"

	"github.com/spf13/cobra"

	"github.com/fernetcol/fernetcol/reencrypt"
)

// runFlags are those of the commands that write.
type runFlags struct {
	*tableFlags
	index *indexFlags

	form          string
	deterministic bool
}

func addRunFlags(cmd *cobra.Command) *runFlags {
	f := &runFlags{tableFlags: addTableFlags(cmd), index: addIndexFlags(cmd)}
	flags := cmd.Flags()
	flags.BoolVar(&f.options.DryRun, "dry-run", false, "count what would be changed, and change nothing")
	flags.StringVar(&f.form, "form", "", "the `form` to give to tokens: text, or raw in a binary column; by default each keeps its own")
	flags.BoolVar(&f.deterministic, "deterministic", false, "make every token deterministic; by default each stays what it is")
	flags.IntVar(&f.options.Workers, "workers", reencrypt.DefaultWorkers, "connections that work at once; SQLite has one")
	flags.DurationVar(&f.options.LockTimeout, "lock-timeout", reencrypt.DefaultLockTimeout, "how long a batch waits for a row that the application has locked, before it gives way")
	flags.IntVar(&f.options.MaxPasses, "max-passes", reencrypt.DefaultMaxPasses, "how often to go through the table at most, until nothing is left")
	cmd.RegisterFlagCompletionFunc("form", cobra.FixedCompletions([]string{"text", "raw"}, cobra.ShellCompDirectiveNoFileComp))
	return f
}

// prepare completes the plans by what the flags say of every column.
func (f *runFlags) prepare(plaintext bool) func([]reencrypt.Plan) error {
	return func(plans []reencrypt.Plan) error {
		var form reencrypt.Form
		switch f.form {
		case "":
		case "text":
			form = reencrypt.FormText
		case "raw":
			form = reencrypt.FormRaw
		default:
			return usageError("--form is text or raw")
		}
		if f.options.Workers < 1 || f.options.MaxPasses < 1 || f.options.LockTimeout <= 0 {
			return usageError("--workers, --max-passes and --lock-timeout are more than 0")
		}
		for _, p := range plans {
			for i := range p.Columns {
				p.Columns[i].Form, p.Columns[i].Deterministic, p.Columns[i].Plaintext = form, f.deterministic, plaintext
			}
		}
		return f.index.prepare(plans)
	}
}

// runTables is reencrypt and migrate.
func (a *app) runTables(cmd *cobra.Command, f *runFlags, args []string, plaintext bool) error {
	var first work
	if !f.options.DryRun { // which a connection that may only read is enough for
		first = a.preflight
	}
	return a.overTables(cmd, f.tableFlags, args, f.prepare(plaintext), first, func(ctx context.Context, db *sql.DB, d reencrypt.Dialect, p reencrypt.Plan) error {
		var result *reencrypt.Result
		_, err := a.count(f.tableFlags, p.Table, func(o reencrypt.Options) (*reencrypt.Census, error) {
			var err error
			result, err = reencrypt.Run(ctx, db, d, p, o)
			return result.Census, err
		})
		if result.Counts == (reencrypt.Counts{}) && result.Census == nil && err != nil {
			return err // there is nothing to tell
		}
		if writing := a.writeResult(f.tableFlags, p.Table, result); writing != nil && err == nil {
			err = writing
		}
		if err == nil && f.options.DryRun {
			err = foreseen(p.Table, result.Counts)
		}
		return err
	})
}

// foreseen is the error that a run would end with, after a dry one that only counts.
func foreseen(table string, c reencrypt.Counts) error {
	if left := c.Unreadable + c.TooLong + c.Plaintext; left > 0 {
		return &statusError{exitUnreadable, &countError{table, left, reencrypt.ErrUnreadable}}
	}
	return nil
}
