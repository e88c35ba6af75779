package reencrypt_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"

	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/reencrypt"
)

// exampleRing has two visibly fake keys: the second is to be retired.
func exampleRing() (kr, old *fernet.Keyring) {
	var keys []fernet.Key
	for _, s := range []string{"RVhBTVBMRS1LRVktTkVXLU5PVC1BLVNFQ1JFVC0wMDE=", "RVhBTVBMRS1LRVktT0xELU5PVC1BLVNFQ1JFVC0wMDE="} {
		k, err := fernet.ParseKey(s)
		if err != nil {
			log.Fatal(err)
		}
		keys = append(keys, k)
	}
	kr, err := fernet.NewKeyring(keys[0], keys[1])
	if err != nil {
		log.Fatal(err)
	}
	if old, err = fernet.NewKeyring(keys[1]); err != nil {
		log.Fatal(err)
	}
	return kr, old
}

// exampleTable has two users under the old key, and one whose token nobody can open.
func exampleTable(old *fernet.Keyring) *sql.DB {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		log.Fatal(err)
	}
	db.SetMaxOpenConns(1) // each connection to :memory: is a database of its own
	lost, err := fernet.NewKeyring(fernet.GenerateKey())
	if err != nil {
		log.Fatal(err)
	}
	_, err = db.Exec("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT); INSERT INTO users VALUES (1, ?), (2, ?), (3, ?)",
		old.EncryptString("ada@example.com"), lost.EncryptString("who?"), old.EncryptString("bob@example.com"))
	if err != nil {
		log.Fatal(err)
	}
	return db
}

func ExampleRun() {
	kr, old := exampleRing()
	db := exampleTable(old)
	defer db.Close()

	plan := reencrypt.Plan{Table: "users", Columns: []reencrypt.Column{{Name: "email", Keyring: kr}}}
	result, err := reencrypt.Run(context.Background(), db, reencrypt.SQLite, plan, reencrypt.Options{
		Unreadable: func(r reencrypt.UnreadableRow) { fmt.Printf("%s.%s, row %s: %s\n", r.Table, r.Column, r.Key, r.Reason) },
	})
	fmt.Println("rotated:", result.Counts.Rotated)
	fmt.Println("unreadable:", errors.Is(err, reencrypt.ErrUnreadable))
	// Output:
	// users.email, row 2: no key opens it
	// rotated: 2
	// unreadable: true
}

func ExampleTakeCensus() {
	kr, old := exampleRing()
	db := exampleTable(old)
	defer db.Close()

	plan := reencrypt.Plan{Table: "users", Columns: []reencrypt.Column{{Name: "email", Keyring: kr}}}
	census, err := reencrypt.TakeCensus(context.Background(), db, reencrypt.SQLite, plan, reencrypt.Options{})
	if err != nil {
		log.Fatal(err)
	}
	for _, k := range census.Columns[0].Keys {
		fmt.Println(k, k.Rows)
	}
	fmt.Println("unreadable", census.Columns[0].Unreadable)
	// Output:
	// key 29c65eafbdcdb9fd 0
	// key 9a923f0afe7ba5a9 2
	// unreadable 1
}

func ExampleRetire() {
	kr, old := exampleRing()
	db := exampleTable(old)
	defer db.Close()

	plan := reencrypt.Plan{Table: "users", Columns: []reencrypt.Column{{Name: "email", Keyring: kr}}}
	_, err := reencrypt.Retire(context.Background(), db, reencrypt.SQLite, plan, old.PrimaryID(), reencrypt.Options{})
	fmt.Println(errors.Is(err, reencrypt.ErrKeyInUse))
	// Output: true
}
