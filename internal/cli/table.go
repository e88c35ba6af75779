package cli

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/reencrypt"
)

// tableFlags are what the commands over stored columns share.
type tableFlags struct {
	keys *keySource
	dsn  *dsnSource

	bind, bindRow bool
	bindName      string
	from          []string

	json, quiet bool
	options     reencrypt.Options
}

// addTableFlags gives cmd the flags.
func addTableFlags(cmd *cobra.Command) *tableFlags {
	f := &tableFlags{keys: keyFlags(cmd), dsn: dsnFlags(cmd)}
	flags := cmd.Flags()
	flags.BoolVar(&f.bind, "bind", false, `the keys are derived for TABLE.COLUMN, as fernet:"bind" does`)
	flags.BoolVar(&f.bindRow, "bind-row", false, `the keys are derived for the row too, as fernet:"bind:row" does`)
	flags.StringVar(&f.bindName, "bind-name", "", "the `name` in that tag, if it is not TABLE.COLUMN")
	flags.StringSliceVar(&f.from, "from", nil, "under which `keys` else tokens may be: unbound, bound or bound-row")
	flags.BoolVar(&f.json, "json", false, "print JSON lines")
	flags.BoolVar(&f.quiet, "quiet", false, "show no progress")
	flags.IntVar(&f.options.BatchSize, "batch-size", reencrypt.DefaultBatchSize, "rows in a transaction, at most")
	flags.IntVar(&f.options.Rate, "rate", 0, "rows a second, at most; 0 is no limit")
	flags.Float64Var(&f.options.Load, "load", 1, "share of the time to work, such as 0.25; the rest is the application's")
	flags.DurationVar(&f.options.MaxReplicaLag, "max-replica-lag", 0, "wait while a standby of PostgreSQL is further behind")
	flags.DurationVar(&f.options.RetryFor, "retry-for", reencrypt.DefaultRetryFor, "try a batch again for so long while the database does not answer")
	flags.BoolVar(&f.options.AllowEmpty, "allow-empty", false, "a table without values is no error")
	cmd.RegisterFlagCompletionFunc("from", cobra.FixedCompletions([]string{"unbound", "bound", "bound-row"}, cobra.ShellCompDirectiveNoFileComp))
	return f
}

// validate refuses what the engine would read as its default.
func (f *tableFlags) validate(columns []column) error {
	switch {
	case f.options.BatchSize < 1 || f.options.BatchSize > maxBatchSize:
		return usageError("--batch-size is 1 to %d", maxBatchSize)
	case f.options.Rate < 0:
		return usageError("--rate is 0 or more rows a second")
	case !(f.options.Load > 0 && f.options.Load <= 1):
		return usageError("--load is more than 0 and at most 1")
	case f.options.MaxReplicaLag < 0, f.options.RetryFor <= 0:
		return usageError("a duration is not negative, and --retry-for is not 0")
	case f.keys.file == standardInput && f.dsn.file == standardInput:
		return usageError("standard input cannot be both --key-file and --dsn-file")
	case f.bindName != "" && len(columns) > 1:
		return usageError("--bind-name names one column; give one")
	case f.bindName != "" && !f.bind && !f.bindRow && !slices.ContainsFunc(f.from, func(s string) bool { return s != "unbound" }):
		return usageError("--bind-name goes with --bind or --bind-row, or with --from bound or bound-row")
	case f.bind && f.bindRow:
		return usageError("give --bind or --bind-row, not both")
	}
	return nil
}

// maxBatchSize keeps a transaction from holding its locks for minutes.
const maxBatchSize = 100_000

// plans groups the columns by table, in the order in which they were named.
func (f *tableFlags) plans(columns []column, kr *fernet.Keyring) ([]reencrypt.Plan, error) {
	var plans []reencrypt.Plan
	for _, c := range columns {
		planned, err := f.column(c, kr)
		if err != nil {
			return nil, err
		}
		table, schema := c.table[len(c.table)-1], strings.Join(c.table[:len(c.table)-1], ".")
		i := slices.IndexFunc(plans, func(p reencrypt.Plan) bool { return p.Schema == schema && p.Table == table })
		if i < 0 {
			plans = append(plans, reencrypt.Plan{Schema: schema, Table: table})
			i = len(plans) - 1
		}
		plans[i].Columns = append(plans[i].Columns, planned)
	}
	return plans, nil
}

func (f *tableFlags) column(c column, kr *fernet.Keyring) (reencrypt.Column, error) {
	name := f.bindName
	if name == "" {
		name = c.table[len(c.table)-1] + "." + c.name
	}
	bound := reencrypt.Source{Bind: []string{bindContext, name}}
	boundRow := reencrypt.Source{Bind: []string{bindRowContext, name}, BindRow: true}

	planned := reencrypt.Column{Name: c.name, Keyring: kr}
	switch {
	case f.bind:
		planned.Bind = bound.Bind
	case f.bindRow:
		planned.Bind, planned.BindRow = boundRow.Bind, true
	}
	for _, from := range f.from {
		switch from {
		case "unbound":
			planned.Sources = append(planned.Sources, reencrypt.Source{})
		case "bound":
			planned.Sources = append(planned.Sources, bound)
		case "bound-row":
			planned.Sources = append(planned.Sources, boundRow)
		default:
			return reencrypt.Column{}, usageError("--from is unbound, bound or bound-row")
		}
	}
	return planned, nil
}

// A work is what a command does with one table.
type work func(ctx context.Context, db *sql.DB, d reencrypt.Dialect, p reencrypt.Plan) error

// overTables reads keys and database, and works on one table after another. A table
// that is left with unreadable rows, or not complete, does not keep the others from
// their turn. prepare, which may be nil, completes the plans; first, which may be nil,
// looks at all tables before do changes one.
func (a *app) overTables(cmd *cobra.Command, f *tableFlags, args []string, prepare func([]reencrypt.Plan) error, first, do work) error {
	columns, err := parseColumns(args)
	if err != nil {
		return err
	}
	if err := f.validate(columns); err != nil {
		return err
	}
	kr, err := f.keys.load(a)
	if err != nil {
		return err
	}
	plans, err := f.plans(columns, kr)
	if err != nil {
		return err
	}
	if prepare != nil {
		if err := prepare(plans); err != nil {
			return err
		}
	}
	source, err := f.dsn.load(a)
	if err != nil {
		return err
	}
	if f.options.MaxReplicaLag > 0 && source.dialect != "postgres" {
		return usageError("--max-replica-lag is for PostgreSQL")
	}
	ctx, release := a.stoppable(cmd.Context())
	defer release()
	db, err := source.open(ctx)
	if ctx.Err() != nil {
		return &statusError{exitInterrupted, errors.New("interrupted")}
	}
	if err != nil {
		return err
	}
	defer db.Close()

	d := reencrypt.Dialect(source.dialect)
	if first != nil {
		for _, p := range plans {
			if err := first(ctx, db, d, p); err != nil {
				return tableErrors{err}.join()
			}
		}
	}
	var worst tableErrors
	for _, p := range plans {
		err := do(ctx, db, d, p)
		if err == nil {
			continue
		}
		worst = append(worst, err)
		if !errors.Is(err, reencrypt.ErrUnreadable) && !errors.Is(err, reencrypt.ErrNotComplete) && !errors.Is(err, reencrypt.ErrKeyInUse) {
			break
		}
	}
	return worst.join()
}

// tableErrors are the errors of several tables.
type tableErrors []error

// join makes one line of them, with the exit code of the gravest.
func (t tableErrors) join() error {
	if len(t) == 0 {
		return nil
	}
	code, texts := exitOK, make([]string, len(t))
	for i, err := range t {
		texts[i] = inWords(err)
		if c := engineCode(err); slices.Index(gravity, c) > slices.Index(gravity, code) {
			code = c
		}
	}
	return &statusError{code, fmt.Errorf("%s", strings.Join(texts, "; "))}
}

// inWords is the text of an error of the engine, in the words of the command line.
func inWords(err error) string {
	text := strings.NewReplacer(
		"set Options.AllowEmpty", "give --allow-empty",
		"run the same plan again", "run the same command again",
		"which Column.Plaintext encrypts", "which fernetcol migrate encrypts",
		"no key of the plan", "no key of the ring",
		": "+context.Canceled.Error(), "",
	).Replace(err.Error())
	return strings.TrimPrefix(text, "reencrypt: ")
}

// gravity orders the exit codes.
var gravity = []int{exitOK, exitIncomplete, exitUnreadable, exitError, exitUsage, exitInterrupted}

// engineCode is the exit code for an error of the engine.
func engineCode(err error) int {
	switch {
	case errors.Is(err, reencrypt.ErrStopped), errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.Is(err, reencrypt.ErrRefused), errors.Is(err, reencrypt.ErrNothing):
		return exitError
	case errors.Is(err, reencrypt.ErrUnreadable):
		return exitUnreadable
	case errors.Is(err, reencrypt.ErrNotComplete), errors.Is(err, reencrypt.ErrKeyInUse):
		return exitIncomplete
	default:
		return exitCode(err)
	}
}
