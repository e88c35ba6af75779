package dbtest

import (
	"errors"
	"net/url"
	"strings"
	"sync"

	_ "github.com/jackc/pgx/v5/stdlib"
)

var postgresProduct = product{
	name:    "postgres",
	env:     "FERNETCOL_POSTGRES_DSN",
	compose: "postgres://postgres@127.0.0.1:25439/postgres?sslmode=disable",
	open:    openPostgres,
	start:   startCluster,
}

var postgres = sync.OnceValues(postgresProduct.find)

func openPostgres(dsn string) (*server, error) {
	u, err := url.Parse(dsn)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return nil, errors.New("not a postgres:// URL")
	}
	s, err := openServer("postgres", "pgx", dsn)
	if err != nil {
		return nil, err
	}
	s.dsn = func(database string) string {
		return withDatabase(*u, database)
	}
	// From template0, since template1 holds whatever its owner put there, in an
	// encoding of its owner's choice.
	s.create = " TEMPLATE template0 ENCODING 'UTF8'"

	var version int
	if err := s.admin.QueryRow("SELECT current_setting('server_version_num')::int").Scan(&version); err != nil {
		s.admin.Close()
		return nil, redacted(err)
	}
	if version >= 13_00_00 { // before, an open transaction is an error
		s.drop = " WITH (FORCE)"
	}
	return s, nil
}

// withDatabase returns the URL as a DSN that leads to another database.
func withDatabase(u url.URL, database string) string {
	u.RawQuery = strings.ReplaceAll(u.RawQuery, "+", "%2B") // see encodeQuery
	query := u.Query()
	query.Del("dbname") // would win over the path
	query.Del("database")
	u.RawQuery = encodeQuery(query)
	u.Path, u.RawPath = "/"+database, ""
	return u.String()
}
