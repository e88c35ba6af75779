package gormencrypt_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"gorm.io/gorm"

	"github.com/fernetcol/fernetcol/blindindex"
	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/gormencrypt"
	"github.com/fernetcol/fernetcol/internal/dbtest"
	"github.com/fernetcol/fernetcol/keyprovider"
)

// The model of the table accounts while its index moves to another key: before, with
// the new index beside the old one, with the old one beside the new, and after.
type (
	AccountOld struct {
		ID    int64
		Email string           `gorm:"serializer:fernet" fernet:"index:One"`
		One   blindindex.Value `gorm:"uniqueIndex"`
	}
	AccountFilling struct {
		ID       int64
		Email    string           `gorm:"serializer:fernet" fernet:"index:One;index:Two,lower,key=new,filling"`
		One, Two blindindex.Value `gorm:"uniqueIndex"`
	}
	AccountLeaving struct {
		ID       int64
		Email    string           `gorm:"serializer:fernet" fernet:"index:One,filling;index:Two,lower,key=new"`
		One, Two blindindex.Value `gorm:"uniqueIndex"`
	}
	AccountNew struct {
		ID    int64
		Email string           `gorm:"serializer:fernet" fernet:"index:Two,lower,key=new"`
		Two   blindindex.Value `gorm:"uniqueIndex"`
	}
)

func (AccountOld) TableName() string     { return "accounts" }
func (AccountFilling) TableName() string { return "accounts" }
func (AccountLeaving) TableName() string { return "accounts" }
func (AccountNew) TableName() string     { return "accounts" }

// program is a release of an application: a handle with its model.
type program struct {
	db     *gorm.DB
	create func(email string) error
	find   func(email string) int
}

// release opens a handle that knows the model A.
func release[A any](w *world, keys map[string]fernet.Key, email func(*A) *string) program {
	database := w.database
	if database.Dialect == "postgres" {
		// A table gets columns while programs run, whose prepared SELECT * fails once.
		database = database.Reopen(w.T, "default_query_exec_mode=exec")
	}
	db := database.GORM(w.T)
	err := db.Use(gormencrypt.New(keyprovider.Static(w.ring), gormencrypt.Options{
		Models:      []any{new(A)},
		IndexKeyFor: func(_ context.Context, name string) (fernet.Key, error) { return keys[name], nil },
	}))
	if err != nil {
		w.Fatal(err)
	}
	return program{
		db: db,
		create: func(address string) error {
			var a A
			*email(&a) = address
			return w.note(db.Create(&a).Error)
		},
		find: func(address string) int {
			var found []A
			if err := w.note(db.Where("email = ?", address).Find(&found).Error); err != nil {
				w.Error(err)
			}
			return len(found)
		},
	}
}

func TestIndexMovesToAnotherKeyWhileProgramsRun(t *testing.T) {
	keys := map[string]fernet.Key{"": fernet.GenerateKey(), "new": fernet.GenerateKey()}
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := &world{T: t, database: d, out: &output{}, ring: newRing(t, fernet.GenerateKey())}
		var emails []string
		address := func(i int) string { return fmt.Sprintf("%s-%d@example.com", canary, i) }
		// add makes a row, and no release finds another or lets in a second.
		add := func(by program, running ...program) {
			t.Helper()
			email := address(len(emails))
			if err := by.create(email); err != nil {
				t.Fatal(err)
			}
			emails = append(emails, email)
			for _, p := range running {
				for _, e := range emails {
					if n := p.find(e); n != 1 {
						t.Errorf("after %d rows a release finds %d rows for one", len(emails), n)
					}
					if err := p.create(e); err == nil {
						t.Error("a duplicate was stored")
					}
				}
			}
		}
		migrate := func(p program, model any) {
			t.Helper()
			if err := p.db.AutoMigrate(model); err != nil {
				t.Fatal(err)
			}
		}
		old := release(w, keys, func(a *AccountOld) *string { return &a.Email })
		migrate(old, &AccountOld{})
		for range 3 {
			add(old, old)
		}

		// The new index is added beside the old one; both releases run.
		filling := release(w, keys, func(a *AccountFilling) *string { return &a.Email })
		migrate(filling, &AccountFilling{})
		add(old, old, filling)
		add(filling, old, filling)

		// Every program knows it: the rows get its entries.
		n, err := gormencrypt.FillIndexes(t.Context(), filling.db, &AccountFilling{})
		if err != nil || n != 4 {
			t.Fatalf("filled %d rows: %v", n, err)
		}
		if n, err := gormencrypt.FillIndexes(t.Context(), filling.db, &AccountFilling{}); err != nil || n != 0 {
			t.Errorf("filled %d rows again: %v", n, err)
		}
		add(filling, filling)

		// The new one answers; the old one is on its way out.
		leaving := release(w, keys, func(a *AccountLeaving) *string { return &a.Email })
		problems, err := gormencrypt.Verify(t.Context(), leaving.db, &AccountLeaving{})
		if text := verify(t, problems, err); !strings.Contains(text, "accounts.two: the CHECK") || strings.Contains(text, "rows") {
			t.Errorf("before the migration:\n%s", text)
		}
		migrate(leaving, &AccountLeaving{})
		problems, err = gormencrypt.Verify(t.Context(), leaving.db, &AccountLeaving{})
		if text := verify(t, problems, err); text != "" {
			t.Errorf("after the migration:\n%s", text)
		}
		add(filling, filling, leaving)
		add(leaving, filling, leaving)

		// It goes.
		last := release(w, keys, func(a *AccountNew) *string { return &a.Email })
		add(last, leaving, last)
		add(leaving, leaving, last)
		if err := leaving.db.Migrator().DropIndex(&AccountLeaving{}, "One"); err != nil {
			t.Fatal(err)
		}
		if err := leaving.db.Migrator().DropConstraint(&AccountLeaving{}, "chk_accounts_one_shape"); err != nil {
			t.Fatal(err)
		}
		if err := leaving.db.Migrator().DropColumn(&AccountLeaving{}, "One"); err != nil {
			t.Fatal(err)
		}
		migrate(last, &AccountNew{})
		add(last, last)
		if n := last.find(strings.ToUpper(emails[0])); n != 1 {
			t.Errorf("the new index's transform finds %d", n)
		}
		problems, err = gormencrypt.Verify(t.Context(), last.db, &AccountNew{})
		if text := verify(t, problems, err); text != "" {
			t.Errorf("at the end:\n%s", text)
		}
		if line := findCanary(w.out.buf.String()); line != "" {
			t.Errorf("plaintext in an error: %s", line)
		}
	})
}

// Until an index is filled, nothing is answered by it: rows would be missing.
func TestIndexThatIsBeingFilledDoesNotAnswerAlone(t *testing.T) {
	type before struct {
		ID    int64
		Email string `gorm:"serializer:fernet"`
	}
	type during struct {
		ID    int64
		Email string `gorm:"serializer:fernet" fernet:"index:Entry,filling"`
		Entry blindindex.Value
	}
	type after struct {
		ID    int64
		Email string `gorm:"serializer:fernet" fernet:"index:Entry"`
		Entry blindindex.Value
	}
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &named[before]{})
		for i := range 1200 { // several batches
			w.ok(w.db.Create(&named[before]{before{Email: fmt.Sprint(canary, i)}}))
		}
		one := w.open(keyprovider.Static(w.ring))
		// A complete index cannot be declared while rows lack their entries.
		if err := w.note(w.open(keyprovider.Static(w.ring)).AutoMigrate(&named[after]{})); err == nil {
			t.Error("the CHECK was added to rows without entries")
		}
		w.ok(one.Model(&named[during]{}).Select("id").Find(&[]named[during]{}))
		if err := one.AutoMigrate(&named[during]{}); err != nil {
			t.Fatal(err)
		}
		for name, err := range map[string]error{
			"=":      one.Where("email = ?", canary+"7").Find(&[]named[during]{}).Error,
			"<>":     one.Where("email <> ?", canary+"7").Find(&[]named[during]{}).Error,
			"struct": one.Where(&named[during]{during{Email: canary + "7"}}).Delete(&named[during]{}).Error,
			"itself": one.Where("entry = ?", canary+"7").Find(&[]named[during]{}).Error,
			"list":   one.Where("entry IN ?", []string{canary + "7"}).Find(&[]named[during]{}).Error,
		} {
			if w.note(err); !errors.Is(err, gormencrypt.ErrRefused) || !strings.Contains(err.Error(), "FillIndexes") {
				t.Errorf("%s: %v, want ErrRefused that names FillIndexes", name, err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := gormencrypt.FillIndexes(ctx, one, &named[during]{}); !errors.Is(err, context.Canceled) {
			t.Errorf("a cancelled fill: %v", err)
		}
		if n, err := gormencrypt.FillIndexes(t.Context(), one, &named[during]{}); w.note(err) != nil || n != 1200 {
			t.Errorf("filled %d rows: %v", n, err)
		}
		two := w.open(keyprovider.Static(w.ring))
		if err := w.note(two.AutoMigrate(&named[after]{})); err != nil {
			t.Fatal(err)
		}
		var found named[after]
		w.ok(two.First(&found, "email = ?", canary+"7"))
		if found.Of.Email != canary+"7" {
			t.Error("another row was found")
		}
		// From here on the database asks for every entry.
		if _, err := d.SQL.Exec("UPDATE people SET entry = NULL WHERE id = 1"); err == nil {
			t.Error("the database takes a value without its entry")
		}
	})
}

// What writes while the indexes are filled is never given the entry of the value
// before.
func TestFillIndexesLosesToOtherWriters(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &AccountOnce{})
		const rows = 300
		for i := range rows {
			w.ok(w.db.Create(&AccountOnce{ID: int64(i + 1), Email: encryptedtype.EncryptedString(fmt.Sprint(canary, i))}))
		}
		if _, err := d.SQL.Exec("UPDATE accounts SET one = NULL"); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			for i := range rows {
				if i%3 == 0 {
					w.ok(w.db.Model(&AccountOnce{ID: int64(i + 1)}).Update("email", fmt.Sprint(canary, "changed", i)))
				}
			}
		})
		_, err := gormencrypt.FillIndexes(t.Context(), w.db, &AccountOnce{})
		wg.Wait()
		if w.note(err) != nil {
			t.Fatal(err)
		}
		problems, err := gormencrypt.Verify(t.Context(), w.db, &AccountOnce{})
		if text := verify(t, problems, err); strings.Contains(text, "entry that is not") {
			t.Error(text)
		}
	})
}

// AccountOnce has an index that is not full.
type AccountOnce struct {
	ID    int64
	Email encryptedtype.EncryptedString `fernet:"index:One,filling;bind:row"`
	Other string                        `gorm:"serializer:fernet" fernet:"index:Two"`
	One   blindindex.Value
	Two   blindindex.Value
}

func (AccountOnce) TableName() string { return "accounts" }

func TestVerifyReportsEveryProblemOfAnIndex(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &ExactPerson{})
		for i := range 5 {
			w.ok(w.db.Create(&ExactPerson{Phone: encryptedtype.EncryptedString(fmt.Sprint(canary, i)), Badge: "b"}))
		}
		problems, err := gormencrypt.Verify(t.Context(), w.db, &ExactPerson{})
		if text := verify(t, problems, err); text != "" {
			t.Fatalf("of a good table:\n%s", text)
		}
		// Another index key: every entry is that of another value.
		wrong := &world{T: t, database: d, out: w.out, ring: w.ring, indexKey: fernet.GenerateKey()}
		db := wrong.open(keyprovider.Static(w.ring))
		problems, err = gormencrypt.Verify(t.Context(), db, &ExactPerson{})
		if text := verify(t, problems, err); !strings.Contains(text, "people.phone_index: 5 rows have an entry that is not that of their value") || !strings.Contains(text, "people.badge_index: 5 rows") {
			t.Errorf("with another index key:\n%s", text)
		}
		w.plant("people", "phone_index", 1, string(w.entry("people", "phone", "phone_index", "x")))
		w.plant("people", "badge", 2, string(newRing(t, fernet.GenerateKey()).Encrypt([]byte("x"))))
		for _, name := range []string{"phone_index", "badge_index"} {
			if err := w.db.Migrator().DropConstraint(&ExactPerson{}, "chk_people_"+name+"_paired"); err != nil {
				t.Fatal(err)
			}
		}
		w.plant("people", "badge_index", 3, nil)
		problems, err = gormencrypt.Verify(t.Context(), w.db, &ExactPerson{})
		text := verify(t, problems, err)
		for _, want := range []string{
			"people.phone_index: 1 rows have an entry that is not", "people.phone_index: the CHECK chk_people_phone_index_paired is missing",
			"people.badge_index: 1 rows have a value and no entry", "people.badge: 1 rows cannot be decrypted",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is missing in\n%s", want, text)
			}
		}
		if w.db.Migrator().HasIndex(&ExactPerson{}, "PhoneIndex") { // SQLite lost it with the constraint
			if err := w.db.Migrator().DropIndex(&ExactPerson{}, "PhoneIndex"); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.db.Migrator().DropColumn(&ExactPerson{}, "PhoneIndex"); err != nil {
			t.Fatal(err)
		}
		problems, err = gormencrypt.Verify(t.Context(), w.db, &ExactPerson{})
		if text := verify(t, problems, err); !strings.Contains(text, "people.phone_index: the index column does not exist") {
			t.Errorf("without the column:\n%s", text)
		}
	})
}
