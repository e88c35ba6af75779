package cli

import "github.com/spf13/cobra"

func (a *app) migrate() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "migrate TABLE.COLUMN...",
		GroupID: groupTables,
		Short:   "Encrypt columns that hold plaintext",
		Long: `Encrypt in place what cannot be a token, and move tokens to the primary key, while
the application keeps reading and writing. Deploy programs first that read both and
write tokens; add the CHECK of fernetcol check afterwards. What begins as a token does
and opens under no key is left as it is and listed. docs/cli.md has the steps.`,
		Example: `  fernetcol migrate users.email --dry-run
  fernetcol migrate users.email --index email_index,lower`,
		Args: columnArgs,
	}
	f := addRunFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return a.runTables(cmd, f, args, true) }
	return cmd
}
