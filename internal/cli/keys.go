package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/keyprovider"
)

// The environment variables that are read unless a flag names another.
const (
	keyVariable      = "SECRET_FERNET_KEY"
	indexKeyVariable = "FERNET_INDEX_KEY"
)

// keySource is where a key ring comes from.
type keySource struct {
	env, file string

	envFlag, fileFlag string
	cmd               *cobra.Command
}

// keyFlags gives cmd the flags for the encryption keys.
func keyFlags(cmd *cobra.Command) *keySource {
	k := &keySource{envFlag: "key-env", fileFlag: "key-file", cmd: cmd}
	cmd.Flags().StringVar(&k.env, k.envFlag, keyVariable, "environment `variable` with the keys, primary first, comma-separated")
	cmd.Flags().StringVar(&k.file, k.fileFlag, "", "`file` with the keys, one a line, primary first; - is standard input")
	cmd.MarkFlagFilename(k.fileFlag)
	return k
}

// given reports whether there is a source to read.
func (k *keySource) given() bool {
	return k.file != "" || k.cmd.Flags().Changed(k.envFlag) || os.Getenv(k.env) != ""
}

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// load reads the key ring.
func (k *keySource) load(a *app) (*fernet.Keyring, error) {
	if k.file != "" && k.cmd.Flags().Changed(k.envFlag) {
		return nil, usageError("give --%s or --%s, not both", k.envFlag, k.fileFlag)
	}
	switch {
	case k.file == standardInput:
		if err := a.takeInput("--" + k.fileFlag); err != nil {
			return nil, err
		}
		return readKeyring(a.In)
	case k.file != "":
		return keyprovider.FromFile(k.file)
	case !variableName.MatchString(k.env):
		return nil, usageError("--%s takes the name of an environment variable", k.envFlag)
	}
	kr, err := keyprovider.FromEnv(k.env)
	if errors.Is(err, keyprovider.ErrNoKeys) {
		name := k.env
		if k.cmd.Flags().Changed(k.envFlag) { // it may be anything
			name = "the environment variable that --" + k.envFlag + " names"
		}
		return nil, fmt.Errorf("%s is not set; set it or give --%s (fernetcol keygen makes a key)", name, k.fileFlag)
	}
	return kr, err
}

// standardInput as the name of a file.
const standardInput = "-"

// takeInput gives standard input to the flag that names it, or to the command's
// data, once.
func (a *app) takeInput(taker string) error {
	if a.stdinTaken != "" {
		return usageError("standard input cannot be both %s and %s", a.stdinTaken, taker)
	}
	a.stdinTaken = taker
	return nil
}

// maxKeyInput is far above any list of keys, in bytes.
const maxKeyInput = 1 << 20

// readKeyring reads what a key file holds from r, as [keyprovider.FromFile] does
// from a file.
func readKeyring(r io.Reader) (*fernet.Keyring, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxKeyInput+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read keys from standard input: %w", err)
	}
	if len(data) > maxKeyInput {
		return nil, fmt.Errorf("standard input is larger than %d bytes; these are no keys", maxKeyInput)
	}
	var keys []fernet.Key
	for i, line := range strings.Split(string(data), "\n") {
		line = strings.Trim(line, " \t\r")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, err := fernet.ParseKey(line)
		if err != nil {
			return nil, fmt.Errorf("standard input: line %d: %w", i+1, err)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, errors.New("standard input holds no keys; give one a line")
	}
	return fernet.NewKeyring(keys[0], keys[1:]...)
}

// The contexts for which the GORM plugin derives keys (docs/format.md).
const (
	bindContext    = "gormencrypt/bind"
	bindRowContext = "gormencrypt/bind:row"
)

// binding is what a column's keys are derived for, in the words of the GORM
// plugin's tag: fernet:"bind" or fernet:"bind:row".
type binding struct {
	name string
	row  []string
}

func bindFlags(cmd *cobra.Command) *binding {
	b := &binding{}
	cmd.Flags().StringVar(&b.name, "bind-name", "", `derive the keys for this column, as fernet:"bind" does; TABLE.COLUMN or the tag's `+"`name`")
	cmd.Flags().StringArrayVar(&b.row, "bind-row", nil, `and for this row, as fernet:"bind:row" does; a column of its primary key, repeat it for more`)
	return b
}

// derive returns the ring to use for the column.
func (b *binding) derive(kr *fernet.Keyring) (*fernet.Keyring, error) {
	switch {
	case b.name == "" && len(b.row) > 0:
		return nil, usageError("--bind-row needs --bind-name, the name of the column")
	case b.name == "":
		return kr, nil
	case len(b.row) == 0:
		return kr.Derive(bindContext, b.name), nil
	}
	return kr.Derive(append([]string{bindRowContext, b.name}, b.row...)...), nil
}
