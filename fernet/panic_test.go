package fernet_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/fernetcol/fernetcol/fernet"
)

// panicEnv names the shape with which the test binary is to panic.
const panicEnv = "FERNETCOL_TEST_PANIC"

func TestMain(m *testing.M) {
	if name := os.Getenv(panicEnv); name != "" {
		panicWith(name)
	}
	os.Exit(m.Run())
}

func panicWith(name string) {
	k := fakeKey(0)
	kr, err := fernet.NewKeyring(k)
	if err != nil {
		os.Exit(3)
	}
	value := map[string]any{
		"key":     k,
		"pointer": &k,
		"ring":    kr,
		"struct":  hidden{key: k, ring: kr},
		"error":   fmt.Errorf("with %v", k),
	}[name]
	if name == "inside" {
		kr = &fernet.Keyring{} // the methods panic in the package
	}
	func(k fernet.Key, kr *fernet.Keyring) { // as arguments in the trace
		if name == "inside" {
			kr.Encrypt([]byte(k.String()))
		}
		panic(value)
	}(k, kr)
}

func TestPanicShowsNoSecret(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"key", "pointer", "ring", "struct", "error", "inside"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(self)
			cmd.Env = append(os.Environ(), panicEnv+"="+name, "GOTRACEBACK=system")
			out, err := cmd.CombinedOutput()
			if err == nil || !bytes.Contains(out, []byte("panic: ")) || !bytes.Contains(out, []byte("goroutine ")) {
				t.Fatalf("the test binary does not panic: %v", err)
			}
			if form := tracesOf(fakeKey(0)).in(string(out)); form != "" {
				t.Errorf("the panic shows the key as %s", form)
			}
		})
	}
}
