// Databasesql uses encrypted columns with database/sql alone and without a
// process default: every call names its key ring, here one for each customer.
//
//	go run ./examples/databasesql
package main

import (
	"database/sql"
	"fmt"
	"log"

	_ "modernc.org/sqlite"

	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
)

const schema = `CREATE TABLE notes (id INTEGER PRIMARY KEY, customer TEXT NOT NULL, body TEXT NOT NULL)`

func main() {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1) // each connection to :memory: is a database of its own
	if _, err := db.Exec(schema); err != nil {
		log.Fatal(err)
	}

	rings := map[string]*fernet.Keyring{"acme": newRing(), "globex": newRing()}
	for customer, kr := range rings {
		note := encryptedtype.EncryptedString("the plans of " + customer)
		if _, err := db.Exec("INSERT INTO notes (customer, body) VALUES (?, ?)",
			customer, encryptedtype.Bind(kr, note)); err != nil {
			log.Fatal(err)
		}
	}

	// Each customer's ring opens that customer's rows.
	for customer, kr := range rings {
		var note encryptedtype.EncryptedString
		row := db.QueryRow("SELECT body FROM notes WHERE customer = ?", customer)
		if err := row.Scan(encryptedtype.Into(kr, &note)); err != nil {
			log.Fatal(err)
		}
		fmt.Println(string(note))
	}

	// Another's is an error, and nothing is read.
	var note encryptedtype.EncryptedString
	err = db.QueryRow("SELECT body FROM notes WHERE customer = 'acme'").Scan(encryptedtype.Into(rings["globex"], &note))
	fmt.Printf("with the wrong ring: %q, %v\n", string(note), err)

	// A value that is bound to nothing is never stored in the clear.
	_, err = db.Exec("INSERT INTO notes (customer, body) VALUES ('acme', ?)", encryptedtype.EncryptedString("oops"))
	fmt.Println("without a ring:", err)
}

func newRing() *fernet.Keyring {
	kr, err := fernet.NewKeyring(fernet.GenerateKey())
	if err != nil {
		log.Fatal(err)
	}
	return kr
}
