package keyprovider_test

import (
	"strings"
	"testing"

	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/keyprovider"
)

// FuzzFromEnv asserts that an accepted list is, white space aside, the canonical
// spelling of its keys, and that no error repeats what was not accepted.
func FuzzFromEnv(f *testing.F) {
	const a, b = "BP04_l7C3wByNiEaEiseNiP0ZrqZ7s3qL-mkG8eHlJY=", "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="
	for _, list := range []string{a, a + "," + b, " " + a + " ,\n" + b, a + "," + a, a + ",", a[:43], "", ","} {
		f.Add(list)
	}
	f.Fuzz(func(t *testing.T, list string) {
		if strings.ContainsRune(list, 0) {
			t.Skip("no environment holds NUL")
		}
		t.Setenv(variable, list)
		_, err := keyprovider.FromEnv(variable)
		stripped := strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "").Replace(list)
		entries := strings.Split(stripped, ",")
		if err != nil {
			for _, e := range entries {
				if len(e) >= 16 && strings.Contains(err.Error(), e) {
					t.Fatal("the error repeats an entry")
				}
			}
			return
		}
		for _, e := range entries {
			k, err := fernet.ParseKey(e)
			if err != nil || k.Encode() != e {
				t.Fatal("accepted a list with an entry that is not canonical")
			}
		}
	})
}
