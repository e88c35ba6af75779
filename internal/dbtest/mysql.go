package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"github.com/go-sql-driver/mysql"
)

// errNoSuchThread is ER_NO_SUCH_THREAD of MySQL and MariaDB.
const errNoSuchThread = 1094

var mySQLProduct = product{
	name:    "mysql",
	env:     "FERNETCOL_MYSQL_DSN",
	compose: "root@tcp(127.0.0.1:23309)/",
	open:    openMySQL,
}

var mySQL = sync.OnceValues(mySQLProduct.find)

func openMySQL(dsn string) (*server, error) {
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, errors.New("not a DSN of github.com/go-sql-driver/mysql")
	}
	config.ParseTime = true // as GORM's time fields need it
	s, err := openServer("mysql", "mysql", config.FormatDSN())
	if err != nil {
		return nil, err
	}
	s.dsn = func(database string) string {
		fresh := config.Clone()
		fresh.DBName = database
		return fresh.FormatDSN()
	}
	// The server's own collation, which ignores case, is kept: tokens that differ in
	// case only are equal under it, as they are for most users.
	s.create = " CHARACTER SET utf8mb4"
	s.disconnect = func(ctx context.Context, database string) error {
		return killConnections(ctx, s.admin, database)
	}
	return s, nil
}

func killConnections(ctx context.Context, admin *sql.DB, database string) error {
	rows, err := admin.QueryContext(ctx, "SELECT id FROM information_schema.processlist WHERE db = ?", database)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id uint64
		if err := rows.Scan(&id); err != nil {
			return err
		}
		_, err := admin.ExecContext(ctx, fmt.Sprintf("KILL %d", id))
		if e, ok := errors.AsType[*mysql.MySQLError](err); ok && e.Number == errNoSuchThread {
			continue // it has ended by itself
		}
		if err != nil {
			return err
		}
	}
	return rows.Err()
}
