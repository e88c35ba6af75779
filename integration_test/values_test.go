package integration_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/internal/dbtest"
)

// plaintexts are what a column type must bring back unchanged: around the block size
// of the cipher, and whatever a database, a driver or this module might take for
// something else than data.
func plaintexts() map[string]string {
	return map[string]string{
		"empty":            "",
		"1 byte":           "a",
		"15 bytes":         strings.Repeat("b", 15),
		"16 bytes":         strings.Repeat("c", 16),
		"17 bytes":         strings.Repeat("d", 17),
		"NUL bytes":        "\x00" + canary + "\x00",
		"one NUL byte":     "\x00",
		"SQL":              `'; DROP TABLE t; -- \' " ? $1 %s :a @b` + canary,
		"line ends":        "\r\n" + canary + "\n\n",
		"trailing spaces":  canary + "   ",
		"UTF-8":            canary + " Zoë 你好 🔐",
		"byte order mark":  "\ufeff" + canary,
		"invalid UTF-8":    canary + "\xff\xfe\x80",
		"all bytes":        allBytes() + canary,
		"a word for NULL":  "null",
		"marker":           encryptedtype.Redacted,
		"begins a token":   "gAAAAA" + canary,
		"a token":          ring.EncryptString(canary),
		"a foreign token":  foreignRing.EncryptString(canary),
		"begins a raw one": "\x80" + canary,
		"hex of bytes":     `\x` + canary,
		"1 MiB":            strings.Repeat(canary+"\x00\xff ", 1<<20/(len(canary)+3)),
	}
}

func allBytes() string {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	return string(b)
}

// A record is a row of table t.
type record[T any] struct {
	ID int `gorm:"primaryKey;autoIncrement:false"`
	V  T
}

// A way is one by which a program writes and reads the table t (id, v).
type way[T any] struct {
	name  string
	write func(id int, v T) error
	read  func(id int) (T, error)
}

// ways returns database/sql, with a prepared statement, and GORM.
func ways[T any](t *testing.T, db *dbtest.Database) []way[T] {
	insert, err := db.SQL.Prepare(db.Rebind("INSERT INTO t (id, v) VALUES (?, ?)"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { insert.Close() })
	g := db.GORM(t)
	return []way[T]{
		{
			name: "database/sql",
			write: func(id int, v T) error {
				_, err := insert.Exec(id, v)
				return err
			},
			read: func(id int) (v T, err error) {
				err = db.SQL.QueryRow(db.Rebind("SELECT v FROM t WHERE id = ?"), id).Scan(&v)
				return v, err
			},
		},
		{
			name:  "GORM",
			write: func(id int, v T) error { return g.Table("t").Create(&record[T]{ID: id, V: v}).Error },
			read: func(id int) (T, error) {
				var r record[T]
				err := g.Table("t").Take(&r, id).Error
				return r.V, err
			},
		},
	}
}

// roundTrip makes table t, writes each value twice in each way, looks at the raw
// columns, reads each row in each way, and drops the table.
func roundTrip[T any](t *testing.T, db *dbtest.Database, columnType string, values map[string]T, plaintext func(T) []byte) {
	t.Helper()
	exec(t, db, fmt.Sprintf("CREATE TABLE t (id integer PRIMARY KEY, v %s)", columnType))
	defer exec(t, db, "DROP TABLE t")
	all := ways[T](t, db)
	id := 0
	for name, v := range values {
		first := id
		for _, w := range all {
			for range 2 {
				id++
				if err := w.write(id, v); err != nil {
					t.Fatalf("%s: write by %s: %v", name, w.name, err)
				}
			}
		}

		stored := rawColumn(t, db, "SELECT v FROM t WHERE id > ? ORDER BY id", first)
		for i, s := range stored {
			if err := isToken(ring, s, plaintext(v)); err != nil {
				t.Errorf("%s: row %d: %v", name, i, err)
			}
			if _, deterministic := any(v).(encryptedtype.DeterministicString); i > 0 && bytes.Equal(s, stored[0]) != deterministic {
				t.Errorf("%s: equal plaintexts: equal tokens is %t", name, !deterministic)
			}
		}

		for _, w := range all {
			for i := first + 1; i <= id; i++ {
				got, err := w.read(i)
				if err != nil {
					t.Errorf("%s: read by %s: %v", name, w.name, err)
				} else if !bytes.Equal(plaintext(got), plaintext(v)) || reflect.ValueOf(got).IsZero() != reflect.ValueOf(v).IsZero() {
					t.Errorf("%s: read by %s: got another value", name, w.name)
				}
			}
		}
	}
}

// as converts every plaintext.
func as[T any](convert func(string) T) map[string]T {
	values := map[string]T{}
	for name, p := range plaintexts() {
		values[name] = convert(p)
	}
	return values
}

func TestEncryptedStringRoundTrip(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		roundTrip(t, db, db.TextType(),
			as(func(s string) encryptedtype.EncryptedString { return encryptedtype.EncryptedString(s) }),
			func(v encryptedtype.EncryptedString) []byte { return []byte(v) })
	})
}

func TestEncryptedStringRoundTripInBinaryColumn(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		roundTrip(t, db, db.BytesType(),
			as(func(s string) encryptedtype.EncryptedString { return encryptedtype.EncryptedString(s) }),
			func(v encryptedtype.EncryptedString) []byte { return []byte(v) })
	})
}

func TestEncryptedBytesRoundTrip(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		roundTrip(t, db, db.BytesType(),
			as(func(s string) encryptedtype.EncryptedBytes { return encryptedtype.EncryptedBytes(s) }),
			func(v encryptedtype.EncryptedBytes) []byte { return v })
	})
}

func TestDeterministicStringRoundTrip(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		roundTrip(t, db, db.TextType(),
			as(func(s string) encryptedtype.DeterministicString { return encryptedtype.DeterministicString(s) }),
			func(v encryptedtype.DeterministicString) []byte { return []byte(v) })
	})
}

type address struct {
	Street string            `json:"street"`
	Zip    *int              `json:"zip,omitempty"`
	Tags   map[string][]byte `json:"tags"`
}

func TestEncryptedRoundTrip(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, encryptedRoundTrips)
}

func encryptedRoundTrips(t *testing.T, db *dbtest.Database) {
	zip := 12345
	t.Run("bytes", roundTripJSON(db, as(func(s string) []byte { return []byte(s) })))
	t.Run("struct", roundTripJSON(db, map[string]address{
		"zero": {},
		"full": {Street: canary, Zip: &zip, Tags: map[string][]byte{"a": []byte(canary), "b": nil}},
	}))
	t.Run("pointer", roundTripJSON(db, map[string]*address{"nil": nil, "full": {Street: canary}}))
	t.Run("map", roundTripJSON(db, map[string]map[string]string{
		"nil": nil, "empty": {}, "full": {canary: canary, "": "\x00'\""},
	}))
	t.Run("slice", roundTripJSON(db, map[string][]string{"nil": nil, "empty": {}, "full": {canary, ""}}))
	t.Run("integer", roundTripJSON(db, map[string]int64{"zero": 0, "least": math.MinInt64, "most": math.MaxInt64}))
	t.Run("unsigned integer", roundTripJSON(db, map[string]uint64{"most": math.MaxUint64}))
	t.Run("big integer", roundTripJSON(db, map[string]*big.Int{"long": new(big.Int).Lsh(big.NewInt(1), 1000)}))
	t.Run("float", roundTripJSON(db, map[string]float64{"zero": 0, "least": math.SmallestNonzeroFloat64, "most": math.MaxFloat64}))
	t.Run("bool", roundTripJSON(db, map[string]bool{"false": false, "true": true}))
	t.Run("time", roundTripJSON(db, map[string]time.Time{
		"zero":  {},
		"nano":  time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC),
		"zone":  time.Date(1883, 11, 18, 12, 0, 0, 0, time.FixedZone("", -5*3600)),
		"first": time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC),
	}))
	t.Run("encrypted fields", roundTripJSON(db, map[string]struct{ Email encryptedtype.EncryptedString }{"full": {canary}}))
}

// roundTripJSON is roundTrip for Encrypted[T].
func roundTripJSON[T any](db *dbtest.Database, plain map[string]T) func(*testing.T) {
	return func(t *testing.T) {
		values := map[string]encryptedtype.Encrypted[T]{}
		for name, v := range plain {
			values[name] = encryptedtype.Encrypted[T]{V: v}
		}
		roundTrip(t, db, db.TextType(), values, func(v encryptedtype.Encrypted[T]) []byte {
			p, err := json.Marshal(v.V)
			if err != nil {
				t.Fatal(err)
			}
			return p
		})
	}
}

// TestValuesInsideTheStatement is for the settings with which a driver writes values
// into the SQL itself, where their bytes must survive its quoting.
func TestValuesInsideTheStatement(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(t *testing.T) *dbtest.Database{
		"postgres": func(t *testing.T) *dbtest.Database {
			return dbtest.Postgres(t).Reopen(t, "default_query_exec_mode=simple_protocol")
		},
		"postgres exec": func(t *testing.T) *dbtest.Database {
			return dbtest.Postgres(t).Reopen(t, "default_query_exec_mode=exec")
		},
		"mysql": func(t *testing.T) *dbtest.Database {
			return dbtest.MySQL(t).Reopen(t, "interpolateParams=true")
		},
		"mysql without backslashes": func(t *testing.T) *dbtest.Database {
			return dbtest.MySQL(t).Reopen(t, "interpolateParams=true", "sql_mode='ANSI,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES'")
		},
	} {
		t.Run(name, func(t *testing.T) {
			db := open(t)
			t.Run("text", func(t *testing.T) {
				roundTrip(t, db, db.TextType(),
					as(func(s string) encryptedtype.EncryptedString { return encryptedtype.EncryptedString(s) }),
					func(v encryptedtype.EncryptedString) []byte { return []byte(v) })
			})
			t.Run("bytes", func(t *testing.T) {
				values := as(func(s string) encryptedtype.EncryptedBytes { return encryptedtype.EncryptedBytes(s) })
				for i := range 100 { // all bytes come up beside each other
					values[fmt.Sprint(i)] = encryptedtype.EncryptedBytes(canary)
				}
				roundTrip(t, db, db.BytesType(), values, func(v encryptedtype.EncryptedBytes) []byte { return v })
			})
		})
	}
}
