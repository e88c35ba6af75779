package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib"
	"modernc.org/sqlite"
)

// openTimeout bounds the first contact with the server.
const openTimeout = 15 * time.Second

// open opens the database and asks whether it answers.
func (d *dataSource) open(ctx context.Context) (*sql.DB, error) {
	mysql.SetLogger(&mysql.NopLogger{}) // it writes to standard error what it returns too
	db, err := sql.Open(d.driver, d.dsn)
	if err == nil {
		bounded, cancel := context.WithTimeout(ctx, openTimeout)
		defer cancel()
		// Ping does not make SQLite read its file.
		_, err = db.ExecContext(bounded, "SELECT 1 WHERE EXISTS (SELECT 1)")
		if err == nil && d.dialect == "sqlite" {
			_, err = db.ExecContext(bounded, "SELECT count(*) FROM sqlite_master")
		}
	}
	if err != nil {
		if db != nil {
			db.Close()
		}
		return nil, fmt.Errorf("cannot open the database: %s", driverReason(err))
	}
	return db, nil
}

// driverReason says why a driver failed, in words of our own: those of drivers and
// servers hold hosts, users, statements and values.
func driverReason(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return withCode(postgresReasons[e.Code], "SQLSTATE "+e.Code)
	}
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return withCode(mysqlReasons[e.Number], fmt.Sprintf("error %d", e.Number))
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		// The low byte is the error, the rest its kind.
		return withCode(sqliteReasons[e.Code()&0xff], fmt.Sprintf("SQLite error %d", e.Code()))
	}
	switch {
	case errors.Is(err, context.Canceled):
		return "interrupted"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case strings.Contains(err.Error(), "server refused TLS"), errors.Is(err, mysql.ErrNoTLS):
		return "the server does not speak TLS; only if the network is yours, ask for none (sslmode=disable, tls=false)"
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "there is no host of that name"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "the server's certificate is not trusted"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "the server's certificate is for another host"
	}
	if e, ok := errors.AsType[syscall.Errno](err); ok {
		return e.Error()
	}
	return "the connection failed"
}

func withCode(reason, code string) string {
	if reason == "" {
		return code
	}
	return reason + " (" + code + ")"
}

// The errors that a reader can do something about. The rest is left to its code.
var (
	postgresReasons = map[string]string{
		"08006": "the connection was lost",
		"25006": "the connection is read-only",
		"28000": "the server refuses this user, host or database",
		"28P01": "the server refuses the password",
		"3D000": "there is no such database",
		"42501": "the user lacks the right to do this",
		"42703": "there is no such column",
		"42P01": "there is no such table",
		"53300": "the server has no connection left",
		"57014": "the server canceled the statement",
		"57P01": "the server is shutting down",
	}
	mysqlReasons = map[uint16]string{
		1044: "the user may not use this database",
		1045: "the server refuses the user or password",
		1046: "the data source name has no database",
		1049: "there is no such database",
		1054: "there is no such column",
		1146: "there is no such table",
		1142: "the user lacks the right to do this",
		1698: "the server refuses the user or password",
		1290: "the server is read-only",
		1792: "the transaction is read-only",
		1836: "the server is read-only",
	}
	sqliteReasons = map[int]string{
		1:  "there is no such table or column",
		5:  "another program holds the file's lock",
		8:  "the file is read-only",
		10: "the file cannot be read or written",
		11: "the file is damaged",
		14: "the file is not there, or may not be opened",
		26: "the file is no SQLite database",
	}
)
