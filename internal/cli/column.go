package cli

import (
	"strings"
	"unicode"

	"github.com/spf13/cobra"
)

// column is a column as the command line names it: TABLE.COLUMN, or
// SCHEMA.TABLE.COLUMN, each part as it is or in double quotes.
type column struct {
	table []string // schema and table, or table
	name  string
}

func (c column) String() string { return c.tableName() + "." + c.name }

// tableName is the table as the command line named it, for messages.
func (c column) tableName() string { return strings.Join(c.table, ".") }

func (c column) quotedTable(quote func(string) string) string {
	parts := make([]string, len(c.table))
	for i, part := range c.table {
		parts[i] = quote(part)
	}
	return strings.Join(parts, ".")
}

// columnArgs is the [cobra.PositionalArgs] of commands over columns.
func columnArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usageError("say which columns: %s users.email", cmd.CommandPath())
	}
	_, err := parseColumns(args)
	return err
}

func parseColumns(args []string) ([]column, error) {
	var columns []column
	seen := map[string]bool{}
	for i, arg := range args {
		parts, ok := splitName(arg)
		if !ok || len(parts) < 2 || len(parts) > 3 {
			return nil, usageError("argument %d of the columns is not TABLE.COLUMN or SCHEMA.TABLE.COLUMN; put a name with a dot in double quotes", i+1)
		}
		c := column{table: parts[:len(parts)-1], name: parts[len(parts)-1]}
		if seen[arg] {
			return nil, usageError("%s is named twice", c)
		}
		seen[arg] = true
		columns = append(columns, c)
	}
	return columns, nil
}

// splitName takes a dotted name apart. A part in double quotes may hold dots, and a
// doubled quote stands for one. Control characters are in no name that one means.
func splitName(s string) (parts []string, ok bool) {
	for {
		var part string
		if strings.HasPrefix(s, `"`) {
			end := 1
			for {
				i := strings.IndexByte(s[end:], '"')
				if i < 0 {
					return nil, false
				}
				end += i + 1
				if !strings.HasPrefix(s[end:], `"`) {
					break
				}
				end++
			}
			part, s = strings.ReplaceAll(s[1:end-1], `""`, `"`), s[end:]
		} else {
			end := strings.IndexAny(s, `."`)
			if end < 0 {
				end = len(s)
			}
			part, s = s[:end], s[end:]
		}
		if part == "" || strings.ContainsFunc(part, unicode.IsControl) {
			return nil, false
		}
		parts = append(parts, part)
		if s == "" {
			return parts, true
		}
		if s[0] != '.' {
			return nil, false
		}
		s = s[1:]
	}
}
