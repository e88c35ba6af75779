// Nullable shows NULL, structs, times and bytes in encrypted columns.
//
//	go run ./examples/nullable
package main

import (
	"database/sql"
	"fmt"
	"log"
	"time"

	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	_ "modernc.org/sqlite"

	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
)

// An Address is stored whole, as JSON inside one token.
type Address struct {
	Street, Town string
}

// A Patient has a column of every kind.
type Patient struct {
	ID       int64
	Name     encryptedtype.EncryptedString
	Nickname *encryptedtype.EncryptedString          // nil is NULL
	Phone    sql.Null[encryptedtype.EncryptedString] `gorm:"type:text"` // so is Valid: false
	Born     encryptedtype.Encrypted[time.Time]
	Address  encryptedtype.Encrypted[Address]
	Scan     encryptedtype.EncryptedBytes // a binary column; nil is NULL
}

func main() {
	kr, err := fernet.NewKeyring(fernet.GenerateKey())
	if err != nil {
		log.Fatal(err)
	}
	if err := encryptedtype.SetDefault(kr); err != nil {
		log.Fatal(err)
	}
	db, err := gorm.Open(sqlite.Dialector{DriverName: "sqlite", DSN: "file::memory:?cache=shared"})
	if err != nil {
		log.Fatal(err)
	}
	if err := db.AutoMigrate(&Patient{}); err != nil {
		log.Fatal(err)
	}

	full := Patient{
		Name:     "Ada",
		Nickname: pointer(""), // the empty string is a value, and encrypted
		Phone:    sql.Null[encryptedtype.EncryptedString]{V: "+44 20 7946 0000", Valid: true},
		Born:     encryptedtype.Encrypted[time.Time]{V: time.Date(1815, 12, 10, 0, 0, 0, 0, time.UTC)},
		Address:  encryptedtype.Encrypted[Address]{V: Address{"12 St James's Square", "London"}},
		Scan:     encryptedtype.EncryptedBytes{0x89, 'P', 'N', 'G'},
	}
	sparse := Patient{Name: "Bob"}
	if err := db.Create([]*Patient{&full, &sparse}).Error; err != nil {
		log.Fatal(err)
	}

	var patients []Patient
	if err := db.Order("id").Find(&patients).Error; err != nil {
		log.Fatal(err)
	}
	for _, p := range patients {
		fmt.Printf("%s: nickname NULL %t, phone NULL %t, born %d, town %q, scan %d bytes\n", string(p.Name),
			p.Nickname == nil, !p.Phone.Valid, p.Born.V.Year(), p.Address.V.Town, len(p.Scan))
	}

	// As the database holds them.
	var stored []map[string]any
	if err := db.Table("patients").Select("id", "nickname", "phone", "length(scan) AS scan_bytes").Find(&stored).Error; err != nil {
		log.Fatal(err)
	}
	for _, row := range stored {
		fmt.Println(row)
	}
}

func pointer(s encryptedtype.EncryptedString) *encryptedtype.EncryptedString { return &s }
