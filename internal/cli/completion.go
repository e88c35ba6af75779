package cli

import (
	"io"

	"github.com/spf13/cobra"
)

// shells are those that cobra writes a completion script for.
var shells = []string{"bash", "zsh", "fish", "powershell"}

// completion stands in for cobra's own command, whose errors repeat the argument.
func (a *app) completion() *cobra.Command {
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print the script that completes commands in your shell",
		Long: `Print the script with which bash, zsh, fish or powershell complete the commands and
flags of fernetcol.`,
		Example: `  source <(fernetcol completion bash)
  fernetcol completion zsh >"${fpath[1]}/_fernetcol"
  fernetcol completion fish >~/.config/fish/completions/fernetcol.fish`,
		ValidArgs: shells,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError("say for which shell: fernetcol completion bash, zsh, fish or powershell")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			write := map[string]func(io.Writer) error{
				"bash":       func(w io.Writer) error { return cmd.Root().GenBashCompletionV2(w, true) },
				"zsh":        cmd.Root().GenZshCompletion,
				"fish":       func(w io.Writer) error { return cmd.Root().GenFishCompletion(w, true) },
				"powershell": cmd.Root().GenPowerShellCompletionWithDesc,
			}[args[0]]
			if write == nil {
				return usageError("there are completion scripts for bash, zsh, fish and powershell only")
			}
			return write(a.Out)
		},
	}
}
