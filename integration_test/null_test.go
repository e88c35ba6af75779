package integration_test

import (
	"database/sql"
	"testing"

	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/internal/dbtest"
)

// optional has every way to say that a column may be NULL, and the types themselves.
type optional struct {
	ID int `gorm:"primaryKey;autoIncrement:false"`

	Pointer       *encryptedtype.EncryptedString
	PointerBytes  *encryptedtype.EncryptedBytes
	PointerStruct *encryptedtype.Encrypted[address]
	PointerEqual  *encryptedtype.DeterministicString

	Null       sql.Null[encryptedtype.EncryptedString]
	NullBytes  sql.Null[encryptedtype.EncryptedBytes]
	NullStruct sql.Null[encryptedtype.Encrypted[address]]
	NullEqual  sql.Null[encryptedtype.DeterministicString]

	Bytes encryptedtype.EncryptedBytes // nil is NULL

	NullJSON encryptedtype.Encrypted[*int] // a JSON null, which is not NULL
}

var optionalColumns = []string{
	"pointer", "pointer_bytes", "pointer_struct", "pointer_equal",
	"null", "null_bytes", "null_struct", "null_equal",
	"bytes", "null_json",
}

// createOptional makes the table with plain SQL: GORM finds no type for sql.Null of a
// struct in every dialect.
func createOptional(t *testing.T, db *dbtest.Database) {
	t.Helper()
	ddl := "CREATE TABLE optionals (id integer PRIMARY KEY"
	for _, c := range optionalColumns {
		typ := db.TextType()
		if c == "bytes" || c == "pointer_bytes" || c == "null_bytes" {
			typ = db.BytesType()
		}
		ddl += ", " + quote(db, c) + " " + typ
	}
	exec(t, db, ddl+")")
}

func quote(db *dbtest.Database, name string) string {
	if db.Dialect == "mysql" {
		return "`" + name + "`"
	}
	return `"` + name + `"`
}

func TestNullStaysNull(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		createOptional(t, db)
		g := db.GORM(t)
		if err := g.Create(&optional{ID: 1}).Error; err != nil {
			t.Fatal(err)
		}
		var o optional
		exec(t, db, "INSERT INTO optionals VALUES (2, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			o.Pointer, o.PointerBytes, o.PointerStruct, o.PointerEqual,
			o.Null, o.NullBytes, o.NullStruct, o.NullEqual, o.Bytes, o.NullJSON)

		for _, c := range optionalColumns {
			for i, stored := range rawColumn(t, db, "SELECT "+quote(db, c)+" FROM optionals") {
				if c == "null_json" {
					mustBeToken(t, stored, "null")
				} else if stored != nil {
					t.Errorf("row %d: %s is not NULL", i, c)
				}
			}
		}
		for id := 1; id <= 2; id++ {
			// What a previous row left must go.
			full := fullOptional(0)
			scan(t, db, "SELECT * FROM optionals WHERE id = ?", []any{id}, destinations(&full)...)
			mustBeNull(t, &full)
			var read optional
			if err := g.Take(&read, id).Error; err != nil {
				t.Fatal(err)
			}
			mustBeNull(t, &read)
		}
	})
}

func TestEmptyIsNotNull(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		createOptional(t, db)
		var s encryptedtype.EncryptedString
		empty := optional{
			ID: 1, Pointer: &s, PointerBytes: &encryptedtype.EncryptedBytes{}, PointerEqual: new(encryptedtype.DeterministicString),
			Null: null(s), NullBytes: null(encryptedtype.EncryptedBytes{}), NullEqual: null(encryptedtype.DeterministicString("")),
			Bytes: encryptedtype.EncryptedBytes{},
		}
		if err := db.GORM(t).Create(&empty).Error; err != nil {
			t.Fatal(err)
		}
		for _, c := range optionalColumns {
			if c != "null_json" && c != "pointer_struct" && c != "null_struct" {
				mustBeToken(t, raw(t, db, "SELECT "+quote(db, c)+" FROM optionals"), "")
			}
		}
		var read optional
		if err := db.GORM(t).Take(&read, 1).Error; err != nil {
			t.Fatal(err)
		}
		if read.Pointer == nil || *read.Pointer != "" || read.PointerBytes == nil || *read.PointerBytes == nil ||
			read.PointerEqual == nil || *read.PointerEqual != "" ||
			!read.Null.Valid || !read.NullBytes.Valid || read.NullBytes.V == nil || !read.NullEqual.Valid || read.Bytes == nil {
			t.Error("an empty value comes back as NULL")
		}
	})
}

func TestNullableValuesRoundTrip(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		createOptional(t, db)
		g := db.GORM(t)
		o := fullOptional(1)
		if err := g.Create(&o).Error; err != nil {
			t.Fatal(err)
		}
		exec(t, db, "INSERT INTO optionals VALUES (2, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			o.Pointer, o.PointerBytes, o.PointerStruct, o.PointerEqual,
			o.Null, o.NullBytes, o.NullStruct, o.NullEqual, o.Bytes, o.NullJSON)

		const structJSON = `{"street":"` + canary + `","tags":null}`
		for column, want := range map[string]string{
			"pointer": canary + "1", "pointer_bytes": canary + "2", "pointer_struct": structJSON, "pointer_equal": canary + "4",
			"null": canary + "5", "null_bytes": canary + "6", "null_struct": structJSON, "null_equal": canary + "8",
			"bytes": canary + "9", "null_json": "10",
		} {
			for _, stored := range rawColumn(t, db, "SELECT "+quote(db, column)+" FROM optionals") {
				mustBeToken(t, stored, want)
			}
		}
		for id := 1; id <= 2; id++ {
			var byGORM, bySQL optional
			if err := g.Take(&byGORM, id).Error; err != nil {
				t.Fatal(err)
			}
			scan(t, db, "SELECT * FROM optionals WHERE id = ?", []any{id}, destinations(&bySQL)...)
			for _, got := range []optional{byGORM, bySQL} {
				if *got.Pointer != *o.Pointer || string(*got.PointerBytes) != string(*o.PointerBytes) ||
					got.PointerStruct.V.Street != canary || *got.PointerEqual != *o.PointerEqual ||
					got.Null != o.Null || !got.NullBytes.Valid || string(got.NullBytes.V) != string(o.NullBytes.V) ||
					!got.NullStruct.Valid || got.NullStruct.V.V.Street != canary || got.NullEqual != o.NullEqual ||
					string(got.Bytes) != string(o.Bytes) || *got.NullJSON.V != 10 {
					t.Errorf("row %d comes back as another one", id)
				}
			}
		}

		// Back to NULL, as GORM writes all fields.
		if err := g.Save(&optional{ID: 1}).Error; err != nil {
			t.Fatal(err)
		}
		var read optional
		if err := g.Take(&read, 1).Error; err != nil {
			t.Fatal(err)
		}
		mustBeNull(t, &read)
	})
}

func fullOptional(id int) optional {
	s := encryptedtype.EncryptedString(canary + "1")
	b := encryptedtype.EncryptedBytes(canary + "2")
	d := encryptedtype.DeterministicString(canary + "4")
	a := encryptedtype.Encrypted[address]{V: address{Street: canary}}
	ten := 10
	return optional{
		ID: id, Pointer: &s, PointerBytes: &b, PointerStruct: &a, PointerEqual: &d,
		Null:      null(encryptedtype.EncryptedString(canary + "5")),
		NullBytes: null(encryptedtype.EncryptedBytes(canary + "6")), NullStruct: null(a),
		NullEqual: null(encryptedtype.DeterministicString(canary + "8")),
		Bytes:     encryptedtype.EncryptedBytes(canary + "9"), NullJSON: encryptedtype.Encrypted[*int]{V: &ten},
	}
}

// destinations are where to Scan all columns of the table.
func destinations(o *optional) []any {
	return []any{
		&o.ID, &o.Pointer, &o.PointerBytes, &o.PointerStruct, &o.PointerEqual,
		&o.Null, &o.NullBytes, &o.NullStruct, &o.NullEqual, &o.Bytes, &o.NullJSON,
	}
}

func mustBeNull(t *testing.T, o *optional) {
	t.Helper()
	if o.Pointer != nil || o.PointerBytes != nil || o.PointerStruct != nil || o.PointerEqual != nil ||
		o.Null.Valid || o.NullBytes.Valid || o.NullStruct.Valid || o.NullEqual.Valid || o.Bytes != nil || o.NullJSON.V != nil ||
		o.Null.V != "" || o.NullBytes.V != nil || o.NullEqual.V != "" || o.NullStruct.V.V.Street != "" {
		t.Error("NULL comes back as a value")
	}
}

func TestNullIntoAValueIsZero(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		exec(t, db, "CREATE TABLE t (v "+db.TextType()+")")
		exec(t, db, "INSERT INTO t VALUES (NULL)")
		p := newPatient(0)
		scan(t, db, "SELECT v, v, v, v FROM t", nil, &p.Name, &p.Photo, &p.Notes, &p.Email)
		if p.Name != "" || p.Photo != nil || p.Notes.V != nil || p.Email != "" {
			t.Error("NULL leaves what was there")
		}
	})
}
