package encryptedtype_test

import (
	"database/sql"
	"database/sql/driver"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
)

// Keys for tests and examples, published and worthless.
const (
	exampleNew   = "RVhBTVBMRS1LRVktTkVXLU5PVC1BLVNFQ1JFVC0wMDE=" // EXAMPLE-KEY-NEW-NOT-A-SECRET-001
	exampleOld   = "RVhBTVBMRS1LRVktT0xELU5PVC1BLVNFQ1JFVC0wMDE=" // EXAMPLE-KEY-OLD-NOT-A-SECRET-001
	exampleOther = "RVhBTVBMRS1LRVktT1RILU5PVC1BLVNFQ1JFVC0wMDE=" // EXAMPLE-KEY-OTH-NOT-A-SECRET-001
)

// testRing is the process default of the tests; otherRing opens nothing of it.
var (
	testRing  = keyring(exampleNew, exampleOld)
	otherRing = keyring(exampleOther)
)

func TestMain(m *testing.M) {
	if crash, ok := crashes[os.Getenv(crashVariable)]; ok {
		crash() // see crash_test.go
	}
	if err := encryptedtype.SetDefault(testRing); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// storable reports whether a driver would take v, or a careless caller would take
// it for NULL.
func storable(v any) bool { return v == nil || driver.IsValue(v) }

func keyring(keys ...string) *fernet.Keyring {
	var parsed []fernet.Key
	for _, s := range keys {
		k, err := fernet.ParseKey(s)
		if err != nil {
			panic(err)
		}
		parsed = append(parsed, k)
	}
	kr, err := fernet.NewKeyring(parsed[0], parsed[1:]...)
	if err != nil {
		panic(err)
	}
	return kr
}

// A columnType is one of the types of the package, to a test of what holds for
// all of them.
type columnType struct {
	name string
	raw  bool // stored in raw form

	// wrap makes a value of a plaintext.
	wrap func(plaintext string) driver.Valuer
	// stale makes a destination that an earlier row has filled.
	stale func() *destination
}

// A destination is a *T for Scan.
type destination struct {
	sql.Scanner
	pointer   any           // *T
	value     reflect.Value // T
	plaintext func() string
}

func (d *destination) isZero() bool { return d.value.IsZero() }

const staleRow = "the plaintext of an earlier row"

func columnTypeOf[T driver.Valuer](wrap func(string) T, plaintext func(T) string) columnType {
	_, raw := any(*new(T)).(encryptedtype.EncryptedBytes)
	name, _, _ := strings.Cut(reflect.TypeFor[T]().Name(), "[")
	return columnType{
		name: name,
		raw:  raw,
		wrap: func(p string) driver.Valuer { return wrap(p) },
		stale: func() *destination {
			v := wrap(staleRow)
			return &destination{
				Scanner:   any(&v).(sql.Scanner),
				pointer:   &v,
				value:     reflect.ValueOf(&v).Elem(),
				plaintext: func() string { return plaintext(v) },
			}
		},
	}
}

// columnTypes is every type of the package. The plaintext of Encrypted is a
// []byte, which JSON keeps whatever its bytes are.
var columnTypes = []columnType{
	columnTypeOf(
		func(p string) encryptedtype.EncryptedString { return encryptedtype.EncryptedString(p) },
		func(s encryptedtype.EncryptedString) string { return string(s) }),
	columnTypeOf(
		func(p string) encryptedtype.EncryptedBytes { return append(encryptedtype.EncryptedBytes{}, p...) },
		func(b encryptedtype.EncryptedBytes) string { return string(b) }),
	columnTypeOf(
		func(p string) encryptedtype.Encrypted[[]byte] {
			return encryptedtype.Encrypted[[]byte]{V: append([]byte{}, p...)}
		},
		func(e encryptedtype.Encrypted[[]byte]) string { return string(e.V) }),
	columnTypeOf(
		func(p string) encryptedtype.DeterministicString { return encryptedtype.DeterministicString(p) },
		func(s encryptedtype.DeterministicString) string { return string(s) }),
}

// forEachType runs a test for every type of the package.
func forEachType(t *testing.T, test func(t *testing.T, ct columnType)) {
	for _, ct := range columnTypes {
		t.Run(ct.name, func(t *testing.T) { test(t, ct) })
	}
}

// mustValue returns the token that v is stored as.
func mustValue(t testing.TB, v driver.Valuer) driver.Value {
	t.Helper()
	token, err := v.Value()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// tokenBytes returns a token, a string or []byte, as []byte.
func tokenBytes(t testing.TB, token driver.Value) []byte {
	t.Helper()
	switch v := token.(type) {
	case string:
		return []byte(v)
	case []byte:
		return v
	}
	t.Fatalf("the token is a %T", token)
	return nil
}
