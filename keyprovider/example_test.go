package keyprovider_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/fernetcol/fernetcol/keyprovider"
)

// Keys for examples, published and worthless.
const (
	exampleNew = "RVhBTVBMRS1LRVktTkVXLU5PVC1BLVNFQ1JFVC0wMDE="
	exampleOld = "RVhBTVBMRS1LRVktT0xELU5PVC1BLVNFQ1JFVC0wMDE="
)

func ExampleFromEnv() {
	// The new key first, the old one after it for as long as rows need it.
	os.Setenv("SECRET_FERNET_KEY", exampleNew+","+exampleOld)
	defer os.Unsetenv("SECRET_FERNET_KEY")

	kr, err := keyprovider.FromEnv("SECRET_FERNET_KEY")
	fmt.Println(kr, err)
	// Output: fernet.Keyring(REDACTED, primary ID 29c65eafbdcdb9fd, 1 retired) <nil>
}

func ExampleFromEnv_notSet() {
	_, err := keyprovider.FromEnv("EXAMPLE_NOT_SET")
	fmt.Println(errors.Is(err, keyprovider.ErrNoKeys))
	fmt.Println(err)
	// Output:
	// true
	// keyprovider: the environment variable EXAMPLE_NOT_SET is not set: no keys
}

func ExampleFromFile() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "keys")
	if err := os.WriteFile(path, []byte("# 2026-11\n"+exampleNew+"\n# 2025-02\n"+exampleOld+"\n"), 0o600); err != nil {
		panic(err)
	}

	kr, err := keyprovider.FromFile(path)
	fmt.Println(kr, err)
	// Output: fernet.Keyring(REDACTED, primary ID 29c65eafbdcdb9fd, 1 retired) <nil>
}
