package encryptedtype_test

import (
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	_ "modernc.org/sqlite"

	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
)

// exampleKeyring makes a key ring of published keys. A program takes its own from
// package keyprovider.
func exampleKeyring() *fernet.Keyring { return keyring(exampleNew, exampleOld) }

// openExample opens an empty SQLite database with one table.
func openExample(table string) *sql.DB {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		panic(err)
	}
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(table); err != nil {
		panic(err)
	}
	return db
}

func Example() {
	// A program calls SetDefault once; each example has the process to itself.
	defer encryptedtype.ReplaceDefault(nil)()
	if err := encryptedtype.SetDefault(exampleKeyring()); err != nil {
		panic(err)
	}
	db := openExample("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL)")
	defer db.Close()

	email := encryptedtype.EncryptedString("alice@example.com")
	if _, err := db.Exec("INSERT INTO users (email) VALUES (?)", email); err != nil {
		panic(err)
	}

	var read encryptedtype.EncryptedString
	if err := db.QueryRow("SELECT email FROM users").Scan(&read); err != nil {
		panic(err)
	}
	fmt.Println(string(read), read == email) // string(…) takes the plaintext out
	fmt.Println(read)                        // what a log line would show

	var stored string
	if err := db.QueryRow("SELECT email FROM users").Scan(&stored); err != nil {
		panic(err)
	}
	fmt.Println(stored[:6], len(stored))
	// Output:
	// alice@example.com true
	// [encrypted]
	// gAAAAA 120
}

func ExampleEncryptedString_Scan() {
	defer encryptedtype.ReplaceDefault(exampleKeyring())()

	// What stands in the column in the clear is not taken for a value.
	email := encryptedtype.EncryptedString("the row before")
	err := email.Scan("alice@example.com")
	fmt.Println(errors.Is(err, fernet.ErrInvalidToken), email == "")
	// Output: true true
}

// A column that may be NULL is a sql.Null, or a pointer.
func ExampleEncryptedString_null() {
	defer encryptedtype.ReplaceDefault(exampleKeyring())()
	db := openExample("CREATE TABLE users (id INTEGER PRIMARY KEY, phone TEXT)")
	defer db.Close()

	phone := sql.Null[encryptedtype.EncryptedString]{V: "+43 1 555 0100", Valid: true}
	none := sql.Null[encryptedtype.EncryptedString]{}
	if _, err := db.Exec("INSERT INTO users (phone) VALUES (?), (?), (?)", phone, none, encryptedtype.EncryptedString("")); err != nil {
		panic(err)
	}

	rows, err := db.Query("SELECT phone FROM users ORDER BY id")
	if err != nil {
		panic(err)
	}
	defer rows.Close()
	for rows.Next() {
		var p sql.Null[encryptedtype.EncryptedString]
		if err := rows.Scan(&p); err != nil {
			panic(err)
		}
		fmt.Printf("%q %v\n", string(p.V), p.Valid)
	}
	// Output:
	// "+43 1 555 0100" true
	// "" false
	// "" true
}

func ExampleBind() {
	db := openExample("CREATE TABLE users (id INTEGER PRIMARY KEY, tenant TEXT, email TEXT)")
	defer db.Close()
	kr := exampleKeyring()
	acme, globex := kr.Derive("tenant", "acme"), kr.Derive("tenant", "globex")

	if _, err := db.Exec("INSERT INTO users (tenant, email) VALUES (?, ?)",
		"acme", encryptedtype.Bind(acme, encryptedtype.EncryptedString("alice@example.com"))); err != nil {
		panic(err)
	}

	var email encryptedtype.EncryptedString
	err := db.QueryRow("SELECT email FROM users").Scan(encryptedtype.Into(acme, &email))
	fmt.Println(string(email), err)

	err = db.QueryRow("SELECT email FROM users").Scan(encryptedtype.Into(globex, &email))
	fmt.Println(email == "", errors.Is(err, fernet.ErrInvalidToken))

	// A plain string is not encrypted by mistake, nor stored in the clear.
	_, err = db.Exec("INSERT INTO users (email) VALUES (?)", encryptedtype.Bind(acme, "bob@example.com"))
	fmt.Println(err != nil)
	// Output:
	// alice@example.com <nil>
	// true true
	// true
}

func ExampleInto() {
	db := openExample("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT)")
	defer db.Close()
	kr := exampleKeyring()
	if _, err := db.Exec("INSERT INTO users (email) VALUES (NULL), (?)",
		encryptedtype.Bind(kr, encryptedtype.EncryptedString("bob@example.com"))); err != nil {
		panic(err)
	}

	rows, err := db.Query("SELECT email FROM users ORDER BY id")
	if err != nil {
		panic(err)
	}
	defer rows.Close()
	for rows.Next() {
		var email *encryptedtype.EncryptedString // nil for NULL
		if err := rows.Scan(encryptedtype.Into(kr, &email)); err != nil {
			panic(err)
		}
		if email == nil {
			fmt.Println("no address")
		} else {
			fmt.Println(string(*email))
		}
	}
	// Output:
	// no address
	// bob@example.com
}

func ExampleEncrypted() {
	defer encryptedtype.ReplaceDefault(exampleKeyring())()
	db := openExample("CREATE TABLE patients (id INTEGER PRIMARY KEY, born TEXT, address TEXT)")
	defer db.Close()

	type Address struct{ Street, City string }
	type Patient struct {
		Born    encryptedtype.Encrypted[time.Time]
		Address encryptedtype.Encrypted[Address]
	}
	var p Patient
	p.Born.V = time.Date(1990, 4, 5, 0, 0, 0, 0, time.UTC)
	p.Address.V = Address{"1 Example Street", "Vienna"}
	if _, err := db.Exec("INSERT INTO patients (born, address) VALUES (?, ?)", p.Born, p.Address); err != nil {
		panic(err)
	}

	var read Patient
	if err := db.QueryRow("SELECT born, address FROM patients").Scan(&read.Born, &read.Address); err != nil {
		panic(err)
	}
	fmt.Println(read.Born.V.Year(), read.Address.V.City)
	fmt.Printf("%+v\n", read)
	// Output:
	// 1990 Vienna
	// {Born:[encrypted] Address:[encrypted]}
}

func ExampleDeterministicString() {
	defer encryptedtype.ReplaceDefault(exampleKeyring())()
	db := openExample("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE)")
	defer db.Close()

	email := encryptedtype.DeterministicString("alice@example.com")
	if _, err := db.Exec("INSERT INTO users (email) VALUES (?)", email); err != nil {
		panic(err)
	}
	_, err := db.Exec("INSERT INTO users (email) VALUES (?)", email)
	fmt.Println("a second time:", err != nil)

	var id int
	err = db.QueryRow("SELECT id FROM users WHERE email = ?", email).Scan(&id)
	fmt.Println(id, err)
	// Output:
	// a second time: true
	// 1 <nil>
}

// After a rotation, rows under the retired key are found by their tokens.
func ExampleDeterministicString_Tokens() {
	db := openExample("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT)")
	defer db.Close()
	before, after := keyring(exampleOld), exampleKeyring()

	email := encryptedtype.DeterministicString("alice@example.com")
	for _, kr := range []*fernet.Keyring{before, after} {
		if _, err := db.Exec("INSERT INTO users (email) VALUES (?)", encryptedtype.Bind(kr, email)); err != nil {
			panic(err)
		}
	}

	var args []any
	for _, token := range email.Tokens(after) {
		args = append(args, token)
	}
	in := strings.TrimSuffix(strings.Repeat("?, ", len(args)), ", ")
	var found int
	err := db.QueryRow("SELECT COUNT(*) FROM users WHERE email IN ("+in+")", args...).Scan(&found)
	fmt.Println(len(args), "tokens find", found, "rows", err)
	// Output: 2 tokens find 2 rows <nil>
}

func ExampleReplaceAttr() {
	type User struct {
		ID    int                           `json:"id"`
		Email encryptedtype.EncryptedString `json:"email"`
	}
	logger := slog.New(slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{} // for this example's output
			}
			return encryptedtype.ReplaceAttr(groups, a)
		},
	}))
	logger.Info("signed up", "user", &User{ID: 7, Email: "alice@example.com"})
	// Output: {"level":"INFO","msg":"signed up","user":{"email":"[encrypted]","id":7}}
}

func ExampleCheckText() {
	defer encryptedtype.ReplaceDefault(exampleKeyring())()
	db := openExample("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT CHECK (" + encryptedtype.CheckText("email") + "))")
	defer db.Close()

	_, err := db.Exec("INSERT INTO users (email) VALUES (?)", "alice@example.com")
	fmt.Println("plaintext refused:", err != nil)
	_, err = db.Exec("INSERT INTO users (email) VALUES (?)", encryptedtype.EncryptedString("alice@example.com"))
	fmt.Println("token refused:", err != nil)
	// Output:
	// plaintext refused: true
	// token refused: false
}
