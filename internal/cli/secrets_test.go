package cli_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	tokenLike = regexp.MustCompile(`gAAAAA[A-Za-z0-9_-]{4}`) // the CHECK has 'gAAAAA' alone
	keyLike   = regexp.MustCompile(`(^|[^A-Za-z0-9_-])[A-Za-z0-9_-]{43}=`)
)

// assertNoSecrets looks in all that the commands said for keys, tokens, plaintexts
// and data source names. On standard output, a command may say what it is for.
func assertNoSecrets(t *testing.T, all []record) {
	t.Helper()
	if len(all) < 20 {
		t.Fatalf("only %d runs were recorded", len(all))
	}
	for _, r := range all {
		command := ""
		if len(r.Args) > 0 {
			command = r.Args[0]
		}
		what := "fernetcol " + command // never the arguments: some are secret
		stdout, stderr := string(r.Stdout), string(r.Stderr)
		for _, k := range scriptKeys {
			// Half of a key is a secret too.
			for _, part := range []string{k.Encode()[:22], k.Encode()[22:]} {
				if strings.Contains(stdout, part) || strings.Contains(stderr, part) {
					t.Errorf("%s says a key", what)
				}
			}
		}
		if strings.Contains(stdout+stderr, password) {
			t.Errorf("%s says the password of the database", what)
		}
		if strings.Contains(stderr, "://") {
			t.Errorf("%s says a URL on standard error", what)
		}
		if strings.Contains(stderr, canary) {
			t.Errorf("%s says a plaintext on standard error", what)
		}
		if keyLike.MatchString(stderr) || command != "keygen" && keyLike.MatchString(stdout) && !tokenLike.MatchString(stdout) {
			t.Errorf("%s says what looks like a key", what)
		}
		if tokenLike.MatchString(stderr) || command != "encrypt" && tokenLike.MatchString(stdout) {
			t.Errorf("%s says a token", what)
		}
		reveals := command == "decrypt" || slices.Contains(r.Args, "--plaintext") || r.Code == 0 && slices.Contains(r.Args, "--help")
		if strings.Contains(stdout, canary) && !reveals {
			t.Errorf("%s says a plaintext", what)
		}
		if strings.Count(strings.TrimSpace(lastLine(stderr)), "\n") > 0 {
			t.Errorf("%s ends in an error of more than one line", what)
		}
	}
}

// lastLine returns what begins with the program's name, to the end.
func lastLine(stderr string) string {
	i := strings.LastIndex(stderr, "fernetcol: ")
	if i < 0 {
		return ""
	}
	return stderr[i:]
}
