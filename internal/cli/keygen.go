package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/fernetcol/fernetcol/fernet"
)

// secretFileMode lets only the owner read, as [keyprovider.FromFile] asks.
const secretFileMode fs.FileMode = 0o600

func (a *app) keygen() *cobra.Command {
	var index, dryRun bool
	var out string
	cmd := &cobra.Command{
		Use:     "keygen",
		GroupID: groupKeys,
		Short:   "Make a new key",
		Long: `Make a new random key and print it, or write it to a new file that only its owner
can read. The key ID, which is public, goes to standard error; with --out it is the
result. Keep the key where the data is not: a lost key is lost data.`,
		Example: `  export SECRET_FERNET_KEY="$(fernetcol keygen)"
  export SECRET_FERNET_KEY="$(fernetcol keygen),$SECRET_FERNET_KEY"   # a new primary key
  fernetcol keygen --out fernet.key`,
		Args: noArgs("the key is random"),
		RunE: func(*cobra.Command, []string) error {
			if dryRun && out == "" {
				return usageError("--dry-run goes with --out: without it nothing is written")
			}
			kind := "encryption key"
			if index {
				kind = "index key"
			}
			if dryRun {
				return a.keygenDryRun(kind, out)
			}
			key := fernet.GenerateKey()
			if out != "" {
				if err := writeKeyFile(out, kind, key); err != nil {
					return err
				}
				a.message("new %s in %s, readable by its owner only; its ID:", kind, out)
				return a.write([]byte(key.ID() + "\n"))
			}
			a.message("new %s, ID %s", kind, key.ID())
			return a.write([]byte(key.Encode() + "\n"))
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "write the key to this new `file`, with mode 0600")
	cmd.Flags().BoolVar(&index, "index", false, "make a key for blind indexes ("+indexKeyVariable+"), which stays when encryption keys change")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what would be written")
	cmd.MarkFlagFilename("out")
	return cmd
}

func (a *app) keygenDryRun(kind, out string) error {
	if _, err := os.Lstat(out); err == nil {
		return alreadyThere(out)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	a.message("would write a new %s to %s", kind, out)
	return nil
}

// writeKeyFile writes the key to a file that must not be there yet. What could not
// be written whole is removed.
func writeKeyFile(path, kind string, key fernet.Key) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, secretFileMode)
	if errors.Is(err, fs.ErrExist) {
		return alreadyThere(path)
	}
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, f.Close())
		if err != nil {
			err = errors.Join(err, os.Remove(path))
		}
	}()
	if _, err := fmt.Fprintf(f, "# fernetcol %s %s\n%s\n", kind, key.ID(), key.Encode()); err != nil {
		return err
	}
	return f.Sync() // before anything is encrypted with it
}

func alreadyThere(path string) error {
	return fmt.Errorf("%s is there already, and data may need its key; choose another name", path)
}
