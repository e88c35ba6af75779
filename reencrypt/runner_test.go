package reencrypt_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/reencrypt"
)

// What a runner is told, by its environment. It holds a DSN and keys, which belong in
// no argument.
const (
	runnerDriver  = "FERNETCOL_TEST_RUNNER"
	runnerDialect = "FERNETCOL_TEST_DIALECT"
	runnerDSN     = "FERNETCOL_TEST_DSN"
	runnerKeys    = "FERNETCOL_TEST_KEYS" // the primary key first
	runnerLease   = "FERNETCOL_TEST_LEASE"
	runnerBatch   = "FERNETCOL_TEST_BATCH"
)

// exitNotComplete is how a runner says that it came to its end, with writers about.
const exitNotComplete = 3

// A runner is this test binary in a process of its own, which calls Run and can be
// killed. It prints a line with each batch.
type runner struct {
	*exec.Cmd
	lines *bufio.Scanner
}

func (f *fixture) runner(target, other fernet.Key, lease time.Duration, batch int) *runner {
	f.t.Helper()
	exe, err := os.Executable()
	if err != nil {
		f.t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run=^TestRunner$")
	cmd.Env = append(os.Environ(), runnerDriver+"="+f.Driver, runnerDialect+"="+f.Dialect, runnerDSN+"="+f.DSN(),
		runnerKeys+"="+target.Encode()+","+other.Encode(), runnerLease+"="+lease.String(), runnerBatch+"="+strconv.Itoa(batch))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		f.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	return &runner{cmd, bufio.NewScanner(out)}
}

// batch waits for the next batch, and reports false if the runner has ended.
func (r *runner) batch() bool { return r.lines.Scan() && strings.HasPrefix(r.lines.Text(), "batch") }

// drain reads to the end, so that the runner is not held up by a full pipe.
func (r *runner) drain() {
	for r.lines.Scan() {
	}
}

// TestRunner is the process of a runner.
func TestRunner(t *testing.T) {
	driver := os.Getenv(runnerDriver)
	if driver == "" {
		return // it is for the processes that other tests start
	}
	var keys []fernet.Key
	for s := range strings.SplitSeq(os.Getenv(runnerKeys), ",") {
		k, err := fernet.ParseKey(s)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, k)
	}
	lease, err := time.ParseDuration(os.Getenv(runnerLease))
	if err != nil {
		t.Fatal(err)
	}
	batch, err := strconv.Atoi(os.Getenv(runnerBatch))
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open(driver, os.Getenv(runnerDSN))
	if err != nil {
		t.Fatal("cannot open the database")
	}
	defer db.Close()
	plan := reencrypt.Plan{Table: "people", Columns: []reencrypt.Column{
		{Name: "secret", Keyring: ring(t, keys[0], keys[1:]...), Plaintext: true}}}
	_, err = reencrypt.Run(context.Background(), db, reencrypt.Dialect(os.Getenv(runnerDialect)), plan, reencrypt.Options{
		BatchSize: batch, Lease: lease, MaxPasses: 2,
		Progress: func(reencrypt.Progress) { fmt.Println("batch") },
	})
	if errors.Is(err, reencrypt.ErrNotComplete) {
		os.Exit(exitNotComplete)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}
