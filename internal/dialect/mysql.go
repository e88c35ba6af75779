package dialect

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// mysql is MySQL 8.0 and MariaDB 10.6, and later.
type mysql struct{}

func (mysql) Quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

func (mysql) Placeholder(int) string { return "?" }

func (mysql) Now() string { return "CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)" }

// TableOptions names the engine, for the checkpoint must be in the transaction, and
// a collation that the statements of this package compare under.
func (mysql) TableOptions() string {
	return " ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
}

func (mysql) RowLocks() bool { return true }

// tuples is false: MySQL compares tuples, but not by the index.
func (mysql) tuples() bool { return false }

func (d mysql) Describe(ctx context.Context, c Conn, schema, table string) (*Table, error) {
	t := &Table{}
	var kind, transactions string
	err := c.QueryRowContext(ctx, `
		SELECT t.TABLE_SCHEMA, t.TABLE_NAME, t.TABLE_TYPE, COALESCE(t.TABLE_ROWS, 0), COALESCE(e.TRANSACTIONS, '')
		FROM information_schema.TABLES t LEFT JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE
		WHERE t.TABLE_SCHEMA = COALESCE(NULLIF(?, ''), DATABASE()) AND t.TABLE_NAME = ?`, schema, table).
		Scan(&t.Schema, &t.Name, &kind, &t.Rows, &transactions)
	if err == sql.ErrNoRows {
		return nil, ErrNoTable
	}
	if err != nil {
		return nil, err
	}
	if kind != "BASE TABLE" {
		t.Obstacles = append(t.Obstacles, "it is not a table but a view; name the table behind it")
	} else if transactions != "YES" {
		t.Obstacles = append(t.Obstacles, "its engine has no transactions, so that a checkpoint could not be trusted; ALTER TABLE … ENGINE=InnoDB")
	}
	if len(t.Obstacles) > 0 {
		return t, nil
	}
	keys, err := d.columns(ctx, c, t)
	if err != nil {
		return nil, err
	}
	if err := d.key(ctx, c, t, keys); err != nil {
		return nil, err
	}
	t.Triggers, err = names(ctx, c, `
		SELECT TRIGGER_NAME FROM information_schema.TRIGGERS
		WHERE EVENT_OBJECT_SCHEMA = ? AND EVENT_OBJECT_TABLE = ? AND EVENT_MANIPULATION = 'UPDATE' ORDER BY 1`, t.Schema, t.Name)
	if err != nil {
		return nil, err
	}
	return t, nil
}

// columns reads the columns, and returns each as one of a key.
func (d mysql) columns(ctx context.Context, c Conn, t *Table) (map[string]KeyColumn, error) {
	rows, err := c.QueryContext(ctx, `
		SELECT COLUMN_NAME, LOWER(DATA_TYPE), COLUMN_TYPE, COALESCE(CHARACTER_MAXIMUM_LENGTH, 0),
			COALESCE(CHARACTER_SET_NAME, ''), COALESCE(COLLATION_NAME, ''), LOWER(EXTRA)
		FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION`, t.Schema, t.Name)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	keys := map[string]KeyColumn{}
	for rows.Next() {
		var col Column
		var typ, collation, extra string
		if err := rows.Scan(&col.Name, &typ, &col.Type, &col.MaxLen, &col.charset, &collation, &extra); err != nil {
			return nil, err
		}
		switch typ {
		case "char", "varchar", "tinytext", "text", "mediumtext", "longtext":
			col.Kind = Text
		case "varbinary", "tinyblob", "blob", "mediumblob", "longblob":
			col.Kind = Bytes
		}
		col.Held = strings.Contains(extra, "on update")
		// "default_generated" is how MySQL 8 calls an expression as a default.
		col.Generated = strings.Contains(strings.ReplaceAll(extra, "default_generated", ""), "generated")
		t.Columns = append(t.Columns, col)
		keys[col.Name] = keyColumn(col, typ, collation)
	}
	return keys, rows.Err()
}

// keyColumn says how a column is read and compared as a key. Numbers are cast on the
// way back, because MySQL compares a number with a text as floating point.
func keyColumn(col Column, typ, collation string) KeyColumn {
	k := KeyColumn{Name: col.Name, read: "CAST(%s AS CHAR)", order: "%s", bind: "%s"}
	unsigned := strings.Contains(strings.ToLower(col.Type), "unsigned")
	switch typ {
	case "tinyint", "smallint", "mediumint", "int", "bigint", "year":
		k.Kind, k.bind = KeyInt, "CAST(%s AS SIGNED)"
		if unsigned || typ == "year" {
			k.bind = "CAST(%s AS UNSIGNED)"
		}
	case "enum", "set", "bit": // sorted by their number, but compared with a text as texts
		k.read, k.order, k.bind = "CAST(%s + 0 AS CHAR)", "%s + 0", "CAST(%s AS UNSIGNED)"
	case "decimal":
		precision, _, _ := strings.Cut(col.Type, " ")
		k.bind = "CAST(%s AS " + precision + ")"
	case "float", "double": // a float's text is shorter than its value
		k.read, k.bind = "CAST(%s + 0e0 AS CHAR)", "(%s + 0e0)"
	case "date":
		k.bind = "CAST(%s AS DATE)"
	case "datetime", "timestamp":
		k.bind = "CAST(%s AS DATETIME(6))"
	case "time":
		k.bind = "CAST(%s AS TIME(6))"
	case "uuid":
		k.Kind, k.bind = KeyUUID, "CAST(%s AS UUID)"
	case "inet4", "inet6":
		k.bind = "CAST(%s AS " + typ + ")"
	case "char", "varchar", "tinytext", "text", "mediumtext", "longtext":
		k.Kind, k.read = KeyText, "%s"
		k.bind = "CONVERT(%s USING " + col.charset + ") COLLATE " + collation
	case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob":
		k.Kind, k.read, k.bind = KeyBytes, "HEX(%s)", "UNHEX(%s)"
	}
	return k
}

// key finds the primary key, or the narrowest unique key over whole columns that
// cannot be NULL. Keys have the collation of their columns.
func (mysql) key(ctx context.Context, c Conn, t *Table, columns map[string]KeyColumn) error {
	rows, err := c.QueryContext(ctx, `
		SELECT s.INDEX_NAME, COALESCE(s.COLUMN_NAME, ''), s.SUB_PART IS NULL AND COALESCE(s.NULLABLE, '') <> 'YES'
		FROM information_schema.STATISTICS s
		WHERE s.TABLE_SCHEMA = ? AND s.TABLE_NAME = ? AND s.NON_UNIQUE = 0
		ORDER BY s.INDEX_NAME <> 'PRIMARY', (
			SELECT COUNT(*) FROM information_schema.STATISTICS o
			WHERE o.TABLE_SCHEMA = s.TABLE_SCHEMA AND o.TABLE_NAME = s.TABLE_NAME AND o.INDEX_NAME = s.INDEX_NAME
		), s.INDEX_NAME, s.SEQ_IN_INDEX`, t.Schema, t.Name)
	if err != nil {
		return err
	}
	defer rows.Close()
	var candidates candidates
	for rows.Next() {
		var index, name string
		var usable bool
		if err := rows.Scan(&index, &name, &usable); err != nil {
			return err
		}
		k, known := columns[name] // not for an expression
		candidates.add(index, k, usable && known)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return candidates.choose(t)
}

func (mysql) HasTable(ctx context.Context, c Conn, t *Table, name string) (bool, error) {
	var n int
	err := c.QueryRowContext(ctx, "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?",
		t.Schema, name).Scan(&n)
	return n > 0, err
}

// Session makes a token that does not fit an error, which it is not in a lax sql_mode,
// makes times of which no hour stands twice, and lets updates pass that safe mode takes
// for ones without a key. The server ends the connection, and with it an open
// transaction, when this process falls silent.
func (mysql) Session(ctx context.Context, c Conn, lockTimeout time.Duration) (bool, error) {
	seconds := int(max(1, (lockTimeout+time.Second-1)/time.Second))
	_, err := c.ExecContext(ctx, fmt.Sprintf(`SET SESSION innodb_lock_wait_timeout = %d, wait_timeout = %d,
		time_zone = '+00:00', sql_safe_updates = 0, sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')`, seconds, int(3*silence/time.Second)))
	return true, err
}

// Begin asks for READ COMMITTED: under REPEATABLE READ, InnoDB would lock the gaps
// between the rows too.
func (mysql) Begin(ctx context.Context, c *sql.Conn, _ time.Duration) (*sql.Tx, error) {
	return c.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
}

func (mysql) ReplicaLag(context.Context, Conn) (time.Duration, error) {
	return 0, errors.ErrUnsupported
}
