package integration_test

import (
	"database/sql"
	"testing"

	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/internal/dbtest"
)

// TestPlainDestinationsGetTheToken reads an encrypted column as what it is.
func TestPlainDestinationsGetTheToken(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		if err := db.GORM(t).AutoMigrate(&patient{}); err != nil {
			t.Fatal(err)
		}
		p := newPatient(1)
		if err := db.GORM(t).Create(&p).Error; err != nil {
			t.Fatal(err)
		}
		var (
			s       string
			b       []byte
			pointer *string
			null    sql.NullString
			generic sql.Null[string]
			a       any
		)
		scan(t, db, "SELECT name, name, name, name, name, name FROM patients", nil, &s, &b, &pointer, &null, &generic, &a)
		if bytes, ok := a.([]byte); ok {
			a = string(bytes)
		}
		text, _ := a.(string)
		for _, got := range []string{s, string(b), *pointer, null.String, generic.V, text} {
			mustBeToken(t, []byte(got), string(p.Name))
		}

		rows, err := db.SQL.Query("SELECT name, photo FROM patients")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var name, photo sql.RawBytes
			if err := rows.Scan(&name, &photo); err != nil {
				t.Fatal(err)
			}
			mustBeToken(t, name, string(p.Name))
			mustBeToken(t, photo, string(p.Photo))
		}

		var row map[string]any
		if err := db.GORM(t).Table("patients").Take(&row).Error; err != nil {
			t.Fatal(err)
		}
		for column, want := range map[string]string{"name": string(p.Name), "photo": string(p.Photo), "email": string(p.Email)} {
			switch v := row[column].(type) {
			case string:
				mustBeToken(t, []byte(v), want)
			case []byte:
				mustBeToken(t, v, want)
			default:
				t.Errorf("%s is %T", column, v)
			}
		}
	})
}

// TestWrongColumnTypeIsAnError reads what is no text at all.
func TestWrongColumnTypeIsAnError(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		timestamp := "timestamp"
		if db.Dialect == "mysql" {
			timestamp = "datetime"
		}
		exec(t, db, "CREATE TABLE t (i integer, f double precision, d "+timestamp+")")
		exec(t, db, "INSERT INTO t VALUES (7, 1.5, '2026-01-02 03:04:05')")
		for _, column := range []string{"i", "f", "d"} {
			p := patient{Name: left, Photo: encryptedtype.EncryptedBytes(left), Email: left}
			p.Notes.V = map[string]string{left: left}
			for _, dst := range []any{&p.Name, &p.Photo, &p.Notes, &p.Email} {
				if err := db.SQL.QueryRow("SELECT " + column + " FROM t").Scan(dst); err == nil {
					t.Errorf("%s is read into %T", column, dst)
				}
			}
			if p.Name != "" || p.Photo != nil || p.Notes.V != nil || p.Email != "" {
				t.Errorf("%s: a value is left in the destination", column)
			}
		}
	})
}
