package cli

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fernetcol/fernetcol/reencrypt"
)

// The exit codes, as docs/cli.md explains them.
const (
	exitOK          = 0
	exitError       = 1   // nothing was done, or not all, for the reason printed
	exitUsage       = 2   // the command line is wrong
	exitIncomplete  = 3   // rows remain that need another run, or the key
	exitUnreadable  = 4   // a token, or values, that no key opens, and plaintext that was left
	exitInterrupted = 130 // stopped by a signal after the batch; to be resumed
)

// statusError is an error that decides the exit code.
type statusError struct {
	code int
	err  error
}

func (e *statusError) Error() string { return e.err.Error() }
func (e *statusError) Unwrap() error { return e.err }

// exitCode returns the exit code for what a command returned.
func exitCode(err error) int {
	if e, ok := errors.AsType[*statusError](err); ok {
		return e.code
	}
	return exitError
}

func usageError(format string, args ...any) error {
	return &statusError{exitUsage, fmt.Errorf(format, args...)}
}

func unreadableError(format string, args ...any) error {
	return &statusError{exitUnreadable, fmt.Errorf(format, args...)}
}

// countError is that so many values of a table are not as they should be.
type countError struct {
	table string
	n     int64
	what  error // of package reencrypt
}

func (e *countError) Error() string {
	if errors.Is(e.what, reencrypt.ErrUnreadable) {
		return fmt.Sprintf("%s: %d values are unreadable, too long for the column, or plaintext", e.table, e.n)
	}
	return fmt.Sprintf("%s: %d values are not under the primary key", e.table, e.n)
}

func (e *countError) Unwrap() error { return e.what }

// plausibleFlag is what may be repeated of a flag that does not exist: a slip of the
// finger, and no value that lost its flag.
var plausibleFlag = regexp.MustCompile(`^[a-z]{1,12}(-[a-z]{1,12}){0,2}$`)

// flagError says what is wrong with a flag without its value: pflag's messages quote
// the argument.
func flagError(cmd *cobra.Command, err error) error {
	see := "; see " + cmd.CommandPath() + " --help"
	if e, ok := errors.AsType[*pflag.NotExistError](err); ok {
		if name := e.GetSpecifiedName(); e.GetSpecifiedShortnames() == "" && plausibleFlag.MatchString(name) {
			return usageError("%s has no flag --%s%s", nameOf(cmd), name, see)
		}
		return usageError("%s does not have that flag%s", nameOf(cmd), see)
	}
	if e, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return usageError("--%s needs a value%s", e.GetFlag().Name, see)
	}
	if e, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return usageError("the value of --%s is not %s%s", e.GetFlag().Name, typeName(e.GetFlag()), see)
	}
	return usageError("an argument is not written as a flag is%s", see)
}

// typeName says in words what kind of value a flag takes.
func typeName(f *pflag.Flag) string {
	switch f.Value.Type() {
	case "int", "int64", "uint", "uint64":
		return "a whole number"
	case "float64":
		return "a number"
	case "duration":
		return "a duration such as 500ms or 2m"
	case "bool":
		return "true or false"
	default:
		return "a " + f.Value.Type()
	}
}
