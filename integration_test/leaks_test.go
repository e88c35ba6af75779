package integration_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/internal/dbtest"
)

// lockedBuffer is a bytes.Buffer for concurrent use.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func (b *lockedBuffer) Reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.buf.Reset()
}

// infoLogger is GORM's own logger, which prints every statement with its values.
func infoLogger(w io.Writer) logger.Interface {
	return logger.New(log.New(w, "", 0), logger.Config{LogLevel: logger.Info})
}

// TestGORMLogsAndErrorsHoldNoPlaintext takes every road on which GORM prints values,
// with and without an error.
func TestGORMLogsAndErrorsHoldNoPlaintext(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		var logged lockedBuffer
		g := db.GORM(t, &gorm.Config{Logger: infoLogger(&logged)})
		if err := g.AutoMigrate(&patient{}); err != nil {
			t.Fatal(err)
		}
		if db.Dialect == "mysql" {
			exec(t, db, "ALTER TABLE patients MODIFY email varchar(255)")
		}
		exec(t, db, "CREATE UNIQUE INDEX patients_email ON patients (email)")
		exec(t, db, "INSERT INTO patients (id, name) VALUES (9, ?)", encryptedtype.Bind(foreignRing, encryptedtype.EncryptedString(canary)))

		var errs []error
		collect := func(tx *gorm.DB) { errs = append(errs, tx.Error) }
		first, second := newPatient(1), newPatient(2)
		collect(g.Create(&first))
		collect(g.Create(&second)) // the e-mail address is taken
		collect(g.Create(&first))  // and so is the ID
		second.Email += canary
		collect(g.Save(&second))
		collect(g.Create([]patient{newPatient(3)}))
		collect(g.Model(&first).Updates(patient{Name: canary + "-new"}))
		collect(g.Model(&first).Updates(map[string]any{"name": first.Name, "photo": first.Photo, "notes": first.Notes, "email": &first.Email}))
		collect(g.Model(&first).Update("no_such_column", first.Name))
		var read []patient
		collect(g.Where("email = ?", first.Email).Find(&read))
		collect(g.Where("email IN ?", []encryptedtype.DeterministicString{first.Email, canary}).Find(&read))
		collect(g.Where(&patient{Email: first.Email, Name: first.Name}).Or("photo = ?", first.Photo).Find(&read))
		collect(g.Where("name = no_such_function(?, ?)", first.Name, first.Photo).Find(&read))
		collect(g.Raw("SELECT no syntax ?", null(first.Name)).Scan(&read))
		collect(g.Find(&read)) // one row is under a foreign key
		collect(g.Where(patient{Email: canary + "new"}).Attrs(patient{ID: 4, Name: canary}).FirstOrCreate(&patient{}))

		failed := 0
		for i, err := range errs {
			if err == nil {
				continue
			}
			failed++
			for _, verb := range []string{"%v", "%+v", "%#v", "%q"} {
				if leaks(fmt.Sprintf(verb, err)) {
					t.Errorf("error %d holds the plaintext", i)
				}
			}
		}
		if failed < 6 {
			t.Errorf("only %d calls fail: the test looks at too little", failed)
		}
		if leaks(logged.String()) {
			t.Error("the log holds the plaintext")
		}
		if n := strings.Count(logged.String(), "gAAAAA"); n < 20 {
			t.Errorf("the log holds %d tokens: the test looks at too little", n)
		}
	})
}

func TestDriverErrorsHoldNoPlaintext(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		exec(t, db, "CREATE TABLE t (id integer PRIMARY KEY, v "+db.TextType()+")")
		p := newPatient(0)
		for _, v := range []any{
			p, &p, []encryptedtype.EncryptedString{p.Name}, map[string]encryptedtype.EncryptedString{"": p.Name},
			encryptedtype.Bind(ring, []encryptedtype.EncryptedString{p.Name}), encryptedtype.Bind(ring, p),
		} {
			_, err := db.SQL.Exec(db.Rebind("INSERT INTO t VALUES (1, ?)"), v)
			if err == nil {
				t.Errorf("%T is stored", v)
			} else if leaks(err.Error()) {
				t.Errorf("%T: the error holds the plaintext", v)
			}
		}
		exec(t, db, "INSERT INTO t VALUES (1, ?)", p.Name)
		_, err := db.SQL.Exec(db.Rebind("INSERT INTO t VALUES (1, ?)"), p.Name)
		if err == nil || leaks(err.Error()) {
			t.Error("a duplicate: no error, or one with the plaintext")
		}
		var n encryptedtype.Encrypted[int]
		err = db.SQL.QueryRow("SELECT v FROM t").Scan(&n)
		if err == nil || errors.Is(err, fernet.ErrInvalidToken) || leaks(err.Error()) || n.V != 0 {
			t.Error("JSON of another shape: no error, the wrong one, or one with the plaintext")
		}
	})
}

// TestStoredDataHoldsNoPlaintext reads everything there is: each column of each table,
// and for SQLite the files themselves, in which old versions of a row remain.
func TestStoredDataHoldsNoPlaintext(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		createOptional(t, db)
		g := db.GORM(t)
		if err := g.AutoMigrate(&patient{}); err != nil {
			t.Fatal(err)
		}
		for id := 1; id <= 20; id++ {
			p, o := newPatient(id), fullOptional(id)
			if err := errors.Join(g.Create(&p).Error, g.Create(&o).Error, g.Save(&p).Error, g.Save(&o).Error); err != nil {
				t.Fatal(err)
			}
		}
		if err := g.Delete(&patient{}, "id < 10").Error; err != nil {
			t.Fatal(err)
		}
		exec(t, db, "CREATE TABLE control (v "+db.TextType()+")")

		if holdsCanary(t, db) {
			t.Error("the plaintext is stored")
		}
		exec(t, db, "INSERT INTO control VALUES (?)", canary)
		if !holdsCanary(t, db) {
			t.Error("a stored plaintext is not found: the test looks at nothing")
		}
	})
}

func holdsCanary(t *testing.T, db *dbtest.Database) bool {
	t.Helper()
	found := false
	for _, table := range []string{"patients", "optionals", "control"} {
		rows, err := db.SQL.Query("SELECT * FROM " + table)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			row, dst := make([][]byte, len(columns)), make([]any, len(columns))
			for i := range row {
				dst[i] = &row[i]
			}
			if err := rows.Scan(dst...); err != nil {
				t.Fatal(err)
			}
			found = found || leaks(bytes.Join(row, nil))
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	if db.Dialect != "sqlite" {
		return found
	}

	var file string
	scan(t, db, "SELECT file FROM pragma_database_list WHERE name = 'main'", nil, &file)
	files, err := filepath.Glob(file + "*") // the write-ahead log lies beside it
	if err != nil || len(files) < 2 {
		t.Fatalf("%d files of the database: %v", len(files), err)
	}
	inFiles := false
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		inFiles = inFiles || leaks(content)
	}
	if inFiles != found {
		t.Error("the rows and the files do not agree")
	}
	return found || inFiles
}
