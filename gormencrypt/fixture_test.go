package gormencrypt_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/fernetcol/fernetcol/blindindex"
	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/gormencrypt"
	"github.com/fernetcol/fernetcol/internal/dbtest"
	"github.com/fernetcol/fernetcol/keyprovider"
)

// canary stands in every plaintext that must not get out.
const canary = "canary7f3a"

// canaryNumber is the canary of fields that hold no text.
const canaryNumber = 918273645

type Address struct {
	Street string
	No     int
}

// Person has an encrypted field of every form, and plain ones beside them.
type Person struct {
	ID   int64
	Name string

	Email encryptedtype.EncryptedString
	Phone encryptedtype.DeterministicString `gorm:"type:varchar(255)"`
	Photo encryptedtype.EncryptedBytes
	Born  encryptedtype.Encrypted[time.Time]
	Nick  *encryptedtype.EncryptedString
	Alias sql.Null[encryptedtype.EncryptedString]

	Note  string    `gorm:"serializer:fernet"`
	SSN   *string   `gorm:"serializer:fernet;type:varchar(255)" fernet:"deterministic"`
	Blob  []byte    `gorm:"serializer:fernet"`
	Age   int       `gorm:"serializer:fernet"`
	Seen  time.Time `gorm:"serializer:fernet"`
	Home  Address   `gorm:"serializer:fernet"`
	Badge string    `gorm:"serializer:fernet;type:varchar(255)" fernet:"deterministic"`

	Login      *encryptedtype.EncryptedString `fernet:"index:LoginIndex,lower"`
	LoginIndex blindindex.Value
	Zip        string           `gorm:"serializer:fernet" fernet:"index:ZipIndex,trim,nfkc;index:ZipArea,prefix=2"`
	ZipIndex   blindindex.Value `gorm:"index"`
	ZipArea    blindindex.Value
	Code       int `gorm:"serializer:fernet" fernet:"index:CodeIndex"`
	CodeIndex  blindindex.Value
}

// indexColumns are the index columns of an encrypted column of a Person, with the
// transforms of each.
var indexColumns = map[string]map[string][]blindindex.Transform{
	"login": {"login_index": {blindindex.Lower}},
	"zip":   {"zip_index": {blindindex.Trim, blindindex.NFKC}, "zip_area": {blindindex.Prefix(2)}},
	"code":  {"code_index": nil},
}

// A fieldForm is one form of field with a value for it.
type fieldForm struct {
	name, column string
	value        any    // of the field's type
	plain        any    // what a program may give in a map or to Update
	stored       string // what the token holds
}

func fieldForms(suffix string) []fieldForm {
	when := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	text := func(name string) string { return canary + "-" + name + suffix }
	asJSON := func(v any) string { b, _ := json.Marshal(v); return string(b) }
	nick := encryptedtype.EncryptedString(text("nick"))
	ssn := text("ssn")
	login := encryptedtype.EncryptedString("Login-" + text("login"))
	home := Address{Street: text("home"), No: canaryNumber}
	return []fieldForm{
		{"Email", "email", encryptedtype.EncryptedString(text("email")), text("email"), text("email")},
		{"Phone", "phone", encryptedtype.DeterministicString(text("phone")), text("phone"), text("phone")},
		{"Photo", "photo", encryptedtype.EncryptedBytes(text("photo")), []byte(text("photo")), text("photo")},
		{"Born", "born", encryptedtype.Encrypted[time.Time]{V: when}, when, asJSON(when)},
		{"Nick", "nick", &nick, text("nick"), text("nick")},
		{"Alias", "alias", sql.Null[encryptedtype.EncryptedString]{V: encryptedtype.EncryptedString(text("alias")), Valid: true}, text("alias"), text("alias")},
		{"Note", "note", text("note"), text("note"), text("note")},
		{"SSN", "ssn", &ssn, text("ssn"), text("ssn")},
		{"Blob", "blob", []byte(text("blob")), []byte(text("blob")), text("blob")},
		{"Age", "age", canaryNumber, canaryNumber, asJSON(canaryNumber)},
		{"Seen", "seen", when, when, asJSON(when)},
		{"Home", "home", home, home, asJSON(home)},
		{"Badge", "badge", text("badge"), text("badge"), text("badge")},
		{"Login", "login", &login, string(login), string(login)},
		{"Zip", "zip", text(" zip"), text(" zip"), text(" zip")},
		{"Code", "code", canaryNumber, canaryNumber, asJSON(canaryNumber)},
	}
}

// person returns a Person whose fields have the values of the forms.
func person(name string, forms ...fieldForm) *Person {
	p := &Person{Name: name}
	for _, f := range forms {
		reflect.ValueOf(p).Elem().FieldByName(f.name).Set(reflect.ValueOf(f.value))
	}
	return p
}

// A world is a database with the plugin, whose log and errors are kept.
type world struct {
	*testing.T
	db       *gorm.DB
	database *dbtest.Database
	ring     *fernet.Keyring
	oldRing  *fernet.Keyring // with the retired key alone
	indexKey fernet.Key

	out *output // the log and every error
}

type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// with returns the same world for a subtest.
func (w *world) with(t *testing.T) *world {
	sub := *w
	sub.T = t
	return &sub
}

func newRing(t testing.TB, keys ...fernet.Key) *fernet.Keyring {
	t.Helper()
	kr, err := fernet.NewKeyring(keys[0], keys[1:]...)
	if err != nil {
		t.Fatal(err)
	}
	return kr
}

// newWorld opens a handle with the plugin and makes tables for the models.
func newWorld(t *testing.T, d *dbtest.Database, models ...any) *world {
	t.Helper()
	retired := fernet.GenerateKey()
	w := &world{
		T: t, database: d, out: &output{}, ring: newRing(t, fernet.GenerateKey(), retired), oldRing: newRing(t, retired), indexKey: fernet.GenerateKey(),
	}
	w.db = w.open(keyprovider.Static(w.ring))
	if err := w.db.AutoMigrate(models...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.noCanary)
	return w
}

func (w *world) open(p gormencrypt.Provider) *gorm.DB {
	w.Helper()
	db := w.database.GORM(w.T, &gorm.Config{Logger: logger.New(w, logger.Config{LogLevel: logger.Info})})
	if err := db.Use(gormencrypt.New(p, gormencrypt.Options{
		IndexKey: w.indexKey, Transforms: []blindindex.Transform{blindindex.Custom("own", strings.ToLower)},
	})); err != nil {
		w.Fatal(err)
	}
	return db
}

// Printf implements [logger.Writer].
func (w *world) Printf(format string, args ...any) {
	w.out.mu.Lock()
	defer w.out.mu.Unlock()
	fmt.Fprintf(&w.out.buf, format+"\n", args...)
}

// note keeps an error for the search for the canary, and returns it.
func (w *world) note(err error) error {
	if err != nil {
		w.Printf("error: %v %+v %#v", err, err, err)
	}
	return err
}

// ok fails the test if the statement failed.
func (w *world) ok(tx *gorm.DB) *gorm.DB {
	w.Helper()
	if w.note(tx.Error) != nil {
		w.Errorf("unexpected error: %v", tx.Error)
	}
	return tx
}

// refused fails the test unless the error says ErrRefused and names the column.
func (w *world) refused(err error, column string) {
	w.Helper()
	w.note(err)
	if !errors.Is(err, gormencrypt.ErrRefused) {
		w.Errorf("got %v, want ErrRefused", err)
	} else if !strings.Contains(err.Error(), column) {
		w.Errorf("the error does not name %s: %v", column, err)
	}
}

// stored fails the test unless the column holds a token of plain, encrypted once
// under the primary key.
func (w *world) stored(table, column string, id int64, plain string) {
	w.Helper()
	token := w.raw(table, column, id)
	if token == nil {
		w.Errorf("%s.%s is NULL", table, column)
		return
	}
	primary, err := w.ring.KeyID(token)
	if err != nil {
		w.Errorf("%s.%s of row %d is no token", table, column, id)
		return
	}
	if old, err := w.oldRing.KeyID(token); err == nil && old == primary {
		w.Errorf("%s.%s is under the retired key", table, column)
	}
	if got, err := w.ring.Decrypt(token); err != nil || string(got) != plain {
		w.Errorf("%s.%s does not hold the value once encrypted", table, column)
	}
	if table == "people" {
		for index, transforms := range indexColumns[column] {
			if got, want := string(w.raw(table, index, id)), w.entry(table, column, index, plain, transforms...); got != string(want) {
				w.Errorf("%s.%s of row %d is %q, which is not the entry of the value", table, index, id, got)
			}
		}
	}
}

// entry computes an entry beside the plugin.
func (w *world) entry(table, column, index, plain string, transforms ...blindindex.Transform) blindindex.Value {
	w.Helper()
	ix, err := blindindex.New(w.indexKey, table, column, index, blindindex.Options{Transforms: transforms})
	if err != nil {
		w.Fatal(err)
	}
	return ix.Value(plain)
}

// raw reads a column by plain SQL.
func (w *world) raw(table, column string, id int64) []byte {
	w.Helper()
	var b []byte
	query := fmt.Sprintf("SELECT %s FROM %s WHERE id = %s", w.quote(column), table, w.database.Placeholder(1))
	if err := w.database.SQL.QueryRow(query, id).Scan(&b); err != nil {
		w.Errorf("row %d of %s: %v", id, table, err)
	}
	return b
}

// plant writes a value by plain SQL.
func (w *world) plant(table, column string, id int64, value any) {
	w.Helper()
	query := fmt.Sprintf("UPDATE %s SET %s = %s WHERE id = %s", table, w.quote(column), w.database.Placeholder(1), w.database.Placeholder(2))
	if _, err := w.database.SQL.Exec(query, value, id); err != nil {
		w.Fatal(err)
	}
}

func (w *world) count(table string) (n int64) {
	w.Helper()
	if err := w.database.SQL.QueryRow("SELECT COUNT(*) FROM " + table).Scan(&n); err != nil {
		w.Fatal(err)
	}
	return n
}

// noCanary fails the test if a canary is in the database, the log or an error.
func (w *world) noCanary() {
	w.out.mu.Lock()
	out := w.out.buf.String()
	w.out.mu.Unlock()
	if line := findCanary(out); line != "" {
		w.Errorf("plaintext in the log or in an error: %s", line)
	}
	tables, err := w.db.Migrator().GetTables()
	if err != nil {
		w.Error(err)
	}
	for _, table := range tables {
		rows, err := w.database.SQL.QueryContext(context.Background(), "SELECT * FROM "+table)
		if err != nil {
			w.Error(err)
			continue
		}
		columns, _ := rows.Columns()
		for rows.Next() {
			values := make([]sql.RawBytes, len(columns))
			dest := make([]any, len(columns))
			for i := range values {
				dest[i] = &values[i]
			}
			if err := rows.Scan(dest...); err != nil {
				w.Error(err)
			}
			for i, v := range values {
				if findCanary(string(v)) != "" {
					w.Errorf("plaintext in %s.%s", table, columns[i])
				}
			}
		}
		rows.Close()
	}
}

// findCanary returns the line with a canary, or "". A value printed as bytes
// counts too.
func findCanary(text string) string {
	for _, c := range []string{canary, fmt.Sprint(canaryNumber), fmt.Sprint([]byte(canary))[1:20], fmt.Sprintf("%x", canary)} {
		if i := strings.Index(text, c); i >= 0 {
			start := max(strings.LastIndexByte(text[:i], '\n'), i-300, 0)
			return text[start:min(len(text), i+100)]
		}
	}
	return ""
}
