package measure

import "testing"

func TestMarks(t *testing.T) {
	t.Parallel()
	two := Estimate{Median: 2}
	for _, c := range []struct{ got, want string }{
		{AtLeast(2, two), "2.0 met"},
		{AtLeast(2.05, two), "2.05 **missed**"},
		{AtMost(2, two), "2.0 met"},
		{AtMost(1.7, two), "1.7 **missed**"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}
