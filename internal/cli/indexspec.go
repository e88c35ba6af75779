package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fernetcol/fernetcol/blindindex"
	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/keyprovider"
	"github.com/fernetcol/fernetcol/reencrypt"
)

// indexFlags say which blind indexes to fill in the same pass.
type indexFlags struct {
	specs     []string
	env, file string
	cmd       *cobra.Command
}

func addIndexFlags(cmd *cobra.Command) *indexFlags {
	f := &indexFlags{cmd: cmd}
	cmd.Flags().StringArrayVar(&f.specs, "index", nil, "fill a blind index of the column: its own `column` and its transforms, as in email_index,trim,lower")
	cmd.Flags().StringVar(&f.env, "index-key-env", indexKeyVariable, "environment `variable` with the index key")
	cmd.Flags().StringVar(&f.file, "index-key-file", "", "`file` with the index key")
	cmd.MarkFlagFilename("index-key-file")
	return f
}

// prepare adds the indexes to the one column that is planned.
func (f *indexFlags) prepare(plans []reencrypt.Plan) error {
	if len(f.specs) == 0 {
		return nil
	}
	if len(plans) != 1 || len(plans[0].Columns) != 1 {
		return usageError("--index is about one column; give one, and run again for the next")
	}
	key, err := f.key()
	if err != nil {
		return err
	}
	column := &plans[0].Columns[0]
	for _, spec := range f.specs {
		index, err := parseIndex(key, plans[0].Table, column.Name, spec)
		if err != nil {
			return err
		}
		column.Indexes = append(column.Indexes, index)
	}
	return nil
}

func (f *indexFlags) key() (fernet.Key, error) {
	switch {
	case f.file != "" && f.cmd.Flags().Changed("index-key-env"):
		return fernet.Key{}, usageError("give --index-key-env or --index-key-file, not both")
	case f.file == standardInput:
		return fernet.Key{}, usageError("--index-key-file is a file; standard input is for the encryption keys")
	case f.file != "":
		return keyprovider.IndexKeyFromFile(f.file)
	case !variableName.MatchString(f.env):
		return fernet.Key{}, usageError("--index-key-env takes the name of an environment variable")
	}
	key, err := keyprovider.IndexKeyFromEnv(f.env)
	if errors.Is(err, keyprovider.ErrNoKeys) {
		name := f.env
		if f.cmd.Flags().Changed("index-key-env") { // it may be anything
			name = "the environment variable that --index-key-env names"
		}
		return fernet.Key{}, fmt.Errorf("%s is not set; set it or give --index-key-file (fernetcol keygen --index makes a key)", name)
	}
	return key, err
}

// parseIndex reads "email_index,trim,lower,bits=32,rows=100000". The index is named as
// its column and its table are, as the GORM plugin does, unless name=… and table=… say
// other names.
func parseIndex(key fernet.Key, table, column, spec string) (reencrypt.Index, error) {
	target, rest, _ := strings.Cut(spec, ",")
	if target == "" {
		return reencrypt.Index{}, usageError("--index begins with the index column, as in --index email_index,lower")
	}
	name, options := target, blindindex.Options{}
	for word := range strings.SplitSeq(rest, ",") {
		setting, value, _ := strings.Cut(word, "=")
		var err error
		switch setting {
		case "":
		case "name":
			name = value
		case "table":
			table = value
		case "bits":
			options.Bits, err = strconv.Atoi(value)
		case "rows":
			options.Rows, err = strconv.ParseInt(value, 10, 64)
		case "input-bits":
			options.InputBits, err = strconv.Atoi(value)
		case "argon2id":
			options.Argon2id = &blindindex.DefaultArgon2id
		default:
			var transform blindindex.Transform
			transform, err = blindindex.ParseTransform(word)
			options.Transforms = append(options.Transforms, transform)
		}
		if err != nil {
			return reencrypt.Index{}, usageError("--index: behind the column stand transforms (lower, fold, nfc, nfkc, trim, digits, lastfour, domain, prefix=N), name=, table=, bits=, rows=, input-bits= and argon2id")
		}
	}
	index, err := blindindex.New(key, table, column, name, options)
	if err != nil {
		return reencrypt.Index{}, err
	}
	return reencrypt.Index{Column: target, Index: index}, nil
}
