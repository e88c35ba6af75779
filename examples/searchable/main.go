// Searchable finds encrypted rows by their values: through blind indexes, which
// gormencrypt fills and asks by itself, and by sorting what it has decrypted.
//
//	go run ./examples/searchable
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"

	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	_ "modernc.org/sqlite"

	"github.com/fernetcol/fernetcol/blindindex"
	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/gormencrypt"
	"github.com/fernetcol/fernetcol/keyprovider"
)

// A User's e-mail address is found whatever its case, is unique, and is found by its
// domain; the phone number by its digits.
type User struct {
	ID          int64
	Name        string           `gorm:"serializer:fernet"`
	Email       string           `gorm:"serializer:fernet" fernet:"index:EmailIndex,lower;index:EmailDomain,lower,domain"`
	EmailIndex  blindindex.Value `gorm:"uniqueIndex"`
	EmailDomain blindindex.Value `gorm:"index"`
	Phone       *string          `gorm:"serializer:fernet" fernet:"index:PhoneIndex,digits"`
	PhoneIndex  blindindex.Value `gorm:"index"`
}

func main() {
	// A program takes both from where its keys are kept: keyprovider.FromEnv and
	// keyprovider.IndexKeyFromEnv("FERNET_INDEX_KEY").
	kr, err := fernet.NewKeyring(fernet.GenerateKey())
	must(err)
	indexKey := fernet.GenerateKey()

	db, err := gorm.Open(sqlite.Dialector{DriverName: "sqlite", DSN: "file::memory:?cache=shared"}, &gorm.Config{Logger: logger.Discard})
	must(err)
	must(db.Use(gormencrypt.New(keyprovider.Static(kr), gormencrypt.Options{Models: []any{&User{}}, IndexKey: indexKey})))
	must(db.AutoMigrate(&User{}))

	phone := "+44 20 7946 0000"
	must(db.Create(&[]User{
		{Name: "Ada Lovelace", Email: "Ada@Example.com", Phone: &phone},
		{Name: "Grace Hopper", Email: "grace@navy.example"},
		{Name: "Charles Babbage", Email: "charles@example.com"},
	}).Error)

	// The queries are those of a plain table.
	var u User
	must(db.Where("email = ?", "ADA@example.COM").First(&u).Error)
	fmt.Println("by e-mail:", u.Name)
	must(db.First(&u, "phone = ?", "(+44) 2079-460000").Error)
	fmt.Println("by phone:", u.Name)

	// An index of a part of the value is asked by its own name, in plaintext.
	var n int64
	must(db.Model(&User{}).Where("email_domain = ?", "example.com").Count(&n).Error)
	fmt.Println("at example.com:", n)

	// The database keeps the address unique, in any spelling.
	fmt.Println("twice:", db.Create(&User{Email: "ada@EXAMPLE.com"}).Error)
	// Every way to write fills the indexes.
	must(db.Model(&User{}).Where("email = ?", "grace@navy.example").Update("email", "hopper@navy.example").Error)
	must(db.First(&User{}, "email = ?", "hopper@navy.example").Error)

	// What no index answers is an error, not an empty result.
	err = db.Where("email LIKE ?", "%@example.com").Find(&[]User{}).Error
	fmt.Println("refused:", errors.Is(err, gormencrypt.ErrRefused), err)

	// It can be done on what is decrypted, in memory for as many rows as are wanted.
	first, err := blindindex.Top(gormencrypt.Each[User](db), 2,
		func(u User) bool { return strings.Contains(u.Name, "a") },
		func(a, b User) int { return strings.Compare(a.Name, b.Name) })
	must(err)
	for _, u := range first {
		fmt.Println("by name:", u.Name)
	}

	// What the database sees, and what it could learn of it.
	sqlDB, err := db.DB()
	must(err)
	var token, entry string
	must(sqlDB.QueryRow("SELECT email, email_index FROM users").Scan(&token, &entry))
	fmt.Println("stored:", token, entry)
	leakage, err := blindindex.Audit(context.Background(), sqlDB, "users", "email_domain")
	must(err)
	fmt.Print(leakage)
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
