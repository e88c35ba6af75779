package cli

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"
)

// dsnVariable holds the data source name unless a flag names another.
const dsnVariable = "DATABASE_URL"

// dsnSource is where the data source name comes from.
type dsnSource struct {
	env, file string
	cmd       *cobra.Command
}

// dsnFlags gives cmd the flags for the database.
func dsnFlags(cmd *cobra.Command) *dsnSource {
	d := &dsnSource{cmd: cmd}
	cmd.Flags().StringVar(&d.env, "dsn-env", dsnVariable, "environment `variable` with the data source name")
	cmd.Flags().StringVar(&d.file, "dsn-file", "", "`file` with the data source name; - is standard input")
	cmd.MarkFlagFilename("dsn-file")
	return d
}

// maxDSN is far above any data source name, in bytes.
const maxDSN = 64 << 10

// load reads the data source name and finds its driver. It opens nothing.
func (d *dsnSource) load(a *app) (*dataSource, error) {
	if d.file != "" && d.cmd.Flags().Changed("dsn-env") {
		return nil, usageError("give --dsn-env or --dsn-file, not both")
	}
	place := d.env
	var dsn string
	switch {
	case d.file == standardInput:
		if err := a.takeInput("--dsn-file"); err != nil {
			return nil, err
		}
		place = "standard input"
		data, err := io.ReadAll(io.LimitReader(a.In, maxDSN))
		if err != nil {
			return nil, fmt.Errorf("cannot read standard input: %w", err)
		}
		dsn = string(data)
	case d.file != "":
		place = d.file
		f, err := os.Open(d.file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		data, err := io.ReadAll(io.LimitReader(f, maxDSN))
		if err != nil {
			return nil, err
		}
		dsn = string(data)
	case !variableName.MatchString(d.env):
		return nil, usageError("--dsn-env takes the name of an environment variable")
	default:
		if d.cmd.Flags().Changed("dsn-env") { // it may be anything
			place = "the environment variable that --dsn-env names"
		}
		dsn = os.Getenv(d.env)
	}
	dsn = strings.TrimSpace(dsn)
	if dsn == "" {
		return nil, fmt.Errorf("%s holds no data source name; set %s or give --dsn-file", place, dsnVariable)
	}
	source, err := parseDSN(dsn)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", place, err)
	}
	return source, nil
}

// dataSource is a data source name that its driver can read.
type dataSource struct {
	dialect string // "postgres", "mysql" or "sqlite"
	driver  string // for [sql.Open]
	dsn     string
}

// Errors about a data source name never hold the parser's own, which quotes it.
var (
	errUnknownDSN        = errors.New("not a data source name that this program knows; it knows postgres://…, mysql://…, user@tcp(host)/db, sqlite:path and file:path")
	errPostgresDSN       = errors.New("not a PostgreSQL URL; write postgres://user:password@host:5432/database?sslmode=require, and signs such as @ : / in the password as %40 %3A %2F")
	errPostgresParameter = errors.New("a PostgreSQL URL of which a part cannot be used: the port, a parameter, or a file that a parameter or PG… variable names")
	errMySQLDSN          = errors.New("not a MySQL data source name; write mysql://user:password@host:3306/database, and signs such as @ : / in the password as %40 %3A %2F")
	errSQLiteDSN         = errors.New("not an SQLite data source name; write sqlite:path, or file:path?parameters as SQLite does")
)

// parseDSN finds the driver and translates the forms that it does not read.
func parseDSN(dsn string) (*dataSource, error) {
	scheme, rest, _ := strings.Cut(dsn, ":")
	switch scheme = strings.ToLower(scheme); {
	case scheme == "postgres" || scheme == "postgresql":
		if _, err := url.Parse(dsn); err != nil {
			return nil, errPostgresDSN
		}
		if _, err := pgx.ParseConfig(dsn); err != nil {
			return nil, errPostgresParameter
		}
		return &dataSource{"postgres", "pgx", dsn}, nil
	case (scheme == "mysql" || scheme == "mariadb") && strings.HasPrefix(rest, "//"):
		return parseMySQLURL(dsn)
	case scheme == "sqlite" || scheme == "sqlite3":
		return parseSQLitePath(rest)
	case scheme == "file":
		return parseSQLiteURI(dsn)
	}
	if _, err := mysql.ParseDSN(dsn); err == nil && strings.Contains(dsn, "@") {
		return &dataSource{"mysql", "mysql", dsn}, nil
	}
	return nil, errUnknownDSN
}

// parseMySQLURL translates a URL to the form of go-sql-driver. The parameters are
// its own.
func parseMySQLURL(dsn string) (*dataSource, error) {
	u, err := url.Parse(dsn)
	if err != nil || u.Hostname() == "" || u.Fragment != "" {
		return nil, errMySQLDSN
	}
	config := mysql.NewConfig()
	config.Net = "tcp"
	port := u.Port()
	if port == "" {
		port = "3306"
	}
	config.Addr = net.JoinHostPort(u.Hostname(), port)
	config.User = u.User.Username()
	config.Passwd, _ = u.User.Password()
	config.DBName = strings.TrimPrefix(u.Path, "/")
	formatted := config.FormatDSN()
	if u.RawQuery != "" {
		separator := "?"
		if strings.Contains(formatted[strings.LastIndexByte(formatted, '/'):], "?") {
			separator = "&"
		}
		formatted += separator + u.RawQuery
	}
	if _, err := mysql.ParseDSN(formatted); err != nil {
		return nil, errMySQLDSN
	}
	return &dataSource{"mysql", "mysql", formatted}, nil
}

// busyTimeout is how long SQLite waits for another writer.
const busyTimeout = "_pragma=busy_timeout(10000)"

// parseSQLitePath makes a URI of a path, in which nothing has a meaning.
func parseSQLitePath(path string) (*dataSource, error) {
	path = strings.TrimPrefix(path, "//") // sqlite:///path
	if path == "" || path == ":memory:" {
		return nil, errSQLiteDSN
	}
	escaped := (&url.URL{Path: path}).EscapedPath()
	// A relative path with a colon would be escaped to "./path:…", which is the same.
	return &dataSource{"sqlite", "sqlite", "file:" + escaped + "?mode=rw&" + busyTimeout}, nil
}

// parseSQLiteURI adds what keeps SQLite from making a new, empty database of a
// misspelt name.
func parseSQLiteURI(dsn string) (*dataSource, error) {
	path, query, _ := strings.Cut(dsn, "?")
	values, err := url.ParseQuery(query)
	if err != nil || path == "file:" || path == "file::memory:" {
		return nil, errSQLiteDSN
	}
	var more []string
	if query != "" {
		more = append(more, query)
	}
	if !values.Has("mode") {
		more = append(more, "mode=rw")
	}
	if !strings.Contains(query, "busy_timeout") {
		more = append(more, busyTimeout)
	}
	return &dataSource{"sqlite", "sqlite", path + "?" + strings.Join(more, "&")}, nil
}
