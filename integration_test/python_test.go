package integration_test

import (
	"bytes"
	"encoding/json"
	"os"
	osexec "os/exec"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/internal/dbtest"
)

// findPython looks for an interpreter that has what testdata/beside.py imports.
var findPython = sync.OnceValues(func() (string, error) {
	python, err := osexec.LookPath("python3")
	if err != nil {
		return "", err
	}
	return python, osexec.Command(python, "-c", "import cryptography.fernet, sqlite3").Run()
})

// needPython returns the interpreter or skips the test.
func needPython(t *testing.T) string {
	t.Helper()
	python, err := findPython()
	if err != nil {
		const missing = "no python3 with cryptography and sqlite3; install it with: python3 -m pip install cryptography"
		if dbtest.Required(t, "python") {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	return python
}

// beside runs testdata/beside.py on the file of a database.
func beside(t *testing.T, db *dbtest.Database, input any, command string, keys ...fernet.Key) []byte {
	t.Helper()
	stdin, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	var file string
	scan(t, db, "SELECT file FROM pragma_database_list WHERE name = 'main'", nil, &file)
	list := ""
	for i, k := range keys {
		if i > 0 {
			list += ","
		}
		list += k.Encode()
	}

	cmd := osexec.Command(needPython(t), "testdata/beside.py", command, file)
	cmd.Env = append(os.Environ(), "FERNET_KEYS="+list)
	cmd.Stdin = bytes.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("beside.py %s: %v\n%s", command, err, stderr.Bytes())
	}
	return out
}

// onSQLite runs a test with both drivers.
func onSQLite(t *testing.T, test func(t *testing.T, db *dbtest.Database)) {
	t.Helper()
	t.Parallel()
	needPython(t)
	t.Run("sqlite", func(t *testing.T) { test(t, dbtest.SQLite(t)) })
	t.Run("sqlite-cgo", func(t *testing.T) { test(t, dbtest.SQLiteCgo(t)) })
}

func text(s string) *string { return &s }

func TestPythonReadsWhatGoWrites(t *testing.T) {
	onSQLite(t, func(t *testing.T, db *dbtest.Database) {
		g := db.GORM(t)
		if err := g.AutoMigrate(&patient{}); err != nil {
			t.Fatal(err)
		}
		rows := []patient{newPatient(1), {ID: 2}, {ID: 3, Name: "Zoë 你好 🔐\x00", Photo: encryptedtype.EncryptedBytes("0123456789abcdef")}}
		if err := g.Create(rows).Error; err != nil {
			t.Fatal(err)
		}

		want := [][]*string{
			{text(canary + "-name"), text(canary + "-photo"), text(`{"note":"` + canary + `"}`), text(canary + "@example.com")},
			{text(""), nil, text("null"), text("")},
			{text("Zoë 你好 🔐\x00"), text("0123456789abcdef"), text("null"), text("")},
		}
		for _, command := range []string{"", "rotate"} {
			if command != "" {
				beside(t, db, nil, command, currentKey)
			}
			var got [][]*string
			if err := json.Unmarshal(beside(t, db, nil, "read", retiredKey, currentKey), &got); err != nil {
				t.Fatal("beside.py prints no JSON")
			}
			if !cmp.Equal(want, got) {
				t.Error("Python reads other values")
			}
		}
		var again patient
		if err := g.Take(&again, 1).Error; err != nil || again.Name != rows[0].Name || string(again.Photo) != string(rows[0].Photo) {
			t.Errorf("Go does not read what Python rotated: %v", err)
		}
	})
}

func TestGoReadsWhatPythonWrites(t *testing.T) {
	onSQLite(t, func(t *testing.T, db *dbtest.Database) {
		g := db.GORM(t)
		if err := g.AutoMigrate(&patient{}); err != nil {
			t.Fatal(err)
		}
		rows := [][]*string{
			{text(canary), text(canary), text(`{"note": "` + canary + `"}`), text(canary)},
			{text(""), text(""), text("{}"), text("")},
			{nil, nil, nil, nil},
		}
		beside(t, db, rows, "write", retiredKey, currentKey)

		var got []patient
		if err := g.Order("id").Find(&got).Error; err != nil {
			t.Fatal(err)
		}
		if len(got) != 3 {
			t.Fatalf("Go reads %d rows", len(got))
		}
		if p := got[0]; p.Name != canary || string(p.Photo) != canary || p.Notes.V["note"] != canary || p.Email != canary {
			t.Error("Go reads other values")
		}
		if p := got[1]; p.Name != "" || p.Photo == nil || len(p.Photo) != 0 || p.Notes.V == nil || p.Email != "" {
			t.Error("Go reads other empty values")
		}
		if p := got[2]; p.Name != "" || p.Photo != nil || p.Notes.V != nil || p.Email != "" {
			t.Error("Go reads a value for NULL")
		}

		// Python's tokens are as good as Go's to those who read the column.
		name := raw(t, db, "SELECT name FROM patients WHERE id = 100")
		if err := isToken(retiredRing, name, []byte(canary)); err != nil {
			t.Error(err)
		}
		beside(t, db, nil, "rotate", currentKey, retiredKey)
		mustBeToken(t, raw(t, db, "SELECT name FROM patients WHERE id = 100"), canary)
	})
}
