// Fernetcol makes and inspects keys and tokens, and moves the encrypted columns of
// a database from key to key. docs/cli.md describes it.
//
//	go run github.com/fernetcol/fernetcol/cmd/fernetcol@latest --help
package main

import (
	"os"

	"github.com/fernetcol/fernetcol/internal/cli"
)

func main() { os.Exit(cli.Main()) }
