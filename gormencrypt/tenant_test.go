package gormencrypt_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/gormencrypt"
	"github.com/fernetcol/fernetcol/internal/dbtest"
	"github.com/fernetcol/fernetcol/keyprovider"
)

type tenantKey struct{}

func TestTenantsShareAHandle(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		const tenants, rounds = 8, 6
		w := newWorld(t, d, &Person{})
		rings := make([]*fernet.Keyring, tenants)
		for i := range rings {
			rings[i] = newRing(t, fernet.GenerateKey())
		}
		db := w.open(keyprovider.Func(func(ctx context.Context) (*fernet.Keyring, error) {
			i, ok := ctx.Value(tenantKey{}).(int)
			if !ok {
				return nil, errors.New("no tenant in the context")
			}
			return rings[i], nil
		}))
		var wg sync.WaitGroup
		ids := make([]int64, tenants)
		for i := range tenants {
			wg.Go(func() {
				ctx := context.WithValue(t.Context(), tenantKey{}, i)
				tx := db.WithContext(ctx)
				for r := range rounds {
					forms := fieldForms(fmt.Sprintf("-%d-%d", i, r))
					p := person(fmt.Sprint(i), forms...)
					if err := tx.Create(p).Error; err != nil {
						t.Error(err)
						return
					}
					ids[i] = p.ID
					var q Person
					if err := tx.Where(&Person{Phone: p.Phone, Badge: p.Badge}).First(&q).Error; err != nil || q.ID != p.ID || q.Note != p.Note {
						t.Errorf("tenant %d does not find its row: %v", i, err)
					}
					if err := tx.Model(p).Update("note", canary).Error; err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		for i := range tenants {
			ctx := context.WithValue(t.Context(), tenantKey{}, (i+1)%tenants)
			var p Person
			if err := w.note(db.WithContext(ctx).First(&p, ids[i]).Error); !errors.Is(err, fernet.ErrInvalidToken) || p.Note != "" {
				t.Errorf("another tenant's row: %v", err)
			}
			// WithKeyring goes before the provider.
			ctx = gormencrypt.WithKeyring(ctx, rings[i])
			if err := w.note(db.WithContext(ctx).First(&p, ids[i]).Error); err != nil || p.Note != canary {
				t.Errorf("WithKeyring: %v", err)
			}
		}
		if err := w.note(db.First(&Person{}, ids[0]).Error); !errors.Is(err, gormencrypt.ErrNoKeyring) {
			t.Errorf("without a tenant: %v", err)
		}
	})
}

func TestHandlesHaveRingsOfTheirOwn(t *testing.T) {
	// The process default must not be used, nor get in the way.
	if err := encryptedtype.SetDefault(newRing(t, fernet.GenerateKey())); err != nil {
		t.Fatal(err)
	}
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &Person{})
		other := newRing(t, fernet.GenerateKey())
		second := w.open(keyprovider.Static(other))
		p, q := person("p", fieldForms("")...), person("q", fieldForms("")...)
		w.ok(w.db.Create(p))
		w.ok(second.Create(q))
		for _, f := range fieldForms("") {
			w.stored("people", f.column, p.ID, f.stored)
			if got, err := other.Decrypt(w.raw("people", f.column, q.ID)); err != nil || string(got) != f.stored {
				t.Errorf("%s is not under the second handle's ring", f.name)
			}
		}
		var found []Person
		w.ok(w.db.Where(&Person{Phone: p.Phone}).Find(&found))
		if len(found) != 1 || found[0].ID != p.ID {
			t.Error("the first handle finds the second's row")
		}
		if err := w.note(w.db.First(&Person{}, q.ID).Error); !errors.Is(err, fernet.ErrInvalidToken) {
			t.Errorf("the first handle reads the second's row: %v", err)
		}
		w.ok(second.First(&Person{}, q.ID))
	})
}
