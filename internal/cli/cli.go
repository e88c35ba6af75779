package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// Streams are what a command reads and writes.
type Streams struct {
	In  io.Reader
	Out io.Writer // results
	Err io.Writer // progress and messages

	// Whether there is a person at the other end.
	InTerminal, OutTerminal bool
	// ErrWidth is how many columns the terminal of Err has; 0 if it is none.
	ErrWidth int
}

// Main runs the command with the arguments and streams of the process, and returns
// its exit code.
func Main() int { return Run(os.Args[1:], StreamsOf(os.Stdin, os.Stdout, os.Stderr)) }

// StreamsOf finds out which of the files are terminals.
func StreamsOf(in, out, err *os.File) Streams {
	return Streams{
		In: in, Out: out, Err: err,
		InTerminal:  term.IsTerminal(int(in.Fd())),
		OutTerminal: term.IsTerminal(int(out.Fd())),
		ErrWidth:    terminalWidth(int(err.Fd())),
	}
}

// usualWidth is that of a terminal that does not know its own.
const usualWidth = 80

func terminalWidth(fd int) int {
	if !term.IsTerminal(fd) {
		return 0
	}
	if width, _, err := term.GetSize(fd); err == nil && width > 0 {
		return width
	}
	return usualWidth
}

// Run runs the command with args, which do not begin with the program's name, and
// returns its exit code. It reports every error itself.
func Run(args []string, s Streams) int {
	s.Err = &lockedWriter{w: s.Err}
	a := &app{Streams: s}
	err := refuseSecrets(args)
	if err == nil {
		root := a.root()
		root.SetArgs(append([]string{}, args...)) // cobra takes nil for os.Args
		err = root.Execute()
	}
	if err == nil {
		return exitOK
	}
	if text := strings.Join(strings.Fields(err.Error()), " "); text != "" {
		fmt.Fprintln(s.Err, "fernetcol: "+text)
	}
	return exitCode(err)
}

// lockedWriter keeps progress and the message of an interrupt apart.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// app is one run of the command.
type app struct {
	Streams
	stdinTaken string // the flag that reads standard input, or ""
}

// message writes a line for the person at the terminal or for the log.
func (a *app) message(format string, args ...any) {
	fmt.Fprintf(a.Err, format+"\n", args...)
}

// The groups of commands in the help of the root.
const (
	groupKeys    = "keys"
	groupColumns = "columns"
	groupTables  = "tables"
)

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "fernetcol",
		Short: "Encrypted database columns: keys, tokens, and tables that change keys",
		Long: `Encrypted database columns: keys, tokens, and tables that change keys.

Keys come from the environment variable SECRET_FERNET_KEY (the primary key, then
retired ones, separated by commas), from a file (--key-file), or from standard
input (--key-file -). Never from an argument: other users see arguments, and the
shell keeps them.`,
		Example: `  export SECRET_FERNET_KEY="$(fernetcol keygen)"
  printf 'ada@example.com' | fernetcol encrypt | fernetcol decrypt`,
		Args:          a.subcommandOnly,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,

		SuggestionsMinimumDistance: 2,
		CompletionOptions:          cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.SetHelpCommand(a.help())
	root.SetIn(a.In)
	root.SetOut(a.Out)
	root.SetErr(a.Err)
	root.SetFlagErrorFunc(flagError)
	root.SetHelpTemplate(helpTemplate)
	root.SetUsageTemplate(usageTemplate)
	root.AddGroup(
		&cobra.Group{ID: groupKeys, Title: "Keys and tokens:"},
		&cobra.Group{ID: groupColumns, Title: "Columns:"},
		&cobra.Group{ID: groupTables, Title: "Stored values, while the application runs:"},
	)
	root.AddCommand(
		a.keygen(), a.encrypt(), a.decrypt(), a.inspect(),
		a.check(), a.size(),
		a.census(), a.reencrypt(), a.migrate(), a.retire(), a.index(),
		a.completion(), a.version(),
	)
	return root
}

// subcommandOnly is the [cobra.PositionalArgs] of commands that only hold others.
func (a *app) subcommandOnly(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	remedy := "see " + cmd.CommandPath() + " --help"
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		remedy = "did you mean " + cmd.CommandPath() + " " + near[0] + "?"
	}
	return usageError("there is no such command; %s", remedy)
}

// noArgs is the [cobra.PositionalArgs] of commands that read standard input; instead
// says where what was given as an argument belongs.
func noArgs(instead string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return usageError("%s takes no arguments: %s", nameOf(cmd), instead)
		}
		return nil
	}
}

// nameOf is the command as one types it behind the program's name.
func nameOf(cmd *cobra.Command) string {
	return strings.TrimPrefix(cmd.CommandPath(), "fernetcol ")
}
