// Rotation moves a table to a new key while an application keeps writing to it, and
// then encrypts a column that was plaintext, step by step.
//
//	go run ./examples/rotation
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite"

	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/reencrypt"
)

func main() {
	dir, err := os.MkdirTemp("", "rotation")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(filepath.Join(dir, "app.db"))+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()

	// Last year's key, and rows under it. The phone numbers were never encrypted.
	oldKey, newKey := fernet.GenerateKey(), fernet.GenerateKey()
	oldRing, newRing := ring(oldKey), ring(newKey, oldKey)
	exec(db, "CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT, phone TEXT)")
	tx, err := db.Begin()
	if err != nil {
		log.Fatal(err)
	}
	for i := range 5000 {
		exec(tx, "INSERT INTO people (email, phone) VALUES (?, ?)", oldRing.EncryptString(fmt.Sprintf("person%d@example.com", i)), fmt.Sprint("+44 20 7946 ", i))
	}
	if err := tx.Commit(); err != nil {
		log.Fatal(err)
	}

	// The application has the new ring, and writes all the time.
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for i := 1; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
				exec(db, "UPDATE people SET email = ? WHERE id = ?", newRing.EncryptString("changed@example.com"), i)
			}
		}
	}()

	// Rotation. It is interrupted, as by Ctrl-C, and resumes.
	ctx, cancel := context.WithCancel(context.Background())
	plan := reencrypt.Plan{Table: "people", Columns: []reencrypt.Column{{Name: "email", Keyring: newRing}}}
	_, err = reencrypt.Run(ctx, db, reencrypt.SQLite, plan, reencrypt.Options{
		BatchSize: 500,
		Progress: func(p reencrypt.Progress) {
			if p.Counts.Rows >= 2000 {
				cancel()
			}
		},
	})
	fmt.Println("interrupted:", errors.Is(err, reencrypt.ErrStopped))
	result, err := reencrypt.Run(context.Background(), db, reencrypt.SQLite, plan, reencrypt.Options{BatchSize: 500})
	if err != nil {
		log.Fatal(err)
	}
	close(stop)
	<-stopped
	fmt.Printf("resumed after %d rows, and %d tokens are under the new key\n", result.Resumed.Rows, result.Census.Columns[0].Keys[0].Rows)
	if _, err := reencrypt.Retire(context.Background(), db, reencrypt.SQLite, plan, oldKey.ID(), reencrypt.Options{}); err != nil {
		log.Fatal(err)
	}
	fmt.Println("the old key may go")

	// Plaintext to tokens. Step 1: readers take both, until a date.
	through, err := encryptedtype.SetReadThrough(time.Now().AddDate(0, 1, 0))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("step 1: %s (read through: %d)\n", phone(db, newRing), through.Count())

	// Step 2: encrypt in place.
	plan.Columns = []reencrypt.Column{{Name: "phone", Keyring: newRing, Plaintext: true}}
	if result, err = reencrypt.Run(context.Background(), db, reencrypt.SQLite, plan, reencrypt.Options{}); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("step 2: %d encrypted, %d left in the clear\n", result.Counts.Encrypted, result.Census.Columns[0].Plaintext)

	// Step 3: the database itself refuses plaintext. SQLite takes a CHECK with a new
	// table or column only; docs/rotation.md has the statements for the others.
	exec(db, "CREATE TABLE checked (id INTEGER PRIMARY KEY, email TEXT, phone TEXT CHECK ("+encryptedtype.CheckText("phone")+"))")
	exec(db, "INSERT INTO checked SELECT * FROM people")
	exec(db, "DROP TABLE people")
	exec(db, "ALTER TABLE checked RENAME TO people")
	_, err = db.Exec("UPDATE people SET phone = '+44 20 7946 0000' WHERE id = 1")
	fmt.Println("step 3: plaintext is refused:", err != nil)

	// Step 4: without SetReadThrough, as the next release is built.
	fmt.Printf("step 4: %s (read through: %d, as before)\n", phone(db, newRing), through.Count())
}

// phone reads a row as the application does.
func phone(db *sql.DB, kr *fernet.Keyring) string {
	var p encryptedtype.EncryptedString
	if err := db.QueryRow("SELECT phone FROM people WHERE id = 7").Scan(encryptedtype.Into(kr, &p)); err != nil {
		log.Fatal(err)
	}
	return string(p)
}

func ring(primary fernet.Key, retired ...fernet.Key) *fernet.Keyring {
	kr, err := fernet.NewKeyring(primary, retired...)
	if err != nil {
		log.Fatal(err)
	}
	return kr
}

func exec(c interface {
	Exec(string, ...any) (sql.Result, error)
}, query string, args ...any) {
	if _, err := c.Exec(query, args...); err != nil {
		log.Fatal(err)
	}
}
