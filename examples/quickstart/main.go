// Quickstart stores one secret through GORM and one through database/sql, shows
// the rows as the database holds them, reads them back, and opens a token that
// Python made in 2015.
//
//	go run ./examples/quickstart
//
// It uses SQLite in the file quickstart.db, or PostgreSQL if DATABASE_URL is set
// (postgres://…), and the key in SECRET_FERNET_KEY, or a new one.
package main

import (
	"database/sql"
	"errors"
	"fmt"
	"os"

	"gorm.io/driver/postgres"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	_ "modernc.org/sqlite" // the driver "sqlite", in pure Go

	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/keyprovider"
)

// A Spoiler is an ordinary GORM model with one encrypted column.
type Spoiler struct {
	ID   int64
	Text encryptedtype.EncryptedString
}

const file = "quickstart.db"

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

func run() error {
	kr, err := keyring()
	if err != nil {
		return err
	}
	if err := encryptedtype.SetDefault(kr); err != nil {
		return err
	}
	db, err := open()
	if err != nil {
		return err
	}
	if err := db.AutoMigrate(&Spoiler{}); err != nil {
		return fmt.Errorf("creating the table: %w", err)
	}
	sqlDB, err := db.DB()
	if err != nil {
		return err
	}
	defer sqlDB.Close()
	if err := checkKey(db); err != nil {
		return err
	}

	// Through GORM: nothing to do but the type of the field.
	byGORM := Spoiler{Text: "Snape kills Dumbledore."}
	if err := db.Create(&byGORM).Error; err != nil {
		return err
	}
	// Through database/sql: the same type as an argument. ($1 works in SQLite too.)
	bySQL := Spoiler{Text: "Snape kills Dumbledore."}
	if err := sqlDB.QueryRow("INSERT INTO spoilers (text) VALUES ($1) RETURNING id", bySQL.Text).Scan(&bySQL.ID); err != nil {
		return err
	}
	for _, id := range []int64{byGORM.ID, bySQL.ID} {
		if err := show(db, sqlDB, id); err != nil {
			return err
		}
	}
	return openPythonToken()
}

// keyring takes the keys from the environment, or makes one.
func keyring() (*fernet.Keyring, error) {
	kr, err := keyprovider.FromEnv("SECRET_FERNET_KEY")
	if !errors.Is(err, keyprovider.ErrNoKeys) {
		return kr, err
	}
	key := fernet.GenerateKey()
	fmt.Println("SECRET_FERNET_KEY is not set, so here is a new key. Without it these rows stay")
	fmt.Println("closed; keep it where the data is not, and run again with")
	fmt.Printf("  export SECRET_FERNET_KEY='%s'\n\n", key.Encode())
	return fernet.NewKeyring(key)
}

// open opens SQLite, or PostgreSQL if DATABASE_URL is set.
func open() (*gorm.DB, error) {
	config := &gorm.Config{Logger: logger.Discard} // errors are returned; said once is enough
	if url := os.Getenv("DATABASE_URL"); url != "" {
		db, err := gorm.Open(postgres.Open(url), config)
		if err != nil {
			return nil, fmt.Errorf("cannot open PostgreSQL at DATABASE_URL: %s", reason(err))
		}
		fmt.Println("Database: PostgreSQL at DATABASE_URL, table spoilers")
		return db, nil
	}
	db, err := gorm.Open(sqlite.Dialector{DriverName: "sqlite", DSN: file}, config)
	if err != nil {
		return nil, fmt.Errorf("cannot open the file %s: %w", file, err)
	}
	fmt.Printf("Database: SQLite, file %s, table spoilers\n", file)
	return db, nil
}

// checkKey finds out early that the key in the environment is not the one that
// wrote the rows of an earlier run.
func checkKey(db *gorm.DB) error {
	var newest Spoiler
	err := db.Last(&newest).Error
	if errors.Is(err, fernet.ErrInvalidToken) && os.Getenv("SECRET_FERNET_KEY") != "" {
		return errors.New("the rows in table spoilers are under another key than SECRET_FERNET_KEY; set that key, or both as \"new,old\"")
	}
	if errors.Is(err, gorm.ErrRecordNotFound) || errors.Is(err, fernet.ErrInvalidToken) {
		return nil // none yet, or all under keys that were not kept
	}
	return err
}

// show prints one row as it is stored and as both interfaces read it.
func show(db *gorm.DB, sqlDB *sql.DB, id int64) error {
	var stored string
	if err := sqlDB.QueryRow("SELECT text FROM spoilers WHERE id = $1", id).Scan(&stored); err != nil {
		return err
	}
	var byGORM Spoiler
	if err := db.First(&byGORM, id).Error; err != nil {
		return err
	}
	var bySQL encryptedtype.EncryptedString
	if err := sqlDB.QueryRow("SELECT text FROM spoilers WHERE id = $1", id).Scan(&bySQL); err != nil {
		return err
	}
	// The types print as [encrypted]; string() takes the plaintext out.
	fmt.Printf("\nRow %d as stored:     %s\n", id, stored)
	fmt.Printf("Read by GORM:         %s\n", string(byGORM.Text))
	fmt.Printf("Read by database/sql: %s\n", string(bySQL))
	fmt.Printf("Printed by accident:  %s\n", bySQL)
	return nil
}

// openPythonToken opens a token that Python's cryptography module made in 2015.
func openPythonToken() error {
	key, err := fernet.ParseKey("BP04_l7C3wByNiEaEiseNiP0ZrqZ7s3qL-mkG8eHlJY=")
	if err != nil {
		return err
	}
	kr, err := fernet.NewKeyring(key)
	if err != nil {
		return err
	}
	const token = "gAAAAABVLTmsBrJWKMzjn4pDlRwtk1j3TFcF1lrRlXo8_ASbR42vEiAcagNKR3cqp6ypSdPPyMozGi2T10pxqKISxwVYqMqoEIaScr310glx55vUk_l6eLc="
	plaintext, err := kr.DecryptString(token)
	if err != nil {
		return err
	}
	made, err := kr.ExtractTimestamp([]byte(token))
	if err != nil {
		return err
	}
	fmt.Printf("\nA token Python made on %s: %s\n", made.Format("2006-01-02 15:04:05 MST"), plaintext)
	return nil
}
