package gormencrypt_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"gorm.io/gorm"

	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/gormencrypt"
	"github.com/fernetcol/fernetcol/internal/dbtest"
)

// A Holder keeps encrypted values where they are not encrypted.
type Holder struct {
	ID   int64
	JSON []struct {
		Inside *encryptedtype.EncryptedString
	} `gorm:"serializer:json"`
	Gob  map[string]encryptedtype.EncryptedBytes `gorm:"serializer:gob"`
	Fine []string                                `gorm:"serializer:json"`
}

func verify(t *testing.T, problems []gormencrypt.Problem, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, p := range problems {
		lines = append(lines, p.String())
	}
	text := strings.Join(lines, "\n")
	if findCanary(text) != "" {
		t.Error("a problem repeats the plaintext")
	}
	return text
}

func TestVerifyFindsNothingWrongWithAMigratedTable(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &Person{})
		w.ok(w.db.Create(person("full", fieldForms("")...)))
		w.ok(w.db.Create(&Person{Name: "empty"}))
		// The columns of 255 characters hold tokens of 111 bytes of plaintext.
		found, err := gormencrypt.Verify(t.Context(), w.db, &Person{})
		for line := range strings.Lines(verify(t, found, err)) {
			if !strings.Contains(line, "the column holds 255 bytes") {
				t.Error(line)
			}
		}
	})
}

func TestVerifyReportsEveryProblem(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		db, _ := use(t, d, gormencrypt.Options{IndexKey: fernet.GenerateKey()})
		for _, ddl := range []string{
			"CREATE TABLE records (id integer PRIMARY KEY, name varchar(50), text varchar(100) DEFAULT 'open', number varchar(420), narrow varchar(255))",
			"INSERT INTO records (id, text, number) VALUES (1, '" + canary + "', 'plain')",
			"INSERT INTO records (id, text) VALUES (2, NULL)",
		} {
			if _, err := d.SQL.Exec(ddl); err != nil {
				t.Fatal(err)
			}
		}
		found, err := gormencrypt.Verify(t.Context(), db, &Record{})
		text := verify(t, found, err)
		want := []string{
			"records.*: the plugin did not know the model Record",
			"records.text: the column has a default",
			"records.text: the column holds 100 bytes, but tokens take up to 120",
			"records.narrow: the column holds 255 bytes, but tokens take up to 420",
			"records.text: the CHECK chk_records_text_fernet is missing",
			"records.text: 1 rows hold something that is not a token",
			"records.number: 1 rows hold something that is not a token",
			"records.order: the column does not exist",
			"records.bytes: the column does not exist",
		}
		for _, line := range want {
			if !strings.Contains(text, line) {
				t.Errorf("no %q in\n%s", line, text)
			}
		}
		if strings.Contains(text, "records.number: the column holds") || strings.Contains(text, "records.number: the column has a default") {
			t.Errorf("a problem that is none in\n%s", text)
		}
	})
}

func TestVerifyFindsEncryptedTypesInsideOtherColumns(t *testing.T) {
	d := dbtest.SQLite(t)
	db, _ := use(t, d, gormencrypt.Options{IndexKey: fernet.GenerateKey()})
	if err := db.AutoMigrate(&Holder{}); err != nil {
		t.Fatal(err)
	}
	found, err := gormencrypt.Verify(t.Context(), db, &Holder{})
	text := verify(t, found, err)
	if len(found) != 2 || !strings.Contains(text, "holders.json: an encrypted type inside") || !strings.Contains(text, "holders.gob: an encrypted type inside") {
		t.Errorf("got\n%s", text)
	}
}

func TestVerifyErrors(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		if _, err := gormencrypt.Verify(t.Context(), d.GORM(t), &Person{}); err == nil || !strings.Contains(err.Error(), "db.Use") {
			t.Errorf("without the plugin: %v", err)
		}
		db, _ := use(t, d, gormencrypt.Options{IndexKey: fernet.GenerateKey()})
		if _, err := gormencrypt.Verify(t.Context(), db, &Person{}); err == nil || !strings.Contains(err.Error(), "people does not exist") {
			t.Errorf("without the table: %v", err)
		}
		if err := db.AutoMigrate(&Person{}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := gormencrypt.Verify(ctx, db, &Person{}); !errors.Is(err, context.Canceled) {
			t.Errorf("with a cancelled context: %v", err)
		}

		// Inside a transaction, on its own connection and with what it wrote.
		without, _ := use(t, d, gormencrypt.Options{WithoutCheck: true})
		if err := without.AutoMigrate(&Member{}); err != nil {
			t.Fatal(err)
		}
		err := without.Transaction(func(tx *gorm.DB) error {
			pool := tx.Statement.ConnPool
			if _, err := pool.ExecContext(t.Context(), "INSERT INTO members (id, email) VALUES (1, 'plaintext')"); err != nil {
				return err
			}
			found, err := gormencrypt.Verify(t.Context(), tx, &Member{})
			if text := verify(t, found, err); !strings.Contains(text, "members.email: 1 rows hold") {
				t.Errorf("inside a transaction:\n%s", text)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}
