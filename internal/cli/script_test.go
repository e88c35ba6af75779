package cli_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/internal/dbtest"
)

// canary is in every plaintext of the scripts, and password in every data source
// name that could hold one.
const (
	canary   = "canary"
	password = "Pa55-of-the-database"
)

// scriptKeys are the keys of one run of the scripts, in the environment as $KEY_A
// and so on, with their IDs as $ID_A. No script sets SECRET_FERNET_KEY unseen.
var scriptKeys = map[string]fernet.Key{"A": fernet.GenerateKey(), "B": fernet.GenerateKey(), "C": fernet.GenerateKey()}

// A program under the race detector sleeps for a second before it exits, unless it
// is told not to.
const (
	raceVariable = "GORACE"
	raceOptions  = "atexit_sleep_ms=0"
)

// scripts are the parameters of all script tests. name is the database's, or "" if
// open is nil.
func scripts(dir, transcript, name string, open func(t testing.TB) *dbtest.Database) testscript.Params {
	return testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv(transcriptVariable, transcript)
			env.Setenv(raceVariable, raceOptions)
			env.Setenv("PASSWORD", password)
			for name, key := range scriptKeys {
				env.Setenv("KEY_"+name, key.Encode())
				env.Setenv("ID_"+name, key.ID())
			}
			if open == nil {
				return nil
			}
			t, ok := env.T().(testing.TB)
			if !ok {
				return errors.New("testscript gives no testing.TB")
			}
			db := open(t)
			env.Values[databaseKey{}] = db
			u, err := urlsOf(db)
			if err != nil {
				return errors.New("the DSN of the database is not as expected")
			}
			env.Setenv("DATABASE_URL", u.usual)
			env.Setenv("OTHER_URL", u.other)
			env.Setenv("WRONG_URL", u.wrong)
			env.Setenv("READ_ONLY", "transaction_read_only")
			if db.MariaDB() { // where it has the new name since 11.1 only
				env.Setenv("READ_ONLY", "tx_read_only")
			}
			env.Setenv("TEXT", db.TextType())
			env.Setenv("BYTES", db.BytesType())
			return nil
		},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "sqlite", "postgres", "mysql":
				return cond == name, nil
			}
			return false, fmt.Errorf("no condition %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"apply":   apply,
			"exits":   exits,
			"mode":    mode,
			"opens":   opens,
			"refused": refused,
			"seed":    seed,
			"sql":     runSQL,
		},
	}
}

type databaseKey struct{}

// exits runs a program and wants an exit code: exits 2 fernetcol encrypt --raw.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARGUMENT...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Check(err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// mode wants a file to have these permissions: mode 0600 key.
func mode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mode PERMISSIONS FILE")
	}
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[0] {
		ts.Fatalf("%s has mode %s, want %s", args[1], got, args[0])
	}
}

// runSQL runs a statement on the script's database and prints the rows it returns,
// values separated by |. The words of the statement may be separate arguments.
func runSQL(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: sql STATEMENT")
	}
	db := database(ts)
	statement := strings.Join(args, " ")
	rows, err := db.SQL.Query(statement)
	ts.Check(err)
	defer rows.Close()
	columns, err := rows.Columns()
	ts.Check(err)
	for rows.Next() {
		values := make([]sql.NullString, len(columns))
		into := make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		ts.Check(rows.Scan(into...))
		var texts []string
		for _, v := range values {
			text := "NULL"
			if v.Valid {
				text = v.String
			}
			texts = append(texts, text)
		}
		_, err := fmt.Fprintln(ts.Stdout(), strings.Join(texts, "|"))
		ts.Check(err)
	}
	ts.Check(rows.Err())
}

// Every run of every script, and then what they said, all together.
func TestScripts(t *testing.T) {
	transcript := t.TempDir()
	t.Run("script", func(t *testing.T) {
		testscript.Run(t, scripts("testdata/script", transcript, "", nil))
	})
	assertNoSecrets(t, records(t, transcript))
}
