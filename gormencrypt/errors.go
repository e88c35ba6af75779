package gormencrypt

import (
	"errors"
	"fmt"
)

// ErrRefused is wrapped by the error for a statement that would store plaintext,
// or whose answer would be wrong or empty without saying so, because of an
// encrypted column. The error names table and column and the way out. It holds
// neither a value nor SQL.
var ErrRefused = errors.New("gormencrypt: refused")

// refuse says why a statement cannot use the column as it does, and what to do.
func (c *column) refuse(format string, args ...any) error {
	return fmt.Errorf("%w: column %s is encrypted: %s", ErrRefused, c, fmt.Sprintf(format, args...))
}

// Ways out that more than one error names.
const (
	useDeterministic = `give it an index, or declare it deterministic, to compare it for equality`
	useArgument      = `give the value as an argument: "column = ?"`
	usedTwice        = "one argument is used in several places; give it once for each"
	notSure          = "the name may also be that of a column of a table that is not known here; write it with its table, or name the table's model in Options.Models"
)
