package reencrypt_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/fernetcol/fernetcol/internal/dbtest"
	"github.com/fernetcol/fernetcol/reencrypt"
)

// A keyCase is a kind of key: how the table is made, with %s for the column of
// tokens, and the key of the i-th of keyRows rows as SQL.
type keyCase struct {
	name    string
	create  string // statements, separated by ;
	columns string
	row     func(i int) string
}

const keyRows = 40

// one makes a case of a table with the key k.
func one(name, typ string, row func(i int) string) keyCase {
	return keyCase{name, "CREATE TABLE t (k " + typ + " PRIMARY KEY, c %s)", "k", row}
}

// words are texts that collations, paddings and quoting treat in their own ways.
var words = []string{"a", "B", "c", "D", "é", "z", "Z-z", "ä", "Ä1", "ß", "ss1", "10", "9", "-", "_", "a b", "a  b", " a1", "q''q", `b\\s`, `"d`, "{c,", "%", "\u00a0x", "日本"}

func word(i int) string { return fmt.Sprintf("'%s.%d'", words[i%len(words)], i) }

func uuid(i int) string {
	return fmt.Sprintf("'%08x-0000-4000-8000-%012x'", uint32(i)*2654435761, i)
}

func format(f string) func(int) string {
	return func(i int) string { return strings.ReplaceAll(f, "#", fmt.Sprint(i)) }
}

var keyCases = map[string][]keyCase{
	"postgres": {
		one("smallint", "smallint", format("# - 20")),
		one("bigint", "bigint", format("9223372036854775807 - #")),
		one("uuid", "uuid", uuid),
		one("text", "text", word),
		one("text in C", `text COLLATE "C"`, word),
		one("text in ICU", `text COLLATE "de-x-icu"`, word),
		{"text in a nondeterministic collation", `CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
			CREATE TABLE t (k text COLLATE ci PRIMARY KEY, c %s)`, "k", word},
		one("varchar", "varchar(20)", word),
		one("char", "char(12)", word),
		one("bytea", "bytea", format(`'\x00ff5c22'::bytea || '#'::bytea`)),
		one("numeric", "numeric", format("#::numeric / 7 - 3")),
		one("double", "double precision", format("#::double precision / 7 - 3")),
		one("real", "real", format("#::real / 7 - 3")),
		one("timestamptz", "timestamptz", format("'2026-03-29 00:30:00.123456+00'::timestamptz + # * interval '17 minutes'")),
		one("date", "date", format("'1999-12-20'::date + #")),
		one("interval", "interval", format("# * interval '-7 hours 1 month'")),
		one("boolean", "boolean", nil),
		one("inet", "inet", format("'10.0.0.#'")),
		{"enum", "CREATE TYPE mood AS ENUM ('10', '9', 'zz', 'a''b', '\"');  CREATE TABLE t (k mood, n int, c %s, PRIMARY KEY (k, n))", "k, n",
			func(i int) string {
				return fmt.Sprintf("%s, %d", []string{"'10'", "'9'", "'zz'", "'a''b'", `'"'`}[i%5], i)
			}},
		{"domain", "CREATE DOMAIN code AS text CHECK (value <> ''); CREATE TABLE t (k code PRIMARY KEY, c %s)", "k", word},
		{"composite", `CREATE TABLE t (a text COLLATE "de-x-icu", b int, c %s, PRIMARY KEY (a, b))`, "a, b",
			func(i int) string { return fmt.Sprintf("'%s', %d", words[i%3], 10-i) }},
		{"three columns", "CREATE TABLE t (a uuid, b timestamptz, d bytea, c %s, PRIMARY KEY (d, b, a))", "a, b, d",
			func(i int) string {
				return fmt.Sprintf(`%s, '2026-01-01'::timestamptz + %d * interval '1 day', '\x0%d'::bytea`, uuid(i), i%3, i%4)
			}},
		{"unique", `CREATE TABLE t (a text, k int NOT NULL, c %s, UNIQUE (k), UNIQUE (a)); CREATE UNIQUE INDEX ON t (lower(a))`, "k", format("#")},
		{"names that need quotes", `CREATE TABLE t ("ORDER by ""x" int PRIMARY KEY, c %s)`, `"ORDER by ""x"`, format("#")},
		{"partitions", `CREATE TABLE t (k int PRIMARY KEY, c %s) PARTITION BY HASH (k);
			CREATE TABLE t0 PARTITION OF t FOR VALUES WITH (modulus 2, remainder 0); CREATE TABLE t1 PARTITION OF t FOR VALUES WITH (modulus 2, remainder 1)`, "k", format("#")},
	},
	"mysql": {
		one("int", "int", format("# - 20")),
		one("bigint unsigned", "bigint unsigned", format("18446744073709551615 - #")),
		one("bigint", "bigint", format("9223372036854775807 - #")),
		one("varchar", "varchar(50)", word),
		one("varchar in _bin", "varchar(50) COLLATE utf8mb4_bin", word),
		one("varchar in Swedish", "varchar(50) CHARACTER SET latin1 COLLATE latin1_swedish_ci", func(i int) string {
			return fmt.Sprintf("'%s%d'", []string{"a", "B", "é", "ö", "z"}[i%5], i)
		}),
		one("char", "char(20)", word),
		one("varbinary", "varbinary(50)", format(`CONCAT(x'00ff5c22', '#')`)),
		one("binary", "binary(16)", format("UNHEX(MD5('#'))")),
		one("decimal", "decimal(20,10)", format("# / 7 - 3")),
		one("double", "double", format("# / 7e0 - 3")),
		one("float", "float", format("# / 7e0 - 3")),
		one("datetime", "datetime(6)", format("'2026-03-29 01:30:00.123456' + INTERVAL # * 17 MINUTE")),
		one("timestamp", "timestamp(3)", format("FROM_UNIXTIME(1774740000.125 + # * 1000)")),
		one("date", "date", format("'1999-12-20' + INTERVAL # DAY")),
		one("time", "time", format("SEC_TO_TIME(# * 1000 - 20000)")),
		one("year", "year", format("2000 + #")),
		one("bit", "bit(40)", format("# * 1000003")),
		{"enum", "CREATE TABLE t (k enum('10', '9', 'zz', 'a''b'), n int, c %s, PRIMARY KEY (k, n))", "k, n",
			func(i int) string { return fmt.Sprintf("%s, %d", []string{"'10'", "'9'", "'zz'", "'a''b'"}[i%4], i) }},
		{"composite", "CREATE TABLE t (a varchar(20), b int, d varbinary(5), c %s, PRIMARY KEY (a, b, d))", "a, b, d",
			func(i int) string { return fmt.Sprintf("'%s', %d, x'0%d'", words[i%3], (10-i)/2, i%2) }},
		{"unique", "CREATE TABLE t (a varchar(20), k int NOT NULL, c %s, UNIQUE (a), UNIQUE (k))", "k", format("#")},
		{"names that need quotes", "CREATE TABLE t (`ORDER by ``x` int PRIMARY KEY, c %s)", "`ORDER by ``x`", format("#")},
	},
	"sqlite": {
		one("integer", "integer", format("# - 20")),
		one("int, which is no rowid", "int", format("# - 20")),
		one("bigint", "bigint", format("9223372036854775807 - #")),
		one("text", "text", word),
		one("text without case", "text COLLATE NOCASE", word),
		one("text without spaces at the end", "text COLLATE RTRIM", word),
		one("blob", "blob", format("x'00ff5c22' || CAST('#' AS BLOB)")),
		one("real", "real", format("# / 7.0 - 3")),
		one("datetime", "datetime", format("datetime('2026-01-01', '+# days')")),
		one("boolean", "boolean", format("# % 2 + 2 * #")),
		one("anything", "", func(i int) string {
			return []string{fmt.Sprint(i), fmt.Sprintf("'%d'", i), fmt.Sprintf("%d.5", i), fmt.Sprintf("x'%04d'", i)}[i%4]
		}),
		{"composite", "CREATE TABLE t (a text COLLATE NOCASE, b int, d blob, c %s, PRIMARY KEY (a, b, d)) WITHOUT ROWID", "a, b, d",
			func(i int) string { return fmt.Sprintf("'%s', %d, x'0%d'", words[i%3], (10-i)/2, i%2) }},
		{"unique", "CREATE TABLE t (a text UNIQUE, k int NOT NULL UNIQUE, c %s)", "k", format("#")},
		{"unique in another collation", "CREATE TABLE t (k text NOT NULL, c %s); CREATE UNIQUE INDEX u ON t (k COLLATE NOCASE)", "k", word},
		{"names that need quotes", `CREATE TABLE t ("ORDER by ""x" int PRIMARY KEY, c %s)`, `"ORDER by ""x"`, format("#")},
	},
}

func TestRunGoesByAnyKey(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		t.Parallel()
		f := newFixture(t, db)
		cases := keyCases[db.Dialect]
		if db.MariaDB() {
			cases = append(cases, one("uuid", "uuid", uuid), one("inet6", "inet6", format("'::#'")))
		}
		for _, tt := range cases {
			t.Run(tt.name, func(t *testing.T) {
				f.t = t
				f.exec("DROP TABLE IF EXISTS t")
				for q := range strings.SplitSeq(tt.create, ";") {
					f.exec(strings.ReplaceAll(q, "%s", f.TextType()))
				}
				n := 0
				for i := range keyRows {
					if tt.row == nil { // there are only two booleans
						break
					}
					f.exec("INSERT INTO t ("+tt.columns+", c) VALUES ("+tt.row(i)+", ?)", f.old.EncryptString("x"))
					n++
				}
				if tt.row == nil {
					f.exec("INSERT INTO t (k, c) VALUES (true, ?), (false, ?)", f.old.EncryptString("x"), f.old.EncryptString("x"))
					n = 2
				}
				result := f.run(reencrypt.Plan{Table: "t", Columns: []reencrypt.Column{{Name: "c", Keyring: f.kr}}},
					reencrypt.Options{BatchSize: 3, Workers: 2})
				if want := (reencrypt.Counts{Rows: int64(n), Rotated: int64(n)}); result.Counts != want || result.Passes != 1 {
					t.Errorf("%d passes, counts %+v, want one and %+v", result.Passes, result.Counts, want)
				}
				if got := result.Census.Columns[0].Keys[0].Rows; got != int64(n) {
					t.Errorf("the census has %d rows under the new key, want %d", got, n)
				}
				for _, row := range f.strings("SELECT c FROM t") {
					if id, err := f.kr.KeyID([]byte(row[0])); err != nil || id != f.key.ID() {
						t.Fatal("a row is not under the new key")
					}
				}
			})
		}
		f.t = t
	})
}

func TestRunRefusesATableWithoutAKey(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		t.Parallel()
		f := newFixture(t, db)
		f.exec("CREATE TABLE t (k int UNIQUE, c " + f.TextType() + ")") // NULL is not unique
		_, err := reencrypt.Run(context.Background(), f.SQL, f.d,
			reencrypt.Plan{Table: "t", Columns: []reencrypt.Column{{Name: "c", Keyring: f.kr}}}, reencrypt.Options{})
		if !errors.Is(err, reencrypt.ErrRefused) || !strings.Contains(err.Error(), "t: it has no primary key") {
			t.Errorf("got %v", err)
		}
	})
}
