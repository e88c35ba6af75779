// Keyfile takes its keys from a file and rotates them: a new key first, the old
// one behind it until no row needs it.
//
//	go run ./examples/keyfile
package main

import (
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/keyprovider"
)

func main() {
	dir, err := os.MkdirTemp("", "keyfile")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "fernet-keys")

	oldKey, newKey := fernet.GenerateKey(), fernet.GenerateKey()
	before := ring(path, oldKey)
	token := before.Encrypt([]byte("written last year"))

	// Tonight the key must change: the file gets a new first line.
	after := ring(path, newKey, oldKey)
	plaintext, err := after.Decrypt(token)
	if err != nil {
		log.Fatal(err)
	}
	id, err := after.KeyID(token)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("still opens: %s (key %s, the retired one: %t)\n", plaintext, id, id == oldKey.ID())

	// Each token moves to the new key, its time kept.
	token, err = after.Rotate(token)
	if err != nil {
		log.Fatal(err)
	}
	// When none is left under the old key, its line goes.
	plaintext, err = ring(path, newKey).Decrypt(token)
	fmt.Printf("after rotation, with the new key alone: %s, %v\n", plaintext, err)

	// What a careless chmod does.
	if err := os.Chmod(path, 0o644); err != nil {
		log.Fatal(err)
	}
	_, err = keyprovider.FromFile(path)
	fmt.Println("readable by all:", strings.ReplaceAll(err.Error(), dir, "…"))
}

// ring writes a key file, which only its owner may read, and reads the ring back.
func ring(path string, keys ...fernet.Key) *fernet.Keyring {
	var lines strings.Builder
	for _, k := range keys {
		fmt.Fprintf(&lines, "# key %s\n%s\n", k.ID(), k.Encode())
	}
	if err := os.WriteFile(path, []byte(lines.String()), 0o600); err != nil {
		log.Fatal(err)
	}
	kr, err := keyprovider.FromFile(path)
	if err != nil {
		log.Fatal(err)
	}
	return kr
}
