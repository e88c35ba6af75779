package blindindex_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	_ "modernc.org/sqlite"

	"github.com/fernetcol/fernetcol/blindindex"
	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
)

// exampleKey is published. A program takes its own from package keyprovider:
// IndexKeyFromEnv("FERNET_INDEX_KEY").
func exampleKey() fernet.Key { return testKey }

// exampleRing encrypts, with a key of its own.
var exampleRing = must(fernet.NewKeyring(otherKey))

// openExample opens an empty SQLite database with a table.
func openExample(tables ...string) *sql.DB {
	db := must(sql.Open("sqlite", ":memory:"))
	db.SetMaxOpenConns(1)
	for _, table := range tables {
		must(db.Exec(table))
	}
	return db
}

func encrypted(plaintext string) any {
	return encryptedtype.Bind(exampleRing, encryptedtype.EncryptedString(plaintext))
}

func Example() {
	email := must(blindindex.New(exampleKey(), "users", "email", "email_index", blindindex.Options{
		Transforms: []blindindex.Transform{blindindex.Trim, blindindex.Lower},
	}))
	db := openExample("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL, email_index CHAR(32) NOT NULL UNIQUE)")
	defer db.Close()

	must(db.Exec("INSERT INTO users (email, email_index) VALUES (?, ?)", encrypted("Ada@example.com"), email.Value("Ada@example.com")))

	var read encryptedtype.EncryptedString
	row := db.QueryRow("SELECT email FROM users WHERE email_index = ?", email.Value(" ada@EXAMPLE.com"))
	if err := row.Scan(encryptedtype.Into(exampleRing, &read)); err != nil {
		panic(err)
	}
	fmt.Println(string(read))

	_, err := db.Exec("INSERT INTO users (email, email_index) VALUES (?, ?)", encrypted("ADA@example.com"), email.Value("ADA@example.com"))
	fmt.Println("a duplicate is refused:", err != nil)

	var stored string
	if err := db.QueryRow("SELECT email_index FROM users").Scan(&stored); err != nil {
		panic(err)
	}
	fmt.Println(stored)
	// Output:
	// Ada@example.com
	// a duplicate is refused: true
	// caf8fbb81789d4e54f07c48cc4552f4b
}

func ExampleIndex_Matches() {
	// A short index for a table of 50 million rows: a lookup reads about 760 rows,
	// and keeps those that match.
	shortest, longest := must2(blindindex.Lengths(50_000_000, 0))
	fmt.Println("lengths:", shortest, "to", longest)
	phone := must(blindindex.New(exampleKey(), "users", "phone", "phone_index", blindindex.Options{
		Transforms: []blindindex.Transform{blindindex.Digits},
		Bits:       16, Rows: 50_000_000,
	}))
	fmt.Println("entry:", phone.Value("+49 30 1234-5678"))

	for _, decrypted := range []string{"+49 (30) 12345678", "+49 30 8765-4321"} { // what the rows hold
		fmt.Println(decrypted, phone.Matches(decrypted, "+493012345678"))
	}
	// Output:
	// lengths: 13 to 24
	// entry: 218b
	// +49 (30) 12345678 true
	// +49 30 8765-4321 false
}

func ExampleCompound() {
	person := must(blindindex.NewCompound(exampleKey(), "people", "person_index", []blindindex.CompoundColumn{
		{Name: "name", Transforms: []blindindex.Transform{blindindex.Trim, blindindex.Fold}},
		{Name: "born"},
	}, blindindex.Options{}))
	a := must(person.Value("Ada Lovelace", "1815-12-10"))
	b := must(person.Value(" ADA LOVELACE ", "1815-12-10"))
	c := must(person.Value("Ada Lovelace", "1815-12-11"))
	fmt.Println(a == b, a == c)
	// Output: true false
}

// Partial search by a child table with a row for each gram.
func ExampleGrams() {
	grams := must(blindindex.NewGrams(exampleKey(), "people", "name", "name_grams", 3, blindindex.Options{
		Transforms: []blindindex.Transform{blindindex.Fold},
	}))
	db := openExample("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL)",
		"CREATE TABLE people_name_grams (entry CHAR(32), person_id INTEGER, PRIMARY KEY (entry, person_id))")
	defer db.Close()
	for id, name := range []string{"Ada Lovelace", "Grace Hopper", "Love Adams"} {
		must(db.Exec("INSERT INTO people VALUES (?, ?)", id, encrypted(name)))
		for _, entry := range grams.Values(name) {
			must(db.Exec("INSERT INTO people_name_grams VALUES (?, ?)", entry, id))
		}
	}

	const part = "LOVE"
	query := must(grams.Query(part)) // an error if the part is shorter than three characters
	args := []any{}
	for _, entry := range query {
		args = append(args, entry)
	}
	rows := must(db.Query(`SELECT name FROM people JOIN people_name_grams ON person_id = id
		WHERE entry IN (?`+strings.Repeat(", ?", len(query)-1)+`) GROUP BY id HAVING COUNT(*) = ? ORDER BY id`, append(args, len(query))...))
	defer rows.Close()
	for rows.Next() {
		var name encryptedtype.EncryptedString
		if err := rows.Scan(encryptedtype.Into(exampleRing, &name)); err != nil {
			panic(err)
		}
		if grams.Matches(string(name), part) { // all grams are there, but perhaps apart
			fmt.Println(string(name))
		}
	}
	// Output:
	// Ada Lovelace
	// Love Adams
}

func ExamplePrefixes() {
	prefixes := must(blindindex.NewPrefixes(exampleKey(), "people", "name", "name_prefixes", 3, 6, blindindex.Options{
		Transforms: []blindindex.Transform{blindindex.Fold},
	}))
	fmt.Println(len(prefixes.Values("Lovelace")), "entries")
	_, err := prefixes.Query("Lo")
	fmt.Println(err)
	// Output:
	// 4 entries
	// blindindex: part too short to look for: index name_prefixes needs at least 3 characters
}

func ExampleAudit() {
	country := must(blindindex.New(exampleKey(), "users", "country", "country_index", blindindex.Options{}))
	db := openExample("CREATE TABLE users (id INTEGER PRIMARY KEY, country_index CHAR(32))")
	defer db.Close()
	for value, n := range map[string]int{"DE": 60, "AT": 25, "CH": 25, "LI": 2} {
		for range n {
			must(db.Exec("INSERT INTO users (country_index) VALUES (?)", country.Value(value)))
		}
	}

	leakage := must(blindindex.Audit(context.Background(), db, "users", "country_index"))
	fmt.Print(leakage)
	// Output:
	// rows                    112
	// NULL                    0
	// distinct values         4
	// largest groups          60 25 25 2
	// smallest anonymity set  2
	// guessed by rank         87 (77.7%)
	// warning: 4 distinct values are fewer than 1000: counting can name them
	// warning: the most frequent value has 53.6% of the rows, more than 1%: it stands out
	// warning: 77.7% of the rows can be named by rank, more than 1%
}

// WHERE name LIKE 'A%' ORDER BY name LIMIT 3, on names that only the program can read.
func ExampleTop() {
	db := openExample("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
	defer db.Close()
	for _, name := range []string{"Grace", "Ada", "Alan", "Edsger", "Adele", "Barbara", "Anita"} {
		must(db.Exec("INSERT INTO people (name) VALUES (?)", encrypted(name)))
	}
	type person struct {
		ID   int
		Name encryptedtype.EncryptedString
	}

	rows := must(db.Query("SELECT id, name FROM people ORDER BY id"))
	top, err := blindindex.Top(
		blindindex.Rows(rows, func(r *sql.Rows) (p person, err error) {
			err = r.Scan(&p.ID, encryptedtype.Into(exampleRing, &p.Name))
			return p, err
		}),
		3,
		func(p person) bool { return strings.HasPrefix(string(p.Name), "A") },
		func(a, b person) int { return strings.Compare(string(a.Name), string(b.Name)) },
	)
	if err != nil {
		panic(err)
	}
	for _, p := range top {
		fmt.Println(p.ID, string(p.Name))
	}
	// Output:
	// 2 Ada
	// 5 Adele
	// 3 Alan
}

func must2[A, B any](a A, b B, err error) (A, B) {
	if err != nil {
		panic(err)
	}
	return a, b
}
