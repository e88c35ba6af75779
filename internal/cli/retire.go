package cli

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"slices"

	"github.com/spf13/cobra"

	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/reencrypt"
)

// retireLine is the result as a line of JSON, one for each table.
type retireLine struct {
	Event  string            `json:"event"` // "retire"
	KeyID  string            `json:"key_id"`
	Free   bool              `json:"free"` // nothing in the table needs the key
	Census *reencrypt.Census `json:"census"`
}

func (a *app) retire() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "retire KEYID TABLE.COLUMN...",
		GroupID: groupTables,
		Short:   "Say whether a key may be taken out of the ring",
		Long: `Count whether a stored value still needs the key with this ID, and say that it may
be taken out of the ring, or which columns keep it: exit code 3. Values that no key
opens may need it too: exit code 4. Name every column that the key protects. This
command takes no key away; you do, where the keys are kept. Backups need it still.`,
		Example: `  fernetcol retire 29c65eafbdcdb9fd users.email users.phone orders.card`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 || !keyIDForm.MatchString(args[0]) {
				return usageError("give a key ID (16 hexadecimal digits, as census prints it) and the columns: fernetcol retire KEYID users.email")
			}
			_, err := parseColumns(args[1:])
			return err
		},
	}
	f := addTableFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		id := args[0]
		err := a.overTables(cmd, f, args[1:], inRing(id), nil, func(ctx context.Context, db *sql.DB, d reencrypt.Dialect, p reencrypt.Plan) error {
			var verdict error
			census, err := a.count(f, p.Table, func(o reencrypt.Options) (*reencrypt.Census, error) {
				census, err := reencrypt.Retire(ctx, db, d, p, id, o)
				if census == nil {
					return nil, err
				}
				verdict = err
				return census, nil
			})
			if err != nil {
				return err
			}
			if f.json {
				err = a.writeJSON(retireLine{"retire", id, verdict == nil, census})
			} else {
				err = a.write(censusTable(census))
			}
			if verdict != nil {
				return verdict
			}
			return err
		})
		if err == nil && !f.json {
			err = a.write(fmt.Appendf(nil, "key %s: nothing in these columns needs it; it may be taken out of the ring\n", id))
		}
		return err
	}
	return cmd
}

var keyIDForm = regexp.MustCompile(`^[0-9a-f]{16}$`)

// inRing refuses an ID of no key of the ring: a slip would else be found free.
func inRing(id string) func([]reencrypt.Plan) error {
	return func(plans []reencrypt.Plan) error {
		if ids := keyIDs(plans[0].Columns[0].Keyring); !slices.Contains(ids, id) {
			return usageError("no key of the ring has the ID %s; to ask about a key, keep it in the ring", id)
		}
		return nil
	}
}

// keyIDs returns the IDs of the keys of a ring, the primary one first.
func keyIDs(kr *fernet.Keyring) []string {
	var ids []string
	for _, token := range kr.DeterministicTokens(nil) { // one for each key
		if id, err := kr.KeyID(token); err == nil {
			ids = append(ids, id)
		}
	}
	return ids
}
