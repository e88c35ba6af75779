// Package examples_test runs the example programs as a newcomer would.
package examples_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/internal/dbtest"
)

// program builds an example and returns a function that runs it in an empty
// folder, always the same one.
func program(t *testing.T, name string) func(env ...string) (stdout, stderr string, ok bool) {
	t.Helper()
	dir := t.TempDir()
	binary := filepath.Join(dir, name)
	if out, err := exec.Command("go", "build", "-o", binary, "./"+name).CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	work := t.TempDir()
	return func(env ...string) (string, string, bool) {
		cmd := exec.Command(binary)
		cmd.Dir = work
		for _, kv := range os.Environ() {
			if !strings.HasPrefix(kv, "SECRET_FERNET_KEY=") && !strings.HasPrefix(kv, "DATABASE_URL=") {
				cmd.Env = append(cmd.Env, kv)
			}
		}
		cmd.Env = append(cmd.Env, env...)
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		err := cmd.Run()
		return stdout.String(), stderr.String(), err == nil
	}
}

var token = regexp.MustCompile(`gAAAAA[A-Za-z0-9_=-]+`)

func checkQuickstart(t *testing.T, stdout string) {
	t.Helper()
	if n := strings.Count(stdout, "Snape kills Dumbledore."); n != 5 {
		t.Errorf("the plaintext is printed %d times, want 5: two rows read twice, and Python's token", n)
	}
	tokens := token.FindAllString(stdout, -1)
	if len(tokens) != 2 || tokens[0] == tokens[1] {
		t.Errorf("stored rows %q, want two different tokens", tokens)
	}
	if !strings.Contains(stdout, "2015-04-14 16:00:44 UTC") {
		t.Error("the time of Python's token is missing")
	}
}

func TestQuickstartNeedsNothing(t *testing.T) {
	t.Parallel()
	run := program(t, "quickstart")
	stdout, stderr, ok := run()
	if !ok {
		t.Fatal(stderr)
	}
	checkQuickstart(t, stdout)

	// The key it printed opens the rows it left, and another does not.
	key := regexp.MustCompile(`SECRET_FERNET_KEY='(.*)'`).FindStringSubmatch(stdout)
	if key == nil || !strings.Contains(stdout, "file quickstart.db") {
		t.Fatalf("the key and the file are not named in:\n%s", stdout)
	}
	if stdout, stderr, ok = run("SECRET_FERNET_KEY=" + key[1]); !ok {
		t.Fatal(stderr)
	}
	checkQuickstart(t, stdout)
	other := fernet.GenerateKey().Encode()
	wantLine(t, run, "under another key", "SECRET_FERNET_KEY="+other)
	if stdout, stderr, ok = run("SECRET_FERNET_KEY=" + other + "," + key[1]); !ok {
		t.Fatal(stderr)
	}
	checkQuickstart(t, stdout)
}

// wantLine runs a program that fails with one line that says what and shows no
// secret.
func wantLine(t *testing.T, run func(...string) (string, string, bool), what string, env ...string) {
	t.Helper()
	stdout, stderr, ok := run(env...)
	if ok || !strings.Contains(stderr, what) || strings.Count(stderr, "\n") != 1 {
		t.Errorf("ok = %t, stderr %q; want one line with %q", ok, stderr, what)
	}
	if strings.Contains(stdout+stderr, "hunter2") {
		t.Error("the output holds the secret")
	}
}

func TestQuickstartOnPostgres(t *testing.T) {
	t.Parallel()
	url := dbtest.Postgres(t).DSN()
	run := program(t, "quickstart")
	key := "SECRET_FERNET_KEY=" + fernet.GenerateKey().Encode()
	for range 2 { // again on a table that is there
		stdout, stderr, ok := run("DATABASE_URL="+url, key)
		if !ok {
			t.Fatal(stderr)
		}
		checkQuickstart(t, stdout)
	}
	wantLine(t, run, "under another key", "DATABASE_URL="+url, "SECRET_FERNET_KEY="+fernet.GenerateKey().Encode())
}

func TestQuickstartRefusesBadSettings(t *testing.T) {
	t.Parallel()
	run := program(t, "quickstart")
	for _, tt := range []struct{ what, env string }{
		{"entry 1: fernet: invalid key", "SECRET_FERNET_KEY=hunter2"},
		{"not a valid URL", "DATABASE_URL=mysql://root:hunter2@localhost/test"},
		{"not a valid URL", "DATABASE_URL=hunter2"},
		{"no server listens there", "DATABASE_URL=postgres://u:hunter2@127.0.0.1:1/db?sslmode=disable"},
		{"the host name is unknown", "DATABASE_URL=postgres://u:hunter2@nohost.invalid/db"},
	} {
		wantLine(t, run, tt.what, tt.env)
	}
}

func TestExamplesRun(t *testing.T) {
	for name, want := range map[string][]string{
		"databasesql": {"the plans of acme\n", "the plans of globex\n", `with the wrong ring: ""`, "without a ring: "},
		"nullable":    {"Ada: nickname NULL false, phone NULL false, born 1815, town \"London\", scan 4 bytes\n", "Bob: nickname NULL true, phone NULL true", "phone:gAAAAA", "scan_bytes:73"},
		"keyfile":     {"still opens: written last year", "the retired one: true", "after rotation, with the new key alone: written last year, <nil>", "chmod 600"},
		"gormtags": {"found Ada: ada@example.com, +44 20 7946 0000, born 1815\n", "refused: true gormencrypt: refused: column people.phone",
			"refused: true gormencrypt: refused: column people.email", "the database: constraint failed", "stored: gAAAAA"},
		"searchable": {"by e-mail: Ada Lovelace\nby phone: Ada Lovelace\nat example.com: 2\n", "twice: constraint failed: UNIQUE", "refused: true gormencrypt: refused: column users.email",
			"by name: Ada Lovelace\nby name: Charles Babbage\n", "stored: gAAAAA", "rows                    3\n", "smallest anonymity set  1\n"},
		"rotation": {"interrupted: true\n", "and 5000 tokens are under the new key\n", "the old key may go\n", "step 1: +44 20 7946 6 (read through: 1)\n",
			"step 2: 5000 encrypted, 0 left in the clear\n", "step 3: plaintext is refused: true\n", "step 4: +44 20 7946 6 (read through: 1, as before)\n"},
		"tenants": {"acme reads: one anvil for acme\n", "globex reads acme's row: \"\", true\n", "without a tenant: gormencrypt: no key ring for column invoices.text: no tenant"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stdout, stderr, ok := program(t, name)()
			if !ok {
				t.Fatal(stderr)
			}
			for _, w := range want {
				if !strings.Contains(stdout, w) {
					t.Errorf("output lacks %q:\n%s", w, stdout)
				}
			}
		})
	}
}
