package gormencrypt_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/fernetcol/fernetcol/blindindex"
	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/gormencrypt"
	"github.com/fernetcol/fernetcol/internal/dbtest"
	"github.com/fernetcol/fernetcol/keyprovider"
)

// A mistake in an index is said when the plugin meets the model, with the field and
// the way out, not at the first query.
func TestIndexMistakesAreErrorsOfUse(t *testing.T) {
	type missing struct {
		ID int64
		A  string `gorm:"serializer:fernet" fernet:"index:AIndx"`
		V  blindindex.Value
	}
	type unnamed struct {
		ID int64
		A  string `gorm:"serializer:fernet" fernet:"index"`
	}
	type wrongType struct {
		ID     int64
		A      string `gorm:"serializer:fernet" fernet:"index:AIndex"`
		AIndex string
	}
	type ignored struct {
		ID     int64
		A      string           `gorm:"serializer:fernet" fernet:"index:AIndex"`
		AIndex blindindex.Value `gorm:"-"`
	}
	type twice struct {
		ID    int64
		A     string `gorm:"serializer:fernet" fernet:"index:Index"`
		B     string `gorm:"serializer:fernet" fernet:"index:Index"`
		Index blindindex.Value
	}
	type random struct {
		ID     int64
		A      encryptedtype.Encrypted[map[string]int] `fernet:"index:AIndex"`
		AIndex blindindex.Value
	}
	type jsonTime struct {
		ID     int64
		A      time.Time `gorm:"serializer:fernet" fernet:"index:AIndex"`
		AIndex blindindex.Value
	}
	type notEncrypted struct {
		ID     int64
		A      string `fernet:"index:AIndex"`
		AIndex blindindex.Value
	}
	type key struct {
		A      string           `gorm:"serializer:fernet" fernet:"index:AIndex"`
		AIndex blindindex.Value `gorm:"primaryKey"`
	}
	type withDefault struct {
		ID     int64
		A      string           `gorm:"serializer:fernet" fernet:"index:AIndex"`
		AIndex blindindex.Value `gorm:"default:ab"`
	}
	type narrow struct {
		ID     int64
		A      string           `gorm:"serializer:fernet" fernet:"index:AIndex"`
		AIndex blindindex.Value `gorm:"size:16"`
	}
	type unknownWord struct {
		ID     int64
		A      string `gorm:"serializer:fernet" fernet:"index:AIndex,lowwer"`
		AIndex blindindex.Value
	}
	type noRows struct {
		ID     int64
		A      string `gorm:"serializer:fernet" fernet:"index:AIndex,bits=16"`
		AIndex blindindex.Value
	}
	type tooLong struct {
		ID     int64
		A      string `gorm:"serializer:fernet" fernet:"index:AIndex,bits=64,rows=1000000"`
		AIndex blindindex.Value
	}
	type tooShort struct {
		ID     int64
		A      string `gorm:"serializer:fernet" fernet:"index:AIndex,bits=3,rows=1000000"`
		AIndex blindindex.Value
	}
	type noNumber struct {
		ID     int64
		A      string `gorm:"serializer:fernet" fernet:"index:AIndex,bits=-8,rows=9"`
		AIndex blindindex.Value
	}
	type uniqueShort struct {
		ID     int64
		A      string           `gorm:"serializer:fernet" fernet:"index:AIndex,bits=16,rows=1000000"`
		AIndex blindindex.Value `gorm:"uniqueIndex"`
	}
	type uniqueTogether struct {
		ID     int64            `gorm:"uniqueIndex:together"`
		A      string           `gorm:"serializer:fernet" fernet:"index:AIndex,bits=16,rows=1000000"`
		AIndex blindindex.Value `gorm:"uniqueIndex:together"`
	}
	type rowShort struct {
		ID     int64
		A      string `gorm:"serializer:fernet" fernet:"index:AIndex,bits=16,rows=1000000;bind:row"`
		AIndex blindindex.Value
	}
	type slow struct {
		ID     int64
		A      string `gorm:"serializer:fernet" fernet:"index:AIndex,argon2id=t3"`
		AIndex blindindex.Value
	}
	type weak struct {
		ID     int64
		A      string `gorm:"serializer:fernet" fernet:"index:AIndex,argon2id=m1t1p1"`
		AIndex blindindex.Value
	}
	type named struct {
		ID     int64
		A      string `gorm:"serializer:fernet" fernet:"index:AIndex,as=people"`
		AIndex blindindex.Value
	}
	type otherKey struct {
		ID     int64
		A      string `gorm:"serializer:fernet" fernet:"index:AIndex,key=new"`
		AIndex blindindex.Value
	}
	ring := keyprovider.Static(newRing(t, fernet.GenerateKey()))
	for _, tt := range []struct {
		model any
		want  string // in the error, beside the field
	}{
		{&missing{}, "AIndx: the model has no such field"}, {&unnamed{}, "index needs the name of the field"}, {&wrongType{}, "make it a blindindex.Value"},
		{&ignored{}, "no such field"}, {&twice{}, "Index is that of A already"}, {&random{}, "encrypted as JSON"}, {&jsonTime{}, "encrypted as JSON"},
		{&notEncrypted{}, "not encrypted"}, {&key{}, "primary key"}, {&withDefault{}, "filled by the plugin"}, {&narrow{}, "32 characters"},
		{&unknownWord{}, `"lowwer"; there are lower`}, {&noRows{}, "needs Rows"}, {&tooLong{}, "take 10 to 18"}, {&tooShort{}, "take 10 to 18"}, {&noNumber{}, "not a number"},
		{&uniqueShort{}, "cannot be unique"}, {&uniqueTogether{}, "cannot be unique"}, {&rowShort{}, "bind:row"}, {&slow{}, "m19456t2p1"}, {&weak{}, "at least"}, {&named{}, "as=table.column.index"},
		{&otherKey{}, "Options.IndexKeyFor"},
	} {
		db := dbtest.SQLite(t).GORM(t)
		err := db.Use(gormencrypt.New(ring, gormencrypt.Options{Models: []any{tt.model}, IndexKey: fernet.GenerateKey()}))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%T: Use returned %v, want %q", tt.model, err, tt.want)
		}
		db = dbtest.SQLite(t).GORM(t)
		if err := db.Use(gormencrypt.New(ring, gormencrypt.Options{IndexKey: fernet.GenerateKey()})); err != nil {
			t.Fatal(err)
		}
		for what, err := range map[string]error{"AutoMigrate": db.AutoMigrate(tt.model), "Create": db.Create(tt.model).Error, "Find": db.Find(tt.model).Error} {
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%T: %s returned %v, want %q", tt.model, what, err, tt.want)
			}
		}
	}
}

func TestIndexWithoutItsKeyStoresAndFindsNothing(t *testing.T) {
	kr := newRing(t, fernet.GenerateKey())
	ring := keyprovider.Static(kr)
	db := dbtest.SQLite(t).GORM(t)
	err := db.Use(gormencrypt.New(ring, gormencrypt.Options{Models: []any{&ExactPerson{}}}))
	if err == nil || !strings.Contains(err.Error(), "Options.IndexKey") {
		t.Errorf("Use without a key: %v", err)
	}
	same := fernet.GenerateKey()
	err = dbtest.SQLite(t).GORM(t).Use(gormencrypt.New(keyprovider.Static(newRing(t, same)), gormencrypt.Options{IndexKey: same}))
	if err == nil || !strings.Contains(err.Error(), "a key of its own") {
		t.Errorf("Use with the encryption key as the index key: %v", err)
	}
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := &world{T: t, database: d, out: &output{}, ring: kr}
		w.db = d.GORM(t)
		failing := func(context.Context, string) (fernet.Key, error) { return fernet.Key{}, errors.New("no tenant") }
		if err := w.db.Use(gormencrypt.New(ring, gormencrypt.Options{IndexKeyFor: failing})); err != nil {
			t.Fatal(err)
		}
		if err := w.db.AutoMigrate(&ExactPerson{}); err != nil {
			t.Fatal(err)
		}
		for what, err := range map[string]error{
			"Create": w.db.Create(&ExactPerson{Phone: canary}).Error,
			"Find":   w.db.Where("phone = ?", canary).Find(&[]ExactPerson{}).Error,
			"Exec":   w.db.Exec("INSERT INTO people (phone) VALUES (?)", canary).Error,
			"Update": w.db.Model(&ExactPerson{}).Where("id = 1").Update("phone", canary).Error,
		} {
			if w.note(err); !errors.Is(err, blindindex.ErrNoKey) || !strings.Contains(err.Error(), "people.phone_index") {
				t.Errorf("%s: %v, want ErrNoKey that names the index", what, err)
			}
		}
		if n := w.count("people"); n != 0 {
			t.Errorf("%d rows were stored", n)
		}
	})
}

// Each tenant has an index key, so that equal values of two do not look equal.
func TestTenantsHaveIndexesOfTheirOwn(t *testing.T) {
	keys := map[string]fernet.Key{"a": fernet.GenerateKey(), "b": fernet.GenerateKey()}
	keyFor := func(ctx context.Context, name string) (fernet.Key, error) {
		if name != "" {
			return fernet.Key{}, errors.New("not asked for in these models")
		}
		tenant, _ := ctx.Value(tenantKey{}).(string)
		return keys[tenant], nil
	}
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := &world{T: t, database: d, out: &output{}, ring: newRing(t, fernet.GenerateKey())}
		w.db = d.GORM(t)
		if err := w.db.Use(gormencrypt.New(keyprovider.Static(w.ring), gormencrypt.Options{IndexKeyFor: keyFor})); err != nil {
			t.Fatal(err)
		}
		if err := w.db.AutoMigrate(&ExactPerson{}); err != nil {
			t.Fatal(err)
		}
		as := func(tenant string) context.Context {
			return context.WithValue(context.Background(), tenantKey{}, tenant)
		}
		for _, tenant := range []string{"a", "b"} {
			w.ok(w.db.WithContext(as(tenant)).Create(&ExactPerson{Name: tenant, Phone: canary, Badge: canary}))
			w.ok(w.db.WithContext(as(tenant)).Where("badge = ?", canary).First(&ExactPerson{}))
		}
		entries := map[string]bool{}
		for id := range int64(2) {
			entries[string(w.raw("people", "phone_index", id+1))] = true
			entries[string(w.raw("people", "badge_index", id+1))] = true
		}
		if len(entries) != 4 {
			t.Errorf("two tenants and two columns have %d entries for one value", len(entries))
		}
		for _, tenant := range []string{"a", "b"} {
			var found []ExactPerson
			w.ok(w.db.WithContext(as(tenant)).Where("phone = ?", canary).Find(&found))
			if len(found) != 1 || found[0].Name != tenant {
				t.Errorf("tenant %s finds %d rows", tenant, len(found))
			}
		}
		if err := w.db.WithContext(as("nobody")).Where("phone = ?", canary).Find(&[]ExactPerson{}).Error; !errors.Is(err, blindindex.ErrNoKey) {
			t.Errorf("without a tenant: %v", err)
		}
	})
}

// The names that entries are derived for outlive those of the table and its columns.
func TestIndexKeepsItsNames(t *testing.T) {
	type renamed struct {
		ID    int64
		Tel   string `gorm:"serializer:fernet" fernet:"index:Entry,as=people.phone.phone_index"`
		Entry blindindex.Value
	}
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &renamed{})
		w.ok(w.db.Create(&renamed{Tel: canary}))
		if got, want := string(w.raw("renameds", "entry", 1)), string(w.entry("people", "phone", "phone_index", canary)); got != want {
			t.Error("the entry is derived for other names")
		}
		w.ok(w.db.First(&renamed{}, "tel = ?", canary))
	})
}

// The database asks for an entry of the right length beside every value.
func TestDatabaseAsksForEntries(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &ExactPerson{})
		w.ok(w.db.Create(&ExactPerson{Phone: canary}))
		wrong := []string{"phone_index = NULL", "phone_index = 'abc'", "phone = NULL", "ssn_index = phone_index", "phone_index = ''"}
		for _, set := range wrong {
			if _, err := d.SQL.Exec("UPDATE people SET " + set); err == nil {
				t.Errorf("the database takes %s", set)
			}
		}
		if err := w.db.Migrator().DropTable("people"); err != nil {
			t.Fatal(err)
		}
		db, _ := use(t, d, gormencrypt.Options{WithoutCheck: true, IndexKey: w.indexKey})
		if err := db.AutoMigrate(&ExactPerson{}); err != nil {
			t.Fatal(err)
		}
		w.ok(db.Create(&ExactPerson{Phone: canary}))
		for _, set := range wrong {
			if _, err := d.SQL.Exec("UPDATE people SET " + set); err != nil {
				t.Errorf("without checks, the database refuses %s: %v", set, err)
			}
		}
	})
}

// Programs that write a table through another model fill the indexes too, and models
// that disagree are told.
func TestModelsOfOneTableShareItsIndexes(t *testing.T) {
	type half struct {
		ID    int64
		Phone encryptedtype.EncryptedString
	}
	type other struct {
		ID         int64
		Phone      encryptedtype.EncryptedString `fernet:"index:PhoneIndex,lower"`
		PhoneIndex blindindex.Value
	}
	type deterministic struct {
		ID    int64
		Phone encryptedtype.DeterministicString
	}
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &ExactPerson{})
		w.ok(w.db.Table("people").Create(&half{Phone: wanted}))
		w.ok(w.db.Table("people").Model(&half{}).Where("id = 1").Update("phone", wanted+"2"))
		var p ExactPerson
		w.ok(w.db.First(&p, "phone = ?", wanted+"2"))
		w.ok(w.db.Table("people").First(&half{}, "phone = ?", wanted+"2"))
		w.ok(w.db.Create(&named[half]{half{Phone: wanted + "3"}}))
		w.ok(w.db.First(&named[half]{}, "phone = ?", wanted+"3"))
		w.good(&ExactPerson{})
	})
	type (
		full struct {
			ID         int64
			Phone      encryptedtype.EncryptedString `fernet:"index:PhoneIndex,filling"`
			PhoneIndex blindindex.Value
		}
		elsewhere struct {
			ID         int64
			Phone      encryptedtype.EncryptedString `fernet:"index:PhoneIndex,as=a.b.c"`
			PhoneIndex blindindex.Value
		}
		short struct {
			ID         int64
			Phone      encryptedtype.EncryptedString `fernet:"index:PhoneIndex,bits=4,rows=100"`
			PhoneIndex blindindex.Value
		}
		slow struct {
			ID         int64
			Phone      encryptedtype.EncryptedString `fernet:"index:PhoneIndex,argon2id=m8t1p1"`
			PhoneIndex blindindex.Value
		}
	)
	w := newWorld(t, dbtest.SQLite(t), &ExactPerson{})
	for _, model := range []any{&named[other]{}, &named[deterministic]{}, &named[full]{}, &named[elsewhere]{}, &named[short]{}, &named[slow]{}} {
		if err := w.db.First(model).Error; err == nil || !strings.Contains(err.Error(), "in different ways by the models") {
			t.Errorf("%T: %v", model, err)
		}
		p := &ExactPerson{Phone: wanted} // the model that was there goes on
		w.ok(w.db.Create(p))
		w.ok(w.db.Where("phone = ?", wanted).First(&ExactPerson{}))
		w.ok(w.db.Model(p).Update("phone", wanted))
	}
	ring := keyprovider.Static(newRing(t, fernet.GenerateKey()))
	for _, model := range []any{&named[other]{}, &named[deterministic]{}} {
		db := dbtest.SQLite(t).GORM(t)
		err := db.Use(gormencrypt.New(ring, gormencrypt.Options{IndexKey: fernet.GenerateKey(), Models: []any{&ExactPerson{}, model}}))
		if err == nil || !strings.Contains(err.Error(), "in different ways by the models") {
			t.Errorf("%T: %v", model, err)
		}
	}
}

// named is a model of the table people.
type named[T any] struct {
	Of T `gorm:"embedded"`
}

func (named[T]) TableName() string { return "people" }
