package cli_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/fernetcol/fernetcol/internal/cli"
)

// transcriptVariable names the folder in which each run of the command leaves a
// record.
const transcriptVariable = "FERNETCOL_TEST_TRANSCRIPT"

// record is what one run of the command was given and what it said.
type record struct {
	Args           []string
	Code           int
	Stdout, Stderr []byte
}

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"fernetcol": func() { os.Exit(recorded()) }})
}

// recorded is [cli.Main] that writes a record.
func recorded() int {
	dir := os.Getenv(transcriptVariable)
	if dir == "" {
		return cli.Main()
	}
	var stdout, stderr bytes.Buffer
	s := cli.StreamsOf(os.Stdin, os.Stdout, os.Stderr)
	s.Out, s.Err = io.MultiWriter(s.Out, &stdout), io.MultiWriter(s.Err, &stderr)
	code := cli.Run(os.Args[1:], s)
	data, err := json.Marshal(record{os.Args[1:], code, head(stdout.Bytes()), head(stderr.Bytes())})
	if err != nil {
		panic(err)
	}
	f, err := os.CreateTemp(dir, "*.json")
	if err != nil {
		panic(err)
	}
	if _, err := f.Write(data); err != nil {
		panic(err)
	}
	if err := f.Close(); err != nil {
		panic(err)
	}
	return code
}

// head keeps a record short where a script makes megabytes of one value.
func head(said []byte) []byte { return said[:min(len(said), 64<<10)] }

// records reads what recorded wrote.
func records(t *testing.T, dir string) []record {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all []record
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var r record
		if err := json.Unmarshal(data, &r); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}
