package cli

import (
	"bytes"

	"github.com/spf13/cobra"
)

func (a *app) decrypt() *cobra.Command {
	var lines bool
	cmd := &cobra.Command{
		Use:     "decrypt",
		GroupID: groupKeys,
		Short:   "Decrypt a token on standard input",
		Long: `Decrypt the text or raw token on standard input, under whichever key opens it, and
write exactly its plaintext, with no line break added. With --lines, every line is
a token, and its plaintext a line. Exit code 4: no key opens the token.`,
		Example: `  fernetcol decrypt <photo.token >photo.jpg
  psql -Atc 'SELECT email FROM users' | fernetcol decrypt --lines`,
		Args: noArgs("the token comes on standard input"),
	}
	keys, bind := keyFlags(cmd), bindFlags(cmd)
	cmd.Flags().BoolVar(&lines, "lines", false, "decrypt each line for itself")
	cmd.RunE = func(*cobra.Command, []string) error {
		kr, input, err := a.ringAndInput(keys, bind, "token")
		if err != nil {
			return err
		}
		if !lines {
			plaintext, err := kr.Decrypt(trimToken(input))
			if err != nil {
				return unreadableError("no key of the %s opens this token: it is of another key or column, altered, or no token (fernetcol inspect says more)", ringName(bind))
			}
			return a.write(plaintext)
		}
		var plaintexts bytes.Buffer
		for i, token := range inputLines(input) {
			plaintext, err := kr.Decrypt(bytes.TrimSpace(token))
			switch {
			case err != nil:
				return unreadableError("line %d: no key of the %s opens this token; nothing was written", i+1, ringName(bind))
			case bytes.ContainsAny(plaintext, "\r\n"):
				return usageError("line %d: the plaintext has a line break in it; decrypt this token without --lines", i+1)
			}
			plaintexts.Write(plaintext)
			plaintexts.WriteByte('\n')
		}
		return a.write(plaintexts.Bytes())
	}
	return cmd
}

// ringName says which keys were tried.
func ringName(b *binding) string {
	if b.name == "" {
		return "ring"
	}
	return "ring, derived as --bind-name says,"
}
