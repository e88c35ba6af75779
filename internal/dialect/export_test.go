package dialect

import "context"

// ApplySingly is what Apply is compared with where it is one statement.
func ApplySingly(ctx context.Context, d Dialect, c Conn, u Update, rows []UpdateRow) (int64, error) {
	guard := func(c *Column, mark string) string { return d.Quote(c.Name) + " = " + mark }
	if m, ok := d.(mysql); ok {
		guard = m.guard
	}
	return applySingly(ctx, d, c, u, rows, guard)
}
