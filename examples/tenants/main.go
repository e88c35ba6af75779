// Tenants gives every tenant its own key ring on one GORM handle. The statement's
// context says whose statement it is.
//
//	go run ./examples/tenants
package main

import (
	"context"
	"errors"
	"fmt"
	"log"

	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	_ "modernc.org/sqlite"

	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/gormencrypt"
	"github.com/fernetcol/fernetcol/keyprovider"
)

// An Invoice belongs to a tenant.
type Invoice struct {
	ID     int64
	Tenant string
	Text   string `gorm:"serializer:fernet"`
}

type tenantKey struct{}

// as returns a context for a tenant, as an application's middleware would.
func as(tenant string) context.Context {
	return context.WithValue(context.Background(), tenantKey{}, tenant)
}

func main() {
	rings := map[string]*fernet.Keyring{"acme": newRing(), "globex": newRing()}
	provider := keyprovider.Func(func(ctx context.Context) (*fernet.Keyring, error) {
		tenant, _ := ctx.Value(tenantKey{}).(string)
		if kr := rings[tenant]; kr != nil {
			return kr, nil
		}
		return nil, errors.New("no tenant in the context")
	})

	db, err := gorm.Open(sqlite.Dialector{DriverName: "sqlite", DSN: "file::memory:?cache=shared"},
		&gorm.Config{Logger: logger.Discard})
	must(err)
	must(db.Use(gormencrypt.New(provider, gormencrypt.Options{})))
	must(db.AutoMigrate(&Invoice{}))

	for tenant := range rings {
		must(db.WithContext(as(tenant)).Create(&Invoice{Tenant: tenant, Text: "one anvil for " + tenant}).Error)
	}

	var invoice Invoice
	must(db.WithContext(as("acme")).Where("tenant = ?", "acme").First(&invoice).Error)
	fmt.Println("acme reads:", invoice.Text)

	// Another tenant's row does not open, and nothing of it is left behind.
	invoice = Invoice{}
	err = db.WithContext(as("globex")).Where("tenant = ?", "acme").First(&invoice).Error
	fmt.Printf("globex reads acme's row: %q, %v\n", invoice.Text, errors.Is(err, fernet.ErrInvalidToken))

	// Without a tenant there is no key, and nothing is stored.
	err = db.Create(&Invoice{Tenant: "acme", Text: "whose?"}).Error
	fmt.Println("without a tenant:", err)
}

func newRing() *fernet.Keyring {
	kr, err := fernet.NewKeyring(fernet.GenerateKey())
	must(err)
	return kr
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
