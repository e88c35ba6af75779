package blindindex_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/fernetcol/fernetcol/blindindex"
)

// notValues are texts that are no entry. Plaintext may get into an index column, by
// hand or by a mistake in SQL: no error repeats it.
var notValues = []string{
	"CANARY", "ada@example.com", "0A1B", "0g", " 0a", "0a ", "0a\n", "0x0a", "é", "\x00", "０", strings.Repeat("0", 33), strings.Repeat("a", 1<<20),
}

func TestValueRoundTrip(t *testing.T) {
	t.Parallel()
	for _, v := range []blindindex.Value{"0", "f", "0a1", "0123456789abcdef", blindindex.Value(strings.Repeat("f", 32))} {
		stored, err := v.Value()
		if err != nil || stored != string(v) {
			t.Errorf("%s is stored as a %T, %v; want the same string", v, stored, err)
		}
		for _, src := range []any{string(v), []byte(v)} {
			read := blindindex.Value("stale")
			if err := read.Scan(src); err != nil || read != v {
				t.Errorf("%s is read as %s from a %T, %v", v, read, src, err)
			}
		}
	}
}

func TestEmptyValueIsNull(t *testing.T) {
	t.Parallel()
	if stored, err := blindindex.Value("").Value(); stored != nil || err != nil {
		t.Errorf("the empty Value is stored as %v, %v", stored, err)
	}
	read := blindindex.Value("0a")
	if err := read.Scan(nil); read != "" || err != nil {
		t.Errorf("NULL is read as %q, %v", read, err)
	}
	// The empty text is no entry, and not NULL either.
	for _, src := range []any{"", []byte{}} {
		read := blindindex.Value("0a")
		if err := read.Scan(src); read != "" || err == nil {
			t.Errorf("the empty %T is read as %q, %v", src, read, err)
		}
	}
}

func TestValueRefusesWhatIsNoEntry(t *testing.T) {
	t.Parallel()
	for _, text := range notValues {
		stored, err := blindindex.Value(text).Value()
		wantError(t, "stored", err, nil, "Index.Value")
		if stored != nil || strings.Contains(err.Error(), text) {
			t.Errorf("%.20q: stored, or repeated in the error", text)
		}
		for _, src := range []any{text, []byte(text)} {
			read := blindindex.Value("0a")
			err := read.Scan(src)
			wantError(t, "read", err, nil, "Index.Value")
			if read != "" || strings.Contains(err.Error(), text) {
				t.Errorf("%.20q: read from a %T, left as it was, or repeated in the error", text, src)
			}
		}
	}
	for _, src := range []any{7, int64(123456), 1.5, true, []string{"0a"}, struct{ S string }{"CANARY"}} {
		read := blindindex.Value("0a")
		err := read.Scan(src)
		wantError(t, "another type", err, nil, "column must be text")
		if read != "" || strings.Contains(err.Error(), "CANARY") || strings.Contains(err.Error(), "123456") {
			t.Errorf("%T: read, left as it was, or repeated in the error", src)
		}
	}
}

func TestScanOwnsItsMemory(t *testing.T) {
	t.Parallel()
	buffer := []byte("0a1b")
	var v blindindex.Value
	if err := v.Scan(buffer); err != nil {
		t.Fatal(err)
	}
	copy(buffer, "ffff")
	if v != "0a1b" {
		t.Error("the Value changes with the driver's buffer")
	}
}

func TestValueIsATextInJSON(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(blindindex.Value("0a1b"))
	var read blindindex.Value
	if err != nil || string(b) != `"0a1b"` || json.Unmarshal(b, &read) != nil || read != "0a1b" {
		t.Errorf("as JSON: %s, %v", b, err)
	}
}

// A plaintext that was converted to a Value is not printed: pgx puts what it cannot
// encode into its error.
func TestValuePrintsEntriesAlone(t *testing.T) {
	t.Parallel()
	for verb, want := range map[string]string{"%v": "0a1b", "%s": "0a1b", "%q": `"0a1b"`, "%#v": `"0a1b"`, "%+v": "0a1b", "%6s": "  0a1b", "%x": "30613162", "%d": "%!d(string=0a1b)"} {
		if got := fmt.Sprintf(verb, blindindex.Value("0a1b")); got != want {
			t.Errorf("%s prints %s, want %s", verb, got, want)
		}
		for _, v := range []any{blindindex.Value("CANARY"), blindindex.Values{"0a", "CANARY"}, struct{ V blindindex.Value }{"CANARY"}} {
			if got := fmt.Sprintf(verb, v); strings.Contains(got, "CANARY") || strings.Contains(got, fmt.Sprintf("%x", "CANARY")) {
				t.Errorf("%s prints what is no entry", verb)
			}
		}
	}
	if blindindex.Value("0a1b").GoString() != `"0a1b"` || fmt.Sprint(blindindex.Value("")) != "" {
		t.Error("an entry prints as something else")
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "bad", blindindex.Value("CANARY"), "good", blindindex.Value("0a1b"))
	if strings.Contains(log.String(), "CANARY") || !strings.Contains(log.String(), `"good":"0a1b"`) {
		t.Error("slog prints what is no entry, or does not print an entry")
	}
}
