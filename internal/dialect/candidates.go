package dialect

import "context"

// candidates are the unique keys of a table, in the order of preference.
type candidates struct {
	keys []candidate
}

type candidate struct {
	index   string
	columns []KeyColumn
	usable  bool
}

func (cs *candidates) add(index string, k KeyColumn, usable bool) {
	if n := len(cs.keys); n == 0 || cs.keys[n-1].index != index {
		cs.keys = append(cs.keys, candidate{index: index, usable: true})
	}
	c := &cs.keys[len(cs.keys)-1]
	c.columns = append(c.columns, k)
	c.usable = c.usable && usable
}

func (cs *candidates) choose(t *Table) error {
	for _, c := range cs.keys {
		if c.usable {
			t.Key = c.columns
			return nil
		}
	}
	return ErrNoKey
}

// names returns the first column of a query.
func names(ctx context.Context, c Conn, query string, args ...any) ([]string, error) {
	rows, err := c.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		all = append(all, name)
	}
	return all, rows.Err()
}
