package dbtest

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// cluster is a temporary PostgreSQL server. It ends, and its directory is removed,
// when stop is called or this process ends in whatever way.
type cluster struct {
	dsn    string
	input  io.WriteCloser // the shell that runs the server waits for the end of this
	output *bufio.Reader
	wait   func() error
}

// restart stops the server as a crash would, and starts it again.
func (c *cluster) restart() error {
	if _, err := io.WriteString(c.input, "restart\n"); err != nil {
		return err
	}
	line, err := c.output.ReadString('\n')
	if err != nil || line != "restarted\n" {
		return errors.New("the server did not come back")
	}
	return nil
}

// stop ends the server and returns when its directory is removed.
func (c *cluster) stop() error {
	c.input.Close()
	return c.wait()
}

// serverBins are the places beside PATH where packages put PostgreSQL's server
// binaries: Debian, Fedora, and Homebrew on either processor.
var serverBins = []string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/opt/homebrew/opt/postgresql@*/bin",
	"/usr/local/opt/postgresql@*/bin",
}

// findServerBin returns a directory that holds PostgreSQL's server binaries, or "":
// that of the initdb in PATH, else the highest version in the usual places.
func findServerBin() string {
	if initdb, err := exec.LookPath("initdb"); err == nil {
		if real, err := filepath.EvalSymlinks(initdb); err == nil && isServerBin(filepath.Dir(real)) {
			return filepath.Dir(real)
		}
	}
	var found []string
	for _, pattern := range serverBins {
		dirs, _ := filepath.Glob(pattern) // fails on a malformed pattern only
		found = append(found, slices.DeleteFunc(dirs, func(dir string) bool { return !isServerBin(dir) })...)
	}
	if len(found) == 0 {
		return ""
	}
	return slices.MaxFunc(found, func(a, b string) int { return versionOf(a) - versionOf(b) })
}

func isServerBin(dir string) bool {
	for _, name := range []string{"initdb", "pg_ctl", "postgres"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.IsDir() {
			return false
		}
	}
	return true
}

var majorVersion = regexp.MustCompile(`(\d+)(\.\d+)?/bin$`)

// versionOf returns the major version in the name of a directory of binaries. The
// versions 9.x, the only ones with a point, are all 9.
func versionOf(dir string) int {
	m := majorVersion.FindStringSubmatch(dir)
	if m == nil {
		return 0
	}
	v, err := strconv.Atoi(m[1])
	if err != nil {
		return 0
	}
	return v
}
