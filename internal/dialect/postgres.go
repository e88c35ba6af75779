package dialect

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// postgres is PostgreSQL 12 and later.
type postgres struct{}

func (postgres) Quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func (postgres) Placeholder(n int) string { return "$" + strconv.Itoa(n) }

func (postgres) Now() string { return "(extract(epoch FROM clock_timestamp()) * 1000)::bigint" }

func (postgres) TableOptions() string { return "" }

func (postgres) RowLocks() bool { return true }

func (postgres) tuples() bool { return true }

func (d postgres) Describe(ctx context.Context, c Conn, schema, table string) (*Table, error) {
	t := &Table{}
	var oid int64
	var kind string
	var rows float64
	var hidden bool
	err := c.QueryRowContext(ctx, `
		SELECT c.oid::bigint, n.nspname::text, c.relname::text, c.relkind::text, c.reltuples::float8, row_security_active(c.oid)
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.oid = to_regclass($1::text)::oid`, QuoteTable(d, schema, table)).
		Scan(&oid, &t.Schema, &t.Name, &kind, &rows, &hidden)
	if err == sql.ErrNoRows {
		return nil, ErrNoTable
	}
	if err != nil {
		return nil, err
	}
	if kind != "r" && kind != "p" {
		t.Obstacles = append(t.Obstacles, "it is not a table but a view or a foreign table; name the table behind it")
	}
	if hidden {
		t.Obstacles = append(t.Obstacles, "row-level security hides rows from this user; connect as one with BYPASSRLS")
	}
	if len(t.Obstacles) > 0 {
		return t, nil
	}
	if err := d.columns(ctx, c, oid, t); err != nil {
		return nil, err
	}
	if err := d.key(ctx, c, oid, t); err != nil {
		return nil, err
	}
	const update = 1 << 4 // TRIGGER_TYPE_UPDATE of pg_trigger.h
	t.Triggers, err = names(ctx, c, `
		SELECT tgname::text FROM pg_trigger
		WHERE tgrelid = $1::bigint::oid AND NOT tgisinternal AND tgenabled <> 'D' AND tgtype & $2::int <> 0
		ORDER BY 1`, oid, update)
	if err != nil {
		return nil, err
	}
	if rows < 0 || kind == "p" { // never analyzed; a partitioned table may have no figure
		err = c.QueryRowContext(ctx, "SELECT count(*) FROM "+QuoteTable(d, t.Schema, t.Name)).Scan(&t.Rows)
		return t, err
	}
	t.Rows = int64(rows)
	return t, nil
}

// baseType is the name of a type, or of the one behind a domain.
const baseType = `(CASE ty.typtype WHEN 'd' THEN (SELECT typname FROM pg_type WHERE oid = ty.typbasetype) ELSE ty.typname END)::text`

func (postgres) columns(ctx context.Context, c Conn, oid int64, t *Table) error {
	rows, err := c.QueryContext(ctx, `
		SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), `+baseType+`,
			CASE ty.typtype WHEN 'd' THEN ty.typtypmod ELSE a.atttypmod END, a.attgenerated <> ''
		FROM pg_attribute a JOIN pg_type ty ON ty.oid = a.atttypid
		WHERE a.attrelid = $1::bigint::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`, oid)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var col Column
		var base string
		var modifier int64
		if err := rows.Scan(&col.Name, &col.Type, &base, &modifier, &col.Generated); err != nil {
			return err
		}
		switch base {
		case "text", "citext":
			col.Kind = Text
		case "varchar":
			col.Kind = Text
			const header = 4 // that a typmod counts in
			col.MaxLen = max(0, modifier-header)
		case "bytea":
			col.Kind = Bytes
		}
		t.Columns = append(t.Columns, col)
	}
	return rows.Err()
}

// key finds the primary key, or the narrowest unique index that has no NULL, no
// condition and no expression, and in which texts are equal that are equal in the
// column's own collation: in another one, two rows could be one to ORDER BY.
func (postgres) key(ctx context.Context, c Conn, oid int64, t *Table) error {
	rows, err := c.QueryContext(ctx, `
		SELECT i.indexrelid::bigint, a.attname::text, format_type(a.atttypid, -1), `+baseType+`,
			a.attnotnull AND i.indcollation[k.n - 1] = a.attcollation
		FROM pg_index i
			CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, n)
			JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
			JOIN pg_type ty ON ty.oid = a.atttypid
		WHERE i.indrelid = $1::bigint::oid AND i.indisunique AND i.indisvalid
			AND i.indpred IS NULL AND i.indexprs IS NULL AND k.n <= i.indnkeyatts
		ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid, k.n`, oid)
	if err != nil {
		return err
	}
	defer rows.Close()
	var candidates candidates
	for rows.Next() {
		var index int64
		var k KeyColumn
		var typ, base string
		var usable bool
		if err := rows.Scan(&index, &k.Name, &typ, &base, &usable); err != nil {
			return err
		}
		k.order, k.read, k.bind = "%s", "%s::text", "CAST(CAST(%s AS text) AS "+typ+")"
		k.array = typ + "[]"
		switch base {
		case "int2", "int4", "int8":
			k.Kind = KeyInt
		case "text", "varchar", "bpchar", "citext":
			k.Kind = KeyText
		case "uuid":
			k.Kind = KeyUUID
		case "bytea":
			k.Kind, k.read, k.bind = KeyBytes, "encode(%s, 'hex')", "decode(CAST(%s AS text), 'hex')"
		}
		candidates.add(strconv.FormatInt(index, 10), k, usable)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return candidates.choose(t)
}

func (postgres) HasTable(ctx context.Context, c Conn, t *Table, name string) (bool, error) {
	var there bool
	err := c.QueryRowContext(ctx, "SELECT to_regclass($1::text) IS NOT NULL", QuoteTable(postgres{}, t.Schema, name)).Scan(&there)
	return there, err
}

func (postgres) Session(context.Context, Conn, time.Duration) (bool, error) { return false, nil }

// Begin sets what it sets for the transaction only, so that it is right behind a
// pooler too.
func (postgres) Begin(ctx context.Context, c *sql.Conn, lockTimeout time.Duration) (*sql.Tx, error) {
	tx, err := c.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return nil, err
	}
	_, err = tx.ExecContext(ctx, `SELECT set_config('lock_timeout', $1::text, true),
		set_config('idle_in_transaction_session_timeout', $2::text, true)`,
		milliseconds(lockTimeout), milliseconds(silence))
	if err != nil {
		tx.Rollback()
		return nil, err
	}
	return tx, nil
}

func milliseconds(d time.Duration) string {
	return strconv.FormatInt(max(1, d.Milliseconds()), 10) // 0 would be no limit
}

// ReplicaLag is 0 without a standby, and when the last one has caught up, for which
// replay_lag is NULL after a while.
func (postgres) ReplicaLag(ctx context.Context, c Conn) (time.Duration, error) {
	var ms float64
	err := c.QueryRowContext(ctx,
		"SELECT COALESCE(extract(epoch FROM max(replay_lag)) * 1000, 0)::float8 FROM pg_stat_replication").Scan(&ms)
	return time.Duration(ms * float64(time.Millisecond)), err
}

// Apply is one statement, with an array for each column: its text does not depend on
// the number of rows, so it is planned once.
func (d postgres) Apply(ctx context.Context, c Conn, u Update, rows []UpdateRow) (int64, error) {
	b := &builder{d: d}
	var arrays, names, set, where []string
	column := func(name, typ string, element func(UpdateRow) any) {
		names = append(names, name)
		arrays = append(arrays, "CAST(CAST("+b.arg(arrayOf(rows, element))+" AS text) AS "+typ+")")
	}
	for i, k := range u.Table.Key {
		name := "k" + strconv.Itoa(i)
		column(name, k.array, func(r UpdateRow) any {
			if k.Kind == KeyBytes {
				return `\x` + r.Key[i].(string)
			}
			return r.Key[i]
		})
		where = append(where, "t."+d.Quote(k.Name)+" = u."+name)
	}
	for i, ch := range u.Changes {
		quoted, typ := d.Quote(ch.Column.Name), "text[]"
		if ch.Column.Kind == Bytes {
			typ = "bytea[]"
		}
		switch name := "o" + strconv.Itoa(i); ch.Guard {
		case IsOld:
			column(name, typ, func(r UpdateRow) any { return r.Old[i] })
			if ch.Column.Kind == Bytes {
				where = append(where, "t."+quoted+" = u."+name)
			} else {
				// Bytes, whatever the collation calls equal.
				where = append(where, "t."+quoted+`::text COLLATE "C" = u.`+name)
			}
		case IsNull:
			where = append(where, "t."+quoted+" IS NULL")
		}
		if name := "n" + strconv.Itoa(i); ch.Set {
			column(name, typ, func(r UpdateRow) any { return r.New[i] })
			set = append(set, quoted+" = u."+name)
		}
	}
	res, err := c.ExecContext(ctx, "UPDATE "+QuoteTable(d, u.Table.Schema, u.Table.Name)+" AS t SET "+strings.Join(set, ", ")+
		" FROM unnest("+strings.Join(arrays, ", ")+") AS u("+strings.Join(names, ", ")+") WHERE "+strings.Join(where, " AND "), b.args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// arrayOf writes an array literal. It is text and not a Go slice because drivers do
// not agree on slices.
func arrayOf(rows []UpdateRow, element func(UpdateRow) any) string {
	var b strings.Builder
	b.WriteByte('{')
	for i, r := range rows {
		if i > 0 {
			b.WriteByte(',')
		}
		switch v := element(r).(type) {
		case nil:
			b.WriteString("NULL")
		case []byte:
			b.WriteString(`"\\x`)
			b.WriteString(hex.EncodeToString(v))
			b.WriteByte('"')
		case string:
			quoteElement(&b, v)
		default:
			quoteElement(&b, fmt.Sprint(v))
		}
	}
	b.WriteByte('}')
	return b.String()
}

func quoteElement(b *strings.Builder, s string) {
	b.WriteByte('"')
	for {
		i := strings.IndexAny(s, `"\`)
		if i < 0 {
			break
		}
		b.WriteString(s[:i])
		b.WriteByte('\\')
		b.WriteByte(s[i])
		s = s[i+1:]
	}
	b.WriteString(s)
	b.WriteByte('"')
}
