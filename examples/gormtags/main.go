// Gormtags encrypts plain fields of a GORM model by their tags. The rest of the
// application stays as it is: maps, conditions, raw SQL.
//
//	go run ./examples/gormtags
package main

import (
	"errors"
	"fmt"
	"log"
	"time"

	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	_ "modernc.org/sqlite"

	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/gormencrypt"
	"github.com/fernetcol/fernetcol/keyprovider"
)

// A Person has plain Go fields.
type Person struct {
	ID    int64
	Name  string
	Email string    `gorm:"serializer:fernet" fernet:"deterministic"` // can be found
	Phone *string   `gorm:"serializer:fernet"`                        // NULL stays NULL
	Born  time.Time `gorm:"serializer:fernet" fernet:"bind"`          // a key of its own
}

func main() {
	kr, err := fernet.NewKeyring(fernet.GenerateKey(), fernet.GenerateKey())
	if err != nil {
		log.Fatal(err)
	}
	db, err := gorm.Open(sqlite.Dialector{DriverName: "sqlite", DSN: "file::memory:?cache=shared"},
		&gorm.Config{Logger: logger.Discard})
	if err != nil {
		log.Fatal(err)
	}
	// The one line.
	if err := db.Use(gormencrypt.New(keyprovider.Static(kr), gormencrypt.Options{Models: []any{&Person{}}})); err != nil {
		log.Fatal(err)
	}
	must(db.AutoMigrate(&Person{}))

	ada := Person{Name: "Ada", Email: "ada@example.com", Born: time.Date(1815, 12, 10, 0, 0, 0, 0, time.UTC)}
	must(db.Create(&ada).Error)
	// A map, which would go past a Valuer or a serializer alone.
	must(db.Model(&ada).Updates(map[string]any{"phone": "+44 20 7946 0000"}).Error)

	// Equality on the deterministic column, under every key of the ring.
	var found Person
	must(db.Where("email = ?", "ada@example.com").First(&found).Error)
	fmt.Printf("found %s: %s, %s, born %d\n", found.Name, found.Email, *found.Phone, found.Born.Year())

	// What has no answer is an error, not an empty result.
	err = db.Where("phone = ?", "+44 20 7946 0000").First(&Person{}).Error
	fmt.Println("refused:", errors.Is(err, gormencrypt.ErrRefused), err)
	err = db.Order("email").Find(&[]Person{}).Error
	fmt.Println("refused:", errors.Is(err, gormencrypt.ErrRefused), err)

	// The database itself refuses plaintext: AutoMigrate added a CHECK.
	sqlDB, err := db.DB()
	must(err)
	_, err = sqlDB.Exec("UPDATE people SET email = 'eve@example.com'")
	fmt.Println("the database:", err)

	var stored string
	must(sqlDB.QueryRow("SELECT phone FROM people").Scan(&stored))
	fmt.Println("stored:", stored)
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
