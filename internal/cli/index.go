package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fernetcol/fernetcol/blindindex"
)

func (a *app) index() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "index",
		GroupID: groupTables,
		Short:   "Say what blind indexes give away",
		Example: `  fernetcol index audit users.email_index`,
		Args:    a.subcommandOnly,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.SuggestionsMinimumDistance = 2
	cmd.AddCommand(a.indexAudit())
	return cmd
}

// auditLine is what an index gives away as a line of JSON.
type auditLine struct {
	Event        string   `json:"event"` // "audit"
	Table        string   `json:"table"`
	Column       string   `json:"column"`
	Rows         int64    `json:"rows"`
	Null         int64    `json:"null"`
	Distinct     int64    `json:"distinct"`
	Largest      []int64  `json:"largest"`
	Smallest     int64    `json:"smallest"`
	Guessed      int64    `json:"guessed"`
	GuessedShare float64  `json:"guessed_share"`
	Warnings     []string `json:"warnings"`
}

func (a *app) indexAudit() *cobra.Command {
	var asJSON, strict bool
	cmd := &cobra.Command{
		Use:   "audit TABLE.COLUMN...",
		Short: "Measure what an index column gives away to whoever reads it",
		Long: `Count how often each entry of an index column occurs, which whoever reads the column
can do too, and say how many rows they could name who know how often each value should
occur. It takes columns with deterministic tokens as well. No key is needed, no entry
is printed, and the column is read whole, in one statement. docs/search.md explains the
figures.`,
		Example: `  fernetcol index audit users.email_index patients.diagnosis_index`,
		Args:    columnArgs,
	}
	dsn := dsnFlags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON lines")
	cmd.Flags().BoolVar(&strict, "strict", false, "exit with 3 if there is a warning")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		columns, err := parseColumns(args)
		if err != nil {
			return err
		}
		for _, c := range columns {
			if strings.Count(c.tableName(), ".") != len(c.table)-1 || strings.Contains(c.name, ".") {
				return usageError("an audit cannot take a name with a dot in it")
			}
		}
		source, err := dsn.load(a)
		if err != nil {
			return err
		}
		db, err := source.open(cmd.Context())
		if err != nil {
			return err
		}
		defer db.Close()
		warned := 0
		for _, c := range columns {
			found, err := blindindex.Audit(cmd.Context(), db, c.tableName(), c.name)
			if err != nil {
				return fmt.Errorf("%s: %s", c, driverReason(err))
			}
			warned += len(found.Warnings())
			if asJSON {
				err = a.writeJSON(auditOf(c, found))
			} else {
				err = a.write([]byte(c.String() + "\n" + found.String()))
			}
			if err != nil {
				return err
			}
		}
		if strict && warned > 0 {
			return &statusError{exitIncomplete, fmt.Errorf("%d warnings; docs/search.md says what they mean", warned)}
		}
		return nil
	}
	return cmd
}

func auditOf(c column, l *blindindex.Leakage) auditLine {
	line := auditLine{
		Event: "audit", Table: c.tableName(), Column: c.name,
		Rows: l.Rows, Null: l.Nulls, Distinct: l.Distinct,
		Largest: l.Largest, Smallest: l.Smallest,
		Guessed: l.Guessed, GuessedShare: l.GuessedShare(),
		Warnings: l.Warnings(),
	}
	// [] says more than null.
	if line.Largest == nil {
		line.Largest = []int64{}
	}
	if line.Warnings == nil {
		line.Warnings = []string{}
	}
	return line
}
