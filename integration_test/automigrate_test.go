package integration_test

import (
	"database/sql"
	"strings"
	"testing"

	"gorm.io/gorm"

	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/internal/dbtest"
)

// sized asks for columns that no token fits into.
type sized struct {
	ID        int                                          `gorm:"primaryKey;autoIncrement:false"`
	Text      encryptedtype.EncryptedString                `gorm:"size:20"`
	Pointer   *encryptedtype.EncryptedString               `gorm:"size:20"`
	Nullable  sql.Null[encryptedtype.EncryptedString]      `gorm:"size:20"`
	Equal     encryptedtype.DeterministicString            `gorm:"size:20;index:,length:100"`
	Structure encryptedtype.Encrypted[address]             `gorm:"size:20"`
	CreatedAt encryptedtype.Encrypted[int64]               // not for GORM to fill
	Bytes     encryptedtype.EncryptedBytes                 // without a size, see TestShortBinaryColumn
	Unchecked sql.Null[encryptedtype.Encrypted[address]]   `gorm:"type:text"`
	Numbers   sql.Null[encryptedtype.Encrypted[[]float64]] `gorm:"type:text"`
}

func TestAutoMigrateMakesColumnsThatHoldTokens(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		if err := db.GORM(t).AutoMigrate(&sized{}); err != nil {
			t.Fatal(err)
		}
		for _, column := range []string{"text", "pointer", "nullable", "equal", "structure", "created_at", "unchecked", "numbers"} {
			if got := columnType(t, db, "sizeds", column); got != "text" {
				t.Errorf("%s is a column of type %s", column, got)
			}
		}
		if got := columnType(t, db, "sizeds", "bytes"); got != db.BytesType() {
			t.Errorf("bytes is a column of type %s", got)
		}
	})
}

func TestAutoMigrateTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		var log lockedBuffer
		g := db.GORM(t, &gorm.Config{Logger: infoLogger(&log)})
		if err := g.AutoMigrate(&sized{}, &patient{}); err != nil {
			t.Fatal(err)
		}
		if p := newPatient(1); g.Create(&p).Error != nil {
			t.Fatal("GORM does not create the row")
		}
		before := raw(t, db, "SELECT name FROM patients")

		log.Reset()
		if err := g.AutoMigrate(&sized{}, &patient{}); err != nil {
			t.Fatal(err)
		}
		for _, ddl := range []string{"ALTER ", "CREATE ", "DROP "} {
			if strings.Contains(log.String(), ddl) {
				t.Errorf("the second AutoMigrate runs %s", ddl)
			}
		}
		if string(raw(t, db, "SELECT name FROM patients")) != string(before) {
			t.Error("the row has changed")
		}
		var read patient
		if err := g.Take(&read, 1).Error; err != nil || read.Name != newPatient(1).Name {
			t.Errorf("the row cannot be read: %v", err)
		}
	})
}

// columnType asks the database's own catalogue.
func columnType(t *testing.T, db *dbtest.Database, table, column string) string {
	t.Helper()
	var query string
	switch db.Dialect {
	case "sqlite":
		query = "SELECT type FROM pragma_table_info(?) WHERE name = ?"
	case "postgres":
		query = "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = ?::regclass AND attname = ?"
	case "mysql":
		query = "SELECT column_type FROM information_schema.columns WHERE table_schema = database() AND table_name = ? AND column_name = ?"
	}
	return strings.ToLower(string(raw(t, db, query, table, column)))
}
