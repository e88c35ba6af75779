package cli_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/gormencrypt"
	"github.com/fernetcol/fernetcol/internal/cli"
	"github.com/fernetcol/fernetcol/internal/dbtest"
	"github.com/fernetcol/fernetcol/keyprovider"
)

type checked struct {
	ID      int64
	Email   encryptedtype.EncryptedString
	Content encryptedtype.EncryptedBytes
}

func (checked) TableName() string { return "checked" }

// The CHECK that the command prints is the one that AutoMigrate adds: with the first
// there, AutoMigrate finds it and adds none.
func TestCheckIsThatOfAutoMigrate(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, db *dbtest.Database) {
		migrate(t, db, db.Dialect != "sqlite")
		ddl := printed(t, "check", "checked.email", "--dialect", db.Dialect) +
			printed(t, "check", "checked.content", "--raw", "--dialect", db.Dialect)

		if db.Dialect == "sqlite" { // where a CHECK is part of CREATE TABLE
			var created string
			if err := db.SQL.QueryRow("SELECT sql FROM sqlite_master WHERE name = 'checked'").Scan(&created); err != nil {
				t.Fatal(err)
			}
			created = strings.ReplaceAll(created, "`", `"`)
			for line := range strings.Lines(ddl) {
				if !strings.HasPrefix(line, "--") && !strings.Contains(created, strings.TrimSpace(line)) {
					t.Errorf("AutoMigrate does not write %s", line)
				}
			}
			return
		}
		for line := range strings.Lines(ddl) {
			if strings.HasPrefix(line, "--") {
				continue
			}
			if _, err := db.SQL.Exec(strings.TrimRight(line, ";\n")); err != nil {
				t.Fatal(err)
			}
		}
		before := constraints(t, db)
		migrate(t, db, false)
		if after := constraints(t, db); before != 2 || after != 2 {
			t.Errorf("%d CHECKs, and %d after AutoMigrate; want 2 and 2", before, after)
		}
	})
}

func migrate(t *testing.T, db *dbtest.Database, withoutCheck bool) {
	t.Helper()
	kr, err := fernet.NewKeyring(scriptKeys["A"])
	if err != nil {
		t.Fatal(err)
	}
	g := db.GORM(t)
	if err := g.Use(gormencrypt.New(keyprovider.Static(kr), gormencrypt.Options{Models: []any{&checked{}}, WithoutCheck: withoutCheck})); err != nil {
		t.Fatal(err)
	}
	if err := g.AutoMigrate(&checked{}); err != nil {
		t.Fatal(err)
	}
}

func printed(t *testing.T, args ...string) string {
	t.Helper()
	var out, err bytes.Buffer
	if code := cli.Run(args, cli.Streams{In: strings.NewReader(""), Out: &out, Err: &err}); code != 0 {
		t.Fatalf("exit code %d: %s", code, &err)
	}
	return out.String()
}

func constraints(t *testing.T, db *dbtest.Database) (n int) {
	t.Helper()
	here := "current_schema()"
	if db.Dialect == "mysql" {
		here = "DATABASE()"
	}
	err := db.SQL.QueryRow("SELECT COUNT(*) FROM information_schema.table_constraints WHERE table_schema = " + here +
		" AND table_name = 'checked' AND constraint_name LIKE 'chk%'").Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
