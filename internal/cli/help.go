package cli

import "github.com/spf13/cobra"

// help stands in for cobra's own command, whose errors repeat the argument.
func (a *app) help() *cobra.Command {
	return &cobra.Command{
		Use:     "help COMMAND",
		Short:   "Say how a command is used",
		Example: `  fernetcol help encrypt`,
		RunE: func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return usageError("there is no such command; see fernetcol --help")
			}
			found.InitDefaultHelpFlag() // so that it is listed
			return found.Help()
		},
	}
}

const helpTemplate = `{{with (or .Long .Short)}}{{. | trimTrailingWhitespaces}}

{{end}}{{.UsageString}}`

// usageTemplate is cobra's with the example first, where it is seen.
const usageTemplate = `Usage:
  {{if .HasAvailableSubCommands}}{{.CommandPath}} COMMAND{{else}}{{.UseLine}}{{end}}{{if .HasExample}}

Example:
{{.Example}}{{end}}{{if .HasAvailableSubCommands}}{{$cmds := .Commands}}{{range $group := .Groups}}

{{.Title}}{{range $cmds}}{{if and (eq .GroupID $group.ID) .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if .Groups}}

Other:{{else}}

Commands:{{end}}{{range $cmds}}{{if and (eq .GroupID "") .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableSubCommands}}

"{{.CommandPath}} COMMAND --help" says more. Exit codes: 0 done, 1 error, 2 usage,
3 not complete, 4 unreadable, 130 interrupted.{{end}}
`
