//go:build unix

package cli_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/fernetcol/fernetcol/internal/dbtest"
)

// A terminal is a command that runs on a pseudo-terminal.
type terminal struct {
	cmd  *exec.Cmd
	file *os.File
	done chan struct{} // closed when the command has said all

	mu     sync.Mutex
	screen bytes.Buffer
}

func startOnTerminal(t *testing.T, db *dbtest.Database, columns uint16, args ...string) *terminal {
	t.Helper()
	cmd := exec.Command("fernetcol", args...)
	u, err := urlsOf(db)
	if err != nil {
		t.Fatal("the DSN of the database is not as expected")
	}
	cmd.Env = append(os.Environ(), raceVariable+"="+raceOptions, "DATABASE_URL="+u.usual,
		"SECRET_FERNET_KEY="+scriptKeys["B"].Encode()+","+scriptKeys["A"].Encode())
	file, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: columns})
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{cmd: cmd, file: file, done: make(chan struct{})}
	t.Cleanup(func() {
		cmd.Process.Kill() // an error if it has ended, as it should
		<-term.done
		file.Close()
	})
	go func() {
		defer close(term.done)
		buffer := make([]byte, 4096)
		for {
			n, err := file.Read(buffer)
			term.mu.Lock()
			term.screen.Write(buffer[:n])
			term.mu.Unlock()
			if err != nil { // EIO when the command has ended
				return
			}
		}
	}()
	return term
}

// text is all that was printed so far.
func (term *terminal) text() string {
	term.mu.Lock()
	defer term.mu.Unlock()
	return term.screen.String()
}

// await returns when the terminal shows what.
func (term *terminal) await(t *testing.T, what string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !strings.Contains(term.text(), what); time.Sleep(5 * time.Millisecond) {
		select {
		case <-term.done:
			if !strings.Contains(term.text(), what) {
				t.Fatalf("it ended without saying %q:\n%s", what, term.text())
			}
			return
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("it does not say %q:\n%s", what, term.text())
		}
	}
}

// code waits for the end.
func (term *terminal) code(t *testing.T) int {
	t.Helper()
	<-term.done
	err := term.cmd.Wait()
	exit, ok := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
		return 0
	case !ok:
		t.Fatal(err)
	}
	return exit.ExitCode()
}

func seeded(t *testing.T, db *dbtest.Database, n int) {
	t.Helper()
	if err := seedRows(db, "users", n, "A", db.TextType()); err != nil {
		t.Fatal(err)
	}
}

func wantOpened(t *testing.T, db *dbtest.Database, key string, want int) {
	t.Helper()
	if got, err := opened(db, "users", key); err != nil || got != want {
		t.Errorf("%d values open under key %s, %v; want %d", got, key, err, want)
	}
}

func TestTerminalShowsABar(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, db *dbtest.Database) {
		seeded(t, db, 300)
		term := startOnTerminal(t, db, 100, "reencrypt", "users.email", "--batch-size", "20", "--rate", "1000")
		if code := term.code(t); code != 0 {
			t.Errorf("exit code %d", code)
		}
		for _, want := range []string{
			`users: re-encrypting, \d+ rows/s.* \d+% \|.*█.*\| \(\d+/\d+\)`,
			`users: counting.*\((\d+)/\d+\)`,
			`users: 300 rows looked at: 300 re-encrypted`,
		} {
			if !regexp.MustCompile(want).MatchString(term.text()) {
				t.Errorf("the terminal does not show %s:\n%s", want, term.text())
			}
		}
		if strings.Contains(term.text(), `"event"`) {
			t.Error("the terminal shows JSON")
		}
		wantOpened(t, db, "B", 300)
	})
}

// A line that the terminal breaks in two cannot be drawn over.
func TestBarKeepsToTheTerminal(t *testing.T) {
	t.Parallel()
	db := dbtest.SQLite(t)
	seeded(t, db, 100)
	const columns = 60
	term := startOnTerminal(t, db, columns, "census", "users.email", "--batch-size", "10", "--rate", "500")
	if code := term.code(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
	escape := regexp.MustCompile(`\x1b\[[0-9;]*[A-Za-z]`)
	for _, drawn := range regexp.MustCompile(`[\r\n]+`).Split(escape.ReplaceAllString(term.text(), ""), -1) {
		if n := len([]rune(drawn)); strings.Contains(drawn, "counting") && n > columns {
			t.Errorf("%d columns: %s", n, drawn)
		}
	}
	term.await(t, "counting")
}

func TestTerminalWithJSONOrQuietShowsNoBar(t *testing.T) {
	t.Parallel()
	db := dbtest.SQLite(t)
	seeded(t, db, 10)
	for _, flag := range []string{"--json", "--quiet"} {
		term := startOnTerminal(t, db, 80, "census", "users.email", flag)
		if code := term.code(t); code != 0 || strings.Contains(term.text(), "counting") {
			t.Errorf("%s: exit code %d:\n%s", flag, code, term.text())
		}
	}
}

// Ctrl-C: the batch is finished, the exit code is 130, and the same command goes on.
func TestInterruptStopsAfterTheBatchAndResumes(t *testing.T) {
	t.Parallel()
	const rows = 2000
	eachDatabase(t, func(t *testing.T, db *dbtest.Database) {
		seeded(t, db, rows)
		args := []string{"reencrypt", "users.email", "--batch-size", "20", "--workers", "1"}
		term := startOnTerminal(t, db, 100, append(args, "--rate", "400")...)
		term.await(t, "rows/s")
		term.file.WriteString("\x03") // what the key sends
		if code := term.code(t); code != 130 {
			t.Errorf("exit code %d, want 130", code)
		}
		for _, want := range []string{
			"stopping after this batch; interrupt again to stop at once",
			"fernetcol: stopped: users: every batch is whole; run the same command again to resume",
		} {
			if !strings.Contains(term.text(), want) {
				t.Errorf("it does not say %q:\n%s", want, term.text())
			}
		}
		done, err := opened(db, "users", "B")
		if err != nil || done == 0 || done == rows {
			t.Fatalf("%d of %d rows were done when it stopped, %v", done, rows, err)
		}

		term = startOnTerminal(t, db, 100, args...)
		term.await(t, "users: resuming a run that was stopped after ")
		if code := term.code(t); code != 0 {
			t.Errorf("exit code %d:\n%s", code, term.text())
		}
		wantOpened(t, db, "B", rows)
	})
}

// SIGTERM, which is how machines stop programs, does the same.
func TestTermSignalStopsAfterTheBatch(t *testing.T) {
	t.Parallel()
	db := dbtest.SQLite(t)
	seeded(t, db, 500)
	term := startOnTerminal(t, db, 100, "reencrypt", "users.email", "--batch-size", "10", "--rate", "100")
	term.await(t, "rows/s")
	if err := term.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := term.code(t); code != 130 {
		t.Errorf("exit code %d, want 130:\n%s", code, term.text())
	}
}

func TestRawTokenIsNotWrittenToATerminal(t *testing.T) {
	t.Parallel()
	db := dbtest.SQLite(t)
	term := startOnTerminal(t, db, 80, "encrypt", "--raw")
	if code := term.code(t); code != 2 || !strings.Contains(term.text(), "a raw token is binary; redirect it to a file") {
		t.Errorf("exit code %d:\n%s", code, term.text())
	}
}

func TestTerminalIsToldThatInputIsAwaited(t *testing.T) {
	t.Parallel()
	db := dbtest.SQLite(t)
	term := startOnTerminal(t, db, 80, "encrypt")
	term.await(t, "reading the plaintext from the terminal; end it with Ctrl-D")
	term.file.WriteString(canary + "\n\x04")
	if code := term.code(t); code != 0 || !tokenLike.MatchString(term.text()) {
		t.Errorf("exit code %d", code)
	}
}
