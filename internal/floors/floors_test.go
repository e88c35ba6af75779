package floors_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/fernetcol/fernetcol"

// anything allows a package every import.
const anything = "*"

// rules says what each package, and those below it, may depend on beside the
// standard library and itself, directly or through others: packages of this
// module by their folder, others by the beginning of their path. Packages of one
// floor do not stand in each other's line.
var rules = map[string][]string{
	// Floor 0.
	"fernet": {},
	// Floor 1.
	"encryptedtype": {"fernet"},
	// Unicode and Argon2id, for transforms and slow indexes.
	"blindindex":  {"fernet", "golang.org/x/text", "golang.org/x/crypto", "golang.org/x/sys"},
	"keyprovider": {"fernet"},
	// Floor 2. Gorm brings the last three.
	"gormencrypt": {"fernet", "encryptedtype", "blindindex", "keyprovider", "gorm.io/gorm", "github.com/jinzhu/inflection", "github.com/jinzhu/now", "golang.org/x/text", "golang.org/x/crypto", "golang.org/x/sys"},
	"reencrypt":   {"fernet", "blindindex", "internal/dialect", "golang.org/x/text", "golang.org/x/crypto", "golang.org/x/sys"},
	// Floor 3. What is imported from outside the module is the drivers.
	"internal/cli":  {"fernet", "encryptedtype", "blindindex", "keyprovider", "gormencrypt", "reencrypt", "internal/dialect", outside},
	"cmd/fernetcol": {"internal/cli", "fernet", "encryptedtype", "blindindex", "keyprovider", "gormencrypt", "reencrypt", "internal/dialect", outside},
	// Floor 4.
	"examples":         {anything},
	"integration_test": {anything},
	// What serves the floors above.
	"internal/dialect": {},
	"internal/dbtest":  {"internal/dialect", outside},
	"internal/bulk":    {outside},
	"internal/floors":  {},
}

// outside allows whatever is not in this module.
const outside = "outside"

// A listed package is one that go list prints.
type listed struct {
	ImportPath string
	Standard   bool
	Deps       []string // all of them, through others too
}

func TestPackagesKeepToTheirFloor(t *testing.T) {
	t.Parallel()
	readSources(t)
	// Tests may import more: only what a program links counts.
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Standard,Deps", module+"/...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	var packages []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
	for _, folder := range []string{"fernet", "encryptedtype", "keyprovider"} {
		if !slices.ContainsFunc(packages, func(p listed) bool { return p.ImportPath == module+"/"+folder }) {
			t.Errorf("go list does not print %s", folder)
		}
	}
	for _, v := range violations(packages) {
		t.Error(v)
	}
}

// readSources reads the folders of the module. Go reuses the result of a test
// until a file or folder that it read changes, and does not see what go list
// reads.
func readSources(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && strings.HasPrefix(d.Name(), ".") && d.Name() != ".." {
			return fs.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// violations returns a line for each dependency that the rules do not allow.
func violations(packages []listed) []string {
	standard := map[string]bool{"C": true, "unsafe": true}
	for _, p := range packages {
		standard[p.ImportPath] = standard[p.ImportPath] || p.Standard
	}
	var found []string
	for _, p := range packages {
		folder, ours := ownFolder(p.ImportPath)
		if !ours {
			continue
		}
		room, ok := roomOf(folder)
		if !ok {
			found = append(found, fmt.Sprintf("%s stands on no floor: give it a place in the rules of this test", folder))
			continue
		}
		for _, dep := range p.Deps {
			if !standard[dep] && !allowed(room, dep) {
				found = append(found, fmt.Sprintf("%s depends on %s; it may depend on %v", folder, dep, rules[room]))
			}
		}
	}
	return found
}

// ownFolder returns where in this module a package lies.
func ownFolder(importPath string) (string, bool) {
	return strings.CutPrefix(importPath, module+"/")
}

// roomOf returns the folder in the rules that a package lies in.
func roomOf(folder string) (string, bool) {
	for room := range rules {
		if within(folder, room) {
			return room, true
		}
	}
	return "", false
}

func allowed(room, dep string) bool {
	name, ours := ownFolder(dep)
	if !ours {
		name = dep
	}
	return within(name, room) || slices.ContainsFunc(rules[room], func(rule string) bool {
		return rule == anything || rule == outside && !ours || within(name, rule)
	})
}

// within reports whether path is dir or lies in it.
func within(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }

// The rules are worth nothing if they never fail.
func TestViolationsAreFound(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		folder, dep string
		ok          bool
	}{
		{"fernet", "crypto/aes", true},
		{"fernet", "golang.org/x/crypto/hkdf", false},
		{"fernet", module + "/encryptedtype", false},
		{"fernet", module + "/fernet/internal/base64", true},
		{"encryptedtype", module + "/fernet", true},
		{"encryptedtype", module + "/fernet/internal/base64", true},
		{"encryptedtype", module + "/fernetic", false},
		{"encryptedtype", module + "/keyprovider", false},
		{"encryptedtype", module + "/blindindex", false},
		{"encryptedtype", "gorm.io/gorm/schema", false},
		{"keyprovider", module + "/encryptedtype", false},
		{"blindindex", module + "/encryptedtype", false},
		{"gormencrypt", "gorm.io/gorm/schema", true},
		{"gormencrypt", "gorm.io/driver/sqlite", false},
		{"gormencrypt", module + "/reencrypt", false},
		{"reencrypt", module + "/internal/dialect", true},
		{"reencrypt", module + "/encryptedtype", false},
		{"reencrypt", "gorm.io/gorm", false},
		{"cmd/fernetcol", "github.com/jackc/pgx/v5", true},
		{"cmd/fernetcol", module + "/internal/dbtest", false},
		{"internal/dialect", module + "/fernet", false},
		{"internal/dbtest", module + "/encryptedtype", false},
		{"examples/quickstart", module + "/gormencrypt", true},
		{"util", "fmt", false},
	} {
		found := violations([]listed{
			{ImportPath: "fmt", Standard: true}, {ImportPath: "crypto/aes", Standard: true},
			{ImportPath: module + "/" + tt.folder, Deps: []string{tt.dep}},
		})
		if (len(found) == 0) != tt.ok {
			t.Errorf("%s importing %s: %q", tt.folder, tt.dep, found)
		}
	}
}
