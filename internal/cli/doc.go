// Package cli is the command fernetcol; cmd/fernetcol only calls [Main].
//
// Each subcommand has a file of its own. What they share: keys.go (where key rings
// come from), dsn.go and open.go (where databases come from), secrets.go (what is
// refused as an argument), exit.go (errors and exit codes).
//
// Results go to standard output, progress and messages to standard error. An error
// is one line with the remedy. Neither repeats what may be a secret: arguments that
// were not recognised, keys, tokens, plaintexts, data source names, or the messages
// of parsers and drivers that quote them.
package cli
