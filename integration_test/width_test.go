package integration_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"gorm.io/gorm/clause"

	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/internal/dbtest"
)

// createNarrow makes table t with a text column that is too short for most tokens,
// and a row whose token fits, or is NULL if none does.
func createNarrow(t *testing.T, db *dbtest.Database, columnType, constraint string, width int) (old []byte) {
	t.Helper()
	exec(t, db, fmt.Sprintf("CREATE TABLE t (id integer PRIMARY KEY, v %s %s)", columnType, constraint))
	var fits *encryptedtype.EncryptedString
	if encryptedtype.TextSize(0) <= width {
		fits = new(encryptedtype.EncryptedString)
	}
	exec(t, db, "INSERT INTO t VALUES (1, ?)", fits)
	return raw(t, db, "SELECT v FROM t")
}

func mustBeUnharmed(t *testing.T, db *dbtest.Database, write string, old []byte) {
	t.Helper()
	column := rawColumn(t, db, "SELECT v FROM t")
	if len(column) != 1 || !bytes.Equal(column[0], old) {
		t.Errorf("%s: the table has changed", write)
	}
}

func TestShortTextColumnIsAnErrorOrHoldsTheToken(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		for _, width := range []int{50, 100, 255} {
			db := db.Reopen(t) // a connection caches the column's type
			old := createNarrow(t, db, fmt.Sprintf("varchar(%d)", width), "", width)
			long := canary + encryptedtype.EncryptedString(strings.Repeat("x", 300))
			writes := map[string]error{}
			_, writes["INSERT"] = db.SQL.Exec(db.Rebind("INSERT INTO t VALUES (2, ?)"), long)
			_, writes["UPDATE"] = db.SQL.Exec(db.Rebind("UPDATE t SET v = ? WHERE id = 1"), long)
			writes["Create"] = db.GORM(t).Table("t").Create(&record[encryptedtype.EncryptedString]{ID: 3, V: long}).Error
			writes["Save"] = db.GORM(t).Table("t").Save(&record[encryptedtype.EncryptedString]{ID: 1, V: long}).Error
			if db.Dialect == "sqlite" { // ignores widths
				for _, stored := range rawColumn(t, db, "SELECT v FROM t") {
					mustBeToken(t, stored, string(long))
				}
			} else {
				for write, err := range writes {
					if err == nil || leaks(err.Error()) {
						t.Errorf("varchar(%d): %s: no error, or one with the plaintext", width, write)
					}
				}
				mustBeUnharmed(t, db, fmt.Sprintf("varchar(%d): every write", width), old)
			}
			exec(t, db, "DROP TABLE t")
		}
	})
}

// laxMySQL is a server that shortens what is too long and only warns.
func laxMySQL(t *testing.T) *dbtest.Database {
	t.Helper()
	return dbtest.MySQL(t).Reopen(t, "sql_mode=''")
}

func TestCheckTextRefusesWhatLaxMySQLShortens(t *testing.T) {
	t.Parallel()
	for columnType, width := range map[string]int{
		"varchar(50)": 50, "varchar(100)": 100, "varchar(120)": 120, "varchar(141)": 141, "varchar(255)": 255,
		"varchar(500)": 500, "tinytext": 1<<8 - 1, "text": 1<<16 - 1,
	} {
		t.Run(columnType, func(t *testing.T) {
			db := laxMySQL(t)
			old := createNarrow(t, db, columnType, "CHECK ("+encryptedtype.CheckText("v")+")", width)
			long := canary + encryptedtype.EncryptedString(strings.Repeat("x", width))
			for _, write := range []string{
				"INSERT INTO t VALUES (2, ?)",
				"INSERT INTO t VALUES (2, NULL), (3, ?)",
				"UPDATE t SET v = ? WHERE id = 1",
				"REPLACE INTO t VALUES (1, ?)",
				"INSERT INTO t VALUES (1, ?) ON DUPLICATE KEY UPDATE v = VALUES(v)",
			} {
				_, err := db.SQL.Exec(write, long)
				if err == nil || leaks(err.Error()) {
					t.Errorf("%s: no error, or one with the plaintext", write)
				}
				mustBeUnharmed(t, db, write, old)
			}
			// IGNORE makes a warning of the refusal too.
			for _, write := range []string{
				"INSERT IGNORE INTO t VALUES (2, ?)",
				"UPDATE IGNORE t SET v = ? WHERE id = 1",
			} {
				if _, err := db.SQL.Exec(write, long); err != nil && leaks(err.Error()) {
					t.Errorf("%s: the error holds the plaintext", write)
				}
				mustBeUnharmed(t, db, write, old)
			}
			g, row := db.GORM(t).Table("t"), record[encryptedtype.EncryptedString]{ID: 1, V: long}
			for call, err := range map[string]error{
				"Create": g.Create(&record[encryptedtype.EncryptedString]{ID: 2, V: long}).Error,
				"Save":   g.Save(&row).Error,
				"Update": g.Where("id = 1").Update("v", long).Error,
				"upsert": g.Clauses(clause.OnConflict{UpdateAll: true}).Create(&row).Error,
			} {
				if err == nil || leaks(err.Error()) {
					t.Errorf("%s: no error, or one with the plaintext", call)
				}
			}
			mustBeUnharmed(t, db, "GORM", old)

			// What fits is still accepted.
			if old != nil {
				exec(t, db, "UPDATE t SET v = ? WHERE id = 1", encryptedtype.EncryptedString("fits"))
				mustBeToken(t, raw(t, db, "SELECT v FROM t"), "fits")
			}
		})
	}
}

// TestLaxMySQLShortensWithoutACheck shows the harm, and that it is at least reported
// to the reader: what is left of a token is never taken for a value.
func TestLaxMySQLShortensWithoutACheck(t *testing.T) {
	t.Parallel()
	for columnType, width := range map[string]int{
		"varchar(50)": 50, "varchar(100)": 100, "text": 1<<16 - 1,
		// One of the widths that CheckText documents not to see through: the column
		// ends where the token of a shorter plaintext would.
		"varchar(140) CHECK (" + encryptedtype.CheckText("v") + ")": 140,
	} {
		t.Run(columnType[:4]+fmt.Sprint(width), func(t *testing.T) {
			db := laxMySQL(t)
			createNarrow(t, db, columnType, "", width)
			long := canary + encryptedtype.EncryptedString(strings.Repeat("x", width))
			exec(t, db, "UPDATE t SET v = ?", long)
			if n := len(raw(t, db, "SELECT v FROM t")); n != width {
				t.Fatalf("the column holds %d characters", n)
			}
			var s encryptedtype.EncryptedString = left
			if err := db.SQL.QueryRow("SELECT v FROM t").Scan(&s); !errors.Is(err, fernet.ErrInvalidToken) || s != "" {
				t.Error("a shortened token is read")
			}
		})
	}
}

// TestIgnoreShortensInStrictMySQLToo is why the constraint is worth having there: the
// word IGNORE in a statement turns the error of strict mode into a warning.
func TestIgnoreShortensInStrictMySQLToo(t *testing.T) {
	t.Parallel()
	long := canary + encryptedtype.EncryptedString(strings.Repeat("x", 300))
	for name, constraint := range map[string]string{"without": "", "with": "CHECK (" + encryptedtype.CheckText("v") + ")"} {
		t.Run(name, func(t *testing.T) {
			db := dbtest.MySQL(t)
			old := createNarrow(t, db, "varchar(255)", constraint, 255)
			if _, err := db.SQL.Exec("UPDATE IGNORE t SET v = ?", long); err != nil && leaks(err.Error()) {
				t.Error("the error holds the plaintext")
			}
			if constraint != "" {
				mustBeUnharmed(t, db, "UPDATE IGNORE", old)
			} else if n := len(raw(t, db, "SELECT v FROM t")); n != 255 {
				t.Errorf("the column holds %d characters", n)
			}
		})
	}
}

// TestShortBinaryColumn has GORM make varbinary(20) on MySQL, as the tag asks.
func TestShortBinaryColumn(t *testing.T) {
	t.Parallel()
	type t20 struct {
		ID int                          `gorm:"primaryKey;autoIncrement:false"`
		V  encryptedtype.EncryptedBytes `gorm:"size:20"`
	}
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		g := db.GORM(t).Table("t")
		if err := g.AutoMigrate(&t20{}); err != nil {
			t.Fatal(err)
		}
		exec(t, db, "INSERT INTO t (id) VALUES (1)")
		err := g.Save(&t20{ID: 1, V: encryptedtype.EncryptedBytes(canary)}).Error
		if db.Dialect != "mysql" { // has no width
			if err != nil {
				t.Fatal(err)
			}
			mustBeToken(t, raw(t, db, "SELECT v FROM t"), canary)
			return
		}
		if err == nil || leaks(err.Error()) {
			t.Error("no error, or one with the plaintext")
		}
		mustBeUnharmed(t, db, "Save", nil)
	})
}

// TestCheckBytesRefusesWhatLaxMySQLShortens uses widths that leave another remainder
// than a raw token does, such as one more than BytesSize says.
func TestCheckBytesRefusesWhatLaxMySQLShortens(t *testing.T) {
	t.Parallel()
	for columnType, width := range map[string]int{
		"varbinary(20)": 20, "varbinary(74)": 74, "varbinary(255)": 255, "tinyblob": 1<<8 - 1, "blob": 1<<16 - 1,
	} {
		t.Run(columnType, func(t *testing.T) {
			db := laxMySQL(t)
			exec(t, db, fmt.Sprintf("CREATE TABLE t (id integer PRIMARY KEY, v %s CHECK (%s))", columnType, encryptedtype.CheckBytes("v")))
			var fits encryptedtype.EncryptedBytes
			if encryptedtype.BytesSize(0) <= width {
				fits = encryptedtype.EncryptedBytes{}
			}
			exec(t, db, "INSERT INTO t VALUES (1, ?)", fits)
			old := raw(t, db, "SELECT v FROM t")
			long := encryptedtype.EncryptedBytes(canary + strings.Repeat("x", width))
			for _, write := range []string{"INSERT INTO t VALUES (2, ?)", "UPDATE t SET v = ?", "REPLACE INTO t VALUES (1, ?)"} {
				if _, err := db.SQL.Exec(write, long); err == nil || leaks(err.Error()) {
					t.Errorf("%s: no error, or one with the plaintext", write)
				}
				mustBeUnharmed(t, db, write, old)
			}
		})
	}
}

func TestPostgresPaddedColumnIsAnErrorToTheReader(t *testing.T) {
	t.Parallel()
	db := dbtest.Postgres(t)
	exec(t, db, "CREATE TABLE t (v char(200))")
	exec(t, db, "INSERT INTO t VALUES (?)", encryptedtype.EncryptedString(canary))
	var s encryptedtype.EncryptedString = left
	if err := db.SQL.QueryRow("SELECT v FROM t").Scan(&s); !errors.Is(err, fernet.ErrInvalidToken) || s != "" {
		t.Error("a token padded with spaces is read")
	}
	scan(t, db, "SELECT v::text FROM t", nil, &s) // the padding is not part of the value
	if s != canary {
		t.Error("the value is lost")
	}
}
