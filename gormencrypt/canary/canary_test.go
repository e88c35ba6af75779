package canary_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	_ "modernc.org/sqlite"

	"github.com/fernetcol/fernetcol/gormencrypt/canary"
)

type recorder struct{ failures []string }

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

type note struct {
	ID   int64
	Body string
	Raw  []byte
}

func TestCheckFindsPlaintextWhereverItStands(t *testing.T) {
	db, err := gorm.Open(sqlite.Dialector{DriverName: "sqlite", DSN: filepath.Join(t.TempDir(), "canary.db")})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.AutoMigrate(&note{}); err != nil {
		t.Fatal(err)
	}
	const secret = "canary-7d1f"
	check := func(log string, canaries ...string) []string {
		var r recorder
		canary.Check(&r, db, log, canaries...)
		for _, f := range r.failures {
			if strings.Contains(f, secret) {
				t.Errorf("the failure %q repeats the canary", f)
			}
		}
		return r.failures
	}
	if got := check("all quiet", secret); got != nil {
		t.Errorf("an empty database and a clean log: %q", got)
	}
	if got := check("email = '"+secret+"'", "other", secret); len(got) != 1 || !strings.Contains(got[0], "canary 2 stands in the log") {
		t.Errorf("a canary in the log: %q", got)
	}
	if err := db.Create(&note{Body: "x" + secret + "y"}).Error; err != nil {
		t.Fatal(err)
	}
	if got := check("", secret); len(got) != 1 || !strings.Contains(got[0], "notes.body") {
		t.Errorf("a canary in a text column: %q", got)
	}
	if err := db.Model(&note{}).Where("1 = 1").Updates(map[string]any{"body": "", "raw": []byte(secret)}).Error; err != nil {
		t.Fatal(err)
	}
	if got := check("", secret); len(got) != 1 || !strings.Contains(got[0], "notes.raw") {
		t.Errorf("a canary in a binary column: %q", got)
	}
	if got := check(""); len(got) != 1 {
		t.Errorf("no canaries: %q", got)
	}
	if got := check("", ""); len(got) != 1 {
		t.Errorf("an empty canary: %q", got)
	}
}
