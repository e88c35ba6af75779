package encryptedtype_test

import (
	"database/sql/driver"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/fernetcol/fernetcol/encryptedtype"
)

func TestSizesAreThoseOfTokens(t *testing.T) {
	t.Parallel()
	for n := range 2001 {
		p := strings.Repeat("x", n)
		for _, tt := range []struct {
			column string
			size   int
			token  driver.Value
		}{
			{"EncryptedString", encryptedtype.TextSize(n), mustValue(t, encryptedtype.EncryptedString(p))},
			{"DeterministicString", encryptedtype.TextSize(n), mustValue(t, encryptedtype.DeterministicString(p))},
			{"EncryptedBytes", encryptedtype.BytesSize(n), mustValue(t, append(encryptedtype.EncryptedBytes{}, p...))},
		} {
			if got := len(tokenBytes(t, tt.token)); got != tt.size {
				t.Fatalf("%s: the token of %d bytes has %d, not %d", tt.column, n, got, tt.size)
			}
		}
	}
	// The JSON of a string without quotes in it is two bytes longer.
	if got := len(mustValue(t, encryptedtype.Encrypted[string]{V: strings.Repeat("x", 30)}).(string)); got != encryptedtype.TextSize(32) {
		t.Errorf("Encrypted: %d", got)
	}
}

// tableRow is a row of the table of sizes in the package documentation.
var tableRow = regexp.MustCompile(`^//\t([0-9,]+)(?: to ([0-9,]+))? +([0-9]+) +([0-9]+)( |$)`)

func TestDocumentedSizesAreRight(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	number := func(s string) int {
		n, err := strconv.Atoi(strings.ReplaceAll(s, ",", ""))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	rows := 0
	for line := range strings.Lines(string(doc)) {
		m := tableRow.FindStringSubmatch(strings.TrimRight(line, "\n"))
		if m == nil {
			continue
		}
		rows++
		first, text, raw := number(m[1]), number(m[3]), number(m[4])
		last := first
		if m[2] != "" {
			last = number(m[2])
			if encryptedtype.TextSize(last+1) == text || first > 0 && encryptedtype.TextSize(first-1) == text {
				t.Errorf("the range of %q is too small", line)
			}
		}
		for n := first; n <= last; n++ {
			if encryptedtype.TextSize(n) != text || encryptedtype.BytesSize(n) != raw {
				t.Errorf("%d bytes take %d and %d, not as in %q", n, encryptedtype.TextSize(n), encryptedtype.BytesSize(n), line)
			}
		}
		const mysqlText = 1<<16 - 1
		if strings.Contains(line, "the most") && (text > mysqlText || encryptedtype.TextSize(last+1) <= mysqlText) {
			t.Errorf("%d bytes are not the most that fits", last)
		}
	}
	if rows != 7 {
		t.Errorf("found %d rows of the table, want 7", rows)
	}
}
