package cli_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/fernetcol/fernetcol/internal/cli"
)

// events are those that docs/cli.md lists.
var events = map[string]string{
	"progress": "stderr", "unreadable": "stdout", "census": "stdout", "result": "stdout", "retire": "stdout", "audit": "stdout",
}

// assertLines wants whatever is asked for as JSON to be lines of it, of an event that
// is documented, on its stream.
func assertLines(t *testing.T, all []record) {
	t.Helper()
	seen := map[string]bool{}
	for _, r := range all {
		if !slices.Contains(r.Args, "--json") {
			continue
		}
		for line := range bytes.Lines(r.Stdout) {
			seen[assertEvent(t, line, "stdout")] = true
		}
		for line := range bytes.Lines(r.Stderr) {
			if bytes.HasPrefix(line, []byte("{")) {
				seen[assertEvent(t, line, "stderr")] = true
			}
		}
	}
	for event := range events {
		if !seen[event] {
			t.Errorf("no script shows the event %s with --json", event)
		}
	}
}

func assertEvent(t *testing.T, line []byte, stream string) string {
	t.Helper()
	var parsed struct{ Event string }
	if err := json.Unmarshal(line, &parsed); err != nil || events[parsed.Event] != stream {
		t.Errorf("%s has the line %q", stream, line)
	}
	return parsed.Event
}

// The commands of the recipes are those of their scripts.
func TestRecipesAreThoseOfTheScripts(t *testing.T) {
	t.Parallel()
	doc := readFile(t, "../../docs/cli.md")
	for title, script := range map[string]string{
		"## A key must change tonight":    "rotate.txtar",
		"## An existing plaintext column": "plaintext.txtar",
	} {
		_, recipe, found := strings.Cut(doc, title+"\n")
		recipe, _, _ = strings.Cut(recipe, "\n## ")
		if !found || !strings.Contains(recipe, script) {
			t.Errorf("docs/cli.md has no recipe %q that names %s", title, script)
		}
		shown := readFile(t, filepath.Join("testdata/database", script))
		commands := regexp.MustCompile(`(?m)^   (fernetcol [^#\n]*[^#\s])`).FindAllStringSubmatch(recipe, -1)
		if len(commands) < 4 {
			t.Errorf("%q has only %d commands", title, len(commands))
		}
		for _, c := range commands {
			command := regexp.MustCompile(`[0-9a-f]{16}`).ReplaceAllString(c[1], "$$ID_A")
			if !strings.Contains(shown, "exec "+command+"\n") {
				t.Errorf("%s does not run: %s", script, command)
			}
		}
	}
}

// Help is short, begins with what the command does, and has an example; docs/cli.md
// names every command.
func TestHelpOfEveryCommand(t *testing.T) {
	t.Parallel()
	doc := readFile(t, "../../docs/cli.md")
	for _, command := range []string{
		"keygen", "encrypt", "decrypt", "inspect", "check", "size", "census", "reencrypt", "migrate", "retire",
		"index", "index audit", "completion", "version", "help",
	} {
		var out, err bytes.Buffer
		code := cli.Run(append(strings.Fields(command), "--help"), cli.Streams{In: strings.NewReader(""), Out: &out, Err: &err})
		if code != 0 || err.Len() > 0 || !strings.Contains(out.String(), "\nExample:\n  ") {
			t.Errorf("%s --help: exit code %d, %s%s", command, code, &out, &err)
		}
		if n := strings.Count(out.String(), "\n"); n > 50 {
			t.Errorf("%s --help has %d lines", command, n)
		}
		for line := range strings.Lines(out.String()) {
			if strings.HasPrefix(line, "      --") || strings.HasPrefix(line, "  -") {
				continue // flags, which cobra sets as wide as they are
			}
			if n := len(strings.TrimRight(line, "\n")); n > 100 {
				t.Errorf("%s --help has a line of %d characters: %s", command, n, line)
			}
		}
		if command != "index" && !strings.Contains(doc, "`"+command+"`") {
			t.Errorf("docs/cli.md does not name %s", command)
		}
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
