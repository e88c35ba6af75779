package cli

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/internal/dialect"
	"github.com/fernetcol/fernetcol/reencrypt"
)

// sampleSize is how many values from each end of a table are tried before it is
// touched.
const sampleSize = 500

// preflight looks at a table before a row is touched, and says what a person should
// know.
func (a *app) preflight(ctx context.Context, db *sql.DB, d reencrypt.Dialect, p reencrypt.Plan) error {
	pre, err := reencrypt.Check(ctx, db, d, p)
	if err != nil {
		return err
	}
	for _, w := range pre.Warnings {
		a.message("warning: %s", w)
	}
	if len(pre.Held) > 0 {
		a.message("%s keeps its value where it would change with the row", strings.Join(pre.Held, ", "))
	}
	if pre.Resumable != nil {
		a.message("%s: resuming a run that was stopped after %d rows", p.Table, pre.Resumable.Rows)
	}
	for _, c := range p.Columns {
		if err := trySample(ctx, db, d, p, c, pre.Key); err != nil {
			return err
		}
	}
	return nil
}

// trySample refuses a column of which there are tokens and no key opens one: the
// keys are those of another database, or derived for another column. Keys that are
// derived for a row are left to the run.
func trySample(ctx context.Context, db *sql.DB, d reencrypt.Dialect, p reencrypt.Plan, c reencrypt.Column, key []string) error {
	if c.BindRow {
		return nil
	}
	rings := []*fernet.Keyring{derived(c.Keyring, c.Bind)}
	for _, s := range c.Sources {
		if s.BindRow {
			return nil
		}
		ring := s.Keyring
		if ring == nil {
			ring = c.Keyring
		}
		rings = append(rings, derived(ring, s.Bind))
	}
	tokens := 0
	for _, order := range []string{"", " DESC"} {
		values, err := sample(ctx, db, d, p, c.Name, key, order)
		if err != nil {
			return fmt.Errorf("%s.%s: cannot read values: %s", p.Table, c.Name, driverReason(err))
		}
		for _, v := range values {
			if !fernet.MaybeToken(v) {
				continue
			}
			for _, ring := range rings {
				if _, err := ring.KeyID(v); err == nil {
					return nil
				}
			}
			tokens++
		}
		if len(values) < sampleSize {
			break // these are all
		}
	}
	if tokens == 0 {
		return nil
	}
	return fmt.Errorf("%s.%s: the keys open none of the %d tokens that were tried; nothing was changed; check the keys, and --bind and --from", p.Table, c.Name, tokens)
}

func derived(kr *fernet.Keyring, context []string) *fernet.Keyring {
	if len(context) == 0 {
		return kr
	}
	return kr.Derive(context...)
}

// sample reads values from one end of the table.
func sample(ctx context.Context, db *sql.DB, d reencrypt.Dialect, p reencrypt.Plan, column string, key []string, order string) ([][]byte, error) {
	sqlDialect, err := dialect.For(string(d))
	if err != nil {
		return nil, err
	}
	quoted := sqlDialect.Quote(column)
	by := make([]string, len(key))
	for i, k := range key {
		by[i] = sqlDialect.Quote(k) + order
	}
	rows, err := db.QueryContext(ctx, fmt.Sprintf("SELECT %s FROM %s WHERE %s IS NOT NULL ORDER BY %s LIMIT %d",
		quoted, dialect.QuoteTable(sqlDialect, p.Schema, p.Table), quoted, strings.Join(by, ", "), sampleSize))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var values [][]byte
	for rows.Next() {
		var v []byte
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, rows.Err()
}
