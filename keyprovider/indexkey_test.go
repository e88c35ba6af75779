package keyprovider_test

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/keyprovider"
)

// indexSource reads an index key from one of the two sources.
type indexSource struct {
	name, sep, unit string
	read            func(t *testing.T, content string) (fernet.Key, error)
}

var indexSources = []indexSource{
	{"env", ",", "entry", func(t *testing.T, content string) (fernet.Key, error) {
		t.Setenv(variable, content)
		return keyprovider.IndexKeyFromEnv(variable)
	}},
	{"file", "\n", "line", func(t *testing.T, content string) (fernet.Key, error) {
		return keyprovider.IndexKeyFromFile(writeFile(t, content, 0o600))
	}},
}

// wantNoPart checks that an error repeats no eight characters of an entry.
func wantNoPart(t *testing.T, err error, entries ...string) {
	t.Helper()
	for _, e := range entries {
		for i := 0; i+8 <= len(e); i++ {
			if strings.Contains(err.Error(), e[i:i+8]) {
				t.Fatal("the error repeats a part of an entry")
			}
		}
	}
}

func TestIndexKeyIsTheOneInItsSource(t *testing.T) {
	encoded, ids := newKeys(1)
	for _, src := range indexSources {
		for _, content := range []string{encoded[0], " " + encoded[0] + "\t\n", "\r\n" + encoded[0]} {
			k, err := src.read(t, content)
			if err != nil || k.ID() != ids[0] {
				t.Errorf("%s: another key, or %v", src.name, err)
			}
		}
	}
	if k, err := indexSources[1].read(t, "# index key\n\n"+encoded[0]+"\n# end\n"); err != nil || k.ID() != ids[0] {
		t.Errorf("file with comments: another key, or %v", err)
	}
}

// A list is that of the encryption keys in the wrong place, or an attempt to rotate.
func TestSeveralIndexKeysAreAnError(t *testing.T) {
	encoded, _ := newKeys(3)
	for _, src := range indexSources {
		for n := 2; n <= 3; n++ {
			k, err := src.read(t, strings.Join(encoded[:n], src.sep))
			if err == nil || !k.IsZero() {
				t.Fatalf("%s: %d keys are taken", src.name, n)
			}
			if !strings.Contains(err.Error(), "an index has one") || !strings.Contains(err.Error(), "a variable or file of its own") {
				t.Errorf("%s: %v; want an error with the remedy", src.name, err)
			}
			wantNoPart(t, err, encoded...)
		}
		k, err := src.read(t, encoded[0]+src.sep+encoded[0])
		if !errors.Is(err, fernet.ErrInvalidKey) || !k.IsZero() {
			t.Errorf("%s: a key twice: %v", src.name, err)
		}
	}
}

func TestNoIndexKeyIsItsOwnError(t *testing.T) {
	for _, src := range indexSources {
		for _, content := range []string{"", " \n\t"} {
			if k, err := src.read(t, content); !errors.Is(err, keyprovider.ErrNoKeys) || !k.IsZero() {
				t.Errorf("%s: %v; want ErrNoKeys", src.name, err)
			}
		}
	}
	if _, err := keyprovider.IndexKeyFromEnv("FERNETCOL_TEST_NOT_SET"); !errors.Is(err, keyprovider.ErrNoKeys) || !strings.Contains(err.Error(), "FERNETCOL_TEST_NOT_SET") {
		t.Errorf("unset variable: %v; want ErrNoKeys with its name", err)
	}
	if _, err := keyprovider.IndexKeyFromFile(writeFile(t, "# none\n", 0o600)); !errors.Is(err, keyprovider.ErrNoKeys) {
		t.Errorf("file of comments: %v; want ErrNoKeys", err)
	}
}

func TestBadIndexKeyIsNamedAndNotEchoed(t *testing.T) {
	encoded, _ := newKeys(2)
	for name, bad := range map[string]string{
		"short": encoded[1][:43], "long": encoded[1] + "A", "a pass phrase": "correct horse battery staple", "all zero": strings.Repeat("A", 43) + "=",
		"hexadecimal": fmt.Sprintf("%x", encoded[1][:32]),
	} {
		for _, src := range indexSources {
			k, err := src.read(t, bad)
			if !errors.Is(err, fernet.ErrInvalidKey) || !k.IsZero() || !strings.Contains(err.Error(), src.unit+" 1") {
				t.Errorf("%s, %s: %v; want ErrInvalidKey at %s 1", src.name, name, err, src.unit)
				continue
			}
			wantNoPart(t, err, bad)
		}
	}
}

func TestIndexKeyFileThatOthersMayReadIsRefused(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes do not say who may read a file here")
	}
	encoded, _ := newKeys(1)
	path := writeFile(t, encoded[0], 0o644)
	k, err := keyprovider.IndexKeyFromFile(path)
	if err == nil || !k.IsZero() || !strings.Contains(err.Error(), "chmod 600 "+path) {
		t.Errorf("%v; want an error with the remedy", err)
	}
	if _, err := keyprovider.IndexKeyFromFile(filepath.Join(t.TempDir(), "missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
}

func TestIndexKeyPrintsAsItsMarker(t *testing.T) {
	encoded, _ := newKeys(1)
	for _, src := range indexSources {
		k, err := src.read(t, encoded[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			wantNoPart(t, fmt.Errorf(verb, k), encoded[0])
		}
	}
}
