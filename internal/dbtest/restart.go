package dbtest

import "testing"

// RestartablePostgres opens a fresh PostgreSQL database on a server of its own, started
// from the binaries of this machine, and returns a function that stops that server as a
// crash would (pg_ctl's immediate mode) and starts it again. Without binaries it skips
// the test.
//
// A commit that the server has confirmed is in the log of this database: it does not
// run with synchronous_commit off, as the other temporary clusters do.
func RestartablePostgres(t testing.TB) (db *Database, restart func()) {
	t.Helper()
	if findServerBin() == "" {
		err := &absentError{name: "postgres", why: "no server binaries on this machine", start: "apt-get install postgresql"}
		if Required(t, "postgres") {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	c, err := startCluster()
	if err != nil {
		t.Fatalf("dbtest: cannot start a cluster: %v", err)
	}
	t.Cleanup(func() { c.stop() })
	srv, err := openPostgres(c.dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.admin.Close() })
	srv.cluster = c
	if db, err = srv.fresh(t); err != nil {
		t.Fatal(err)
	}
	return db.Reopen(t, "synchronous_commit=on"), func() {
		t.Helper()
		if err := c.restart(); err != nil {
			t.Fatalf("dbtest: %v", err)
		}
	}
}
