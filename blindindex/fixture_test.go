package blindindex_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/fernetcol/fernetcol/blindindex"
	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/internal/dbtest"
)

// testKey and otherKey are published keys, which no program may use.
var (
	testKey  = mustParse("fake-key_for-the-tests_do-not-use-this-one8=")
	otherKey = mustParse("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=")
	noKey    fernet.Key
)

func mustParse(encoded string) fernet.Key {
	k, err := fernet.ParseKey(encoded)
	if err != nil {
		panic("a published key is not a key")
	}
	return k
}

// must is for what cannot fail in a test that is right.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func newIndex(t testing.TB, o blindindex.Options) *blindindex.Index {
	t.Helper()
	ix, err := blindindex.New(testKey, "users", "email", "email_index", o)
	if err != nil {
		t.Fatal(err)
	}
	return ix
}

// wantError checks that err wraps target, if there is one, begins with the name of
// the package and says all of what.
func wantError(t *testing.T, name string, err, target error, what ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", name)
		return
	}
	if target != nil && !errors.Is(err, target) {
		t.Errorf("%s: the error does not wrap the sentinel: %v", name, err)
	}
	for _, w := range append(what, "blindindex: ") {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%s: the error does not say %q: %v", name, w, err)
		}
	}
}

// exec runs a statement that must succeed.
func exec(t *testing.T, db *dbtest.Database, query string, args ...any) {
	t.Helper()
	if _, err := db.SQL.Exec(db.Rebind(query), args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// numbered returns n different texts.
func numbered(n int) []string {
	texts := make([]string, n)
	for i := range texts {
		texts[i] = fmt.Sprintf("user%d@example.com", i)
	}
	return texts
}
