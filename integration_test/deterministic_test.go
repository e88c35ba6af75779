package integration_test

import (
	"bytes"
	"testing"

	"gorm.io/gorm/clause"

	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/internal/dbtest"
)

// account has a column that the database compares.
type account struct {
	ID    int                               `gorm:"primaryKey;autoIncrement:false"`
	Email encryptedtype.DeterministicString `gorm:"type:varchar(255);uniqueIndex"`
	Team  *encryptedtype.DeterministicString
}

const (
	alice = encryptedtype.DeterministicString(canary + "-alice@example.com")
	bob   = encryptedtype.DeterministicString(canary + "-bob@example.com")
	carol = encryptedtype.DeterministicString(canary + "-carol@example.com")
)

func createAccounts(t *testing.T, db *dbtest.Database) {
	t.Helper()
	g := db.GORM(t)
	if err := g.AutoMigrate(&account{}); err != nil {
		t.Fatal(err)
	}
	red, blue := encryptedtype.DeterministicString("red"), encryptedtype.DeterministicString("blue")
	if err := g.Create([]account{{1, alice, &red}, {2, bob, &red}, {3, carol, &blue}, {4, "", nil}}).Error; err != nil {
		t.Fatal(err)
	}
}

func TestDeterministicEquality(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		createAccounts(t, db)
		red := encryptedtype.DeterministicString("red")
		for want, c := range map[int]struct {
			query string
			args  []any
		}{
			1: {"email = ?", []any{alice}},
			2: {"team = ?", []any{&red}},
			3: {"email IN (?, ?, ?)", []any{alice, carol, encryptedtype.DeterministicString("")}},
			4: {"email <> ?", []any{encryptedtype.DeterministicString(canary)}},
			0: {"email = ?", []any{encryptedtype.EncryptedString(alice)}}, // another token each time
		} {
			if n := count(t, db, "SELECT COUNT(*) FROM accounts WHERE "+c.query, c.args...); n != want {
				t.Errorf("%s finds %d rows, want %d", c.query, n, want)
			}
			var n int64
			if err := db.GORM(t).Model(&account{}).Where(c.query, c.args...).Count(&n).Error; err != nil || int(n) != want {
				t.Errorf("GORM: %s finds %d rows, want %d: %v", c.query, n, want, err)
			}
		}

		g := db.GORM(t)
		var byStruct, byMap, first account
		if err := g.Where(&account{Email: bob}).Take(&byStruct).Error; err != nil || byStruct.ID != 2 || byStruct.Email != bob {
			t.Errorf("a struct as condition: %v", err)
		}
		if err := g.Where(map[string]any{"email": bob}).Take(&byMap).Error; err != nil || byMap.ID != 2 {
			t.Errorf("a map as condition: %v", err)
		}
		if err := g.Where(account{Email: bob}).Attrs(account{ID: 9}).FirstOrCreate(&first).Error; err != nil || first.ID != 2 {
			t.Errorf("FirstOrCreate: %v", err)
		}
		var in []account
		if err := g.Where("email IN ?", []encryptedtype.DeterministicString{alice, bob}).Find(&in).Error; err != nil || len(in) != 2 {
			t.Errorf("IN finds %d rows: %v", len(in), err)
		}
		// Another ring looks for another token.
		if n := count(t, db, "SELECT COUNT(*) FROM accounts WHERE email = ?", encryptedtype.Bind(foreignRing, alice)); n != 0 {
			t.Errorf("a foreign ring finds %d rows", n)
		}
	})
}

func TestDeterministicGroups(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		createAccounts(t, db)
		exec(t, db, "CREATE TABLE logins (email "+db.TextType()+", n integer)")
		for range 3 {
			exec(t, db, "INSERT INTO logins VALUES (?, 1)", alice)
		}
		exec(t, db, "INSERT INTO logins VALUES (?, 1)", bob)

		if n := count(t, db, "SELECT COUNT(*) FROM accounts JOIN logins ON accounts.email = logins.email WHERE accounts.id = 1"); n != 3 {
			t.Errorf("the join finds %d rows", n)
		}
		if n := count(t, db, "SELECT COUNT(DISTINCT email) FROM logins"); n != 2 {
			t.Errorf("there are %d distinct values", n)
		}
		var email encryptedtype.DeterministicString
		var n int
		scan(t, db, "SELECT email, COUNT(*) FROM logins GROUP BY email ORDER BY 2 DESC LIMIT 1", nil, &email, &n)
		if email != alice || n != 3 {
			t.Errorf("the largest group has %d rows, or is another one", n)
		}
	})
}

func TestDeterministicUnique(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		createAccounts(t, db)
		before := rawColumn(t, db, "SELECT email FROM accounts ORDER BY id")
		g := db.GORM(t)
		for write, err := range map[string]error{
			"Create":         g.Create(&account{ID: 5, Email: alice}).Error,
			"Update":         g.Model(&account{ID: 2}).Update("email", alice).Error,
			"the same again": g.Create(&account{ID: 6}).Error,
		} {
			if err == nil || leaks(err.Error()) {
				t.Errorf("%s: no error, or one with the plaintext", write)
			}
		}
		if _, err := db.SQL.Exec(db.Rebind("INSERT INTO accounts (id, email) VALUES (7, ?)"), alice); err == nil {
			t.Error("database/sql stores the same value twice")
		}
		if err := g.Clauses(clause.OnConflict{DoNothing: true}).Create(&account{ID: 8, Email: alice}).Error; err != nil {
			t.Error(err)
		}
		for i, stored := range rawColumn(t, db, "SELECT email FROM accounts ORDER BY id") {
			if i >= len(before) || !bytes.Equal(stored, before[i]) {
				t.Fatal("the table has changed")
			}
		}

		upsert := clause.OnConflict{Columns: []clause.Column{{Name: "email"}}, DoUpdates: clause.AssignmentColumns([]string{"team"})}
		green := encryptedtype.DeterministicString("green")
		if err := g.Clauses(upsert).Create(&account{ID: 9, Email: bob, Team: &green}).Error; err != nil {
			t.Fatal(err)
		}
		mustBeToken(t, raw(t, db, "SELECT team FROM accounts WHERE id = 2"), "green")
	})
}

// TestDeterministicDuringRotation has a row under each key of the ring.
func TestDeterministicDuringRotation(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		createAccounts(t, db)
		// UNIQUE holds among the rows of one key.
		exec(t, db, "INSERT INTO accounts (id, email) VALUES (11, ?)", encryptedtype.Bind(retiredRing, alice))
		exec(t, db, "INSERT INTO accounts (id, email) VALUES (12, ?)", encryptedtype.Bind(foreignRing, alice))

		if n := count(t, db, "SELECT COUNT(*) FROM accounts WHERE email = ?", alice); n != 1 {
			t.Errorf("the value itself finds %d rows, want that of the primary key", n)
		}
		tokens := alice.Tokens(ring)
		if len(tokens) != 2 {
			t.Fatalf("%d tokens for 2 keys", len(tokens))
		}
		if n := count(t, db, "SELECT COUNT(*) FROM accounts WHERE email IN (?, ?)", tokens[0], tokens[1]); n != 2 {
			t.Errorf("the tokens find %d rows, want 2", n)
		}
		var found []account
		if err := db.GORM(t).Where("email IN ?", tokens).Order("id").Find(&found).Error; err != nil {
			t.Fatal(err)
		}
		if len(found) != 2 || found[0].ID != 1 || found[1].ID != 11 || found[0].Email != alice || found[1].Email != alice {
			t.Error("GORM finds other rows")
		}

		// Rotated, the two are the same token.
		rotated, err := ring.Rotate(raw(t, db, "SELECT email FROM accounts WHERE id = 11"))
		if err != nil {
			t.Fatal(err)
		}
		if string(rotated) != tokens[0] {
			t.Error("a rotated token is not the deterministic one")
		}
		if _, err := db.SQL.Exec(db.Rebind("UPDATE accounts SET email = ? WHERE id = 11"), string(rotated)); err == nil {
			t.Error("UNIQUE does not hold once both rows are under one key")
		}
	})
}

// TestMySQLComparesTokensWithoutCase is why the documentation asks for a binary
// collation. Two real tokens that differ in case only do not come up by chance.
func TestMySQLComparesTokensWithoutCase(t *testing.T) {
	t.Parallel()
	for collation, want := range map[string]int{"": 1, "CHARACTER SET ascii COLLATE ascii_bin": 0} {
		db := dbtest.MySQL(t)
		exec(t, db, "CREATE TABLE t (v varchar(255) "+collation+")")
		exec(t, db, "INSERT INTO t VALUES (?)", alice)
		other := bytes.ToLower([]byte(alice.Tokens(ring)[0]))
		if n := count(t, db, "SELECT COUNT(*) FROM t WHERE v = ?", string(other)); n != want {
			t.Errorf("collation %q: another token finds %d rows, want %d", collation, n, want)
		}
		if n := count(t, db, "SELECT COUNT(*) FROM t WHERE v = ?", alice); n != 1 {
			t.Errorf("collation %q: the value itself finds %d rows", collation, n)
		}
	}
}
