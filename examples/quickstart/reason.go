package main

import (
	"errors"
	"fmt"
	"net"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
)

// reason says in a few words why a connection failed. The driver's own text
// spans lines and repeats parts of the URL, which may hold a password.
func reason(err error) string {
	var (
		parse  *pgconn.ParseConfigError
		server *pgconn.PgError
		dns    *net.DNSError
	)
	switch {
	case errors.As(err, &parse):
		return "it is not a valid URL; it looks like postgres://user:password@host:5432/database"
	case errors.As(err, &server) && server.Code == "3D000":
		return "the server has no such database"
	case errors.As(err, &server) && (server.Code == "28P01" || server.Code == "28000"):
		return "the server refuses the user or the password"
	case errors.As(err, &server):
		return fmt.Sprintf("the server answers with SQLSTATE %s", server.Code)
	case errors.As(err, &dns):
		return "the host name is unknown"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "no server listens there"
	default:
		return "the server does not answer"
	}
}
