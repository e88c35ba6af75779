package reencrypt_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/fernetcol/fernetcol/blindindex"
	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/internal/dbtest"
	"github.com/fernetcol/fernetcol/reencrypt"
)

// index is the blind index of these tests.
var index = func() *blindindex.Index {
	ix, err := blindindex.New(fernet.GenerateKey(), "users", "email", "email_index",
		blindindex.Options{Transforms: []blindindex.Transform{blindindex.Lower}})
	if err != nil {
		panic(err)
	}
	return ix
}()

func entry(plaintext string) string { return string(index.Value(plaintext)) }

// one stores a value in row 1 of a new table, runs the column, and returns the row's
// value and index entry.
func (f *fixture) one(c reencrypt.Column, typ string, stored any) (value, entry string, r *reencrypt.Result) {
	f.t.Helper()
	f.Database = f.Reopen(f.t) // pgx remembers the types of a statement
	f.exec("DROP TABLE IF EXISTS users")
	f.exec("CREATE TABLE users (id int PRIMARY KEY, email " + typ + ", email_index varchar(64))")
	f.exec("INSERT INTO users (id, email) VALUES (1, ?)", stored)
	c.Name = "email"
	if c.Keyring == nil {
		c.Keyring = f.kr
	}
	r = f.run(f.plan(c), reencrypt.Options{})
	row := f.strings("SELECT email, email_index FROM users")[0]
	return row[0], row[1], r
}

// opens checks that a value is a token of the plaintext under the primary key of kr.
func (f *fixture) opens(kr *fernet.Keyring, token, plaintext string) {
	f.t.Helper()
	p, err := kr.DecryptString(token)
	id, _ := kr.KeyID([]byte(token))
	if err != nil || p != plaintext || id != kr.PrimaryID() {
		f.t.Errorf("%s: the token does not open under the primary key as it should", f.Name)
	}
}

func TestRunBringsValuesToTheirForm(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		f := newFixture(t, db)
		secret := "ada@example.com"

		t.Run("raw stays raw", func(t *testing.T) {
			f.t = t
			v, _, _ := f.one(reencrypt.Column{}, f.BytesType(), f.old.EncryptRaw([]byte(secret)))
			if v[0] != 0x80 {
				t.Error("not raw")
			}
			f.opens(f.kr, v, secret)
		})
		t.Run("text becomes raw", func(t *testing.T) {
			f.t = t
			v, _, r := f.one(reencrypt.Column{Form: reencrypt.FormRaw}, f.BytesType(), f.kr.Encrypt([]byte(secret)))
			if v[0] != 0x80 || r.Census.Columns[0].Raw != 1 {
				t.Error("not raw")
			}
			f.opens(f.kr, v, secret)
		})
		t.Run("raw becomes text", func(t *testing.T) {
			f.t = t
			v, _, _ := f.one(reencrypt.Column{Form: reencrypt.FormText}, f.BytesType(), f.old.EncryptRaw([]byte(secret)))
			if v[0] != 'g' {
				t.Error("not text")
			}
			f.opens(f.kr, v, secret)
		})
		t.Run("deterministic stays deterministic", func(t *testing.T) {
			f.t = t
			v, _, r := f.one(reencrypt.Column{}, f.TextType(), string(f.old.EncryptDeterministic([]byte(secret))))
			if v != string(f.kr.EncryptDeterministic([]byte(secret))) || r.Census.Columns[0].Deterministic != 1 {
				t.Error("not the deterministic token of the new key")
			}
		})
		t.Run("raw and deterministic", func(t *testing.T) {
			f.t = t
			v, _, r := f.one(reencrypt.Column{Form: reencrypt.FormRaw}, f.BytesType(), f.old.EncryptDeterministic([]byte(secret)))
			if v[0] != 0x80 || r.Census.Columns[0].Deterministic != 1 {
				t.Errorf("census %+v", r.Census.Columns[0])
			}
			f.opens(f.kr, v, secret)
		})
		t.Run("made deterministic", func(t *testing.T) {
			f.t = t
			v, _, _ := f.one(reencrypt.Column{Deterministic: true}, f.TextType(), f.kr.EncryptString(secret))
			if v != string(f.kr.EncryptDeterministic([]byte(secret))) {
				t.Error("not the deterministic token")
			}
		})
		t.Run("time zero without being deterministic", func(t *testing.T) {
			f.t = t
			token := f.old.EncryptAtTime([]byte(secret), fernetEpoch)
			v, _, r := f.one(reencrypt.Column{}, f.TextType(), string(token))
			if at, err := f.kr.ExtractTimestamp([]byte(v)); err != nil || !at.Equal(fernetEpoch) || r.Census.Columns[0].Deterministic != 0 {
				t.Error("another time, or taken for deterministic")
			}
		})
		t.Run("bound to a column", func(t *testing.T) {
			f.t = t
			bind := []string{"gormencrypt/bind", "users.email"}
			v, _, r := f.one(reencrypt.Column{Bind: bind, Sources: []reencrypt.Source{{}}}, f.TextType(), f.kr.EncryptString(secret))
			f.opens(f.kr.Derive(bind...), v, secret)
			if r.Counts.Rotated != 1 || r.Census.Columns[0].Keys[0].Bind != "gormencrypt/bind/users.email" {
				t.Errorf("%+v %+v", r.Counts, r.Census.Columns[0])
			}
		})
		t.Run("bound, deterministic and from another ring", func(t *testing.T) {
			f.t = t
			bind := []string{"gormencrypt/bind", "users.email"}
			c := reencrypt.Column{Keyring: ring(t, f.key), Bind: bind, Sources: []reencrypt.Source{{Keyring: f.old, Bind: []string{"x"}}}}
			v, _, _ := f.one(c, f.TextType(), string(f.old.Derive("x").EncryptDeterministic([]byte(secret))))
			if v != string(f.kr.Derive(bind...).EncryptDeterministic([]byte(secret))) {
				t.Error("not the deterministic token of the target")
			}
		})
		t.Run("bound to the row", func(t *testing.T) {
			f.t = t
			bind := []string{"gormencrypt/bind:row", "users.email"}
			v, _, _ := f.one(reencrypt.Column{Bind: bind, BindRow: true, Sources: []reencrypt.Source{{}}}, f.TextType(), f.old.EncryptString(secret))
			f.opens(f.kr.Derive(append(bind, "1")...), v, secret)
		})
		t.Run("unbound again", func(t *testing.T) {
			f.t = t
			v, _, _ := f.one(reencrypt.Column{Sources: []reencrypt.Source{{Bind: []string{"b"}}}}, f.TextType(), f.kr.Derive("b").EncryptString(secret))
			f.opens(f.kr, v, secret)
		})
		t.Run("index filled", func(t *testing.T) {
			f.t = t
			c := reencrypt.Column{Indexes: []reencrypt.Index{{Column: "email_index", Index: index}}}
			v, stored, r := f.one(c, f.TextType(), f.old.EncryptString(secret))
			f.opens(f.kr, v, secret)
			if stored != entry(secret) || r.Counts.Indexed != 1 || r.Counts.Rotated != 1 {
				t.Errorf("entry %s, counts %+v", stored, r.Counts)
			}
			// A current token is not written again for its index.
			f.exec("UPDATE users SET email_index = 'other'")
			r = f.run(f.plan(reencrypt.Column{Name: "email", Keyring: f.kr, Indexes: c.Indexes}), reencrypt.Options{})
			row := f.strings("SELECT email, email_index FROM users")[0]
			if row[0] != v || row[1] != entry(secret) || r.Counts.Indexed != 1 || r.Counts.Rotated != 0 {
				t.Errorf("entry %s, counts %+v", row[1], r.Counts)
			}
			// NULL has no entry.
			f.exec("UPDATE users SET email = NULL")
			f.exec("INSERT INTO users (id, email) VALUES (2, ?)", v)
			f.run(f.plan(reencrypt.Column{Name: "email", Keyring: f.kr, Indexes: c.Indexes}), reencrypt.Options{})
			if row := f.strings("SELECT email_index FROM users WHERE id = 1")[0]; row[0] != "NULL" {
				t.Errorf("NULL has the entry %s", row[0])
			}
		})
		for name, before := range map[string]any{"plaintext": secret, "empty plaintext": "", "looks": "gAAAA is no token", "é\"\\'": "é\"\\'{},\u2028", "spaces ": " a "} {
			t.Run(name, func(t *testing.T) {
				f.t = t
				c := reencrypt.Column{Plaintext: true, Indexes: []reencrypt.Index{{Column: "email_index", Index: index}}}
				v, stored, r := f.one(c, f.TextType(), before)
				f.opens(f.kr, v, before.(string))
				if r.Counts.Encrypted != 1 || r.Census.Columns[0].Plaintext != 0 || stored != entry(before.(string)) {
					t.Errorf("counts %+v", r.Counts)
				}
			})
		}
		t.Run("binary plaintext", func(t *testing.T) {
			f.t = t
			v, _, _ := f.one(reencrypt.Column{Plaintext: true}, f.BytesType(), []byte("\x80\x00\xff'\\x"))
			if v[0] != 0x80 {
				t.Error("not raw")
			}
			f.opens(f.kr, v, "\x80\x00\xff'\\x")
		})
		t.Run("plaintext, deterministic", func(t *testing.T) {
			f.t = t
			v, _, _ := f.one(reencrypt.Column{Plaintext: true, Deterministic: true}, f.TextType(), secret)
			if v != string(f.kr.EncryptDeterministic([]byte(secret))) {
				t.Error("not the deterministic token")
			}
		})
	})
}

func TestSeveralColumnsChangeEachForItself(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		t.Parallel()
		f := newFixture(t, db)
		f.exec("CREATE TABLE users (id int PRIMARY KEY, a " + f.TextType() + ", b " + f.BytesType() + ", c " + f.TextType() + ")")
		for id := range 40 {
			a, b := f.old.EncryptString(plain(id)), any(f.old.EncryptRaw([]byte(plain(id))))
			if id%2 == 0 {
				a = f.kr.EncryptString(plain(id))
			}
			if id%3 == 0 {
				b = nil
			}
			f.exec("INSERT INTO users VALUES (?, ?, ?, ?)", id, a, b, f.old.EncryptString(plain(id)))
		}
		before := f.strings("SELECT id, a, b, c FROM users ORDER BY id")
		p := reencrypt.Plan{Table: "users", Columns: []reencrypt.Column{{Name: "a", Keyring: f.kr}, {Name: "b", Keyring: f.kr}}}
		r := f.run(p, small)
		if want := (reencrypt.Counts{Rows: 40, Rotated: 20 + 26, Current: 20, Null: 14}); r.Counts != want {
			t.Errorf("counts %+v, want %+v", r.Counts, want)
		}
		for i, row := range f.strings("SELECT id, a, b, c FROM users ORDER BY id") {
			f.opens(f.kr, row[1], plain(i))
			if i%3 != 0 {
				f.opens(f.kr, row[2], plain(i))
			}
			if row[3] != before[i][3] || i%2 == 0 && row[1] != before[i][1] {
				t.Errorf("row %d: a value was written that was not to change", i)
			}
		}
	})
}

func TestThereAndBackGivesThePlaintexts(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		t.Parallel()
		f := newFixture(t, db)
		f.users(100)
		f.run(f.plan(), small)
		back := ring(t, f.oldKey, f.key)
		f.run(f.plan(reencrypt.Column{Name: "email", Keyring: back}), small)
		for _, row := range f.strings("SELECT id, email FROM users") {
			var id int
			fmt.Sscan(row[0], &id)
			if id%10 != 0 {
				f.opens(f.old, row[1], plain(id))
			}
		}
	})
}

func TestAMigrationCanBeUndone(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		t.Parallel()
		f := newFixture(t, db)
		f.exec("CREATE TABLE users (id int PRIMARY KEY, email " + f.TextType() + ", photo " + f.BytesType() + ")")
		for id, v := range []any{"ada", "", nil, "é\"\\' ", "a b"} {
			f.exec("INSERT INTO users VALUES (?, ?, ?)", id, v, []byte{0, byte(id), 255})
		}
		before := fmt.Sprintf("%q", f.strings("SELECT * FROM users ORDER BY id"))
		f.run(reencrypt.Plan{Table: "users", Columns: []reencrypt.Column{
			{Name: "email", Keyring: f.kr, Plaintext: true, Deterministic: true}, {Name: "photo", Keyring: f.kr, Plaintext: true}}}, small)
		for _, row := range f.strings("SELECT email, photo FROM users") {
			if row[0] != "NULL" && !fernet.MaybeToken(row[0]) || !fernet.MaybeToken(row[1]) {
				t.Error("a value is in the clear")
			}
		}
		r := f.run(reencrypt.Plan{Table: "users", Columns: []reencrypt.Column{
			{Name: "email", Keyring: f.kr, Form: reencrypt.FormPlaintext}, {Name: "photo", Keyring: f.kr, Form: reencrypt.FormPlaintext}}}, small)
		if after := fmt.Sprintf("%q", f.strings("SELECT * FROM users ORDER BY id")); after != before || r.Counts.Decrypted != 9 {
			t.Errorf("not as before; counts %+v", r.Counts)
		}
	})
}

func TestUnreadableRowsAreLeftAndListed(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		t.Parallel()
		f := newFixture(t, db)
		f.users(99)
		stranger := ring(t, fernet.GenerateKey()).EncryptString("stranger")
		whole := f.old.EncryptString("cut off")
		poison := map[int]string{1: stranger, 2: whole[:60], 51: stranger, 99: whole[:len(whole)-4]}
		for id, value := range poison {
			f.exec("UPDATE users SET email = ? WHERE id = ?", value, id)
		}
		var listed []string
		o := small
		o.Unreadable = func(r reencrypt.UnreadableRow) {
			listed = append(listed, fmt.Sprintf("%s.%s %s: %s", r.Table, r.Column, r.Key, r.Reason))
		}
		// Not even a migration takes them for plaintext.
		p := f.plan(reencrypt.Column{Name: "email", Keyring: f.kr, Plaintext: true})
		r, err := reencrypt.Run(context.Background(), f.SQL, f.d, p, o)
		if !errors.Is(err, reencrypt.ErrUnreadable) || errors.Is(err, reencrypt.ErrNotComplete) || !strings.Contains(err.Error(), "users.email: 4 values") {
			t.Errorf("got %v", err)
		}
		noSecrets(t, err, stranger, whole)
		want := []string{"users.email 1: no key opens it", "users.email 2: no key opens it", "users.email 51: no key opens it", "users.email 99: no key opens it"}
		if strings.Join(listed, "\n") != strings.Join(want, "\n") {
			t.Errorf("listed %q", listed)
		}
		if r.Counts.Unreadable != 4 || r.Counts.Rotated != 99-9-4 || r.Census.Columns[0].Unreadable != 4 {
			t.Errorf("counts %+v", r.Counts)
		}
		for id, value := range poison {
			if got := f.strings("SELECT email FROM users WHERE id = ?", id)[0][0]; got != value {
				t.Errorf("row %d was touched", id)
			}
		}
		if _, err := reencrypt.Retire(context.Background(), f.SQL, f.d, f.plan(), f.oldKey.ID(), reencrypt.Options{}); !errors.Is(err, reencrypt.ErrUnreadable) {
			t.Errorf("retire with unreadable rows: %v", err)
		}
	})
}

func TestATokenThatDoesNotFitIsNotCutOff(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		t.Parallel()
		if db.Dialect == "sqlite" {
			return // widths mean nothing there
		}
		if db.Dialect == "mysql" {
			db = db.Reopen(t, "sql_mode=''") // lax, where MySQL would cut it off
		}
		f := newFixture(t, db)
		f.exec("CREATE TABLE users (id int PRIMARY KEY, email varchar(110))")
		f.exec("INSERT INTO users VALUES (1, 'short'), (2, 'longer than sixteen bytes')")
		var listed []reencrypt.UnreadableRow
		_, err := reencrypt.Run(context.Background(), f.SQL, f.d, f.plan(reencrypt.Column{Name: "email", Keyring: f.kr, Plaintext: true}),
			reencrypt.Options{Unreadable: func(r reencrypt.UnreadableRow) { listed = append(listed, r) }})
		if !errors.Is(err, reencrypt.ErrUnreadable) || len(listed) != 1 || listed[0].Key != "2" || listed[0].Reason != reencrypt.ReasonTooLong {
			t.Errorf("got %v, %v", err, listed)
		}
		rows := f.strings("SELECT email FROM users ORDER BY id")
		f.opens(f.kr, rows[0][0], "short")
		if rows[1][0] != "longer than sixteen bytes" {
			t.Error("row 2 was touched")
		}
	})
}

func TestPlaintextThatThePlanDoesNotEncryptIsAnError(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		t.Parallel()
		f := newFixture(t, db)
		f.users(9)
		f.exec("UPDATE users SET email = 'hunter2' WHERE id = 5")
		r, err := reencrypt.Run(context.Background(), f.SQL, f.d, f.plan(), reencrypt.Options{})
		if !errors.Is(err, reencrypt.ErrUnreadable) || !strings.Contains(err.Error(), "1 values are in the clear") || r.Counts.Rotated != 8 || r.Counts.Plaintext != 1 {
			t.Errorf("got %v, %+v", err, r.Counts)
		}
		noSecrets(t, err, "hunter2")
	})
}

func noSecrets(t *testing.T, err error, secrets ...string) {
	t.Helper()
	for _, s := range secrets {
		if err != nil && strings.Contains(err.Error(), s) {
			t.Error("the error holds a secret")
		}
	}
}
