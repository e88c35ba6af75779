package integration_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/internal/dbtest"
)

// createChecked makes table t with the constraint on a column whose name has to be
// quoted, and a row with a token.
func createChecked(t *testing.T, db *dbtest.Database) (column string) {
	t.Helper()
	column = quote(db, "order")
	exec(t, db, "CREATE TABLE t (id integer PRIMARY KEY, "+column+" "+db.TextType()+
		", CONSTRAINT order_is_token CHECK ("+encryptedtype.CheckText(column)+"))")
	exec(t, db, "INSERT INTO t VALUES (1, ?)", encryptedtype.EncryptedString(canary))
	return column
}

func TestCheckTextAcceptsEveryTokenAndNull(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		column := createChecked(t, db)
		for n := 0; n < 1<<12; n += 1 + n/7*n/7 {
			exec(t, db, "UPDATE t SET "+column+" = ?", encryptedtype.EncryptedString(strings.Repeat("x", n)))
		}
		for n := range 13 {
			exec(t, db, "UPDATE t SET "+column+" = ?", encryptedtype.DeterministicString(strings.Repeat("x", 16*n)))
		}
		exec(t, db, "UPDATE t SET "+column+" = ?", encryptedtype.Encrypted[address]{})
		exec(t, db, "UPDATE t SET "+column+" = ?", encryptedtype.EncryptedString(strings.Repeat("x", 1<<20)))
		for _, seconds := range []int64{0, 1, time.Now().Unix(), 1<<32 - 1, 1 << 32, 1<<36 - 1} {
			exec(t, db, "UPDATE t SET "+column+" = ?", string(ring.EncryptAtTime(nil, time.Unix(seconds, 0))))
		}
		exec(t, db, "UPDATE t SET "+column+" = NULL")
		exec(t, db, "INSERT INTO t VALUES (2, NULL)")
	})
}

func TestCheckTextRefusesWhatIsNoToken(t *testing.T) {
	t.Parallel()
	token := ring.EncryptString(canary + strings.Repeat("x", 100))
	refused := map[string]any{
		"the empty string":   "",
		"a space":            " ",
		"plaintext":          canary,
		"long plaintext":     strings.Repeat(canary, 100),
		"a short beginning":  "gAAAAA",
		"a long beginning":   "gAAAAA" + strings.Repeat("x", 101),
		"a token and more":   token + "A",
		"a token and space":  token + " ",
		"a token and a line": token + "\n",
		"more and a token":   " " + token,
		"two tokens":         token + token,
		"standard padding":   strings.TrimRight(ring.EncryptString(canary), "=") + "=",
		"no padding":         strings.TrimRight(ring.EncryptString(canary), "="),
		"padding too early":  token[:112] + "==",
		"shape without head": strings.Repeat("x", 98) + "==",
		"shape with = alone": strings.Repeat("x", 119) + "=",
		"shape, no padding":  strings.Repeat("x", 140),
		"a number":           42,
	}
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		column := createChecked(t, db)
		before := raw(t, db, "SELECT "+column+" FROM t")
		mustRefuse := func(name string, v any) {
			t.Helper()
			if _, err := db.SQL.Exec(db.Rebind("INSERT INTO t VALUES (2, ?)"), v); err == nil {
				t.Errorf("%s is inserted", name)
			}
			if _, err := db.SQL.Exec(db.Rebind("UPDATE t SET "+column+" = ?"), v); err == nil {
				t.Errorf("%s replaces a token", name)
			}
		}
		for name, v := range refused {
			mustRefuse(name, v)
		}
		if db.Dialect != "postgres" { // which refuses the type
			mustRefuse("a raw token", ring.EncryptRaw([]byte(canary)))
		}
		// A beginning of a token passes only where its length is that of a token
		// without padding.
		for n := 1; n < len(token); n++ {
			if n < 100 || n%64 != 12 {
				mustRefuse("a token cut off", token[:n])
			}
		}
		if n := count(t, db, "SELECT COUNT(*) FROM t"); n != 1 {
			t.Fatalf("the table holds %d rows", n)
		}
		if !bytes.Equal(raw(t, db, "SELECT "+column+" FROM t"), before) {
			t.Error("the row has changed")
		}
	})
}

// TestCheckTextClosesGORMsMaps is for the one hole of typed fields without the plugin:
// in a map, GORM writes a plain string as it is.
func TestCheckTextClosesGORMsMaps(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		g := db.GORM(t)
		exec(t, db, "CREATE TABLE patients (id integer PRIMARY KEY, name "+db.TextType()+" CHECK ("+encryptedtype.CheckText("name")+"))")
		if err := g.Select("ID", "Name").Create(&patient{ID: 1, Name: canary + "-name"}).Error; err != nil {
			t.Fatal(err)
		}
		before := raw(t, db, "SELECT name FROM patients")
		for call, err := range map[string]error{
			"Update":  g.Model(&patient{ID: 1}).Update("name", canary).Error,
			"Updates": g.Model(&patient{ID: 1}).Updates(map[string]any{"Name": canary}).Error,
			"Create":  g.Model(&patient{}).Create(map[string]any{"ID": 2, "Name": canary}).Error,
			"Exec":    g.Exec("UPDATE patients SET name = ?", canary).Error,
		} {
			if err == nil {
				t.Errorf("%s stores a plaintext", call)
			}
		}
		if !bytes.Equal(raw(t, db, "SELECT name FROM patients"), before) {
			t.Error("the row has changed")
		}

		// The same with a value of the type.
		if err := g.Model(&patient{ID: 1}).Updates(map[string]any{"Name": encryptedtype.EncryptedString(canary)}).Error; err != nil {
			t.Fatal(err)
		}
		mustBeToken(t, raw(t, db, "SELECT name FROM patients"), canary)
	})
}
