package cli

import (
	"context"
	"database/sql"

	"github.com/spf13/cobra"

	"github.com/fernetcol/fernetcol/reencrypt"
)

func (a *app) census() *cobra.Command {
	var strict bool
	cmd := &cobra.Command{
		Use:     "census TABLE.COLUMN...",
		GroupID: groupTables,
		Short:   "Count what is stored under which key",
		Long: `Read whole tables and count what the columns hold: tokens by key, plaintext, NULL,
and values that no key opens, which are listed by primary key. Every token is
decrypted. Nothing is changed, and a connection that may only read is enough.`,
		Example: `  fernetcol census users.email users.phone orders.card
  fernetcol census users.email --json --strict`,
		Args: columnArgs,
	}
	f := addTableFlags(cmd)
	cmd.Flags().BoolVar(&strict, "strict", false, "exit with 4 if a value is unreadable or plaintext, 3 if one is not under the primary key")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.overTables(cmd, f, args, nil, nil, func(ctx context.Context, db *sql.DB, d reencrypt.Dialect, p reencrypt.Plan) error {
			census, err := a.count(f, p.Table, func(o reencrypt.Options) (*reencrypt.Census, error) {
				return reencrypt.TakeCensus(ctx, db, d, p, o)
			})
			if err != nil {
				return err
			}
			if err := a.writeCensus(f, census); err != nil || !strict {
				return err
			}
			return strictly(census)
		})
	}
	return cmd
}

// count calls take, which reads a table, with its progress shown and what is
// unreadable listed.
func (a *app) count(f *tableFlags, table string, take func(reencrypt.Options) (*reencrypt.Census, error)) (*reencrypt.Census, error) {
	shown := a.newProgress(f, table)
	o := f.options
	o.Progress = shown.report
	list, failed := a.unreadable(f, shown)
	o.Unreadable = list
	census, err := take(o)
	shown.finish()
	if err == nil {
		err = failed()
	}
	return census, err
}

// strictly is the error of --strict.
func strictly(c *reencrypt.Census) error {
	var unreadable, left int64
	for _, col := range c.Columns {
		unreadable += col.Unreadable + col.Plaintext + col.TooLong
		left += col.Pending
	}
	switch {
	case unreadable > 0:
		return &statusError{exitUnreadable, &countError{c.Table, unreadable, reencrypt.ErrUnreadable}}
	case left > 0:
		return &statusError{exitIncomplete, &countError{c.Table, left, reencrypt.ErrNotComplete}}
	}
	return nil
}
