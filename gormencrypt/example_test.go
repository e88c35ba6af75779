package gormencrypt_test

import (
	"context"
	"errors"
	"fmt"
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

// A Customer is found by an e-mail address in any case.
type Customer struct {
	ID         int64
	Name       string           `gorm:"serializer:fernet"`
	Email      string           `gorm:"serializer:fernet" fernet:"index:EmailIndex,lower"`
	EmailIndex blindindex.Value `gorm:"uniqueIndex"`
}

func customers(name string) *gorm.DB {
	db := exampleDB(name)
	plugin := gormencrypt.New(keyprovider.Static(exampleRing()), gormencrypt.Options{
		Models: []any{&Customer{}}, IndexKey: fernet.GenerateKey(),
	})
	if err := errors.Join(db.Use(plugin), db.AutoMigrate(&Customer{})); err != nil {
		panic(err)
	}
	return db
}

func ExampleOptions_indexKey() {
	db := customers("index")
	fmt.Println(db.Create(&Customer{Name: "Ada", Email: "Ada@Example.com"}).Error)

	var found Customer
	fmt.Println(db.Where("email = ?", "ada@example.com").First(&found).Error, found.Name, found.Email)

	// The database keeps it unique, and refuses a value without its entry.
	fmt.Println(db.Create(&Customer{Email: "ADA@example.com"}).Error != nil)
	sqlDB, _ := db.DB()
	_, err := sqlDB.Exec("UPDATE customers SET email_index = NULL")
	fmt.Println(err != nil)
	// Output:
	// <nil>
	// <nil> Ada Ada@Example.com
	// true
	// true
}

// A SubscriberBefore is a Subscriber in the release before there was an index.
type SubscriberBefore struct {
	ID    int64
	Email string `gorm:"serializer:fernet"`
}

// A Subscriber has an index that is filled, and not asked yet.
type Subscriber struct {
	ID         int64
	Email      string `gorm:"serializer:fernet" fernet:"index:EmailIndex,lower,filling"`
	EmailIndex blindindex.Value
}

func (SubscriberBefore) TableName() string { return "subscribers" }

func ExampleFillIndexes() {
	ring, indexKey := keyprovider.Static(exampleRing()), fernet.GenerateKey()
	open := func() *gorm.DB {
		db := exampleDB("fill")
		if err := db.Use(gormencrypt.New(ring, gormencrypt.Options{IndexKey: indexKey})); err != nil {
			panic(err)
		}
		return db
	}
	old := open()
	fmt.Println(old.AutoMigrate(&SubscriberBefore{}), old.Create(&SubscriberBefore{Email: "Ada@example.com"}).Error)

	db := open()
	fmt.Println(db.AutoMigrate(&Subscriber{}))
	err := db.Where("email = ?", "ada@example.com").First(&Subscriber{}).Error
	fmt.Println(errors.Is(err, gormencrypt.ErrRefused))
	fmt.Println(gormencrypt.FillIndexes(context.Background(), db, &Subscriber{}))
	// Output:
	// <nil> <nil>
	// <nil>
	// true
	// 1 <nil>
}

func ExampleEach() {
	db := customers("each")
	for _, name := range []string{"Charles", "Ada", "Grace"} {
		db.Create(&Customer{Name: name, Email: name + "@example.com"})
	}
	first, err := blindindex.Top(gormencrypt.Each[Customer](db.Where("id < ?", 100)), 2, nil,
		func(a, b Customer) int { return strings.Compare(a.Name, b.Name) })
	fmt.Println(err, first[0].Name, first[1].Name)
	// Output:
	// <nil> Ada Charles
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
