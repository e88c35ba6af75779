package cli

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
)

// sizes is one result of size, as --json prints it.
type sizes struct {
	Plaintext  int `json:"plaintext_bytes"`
	Text       int `json:"text_characters"`
	TextColumn int `json:"text_column"`
	Raw        int `json:"raw_bytes"`
	RawColumn  int `json:"raw_column"`
}

func (a *app) size() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "size N...",
		GroupID: groupColumns,
		Short:   "Say how wide a column must be for N bytes of plaintext",
		Long: `Say how long the token of N bytes of plaintext is, and how wide to make the column:
one more than the token, so that the CHECK also finds a token that MySQL cut off. For
text, N counts the bytes of UTF-8.`,
		Example: `  fernetcol size 320`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError("say how many bytes: %s 320", cmd.CommandPath())
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON lines")
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		for i, arg := range args {
			n, err := strconv.Atoi(arg)
			if err != nil || n < 0 {
				return usageError("argument %d is not a number of bytes", i+1)
			}
			// Before TokenLen, which could overflow.
			if n > fernet.DefaultMaxTokenLen || encryptedtype.TextSize(n) > fernet.DefaultMaxTokenLen {
				return fmt.Errorf("%d bytes make a token of over %d MiB, which no column type reads back", n, fernet.DefaultMaxTokenLen>>20)
			}
			s := sizes{Plaintext: n, Text: encryptedtype.TextSize(n), Raw: encryptedtype.BytesSize(n)}
			s.TextColumn, s.RawColumn = s.Text+1, s.Raw+1
			if asJSON {
				err = a.writeJSON(s)
			} else {
				err = a.write(fmt.Appendf(nil, "%d bytes: text token %d characters, varchar(%d); raw token %d bytes, varbinary(%d)\n",
					s.Plaintext, s.Text, s.TextColumn, s.Raw, s.RawColumn))
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	return cmd
}
