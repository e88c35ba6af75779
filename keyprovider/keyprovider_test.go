package keyprovider_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/keyprovider"
)

const variable = "FERNETCOL_TEST_KEYS"

func newKeys(n int) (encoded []string, ids []string) {
	for range n {
		k := fernet.GenerateKey()
		encoded = append(encoded, k.Encode())
		ids = append(ids, k.ID())
	}
	return encoded, ids
}

// source writes keys to one of the two sources and reads the ring back.
type source struct {
	name string
	sep  string
	unit string
	read func(t *testing.T, content string) (*fernet.Keyring, error)
}

var sources = []source{
	{"env", ",", "entry", func(t *testing.T, content string) (*fernet.Keyring, error) {
		t.Setenv(variable, content)
		return keyprovider.FromEnv(variable)
	}},
	{"file", "\n", "line", func(t *testing.T, content string) (*fernet.Keyring, error) {
		return keyprovider.FromFile(writeFile(t, content, 0o600))
	}},
}

func writeFile(t *testing.T, content string, mode fs.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // past the umask
		t.Fatal(err)
	}
	return path
}

func TestFirstKeyIsPrimaryAndAllDecrypt(t *testing.T) {
	encoded, ids := newKeys(3)
	for _, src := range sources {
		t.Run(src.name, func(t *testing.T) {
			kr, err := src.read(t, strings.Join(encoded, src.sep))
			if err != nil {
				t.Fatal(err)
			}
			if kr.PrimaryID() != ids[0] {
				t.Errorf("primary ID = %s, want that of the first key, %s", kr.PrimaryID(), ids[0])
			}
			for i, e := range encoded {
				k, err := fernet.ParseKey(e)
				if err != nil {
					t.Fatal(err)
				}
				one, err := fernet.NewKeyring(k)
				if err != nil {
					t.Fatal(err)
				}
				if id, err := kr.KeyID(one.Encrypt([]byte("x"))); err != nil || id != ids[i] {
					t.Errorf("token under key %d: KeyID = %q, %v; want %q", i, id, err, ids[i])
				}
			}
		})
	}
}

func TestWhiteSpaceAndCommentsAreIgnored(t *testing.T) {
	encoded, ids := newKeys(2)
	for _, tt := range []struct{ source, content string }{
		{"env", " " + encoded[0] + " ,\t" + encoded[1] + "\n"},
		{"file", "# primary\n\n" + encoded[0] + "\r\n  # retired\n " + encoded[1]},
		{"file", encoded[0] + "\n" + encoded[1] + "\n\n"},
	} {
		for _, src := range sources {
			if src.name != tt.source {
				continue
			}
			kr, err := src.read(t, tt.content)
			if err != nil || kr.PrimaryID() != ids[0] {
				t.Errorf("%s: %v, %v; want both keys", src.name, kr, err)
			}
		}
	}
}

func TestBadEntryIsNamedAndNotEchoed(t *testing.T) {
	encoded, _ := newKeys(3)
	good := encoded[0]
	bad := map[string]string{
		"short":              encoded[1][:43],
		"long":               encoded[1] + "A",
		"standard alphabet":  strings.Repeat("+/", 21) + "+=",
		"no padding":         encoded[1][:43] + "A",
		"inner space":        encoded[1][:20] + " " + encoded[1][21:],
		"two keys, no comma": encoded[1] + encoded[2],
		"a pass phrase":      "correct horse battery staple",
		"not ASCII":          "ключ" + encoded[1][8:],
		"all zero":           strings.Repeat("A", 43) + "=",
		"NAME=value":         "SECRET_FERNET_KEY=" + encoded[1],
	}
	for _, src := range sources {
		for name, entry := range bad {
			t.Run(src.name+"/"+name, func(t *testing.T) {
				kr, err := src.read(t, good+src.sep+entry)
				if kr != nil || !errors.Is(err, fernet.ErrInvalidKey) {
					t.Fatalf("got %v, %v; want ErrInvalidKey", kr, err)
				}
				if !strings.Contains(err.Error(), src.unit+" 2") {
					t.Errorf("%q does not name %s 2", err, src.unit)
				}
				for i := 0; i+8 <= len(entry); i++ {
					if entry != bad["all zero"] && strings.Contains(err.Error(), entry[i:i+8]) && !strings.HasPrefix(entry[i:], "SECRET_") {
						t.Fatalf("%q repeats a part of the entry", err)
					}
				}
			})
		}
	}
}

func TestRepeatedKeyIsNamed(t *testing.T) {
	encoded, _ := newKeys(2)
	for _, src := range sources {
		_, err := src.read(t, strings.Join([]string{encoded[0], encoded[1], encoded[0]}, src.sep))
		if !errors.Is(err, fernet.ErrInvalidKey) || !strings.Contains(err.Error(), src.unit+" 3 repeats "+src.unit+" 1") {
			t.Errorf("%s: %v; want ErrInvalidKey that names both places", src.name, err)
		}
	}
}

func TestEmptyEntryIsAnError(t *testing.T) {
	encoded, _ := newKeys(2)
	for _, list := range []string{encoded[0] + ",", "," + encoded[0], encoded[0] + ",," + encoded[1]} {
		t.Setenv(variable, list)
		if _, err := keyprovider.FromEnv(variable); !errors.Is(err, fernet.ErrInvalidKey) {
			t.Errorf("a list with an empty entry: %v; want ErrInvalidKey", err)
		}
	}
}

func TestNoKeysIsItsOwnError(t *testing.T) {
	for _, src := range sources {
		for _, content := range []string{"", " \n\t"} {
			if _, err := src.read(t, content); !errors.Is(err, keyprovider.ErrNoKeys) {
				t.Errorf("%s: %v; want ErrNoKeys", src.name, err)
			}
		}
	}
	if _, err := keyprovider.FromEnv("FERNETCOL_TEST_NOT_SET"); !errors.Is(err, keyprovider.ErrNoKeys) || !strings.Contains(err.Error(), "FERNETCOL_TEST_NOT_SET") {
		t.Errorf("unset variable: %v; want ErrNoKeys with its name", err)
	}
	if _, err := keyprovider.FromFile(writeFile(t, "# none yet\n", 0o600)); !errors.Is(err, keyprovider.ErrNoKeys) {
		t.Errorf("file of comments: %v; want ErrNoKeys", err)
	}
}

func TestFileThatOthersMayReadIsRefused(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes do not say who may read a file here")
	}
	encoded, _ := newKeys(1)
	rootOwned := os.Geteuid() == 0
	for _, tt := range []struct {
		mode fs.FileMode
		ok   bool
	}{
		{0o600, true}, {0o400, true}, {0o700, true},
		{0o644, false}, {0o604, false}, {0o666, false}, {0o602, false}, {0o660, false}, {0o610, false},
		{0o640, rootOwned}, {0o440, rootOwned},
	} {
		path := writeFile(t, encoded[0], tt.mode)
		_, err := keyprovider.FromFile(path)
		if tt.ok && err != nil {
			t.Errorf("mode %04o: %v", tt.mode, err)
		}
		if !tt.ok && (err == nil || !strings.Contains(err.Error(), "chmod 600 "+path)) {
			t.Errorf("mode %04o: %v; want an error with the remedy", tt.mode, err)
		}
	}
}

func TestUnusableFiles(t *testing.T) {
	if _, err := keyprovider.FromFile(filepath.Join(t.TempDir(), "missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v; want fs.ErrNotExist", err)
	}
	if _, err := keyprovider.FromFile(t.TempDir()); err == nil || !strings.Contains(err.Error(), "directory") {
		t.Errorf("directory: %v", err)
	}
	if _, err := keyprovider.FromFile(writeFile(t, strings.Repeat("#\n", 1<<20), 0o600)); err == nil || !strings.Contains(err.Error(), "larger") {
		t.Errorf("huge file: %v", err)
	}
}
