package dialect

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// sqlite is SQLite 3.31 and later. Values keep the type they are stored with: there,
// a text and the same bytes are different values.
type sqlite struct{}

func (sqlite) Quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func (sqlite) Placeholder(int) string { return "?" }

func (sqlite) Now() string { return "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)" }

func (sqlite) TableOptions() string { return "" }

func (sqlite) RowLocks() bool { return false }

func (sqlite) tuples() bool { return false }

func (d sqlite) Describe(ctx context.Context, c Conn, schema, table string) (*Table, error) {
	if schema == "" {
		schema = "main"
	}
	t := &Table{Schema: schema}
	var kind string
	// Names ignore case, in SQLite.
	err := c.QueryRowContext(ctx, "SELECT type, name FROM "+d.Quote(schema)+
		".sqlite_master WHERE name = ? COLLATE NOCASE AND type IN ('table', 'view')", table).Scan(&kind, &t.Name)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNoTable
	}
	if err != nil {
		return nil, err
	}
	if kind != "table" {
		t.Obstacles = append(t.Obstacles, "it is not a table but a view; name the table behind it")
		return t, nil
	}
	primary, err := d.columns(ctx, c, t)
	if err != nil {
		return nil, err
	}
	if err := d.key(ctx, c, t, primary); err != nil {
		return nil, err
	}
	if t.Triggers, err = d.triggers(ctx, c, t); err != nil {
		return nil, err
	}
	err = c.QueryRowContext(ctx, "SELECT count(*) FROM "+QuoteTable(d, t.Schema, t.Name)).Scan(&t.Rows)
	return t, err
}

type sqliteColumn struct {
	name    string
	notNull bool
	integer bool // declared INTEGER, which as a sole primary key is the rowid
	primary int  // its place in the primary key, from 1
}

// columns reads the columns and returns them with what a key must know.
func (sqlite) columns(ctx context.Context, c Conn, t *Table) ([]sqliteColumn, error) {
	rows, err := c.QueryContext(ctx, `SELECT name, type, "notnull", pk, hidden FROM pragma_table_xinfo(?, ?)`, t.Name, t.Schema)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []sqliteColumn
	for rows.Next() {
		var col Column
		var k sqliteColumn
		var hidden int
		if err := rows.Scan(&col.Name, &col.Type, &k.notNull, &k.primary, &hidden); err != nil {
			return nil, err
		}
		col.Kind = affinity(col.Type)
		col.Generated = hidden > 1
		t.Columns = append(t.Columns, col)
		k.name, k.integer = col.Name, strings.EqualFold(col.Type, "INTEGER")
		all = append(all, k)
	}
	return all, rows.Err()
}

// affinity follows "Determination Of Column Affinity" of SQLite's documentation. A
// column that would turn text that looks like a number into a number is Other.
func affinity(typ string) Kind {
	typ = strings.ToUpper(typ)
	has := func(part string) bool { return strings.Contains(typ, part) }
	switch {
	case has("INT"):
		return Other
	case has("CHAR"), has("CLOB"), has("TEXT"):
		return Text
	case has("BLOB"), typ == "":
		return Bytes
	}
	return Other
}

// key finds the primary key, or the narrowest unique index over whole columns that
// cannot be NULL. A primary key may hold NULL in SQLite, unless it is the rowid.
func (d sqlite) key(ctx context.Context, c Conn, t *Table, columns []sqliteColumn) error {
	var primary []sqliteColumn
	notNull := map[string]bool{}
	for _, k := range columns {
		notNull[k.name] = k.notNull
		if k.primary > 0 {
			primary = append(primary, k)
		}
	}
	rows, err := c.QueryContext(ctx, `
		SELECT l.name, l.origin = 'pk', COALESCE(x.name, ''), x.coll
		FROM pragma_index_list(?1, ?2) l JOIN pragma_index_xinfo(l.name, ?2) x
		WHERE l."unique" AND NOT l.partial AND x.key
		ORDER BY l.origin <> 'pk', (SELECT count(*) FROM pragma_index_xinfo(l.name, ?2) o WHERE o.key), l.seq, x.seqno`, t.Name, t.Schema)
	if err != nil {
		return err
	}
	defer rows.Close()
	var candidates candidates
	nullable := map[string]bool{}
	byIndex := false
	for rows.Next() {
		var index, name, collation string
		var isPrimary bool
		if err := rows.Scan(&index, &isPrimary, &name, &collation); err != nil {
			return err
		}
		byIndex = byIndex || isPrimary
		nullable[name] = isPrimary && !notNull[name]
		k := KeyColumn{Name: name, Kind: KeyText, read: "+%s", order: "%s COLLATE " + d.Quote(collation), bind: "%s"}
		candidates.add(index, k, name != "" && (isPrimary || notNull[name]))
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if len(primary) == 1 && primary[0].integer && !byIndex {
		t.Key = []KeyColumn{{Name: primary[0].name, Kind: KeyInt, read: "+%s", order: "%s", bind: "%s"}}
		return nil
	}
	if err := candidates.choose(t); err != nil {
		return err
	}
	for _, k := range t.Key {
		t.NullKey = t.NullKey || nullable[k.Name]
	}
	return nil
}

// onUpdate finds the event in the text of a trigger.
var onUpdate = regexp.MustCompile(`(?is)^create\s+(temp\w*\s+)?trigger\s.*?\bupdate\b.*?\bon\b`)

func (d sqlite) triggers(ctx context.Context, c Conn, t *Table) ([]string, error) {
	rows, err := c.QueryContext(ctx, "SELECT name, sql FROM "+d.Quote(t.Schema)+
		".sqlite_master WHERE type = 'trigger' AND tbl_name = ? COLLATE NOCASE ORDER BY name", t.Name)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			return nil, err
		}
		// The body may hold the word too: only what stands before it counts.
		head, _, _ := strings.Cut(strings.ToLower(text), "begin")
		if onUpdate.MatchString(head) {
			all = append(all, name)
		}
	}
	return all, rows.Err()
}

func (d sqlite) HasTable(ctx context.Context, c Conn, t *Table, name string) (bool, error) {
	var n int
	err := c.QueryRowContext(ctx, "SELECT count(*) FROM "+d.Quote(t.Schema)+".sqlite_master WHERE name = ?", name).Scan(&n)
	return n > 0, err
}

func (sqlite) Session(context.Context, Conn, time.Duration) (bool, error) { return false, nil }

// Begin reads nothing, so that the first statement, a write, can wait for the lock: a
// transaction that has read cannot become a writer once somebody else has written.
func (sqlite) Begin(ctx context.Context, c *sql.Conn, _ time.Duration) (*sql.Tx, error) {
	return c.BeginTx(ctx, nil)
}

func (d sqlite) Apply(ctx context.Context, c Conn, u Update, rows []UpdateRow) (int64, error) {
	return applySingly(ctx, d, c, u, rows, func(c *Column, mark string) string {
		return fmt.Sprintf("%s COLLATE BINARY = %s", d.Quote(c.Name), mark)
	})
}

func (sqlite) ReplicaLag(context.Context, Conn) (time.Duration, error) {
	return 0, errors.ErrUnsupported
}
