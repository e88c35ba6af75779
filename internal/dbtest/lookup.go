package dbtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
)

// requireEnv names what must not be missing, separated by commas.
const requireEnv = "FERNETCOL_REQUIRE"

// absentError says that a database is not there and how to get it. Any other error
// means that it is there and broken, which is never a reason to skip.
type absentError struct {
	name  string
	why   string
	start string // the command that makes it present
}

func (e *absentError) Error() string {
	return fmt.Sprintf("dbtest: no %s (%s); start it with: %s", e.name, e.why, e.start)
}

// required returns the names in FERNETCOL_REQUIRE. A name that does not
// exist is an error: a misspelt one would let its tests skip unnoticed.
func required() ([]string, error) {
	return parseRequire(os.Getenv(requireEnv))
}

func parseRequire(list string) ([]string, error) {
	known := slices.Concat(names, programs)
	var required []string
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		if name == "" {
			continue
		}
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("dbtest: %s names %q; there is only %s", requireEnv, name, strings.Join(known, ", "))
		}
		required = append(required, name)
	}
	return required, nil
}

// product is a database server that may be found.
type product struct {
	name    string // also its service in docker-compose.yml
	env     string // the variable that holds a DSN
	compose string // the DSN of the service

	// open connects to the server. Its errors are redacted.
	open func(dsn string) (*server, error)

	// start runs a server from the binaries of this machine. It may be nil.
	start func() (*cluster, error)
}

func (p *product) find() (*server, error) {
	if dsn := os.Getenv(p.env); dsn != "" {
		srv, err := p.open(dsn)
		if err != nil {
			return nil, fmt.Errorf("dbtest: cannot use the server in %s: %w", p.env, err)
		}
		return srv, nil
	}

	srv, err := p.open(p.compose)
	if err == nil {
		return srv, nil
	}
	why := "compose service: " + err.Error()

	if p.start != nil {
		srv, err := p.startAndOpen()
		if err == nil {
			return srv, nil
		}
		why += "; temporary cluster: " + err.Error()
	}
	return nil, &absentError{name: p.name, why: why, start: "docker compose up -d --wait " + p.name}
}

func (p *product) startAndOpen() (*server, error) {
	c, err := p.start()
	if err != nil {
		return nil, err
	}
	srv, err := p.open(c.dsn)
	if err != nil {
		c.stop()
		return nil, err
	}
	srv.cluster = c
	return srv, nil
}

// redacted returns an error that says what kind of failure err is and nothing else.
// Drivers put the host, the user and the database into their messages, and parsers
// the whole DSN.
func redacted(err error) error {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return errors.New("SQLSTATE " + e.Code)
	}
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return fmt.Errorf("MySQL error %d", e.Number)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.New("no answer in time")
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return errors.New("unknown host")
	}
	if e, ok := errors.AsType[syscall.Errno](err); ok {
		return e
	}
	return errors.New("connection failed")
}
