//go:build unix

package dbtest

import (
	"bufio"
	"cmp"
	_ "embed"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

// clusterScript runs the server. It is a process of its own because nothing inside
// this one runs when it is killed, and because a package's tests may have a TestMain
// of their own. A signal at the parent's death (Linux's PDEATHSIG) would follow the
// thread instead of the process, and would leave the directory behind.
//
//go:embed cluster.sh
var clusterScript string

// startCluster runs PostgreSQL from the binaries of this machine on an empty cluster
// that only a Unix socket in its own directory leads to.
func startCluster() (*cluster, error) {
	return startClusterWith()
}

// startClusterWith keeps the files open, from descriptor 3 on, in all processes of
// the cluster: a test sees by them when the last one is gone.
func startClusterWith(files ...*os.File) (*cluster, error) {
	bin := findServerBin()
	if bin == "" {
		return nil, errors.New("no server binaries")
	}
	credential, err := serverCredential()
	if err != nil {
		return nil, err
	}

	cmd := exec.Command("/bin/sh", "-c", clusterScript, "cluster.sh", bin)
	cmd.Dir = "/" // the server's user may not read ours
	// PGPORT and its like would reach the server.
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir(), "LC_ALL=C", "TZ=UTC"}
	cmd.ExtraFiles = files
	// In a session of its own, so that an interrupt typed at the terminal does not
	// reach it before this process.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: credential}
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &cluster{input: input, output: bufio.NewReader(output), wait: cmd.Wait}

	line, err := c.output.ReadString('\n')
	dir, ready := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if err != nil || !ready {
		c.stop()
		why := strings.TrimSpace(strings.TrimPrefix(line, "failed "))
		return nil, errors.New(cmp.Or(why, "the server ended without a word"))
	}
	query := url.Values{"host": {dir}, "sslmode": {"disable"}}
	c.dsn = "postgres://postgres@/postgres?" + encodeQuery(query)
	return c, nil
}

// serverCredential returns the user to run the server as, nil for the present one.
// PostgreSQL refuses to run as root.
func serverCredential() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		u, err = user.Lookup("nobody")
	}
	if err != nil {
		return nil, errors.New("no user but root to run the server as")
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}
