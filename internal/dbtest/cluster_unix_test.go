//go:build unix

package dbtest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// holderEnv makes TestClusterHolder the process that is killed while it has a cluster.
const holderEnv = "FERNETCOL_DBTEST_HOLDER"

func TestClusterServesUntilStopped(t *testing.T) {
	t.Parallel()
	needServerBin(t)
	p := postgresProduct
	p.env = "FERNETCOL_DBTEST_UNSET"
	p.compose = "postgres://postgres@127.0.0.1:1/postgres"
	srv, err := p.find()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.cluster.stop() })

	// A cluster that only the garbage collector knows would be stopped by it.
	runtime.GC()
	runtime.GC()
	t.Run("test", func(t *testing.T) {
		if _, err := srv.fresh(t); err != nil {
			t.Fatal(err)
		}
	})

	dir := socketDir(t, srv.cluster.dsn)
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory is %v, %v; want 0700", info.Mode(), err)
	}
	if err := srv.cluster.stop(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory is still there: %v", err)
	}
	if _, err := openPostgres(srv.cluster.dsn); err == nil {
		t.Error("the server still answers")
	}
}

func TestClusterThatCannotStartSaysWhyAndLeavesNothing(t *testing.T) {
	// Not t.TempDir, which the server's user may not enter.
	root, err := os.MkdirTemp("/tmp", "fernetcol-dbtest-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(root) })
	bin, tmp := filepath.Join(root, "bin"), filepath.Join(root, "tmp")
	for _, dir := range []string{root, bin, tmp} {
		if err := errors.Join(os.MkdirAll(dir, 0o700), os.Chmod(dir, 0o777)); err != nil {
			t.Fatal(err)
		}
	}
	for name, script := range map[string]string{
		"initdb":   "echo starting; echo 'initdb: error: no room' >&2; exit 1",
		"pg_ctl":   "exit 1",
		"postgres": "exit 1",
	} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("TMPDIR", tmp)

	_, err = startCluster()
	if err == nil || err.Error() != "initdb: error: no room" {
		t.Errorf("got %v", err)
	}
	left, err := os.ReadDir(tmp)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestClusterEndsWithAKilledProcess(t *testing.T) {
	t.Parallel()
	needServerBin(t)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()

	cmd := exec.Command(exe, "-test.run=^TestClusterHolder$")
	cmd.Env = append(os.Environ(), holderEnv+"=1")
	cmd.ExtraFiles = []*os.File{theirs}
	input, err := cmd.StdinPipe() // held open: its end would stop the process in order
	if err != nil {
		t.Fatal(err)
	}
	defer input.Close()
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	line, err := bufio.NewReader(output).ReadString('\n')
	dsn := strings.TrimSpace(line)
	if err != nil || !strings.HasPrefix(dsn, "postgres:") {
		cmd.Process.Kill()
		t.Fatalf("the process printed %q: %v", line, err)
	}
	dir := socketDir(t, dsn)
	if _, err := os.Stat(filepath.Join(dir, "data", "postmaster.pid")); err != nil {
		t.Error(err)
	}

	cmd.Process.Kill()
	cmd.Wait()
	// The pipe ends when the last process of the cluster has.
	if _, err := io.Copy(io.Discard, ours); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory is still there: %v", err)
	}
	if _, err := openPostgres(dsn); err == nil {
		t.Error("the server still answers")
	}
}

func TestClusterHolder(t *testing.T) {
	if os.Getenv(holderEnv) == "" {
		return // it is for the process that TestClusterEndsWithAKilledProcess starts
	}
	c, err := startClusterWith(os.NewFile(3, "pipe"))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(c.dsn)
	io.Copy(io.Discard, os.Stdin)
	c.stop()
}

func TestVersionOf(t *testing.T) {
	for dir, want := range map[string]int{
		"/usr/lib/postgresql/17/bin":            17,
		"/usr/lib/postgresql/9.6/bin":           9,
		"/usr/pgsql-16/bin":                     16,
		"/opt/homebrew/opt/postgresql@15/bin":   15,
		"/somewhere/else/bin":                   0,
		"/usr/lib/99999999999999999999/bin":     0,
		"/usr/lib/postgresql/17/bin/not-at-end": 0,
	} {
		if got := versionOf(dir); got != want {
			t.Errorf("%s: got %d, want %d", dir, got, want)
		}
	}
}

func needServerBin(t *testing.T) {
	t.Helper()
	if findServerBin() == "" {
		t.Skip("no PostgreSQL server binaries on this machine")
	}
}

func socketDir(t *testing.T, dsn string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("host")
}
