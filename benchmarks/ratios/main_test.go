package main

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/fernetcol/fernetcol/benchmarks"
)

// TestRunPrintsEveryTable is not parallel: run sets GOMAXPROCS.
func TestRunPrintsEveryTable(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	var out strings.Builder
	if err := run(&out, 1, 100*time.Microsecond); err != nil {
		t.Fatal(err)
	}
	for _, title := range []string{
		"### AppendEncrypt\n", "### Encrypt and EncryptString\n",
		"### AppendDecrypt\n", "### Decrypt and DecryptString\n",
		"### What the floor's encryption consists of, ns\n",
		"### A ring of ten keys, tokens under its last\n",
		"### Two goroutines, 64 B, GOMAXPROCS=2\n",
	} {
		if !strings.Contains(out.String(), title) {
			t.Errorf("no table %q", strings.TrimSpace(title))
		}
	}
	columns := 0
	for line := range strings.Lines(out.String()) {
		n := strings.Count(line, "|")
		if n > 0 && columns > 0 && n != columns {
			t.Errorf("row of %d columns in a table of %d: %s", n-1, columns-1, line)
		}
		columns = n
	}
}

func TestTargetsCoverEverySize(t *testing.T) {
	t.Parallel()
	if len(encryptTargets) != len(benchmarks.Sizes) || len(decryptTargets) != len(benchmarks.Sizes) {
		t.Errorf("%d and %d targets for %d sizes", len(encryptTargets), len(decryptTargets), len(benchmarks.Sizes))
	}
}

func TestBallastIsAboutItsSize(t *testing.T) {
	const want = 4 << 20
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	list := ballast(want)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if got := int64(after.HeapAlloc) - int64(before.HeapAlloc); got < want*9/10 || got > want*11/10 {
		t.Errorf("%d bytes, want about %d", got, want)
	}
	runtime.KeepAlive(list)
}
