package encryptedtype_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/fernetcol/fernetcol/encryptedtype"
)

// openMemory opens an empty SQLite database that lives as long as the test.
func openMemory(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1) // every connection would have a database of its own
	t.Cleanup(func() { db.Close() })
	return db
}

// A checkedColumn is a text column with CheckText as its constraint.
type checkedColumn struct {
	accepts, insert *sql.Stmt
}

func newCheckedColumn(t *testing.T, name string) *checkedColumn {
	t.Helper()
	db := openMemory(t)
	prepare := func(query string) *sql.Stmt {
		s, err := db.Prepare(query)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	if _, err := db.Exec(fmt.Sprintf("CREATE TABLE t (%s TEXT CHECK (%s))", name, encryptedtype.CheckText(name))); err != nil {
		t.Fatal(err)
	}
	return &checkedColumn{
		accepts: prepare(fmt.Sprintf("SELECT %s FROM (SELECT ? AS %s)", encryptedtype.CheckText(name), name)),
		insert:  prepare(fmt.Sprintf("INSERT INTO t (%s) VALUES (?)", name)),
	}
}

// stores reports whether the database takes v, by an INSERT.
func (c *checkedColumn) stores(t *testing.T, v any) bool {
	t.Helper()
	_, err := c.insert.Exec(v)
	if err != nil && !strings.Contains(err.Error(), "CHECK constraint failed") {
		t.Fatal(err)
	}
	return err == nil
}

// holds reports whether the condition is true of v, by a SELECT.
func (c *checkedColumn) holds(t *testing.T, v any) bool {
	t.Helper()
	var ok bool
	if err := c.accepts.QueryRow(v).Scan(&ok); err != nil {
		t.Fatal(err)
	}
	return ok
}

func TestCheckTextAcceptsEveryToken(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"email", `"email address"`, "`select`", "[from]", `"%d ? @ it's"`} {
		c := newCheckedColumn(t, name)
		for n := range 301 {
			p := strings.Repeat("\xff", n)
			if !c.stores(t, encryptedtype.EncryptedString(p)) || !c.stores(t, encryptedtype.DeterministicString(p)) {
				t.Errorf("%s: the token of %d bytes is refused", name, n)
			}
		}
		if !c.stores(t, nil) || !c.stores(t, sql.Null[encryptedtype.EncryptedString]{}) {
			t.Errorf("%s: NULL is refused", name)
		}
		if c.stores(t, "alice@example.com") {
			t.Errorf("%s: plaintext is stored", name)
		}
	}
}

func TestCheckTextRefusesPlaintext(t *testing.T) {
	t.Parallel()
	c := newCheckedColumn(t, "email")
	token := testRing.EncryptString("alice@example.com")
	for name, v := range map[string]any{
		"empty":                "",
		"text":                 "alice@example.com",
		"long text":            strings.Repeat("alice@example.com ", 50),
		"text of a token size": strings.Repeat("x", 98) + "==",
		"not ASCII":            strings.Repeat("世", 140),
		"the prefix":           "gAAAAA",
		"the prefix and text":  "gAAAAA" + strings.Repeat("x", 95),
		"other case":           "G" + token[1:],
		"space before":         " " + token,
		"space after":          token + " ",
		"newline after":        token + "\n",
		"two tokens":           token + token,
		"quoted":               `"` + token + `"`,
		"unpadded":             strings.TrimRight(token, "="),
		"too little padding":   token[:len(token)-1] + "A",
		"too much padding":     token[:len(token)-2] + "===",
		"padding of another":   testRing.EncryptString(strings.Repeat("x", 16))[:118] + "==",
		"marker":               encryptedtype.Redacted,
		"a number":             1234567890,
		"raw token":            testRing.EncryptRaw([]byte("alice@example.com")),
	} {
		if c.stores(t, v) {
			t.Errorf("%s is stored", name)
		}
	}
}

// A token cut off at a column's width passes for whole only where the doc comment
// says so: at 12 more than a multiple of 64, such as 140.
func TestCheckTextRefusesShortenedTokens(t *testing.T) {
	t.Parallel()
	c := newCheckedColumn(t, "email")
	slipped := map[int]bool{}
	for n := 0; n <= 300; n += 16 { // one of each length of token
		token := testRing.EncryptString(strings.Repeat("x", n))
		for width := range len(token) {
			want := width >= 100 && width%64 == 12
			if got := c.holds(t, token[:width]); got != want {
				t.Errorf("a token of %d cut off at %d: passes %v, want %v", len(token), width, got, want)
			} else if got {
				slipped[width] = true
			}
		}
		if !c.holds(t, token) {
			t.Errorf("the token of %d bytes is refused", n)
		}
	}
	expected := []int{140, 204, 268, 332, 396, 460}
	for _, width := range expected {
		if !slipped[width] {
			t.Errorf("the width %d lets nothing slip; the doc comment of CheckText says that it does", width)
		}
	}
	if len(slipped) != len(expected) {
		t.Errorf("these widths let a shortened token pass: %v", slipped)
	}
	// What slips through is still not read as anything.
	var s encryptedtype.EncryptedString
	if err := s.Scan(testRing.EncryptString(strings.Repeat("x", 100))[:140]); err == nil || s != "" {
		t.Error("a shortened token was read")
	}
}

// Usual widths of columns, which the doc comment counts on.
func TestCheckTextRefusesTokensCutOffAtUsualWidths(t *testing.T) {
	t.Parallel()
	c := newCheckedColumn(t, "email")
	token := testRing.EncryptString(strings.Repeat("x", 100_000))
	for _, width := range []int{100, 120, 128, 150, 160, 180, 191, 200, 250, 255, 256, 300, 400, 500, 512, 1000, 1024, 2000, 2048, 4000, 4096, 65535} {
		if c.holds(t, token[:width]) {
			t.Errorf("a token cut off at %d passes for whole", width)
		}
	}
}

func TestColumnThroughDatabaseSQL(t *testing.T) {
	t.Parallel()
	db := openMemory(t)
	if _, err := db.Exec("CREATE TABLE t (id INTEGER PRIMARY KEY, v)"); err != nil {
		t.Fatal(err)
	}
	forEachType(t, func(t *testing.T, ct columnType) {
		for name, p := range plaintexts {
			if _, err := db.Exec("INSERT OR REPLACE INTO t VALUES (1, ?)", ct.wrap(p)); err != nil {
				t.Fatal(err)
			}
			var kind string
			var prefix []byte
			if err := db.QueryRow("SELECT typeof(v), substr(v, 1, 1) FROM t").Scan(&kind, &prefix); err != nil {
				t.Fatal(err)
			}
			if ct.raw && (kind != "blob" || prefix[0] != 0x80) || !ct.raw && (kind != "text" || prefix[0] != 'g') {
				t.Errorf("%s: stored as %s that begins with %q", name, kind, prefix)
			}
			d := ct.stale()
			if err := db.QueryRow("SELECT v FROM t").Scan(d.pointer); err != nil || d.plaintext() != p {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
