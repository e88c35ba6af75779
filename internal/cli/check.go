package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/internal/dialect"
)

func (a *app) check() *cobra.Command {
	var raw bool
	var dbms string
	cmd := &cobra.Command{
		Use:     "check TABLE.COLUMN...",
		GroupID: groupColumns,
		Short:   "Print the CHECK with which a database refuses plaintext",
		Long: `Print the SQL that adds a CHECK to a column, so that the database itself refuses
what does not look like a token, whoever writes it. The name is the one that the GORM
plugin's AutoMigrate gives. Nothing is executed and no database is opened.`,
		Example: `  fernetcol check users.email --dialect postgres
  fernetcol check files.content --raw --dialect mysql`,
		Args: columnArgs,
	}
	dsn := dsnFlags(cmd)
	cmd.Flags().StringVar(&dbms, "dialect", "", "postgres, mysql (and MariaDB) or sqlite; by default that of DATABASE_URL")
	cmd.Flags().BoolVar(&raw, "raw", false, "the column is bytea or BLOB and holds raw tokens")
	cmd.RegisterFlagCompletionFunc("dialect", cobra.FixedCompletions([]string{"postgres", "mysql", "sqlite"}, cobra.ShellCompDirectiveNoFileComp))
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		columns, err := parseColumns(args)
		if err != nil {
			return err
		}
		if dbms == "" {
			source, err := dsn.load(a)
			if err != nil {
				return usageError("give --dialect postgres, mysql or sqlite, or set DATABASE_URL")
			}
			dbms = source.dialect
		}
		if dbms == "mariadb" {
			dbms = "mysql"
		}
		for _, c := range columns {
			ddl, err := checkDDL(c, dbms, raw)
			if err != nil {
				return err
			}
			if err := a.write([]byte(ddl)); err != nil {
				return err
			}
		}
		return nil
	}
	return cmd
}

// checkDDL is the SQL that adds the CHECK.
func checkDDL(c column, dbms string, raw bool) (string, error) {
	d, err := dialect.For(dbms)
	if err != nil {
		return "", usageError("--dialect is postgres, mysql or sqlite")
	}
	quote := d.Quote
	table, name := c.quotedTable(quote), quote(checkName(c))
	constraint := "CONSTRAINT " + name + " CHECK (" + checkCondition(quote(c.name), dbms, raw) + ")"
	switch dbms {
	case "postgres":
		// The first holds its lock for an instant; the second reads all rows and lets
		// writers work.
		return fmt.Sprintf("ALTER TABLE %[1]s ADD %[2]s NOT VALID;\nALTER TABLE %[1]s VALIDATE CONSTRAINT %[3]s;\n", table, constraint, name), nil
	case "mysql":
		return fmt.Sprintf("-- Fails if a row holds plaintext; writers wait while it reads the table.\nALTER TABLE %s ADD %s;\n", table, constraint), nil
	default:
		return fmt.Sprintf("-- SQLite takes a CHECK only as part of CREATE TABLE %s:\n%s\n", table, constraint), nil
	}
}

// checkCondition holds for NULL and for what looks like a token. For raw tokens it is
// that of the GORM plugin, which tests the version byte too.
func checkCondition(column, dbms string, raw bool) string {
	if !raw {
		return encryptedtype.CheckText(column)
	}
	first := "HEX(SUBSTR(" + column + ", 1, 1))"
	if dbms == "postgres" {
		first = "ENCODE(SUBSTR(" + column + ", 1, 1), 'hex')"
	}
	return column + " IS NULL OR (" + first + " = '80' AND LENGTH(" + column + ") >= 73 AND LENGTH(" + column + ") % 16 = 9)"
}

// maxIdentifier is the length in bytes to which PostgreSQL cuts a name.
const maxIdentifier = 63

// checkName is the name that the GORM plugin gives the column's CHECK, so that
// AutoMigrate finds it there.
func checkName(c column) string {
	name := "chk_" + c.table[len(c.table)-1] + "_" + c.name + "_fernet"
	if len(name) <= maxIdentifier {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return strings.ToValidUTF8(name[:maxIdentifier-24], "") + "_" + hex.EncodeToString(sum[:8]) + "_fernet"
}
