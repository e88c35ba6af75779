package gormencrypt_test

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	_ "modernc.org/sqlite"

	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/gormencrypt"
	"github.com/fernetcol/fernetcol/keyprovider"
)

// A Member has plain Go fields with tags.
type Member struct {
	ID    int64
	Email string  `gorm:"serializer:fernet" fernet:"deterministic"`
	Phone *string `gorm:"serializer:fernet"`
}

// exampleRing has two keys of its own. A program takes its keys from keyprovider.
func exampleRing() *fernet.Keyring {
	kr, err := fernet.NewKeyring(fernet.GenerateKey(), fernet.GenerateKey())
	if err != nil {
		panic(err)
	}
	return kr
}

func exampleDB(name string) *gorm.DB {
	db, err := gorm.Open(sqlite.Dialector{DriverName: "sqlite", DSN: "file:" + name + "?mode=memory&cache=shared"}, &gorm.Config{Logger: logger.Discard})
	if err != nil {
		panic(err)
	}
	return db
}

func ExampleNew() {
	db := exampleDB("new")
	plugin := gormencrypt.New(keyprovider.Static(exampleRing()), gormencrypt.Options{Models: []any{&Member{}}})
	fmt.Println(db.Use(plugin), db.AutoMigrate(&Member{}))

	// Every write path encrypts, maps among them.
	m := Member{Email: "ada@example.com"}
	fmt.Println(db.Create(&m).Error)
	fmt.Println(db.Model(&m).Updates(map[string]any{"phone": "+44 20 7946 0000"}).Error)

	// A deterministic column answers equality; the others refuse.
	var found Member
	fmt.Println(db.Where("email = ?", "ada@example.com").First(&found).Error, *found.Phone)
	err := db.Where("phone = ?", "+44 20 7946 0000").First(&found).Error
	fmt.Println(errors.Is(err, gormencrypt.ErrRefused))

	// The database holds tokens.
	sqlDB, _ := db.DB()
	var stored string
	fmt.Println(sqlDB.QueryRow("SELECT phone FROM members").Scan(&stored), stored[:6])
	// Output:
	// <nil> <nil>
	// <nil>
	// <nil>
	// <nil> +44 20 7946 0000
	// true
	// <nil> gAAAAA
}

func ExampleWithKeyring() {
	db := exampleDB("withkeyring")
	err := db.Use(gormencrypt.New(keyprovider.Func(func(context.Context) (*fernet.Keyring, error) {
		return nil, errors.New("no tenant in the context")
	}), gormencrypt.Options{}))
	fmt.Println(err, db.AutoMigrate(&Member{}))

	ctx := gormencrypt.WithKeyring(context.Background(), exampleRing())
	fmt.Println(db.WithContext(ctx).Create(&Member{Email: "ada@example.com"}).Error)
	fmt.Println(db.Create(&Member{Email: "eve@example.com"}).Error)
	// Output:
	// <nil> <nil>
	// <nil>
	// gormencrypt: no key ring for column members.email: no tenant in the context
}

func ExampleVerify() {
	db := exampleDB("verify")
	if err := db.Use(gormencrypt.New(keyprovider.Static(exampleRing()), gormencrypt.Options{Models: []any{&Member{}}})); err != nil {
		panic(err)
	}
	sqlDB, _ := db.DB()
	if _, err := sqlDB.Exec("CREATE TABLE members (id integer PRIMARY KEY, email text, phone varchar(64))"); err != nil {
		panic(err)
	}
	problems, err := gormencrypt.Verify(context.Background(), db, &Member{})
	for _, p := range problems {
		fmt.Println(p)
	}
	fmt.Println(err)
	// Output:
	// members.email: the CHECK chk_members_email_fernet is missing, so that the database accepts plaintext; run AutoMigrate, or add it yourself
	// members.phone: the column holds 64 bytes, but tokens take up to 420; widen it, or make it text
	// members.phone: the CHECK chk_members_phone_fernet is missing, so that the database accepts plaintext; run AutoMigrate, or add it yourself
	// <nil>
}
