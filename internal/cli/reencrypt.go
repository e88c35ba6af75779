package cli

import "github.com/spf13/cobra"

func (a *app) reencrypt() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "reencrypt TABLE.COLUMN...",
		GroupID: groupTables,
		Short:   "Move stored tokens to the primary key",
		Long: `Move the tokens of columns to the primary key, while the application keeps reading
and writing: put the new key first in every program's ring, restart them, and run this.
A writer that is in the way wins, a run that was stopped goes on where it stood, and a
census at the end proves that nothing is left. Plaintext is counted and left; see
fernetcol migrate. Exit code 3: tokens remain, run it again. 4: rows that no key opens
were left as they are and are listed; all others are done.`,
		Example: `  fernetcol reencrypt users.email users.phone --dry-run
  fernetcol reencrypt users.email users.phone --rate 2000
  fernetcol reencrypt users.email --bind --from unbound   # to keys of the column's own`,
		Args: columnArgs,
	}
	f := addRunFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return a.runTables(cmd, f, args, false) }
	return cmd
}
