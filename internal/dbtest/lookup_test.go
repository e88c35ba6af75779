package dbtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"
)

func TestParseRequire(t *testing.T) {
	for list, want := range map[string][]string{
		"":                 nil,
		" , ":              nil,
		"mysql":            {"mysql"},
		"postgres, mysql,": {"postgres", "mysql"},
		"sqlite-cgo":       {"sqlite-cgo"},
		"python,sqlite":    {"python", "sqlite"},
	} {
		got, err := parseRequire(list)
		if err != nil {
			t.Errorf("%q: %v", list, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", list, diff)
		}
	}
	if _, err := parseRequire("postgres,mariadb"); err == nil {
		t.Error("accepts a name that is none of ours")
	}
}

// TestFindOrder follows the order in which the package documentation promises to look.
func TestFindOrder(t *testing.T) {
	const env = "FERNETCOL_DBTEST_FIND_ORDER"
	refused := errors.New("refused")
	for _, c := range []struct {
		name, env string
		up        string // the only DSN that answers
		start     func() (*cluster, error)
		want      []string // the DSNs tried
		absent    bool
		fails     bool
	}{
		{name: "environment", env: "env", up: "env", want: []string{"env"}},
		{name: "no way past the environment", env: "env", up: "compose", want: []string{"env"}, fails: true},
		{name: "compose", up: "compose", start: startNever(t), want: []string{"compose"}},
		{name: "cluster", up: "cluster", start: startOK, want: []string{"compose", "cluster"}},
		{name: "cluster that does not start", start: startRefused, want: []string{"compose"}, absent: true},
		{name: "cluster that does not answer", start: startOK, want: []string{"compose", "cluster"}, absent: true},
		{name: "nowhere", want: []string{"compose"}, absent: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv(env, c.env)
			var tried []string
			p := product{name: "postgres", env: env, compose: "compose", start: c.start}
			p.open = func(dsn string) (*server, error) {
				tried = append(tried, dsn)
				if dsn != c.up {
					return nil, refused
				}
				return &server{}, nil
			}

			srv, err := p.find()
			if diff := cmp.Diff(c.want, tried); diff != "" {
				t.Error(diff)
			}
			_, absent := errors.AsType[*absentError](err)
			if absent != c.absent || (err != nil) != (c.absent || c.fails) {
				t.Errorf("error %v", err)
			}
			if c.absent && !strings.HasSuffix(err.Error(), "start it with: docker compose up -d --wait postgres") {
				t.Errorf("%q does not end with the line that starts it", err)
			}
			if c.up == "cluster" && srv.cluster == nil {
				t.Error("the server does not hold its cluster")
			}
		})
	}
}

func startNever(t *testing.T) func() (*cluster, error) {
	return func() (*cluster, error) {
		t.Error("a cluster is started")
		return nil, errors.New("not wanted")
	}
}

func startOK() (*cluster, error) {
	input, _ := net.Pipe()
	return &cluster{dsn: "cluster", input: input, wait: func() error { return nil }}, nil
}

func startRefused() (*cluster, error) {
	return nil, errors.New("no server binaries")
}

func TestRedactedKeepsOnlyTheKindOfFailure(t *testing.T) {
	for want, err := range map[string]error{
		"SQLSTATE 28P01":     &pgconn.PgError{Code: "28P01", Message: `password authentication failed for user "leaky"`},
		"MySQL error 1045":   &mysql.MySQLError{Number: 1045, Message: "Access denied for user 'leaky'"},
		"no answer in time":  context.DeadlineExceeded,
		"unknown host":       &net.DNSError{Err: "no such host", Name: "leaky"},
		"connection refused": &net.OpError{Op: "dial", Addr: &net.UnixAddr{Name: "leaky"}, Err: syscall.ECONNREFUSED},
		"connection failed":  errors.New("cannot parse leaky"),
	} {
		if got := redacted(fmt.Errorf("leaky: %w", err)).Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestWithParams(t *testing.T) {
	for _, c := range []struct {
		dsn    string
		params []string
		want   string
	}{
		{"u:a?b=c@tcp(h:1)/db", nil, "u:a?b=c@tcp(h:1)/db"},
		{"u:a?b=c@tcp(h:1)/db", []string{"sql_mode=''"}, "u:a?b=c@tcp(h:1)/db?sql_mode=%27%27"},
		{"postgres://u@h/db?a=1&b=2", []string{"b=3"}, "postgres://u@h/db?a=1&b=3"},
		{"file:/tmp/x?_pragma=a", []string{"_pragma=b=1", "_pragma=c"}, "file:/tmp/x?_pragma=b%3D1&_pragma=c"},
	} {
		if got := withParams(c.dsn, c.params); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func TestWithDatabase(t *testing.T) {
	u, err := url.Parse("postgresql://u:p%20+w@[::1]:5/old?options=a+b%20c&dbname=old&database=old")
	if err != nil {
		t.Fatal(err)
	}
	dsn := withDatabase(*u, "new")
	config, err := pgconn.ParseConfig(dsn)
	if err != nil {
		t.Fatalf("pgx does not read %s", dsn)
	}
	if config.Database != "new" || config.Password != "p +w" || !strings.Contains(dsn, "options=a%2Bb%20c") {
		t.Errorf("got %s", dsn)
	}
}

func TestComposeFileHasTheServices(t *testing.T) {
	file, err := os.ReadFile("../../docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(postgresProduct.compose)
	if err != nil {
		t.Fatal(err)
	}
	config, err := mysql.ParseDSN(mySQLProduct.compose)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"\n  postgres:\n    image: postgres:17\n",
		"\n  mysql:\n    image: mysql:8.4\n",
		`- "` + u.Host + `:5432"`,
		`- "` + config.Addr + `:3306"`,
	} {
		if !strings.Contains(string(file), want) {
			t.Errorf("docker-compose.yml lacks %q", want)
		}
	}
}
