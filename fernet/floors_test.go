package fernet_test

import (
	"os/exec"
	"strings"
	"testing"
)

// The package stands on floor 0: it imports the standard library and nothing
// else.
func TestImportsOnlyTheStandardLibrary(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	if got := strings.Fields(string(out)); len(got) != 1 || !strings.HasSuffix(got[0], "/fernet") {
		t.Errorf("beside the standard library there is %q, want this package only", got)
	}
}
