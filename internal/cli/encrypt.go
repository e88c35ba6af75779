package cli

import (
	"bytes"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/fernetcol/fernetcol/fernet"
)

func (a *app) encrypt() *cobra.Command {
	var raw, deterministic, lines bool
	cmd := &cobra.Command{
		Use:     "encrypt",
		GroupID: groupKeys,
		Short:   "Encrypt standard input to a token",
		Long: `Encrypt standard input, every byte of it, under the primary key, and print the
token. A line break at the end is part of the plaintext: use printf, not echo, or
--lines, which makes one token of each line.`,
		Example: `  printf 'ada@example.com' | fernetcol encrypt
  fernetcol encrypt --raw <photo.jpg >photo.token`,
		Args: noArgs("the plaintext comes on standard input"),
	}
	keys, bind := keyFlags(cmd), bindFlags(cmd)
	cmd.Flags().BoolVar(&raw, "raw", false, "write the token's bytes without base64, for bytea and BLOB columns")
	cmd.Flags().BoolVar(&deterministic, "deterministic", false, "equal plaintexts give equal tokens, as in a DeterministicString column")
	cmd.Flags().BoolVar(&lines, "lines", false, "encrypt each line for itself")
	cmd.RunE = func(*cobra.Command, []string) error {
		switch {
		case raw && deterministic:
			return usageError("--raw and --deterministic do not go together: deterministic columns are text")
		case raw && lines:
			return usageError("--raw and --lines do not go together: a raw token may hold line breaks")
		case raw && a.OutTerminal:
			return usageError("a raw token is binary; redirect it to a file")
		}
		kr, input, err := a.ringAndInput(keys, bind, "plaintext")
		if err != nil {
			return err
		}
		if raw {
			if fernet.RawTokenLen(len(input)) > fernet.DefaultMaxTokenLen {
				return errTooLong(len(input))
			}
			return a.write(kr.EncryptRaw(input))
		}
		plaintexts := [][]byte{input}
		if lines {
			plaintexts = inputLines(input)
		}
		var tokens bytes.Buffer
		for _, p := range plaintexts {
			if fernet.TokenLen(len(p)) > fernet.DefaultMaxTokenLen {
				return errTooLong(len(p))
			}
			if deterministic {
				tokens.Write(kr.EncryptDeterministic(p))
			} else {
				tokens.Write(kr.Encrypt(p))
			}
			tokens.WriteByte('\n')
		}
		return a.write(tokens.Bytes())
	}
	return cmd
}

func errTooLong(n int) error {
	return fmt.Errorf("%d bytes make a token of over %d MiB, which no column type reads back", n, fernet.DefaultMaxTokenLen>>20)
}

// ringAndInput reads the keys and then the data, which may both come from standard
// input only if the keys do not.
func (a *app) ringAndInput(keys *keySource, bind *binding, what string) (*fernet.Keyring, []byte, error) {
	kr, err := keys.load(a)
	if err != nil {
		return nil, nil, err
	}
	kr, err = bind.derive(kr)
	if err != nil {
		return nil, nil, err
	}
	input, err := a.readInput(what)
	return kr, input, err
}
