package reencrypt_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fernetcol/fernetcol/internal/dbtest"
	"github.com/fernetcol/fernetcol/reencrypt"
)

func TestThePreflightRefusesBeforeARowIsTouched(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		t.Parallel()
		f := newFixture(t, db)
		f.users(3)
		f.exec("CREATE VIEW v AS SELECT * FROM users")
		f.exec("CREATE TABLE numbers (id int PRIMARY KEY, n int, email " + f.TextType() + ")")
		before := f.strings("SELECT * FROM users")
		email := reencrypt.Column{Name: "email", Keyring: f.kr}
		with := func(table string, c ...reencrypt.Column) reencrypt.Plan {
			return reencrypt.Plan{Table: table, Columns: c}
		}
		for _, tt := range []struct {
			want string
			plan reencrypt.Plan
			o    reencrypt.Options
		}{
			{"nobody: there is no such table", with("nobody", email), reencrypt.Options{}},
			{"v: it is not a table but a view", with("v", email), reencrypt.Options{}},
			{"users.mail: there is no such column; the table has id, email, other", with("users", reencrypt.Column{Name: "mail", Keyring: f.kr}), reencrypt.Options{}},
			{"numbers.n: its type is ", with("numbers", reencrypt.Column{Name: "n", Keyring: f.kr}), reencrypt.Options{}},
			{"users.email: it stands in the plan twice", with("users", email, email), reencrypt.Options{}},
			{"users.email: the plan gives no key ring", with("users", reencrypt.Column{Name: "email"}), reencrypt.Options{}},
			{"users.email: it stands in the plan twice", with("users", reencrypt.Column{Name: "email", Keyring: f.kr,
				Indexes: []reencrypt.Index{{Column: "email", Index: index}}}), reencrypt.Options{}},
			{"users.other: the plan does not say how to compute it", with("users", reencrypt.Column{Name: "email", Keyring: f.kr,
				Indexes: []reencrypt.Index{{Column: "other"}}}), reencrypt.Options{}},
		} {
			_, err := reencrypt.Run(context.Background(), f.SQL, f.d, tt.plan, tt.o)
			if !errors.Is(err, reencrypt.ErrRefused) || !strings.HasPrefix(err.Error(), "reencrypt: refused: "+tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			if _, err := reencrypt.Check(context.Background(), f.SQL, f.d, tt.plan); !errors.Is(err, reencrypt.ErrRefused) {
				t.Errorf("Check gives %v", err)
			}
		}
		if _, err := reencrypt.Run(context.Background(), f.SQL, f.d, with("users"), reencrypt.Options{}); !errors.Is(err, reencrypt.ErrNothing) {
			t.Errorf("without a column: %v", err)
		}
		if _, err := reencrypt.Run(context.Background(), f.SQL, "oracle", with("users", email), reencrypt.Options{}); !errors.Is(err, reencrypt.ErrRefused) {
			t.Errorf("another database: %v", err)
		}
		if db.Dialect != "sqlite" {
			_, err := reencrypt.Run(context.Background(), f.SQL, f.d, with("users", reencrypt.Column{Name: "email", Keyring: f.kr, Form: reencrypt.FormRaw}), reencrypt.Options{})
			if !errors.Is(err, reencrypt.ErrRefused) || !strings.Contains(err.Error(), "raw tokens are bytes") {
				t.Errorf("raw tokens in a text column: %v", err)
			}
		}
		if db.Dialect != "postgres" {
			_, err := reencrypt.Run(context.Background(), f.SQL, f.d, with("users", email), reencrypt.Options{MaxReplicaLag: time.Second})
			if !errors.Is(err, reencrypt.ErrRefused) {
				t.Errorf("replica lag: %v", err)
			}
		}
		if after := f.strings("SELECT * FROM users"); !slices.EqualFunc(before, after, slices.Equal) {
			t.Error("a row was touched")
		}
	})
}

func TestAReadOnlyConnectionIsRefused(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		t.Parallel()
		f := newFixture(t, db)
		f.users(3)
		param := map[string]string{"postgres": "default_transaction_read_only=on", "mysql": "transaction_read_only=1", "sqlite": "_pragma=query_only(1)"}[db.Dialect]
		if db.MariaDB() {
			param = "tx_read_only=1"
		}
		if db.Name == "sqlite-cgo" {
			param = "_query_only=1"
		}
		f.Database = db.Reopen(t, param)
		if _, err := reencrypt.Check(context.Background(), f.SQL, f.d, f.plan()); !errors.Is(err, reencrypt.ErrRefused) || !strings.Contains(err.Error(), "read") {
			t.Errorf("got %v", err)
		}
		if c := f.census(f.plan()); c.Rows != 3 { // which needs no more than reading
			t.Errorf("census %+v", c)
		}
	})
}

func TestNothingToLookAtIsAnError(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		t.Parallel()
		f := newFixture(t, db)
		f.users(0)
		for id := range 2 {
			if _, err := reencrypt.Run(context.Background(), f.SQL, f.d, f.plan(), reencrypt.Options{}); !errors.Is(err, reencrypt.ErrNothing) {
				t.Errorf("got %v", err)
			}
			f.run(f.plan(), reencrypt.Options{AllowEmpty: true})
			f.exec("INSERT INTO users (id) VALUES (?)", id) // with nothing but NULL
		}
	})
}

func TestCheckNamesTriggersAndTheKey(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		t.Parallel()
		f := newFixture(t, db)
		f.users(25)
		switch db.Dialect {
		case "postgres":
			f.exec("CREATE FUNCTION nop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'")
			f.exec("CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON users FOR EACH ROW EXECUTE FUNCTION nop()")
			f.exec("CREATE TRIGGER silent BEFORE DELETE ON users FOR EACH ROW EXECUTE FUNCTION nop()")
		case "mysql":
			f.exec("CREATE TRIGGER touch BEFORE UPDATE ON users FOR EACH ROW SET NEW.other = NEW.other")
			f.exec("CREATE TRIGGER silent BEFORE DELETE ON users FOR EACH ROW SET @x = 1")
		default:
			f.exec("CREATE TRIGGER touch AFTER UPDATE OF email ON users BEGIN SELECT 1; END")
			f.exec("CREATE TRIGGER silent AFTER INSERT ON users BEGIN UPDATE users SET other = other WHERE id = -1; END")
		}
		p, err := reencrypt.Check(context.Background(), f.SQL, f.d, f.plan())
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(p.Triggers, []string{"touch"}) || !slices.Equal(p.Key, []string{"id"}) || p.Resumable != nil ||
			len(p.Warnings) != 1 || !strings.Contains(p.Warnings[0], "touch") {
			t.Errorf("got %+v", p)
		}
		f.run(f.plan(), small)
	})
}

// ON UPDATE CURRENT_TIMESTAMP is MySQL's only.
func TestUpdatedAtStays(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.MySQL(t))
	f.exec("CREATE TABLE users (id int PRIMARY KEY, email text, index_ varchar(40)," +
		" updated_at timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6))")
	for id := range 10 {
		f.exec("INSERT INTO users VALUES (?, ?, NULL, '2020-02-02 02:02:02.123456')", id, f.old.EncryptString("x"))
	}
	p := f.plan(reencrypt.Column{Name: "email", Keyring: f.kr, Indexes: []reencrypt.Index{{Column: "index_", Index: index}}})
	pre, err := reencrypt.Check(context.Background(), f.SQL, f.d, p)
	if err != nil || !slices.Equal(pre.Held, []string{"updated_at"}) {
		t.Errorf("got %+v, %v", pre, err)
	}
	f.run(p, small)
	if n := f.strings("SELECT count(*) FROM users WHERE updated_at = '2020-02-02 02:02:02.123456' AND index_ IS NOT NULL")[0][0]; n != "10" {
		t.Errorf("%s rows kept their time and have an entry", n)
	}
}

func TestRowsThatAreHiddenAreRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Postgres(t))
	f.users(3)
	role := "fernetcol_" + strings.ToLower(f.key.ID())
	f.exec("CREATE ROLE " + role)
	t.Cleanup(func() { f.exec("DROP OWNED BY " + role); f.exec("DROP ROLE " + role) })
	f.exec("GRANT SELECT, UPDATE ON users TO " + role)
	f.exec("ALTER TABLE users ENABLE ROW LEVEL SECURITY")
	f.exec("CREATE POLICY one ON users USING (id = 1)")
	hidden := f.Reopen(t, "role="+role)
	if _, err := reencrypt.TakeCensus(context.Background(), hidden.SQL, f.d, f.plan(), reencrypt.Options{}); !errors.Is(err, reencrypt.ErrRefused) ||
		!strings.Contains(err.Error(), "row-level security") {
		t.Errorf("got %v", err)
	}
	f.exec("ALTER TABLE users DISABLE ROW LEVEL SECURITY")
	f.exec("REVOKE UPDATE ON users FROM " + role)
	if _, err := reencrypt.Run(context.Background(), hidden.SQL, f.d, f.plan(), reencrypt.Options{}); !errors.Is(err, reencrypt.ErrRefused) ||
		!strings.Contains(err.Error(), "permission denied") {
		t.Errorf("without UPDATE: %v", err)
	}
}

func TestNullKeysAreRefusedInSQLite(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.SQLite(t))
	f.exec("CREATE TABLE users (id text PRIMARY KEY, email text)")
	f.exec("INSERT INTO users VALUES (NULL, ?), ('a', ?)", f.old.EncryptString("x"), f.old.EncryptString("x"))
	_, err := reencrypt.Run(context.Background(), f.SQL, f.d, f.plan(), reencrypt.Options{})
	if !errors.Is(err, reencrypt.ErrRefused) || !strings.Contains(err.Error(), "the primary key of 1 rows is NULL") {
		t.Errorf("got %v", err)
	}
}

func TestErrorsOfTheDatabaseHoldNoValues(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		t.Parallel()
		f := newFixture(t, db)
		typ := "varchar(255)"
		f.exec("CREATE TABLE users (id int PRIMARY KEY, email " + typ + ", email_index varchar(64) UNIQUE)")
		f.exec("INSERT INTO users (id, email) VALUES (1, 'hunter2'), (2, 'HUNTER2'), (3, 'other')")
		p := f.plan(reencrypt.Column{Name: "email", Keyring: f.kr, Plaintext: true, Indexes: []reencrypt.Index{{Column: "email_index", Index: index}}})
		r, err := reencrypt.Run(context.Background(), f.SQL, f.d, p, reencrypt.Options{MaxPasses: 1})
		if !errors.Is(err, reencrypt.ErrNotComplete) || !strings.Contains(err.Error(), "row 2: ") || !strings.Contains(strings.ToLower(err.Error()), "unique") {
			t.Errorf("got %v", err)
		}
		noSecrets(t, err, "hunter2", "HUNTER2", entry("hunter2"))
		if r.Counts.Encrypted != 2 || r.Counts.Conflicts != 1 {
			t.Errorf("counts %+v", r.Counts)
		}
	})
}

func TestAServerThatIsNotThere(t *testing.T) {
	t.Parallel()
	for _, open := range []func(testing.TB) *dbtest.Database{dbtest.Postgres, dbtest.MySQL} {
		db := open(t)
		f := newFixture(t, db)
		f.SQL.Close()
		_, err := reencrypt.Run(context.Background(), f.SQL, f.d, f.plan(), reencrypt.Options{})
		if err == nil {
			t.Error("no error")
		}
		noSecrets(t, err, "127.0.0.1", "root", "fernetcol_test")
	}
}
