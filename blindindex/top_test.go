package blindindex_test

import (
	"cmp"
	"database/sql"
	"errors"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fernetcol/fernetcol/blindindex"
	"github.com/fernetcol/fernetcol/internal/dbtest"
)

type person struct {
	id   int
	name string
}

func byName(a, b person) int { return cmp.Compare(a.name, b.name) }

// sequence yields rows, and then err if it is not nil. read counts them.
func sequence[T any](rows []T, err error, read *int) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, r := range rows {
			*read++
			if !yield(r, nil) {
				return
			}
		}
		if err != nil {
			var zero T
			if yield(zero, err) {
				panic("Top goes on after an error")
			}
		}
	}
}

func TestTopIsTheBeginningOfAStableSort(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	for n := range 60 {
		people := make([]person, n)
		for i := range people {
			people[i] = person{i, string(rune('a' + random.IntN(6)))}
		}
		even := func(p person) bool { return p.id%2 == 0 }
		for _, keep := range []func(person) bool{nil, even} {
			want := slices.Clone(people)
			if keep != nil {
				want = slices.DeleteFunc(want, func(p person) bool { return !keep(p) })
			}
			slices.SortStableFunc(want, byName)
			for _, k := range []int{1, 2, 3, 7, n, n + 1, math.MaxInt} {
				if k < 1 {
					continue
				}
				read := 0
				got, err := blindindex.Top(sequence(people, nil, &read), k, keep, byName)
				if err != nil || !slices.Equal(got, want[:min(k, len(want))]) || got == nil {
					t.Fatalf("%d rows, top %d: %v, %v; want %v", n, k, got, err, want)
				}
				if read != n {
					t.Fatalf("%d of %d rows read", read, n)
				}
			}
		}
	}
}

func TestTopStopsAtTheFirstError(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	read := 0
	got, err := blindindex.Top(sequence([]int{3, 1, 2}, broken, &read), 2, nil, cmp.Compare[int])
	if err != broken || got != nil || read != 3 {
		t.Errorf("%v, %v after %d rows", got, err, read)
	}
}

func TestTopRefusesBadInputBeforeItReads(t *testing.T) {
	t.Parallel()
	read := 0
	rows := sequence([]int{1}, nil, &read)
	for _, k := range []int{0, -1, math.MinInt} {
		_, err := blindindex.Top(rows, k, nil, cmp.Compare[int])
		wantError(t, "k", err, nil, "at least 1")
	}
	_, err := blindindex.Top(rows, 1, nil, nil)
	wantError(t, "no compare", err, nil)
	_, err = blindindex.Top(nil, 1, nil, cmp.Compare[int])
	wantError(t, "no rows", err, nil)
	if read != 0 {
		t.Error("rows are read")
	}
}

// Memory is bounded by k, not by the rows.
func TestTopKeepsKRows(t *testing.T) { // not parallel: it counts allocations
	const n, k = 100_000, 10
	rows := func(yield func(int, error) bool) {
		for i := range n {
			if !yield(n-i, nil) { // each comes before all that are kept: the worst order
				return
			}
		}
	}
	compared := 0
	allocated := testing.AllocsPerRun(1, func() {
		got, err := blindindex.Top(rows, k, nil, func(a, b int) int { compared++; return cmp.Compare(a, b) })
		if err != nil || len(got) != k || got[0] != 1 || got[k-1] != k {
			t.Fatal(got, err)
		}
	})
	if allocated > 100 {
		t.Errorf("%v allocations for %d rows", allocated, n)
	}
	if compared > 2*n*10 {
		t.Errorf("%d comparisons for %d rows", compared, n)
	}
}

func TestRowsReadAQueryAndCloseIt(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		exec(t, db, "CREATE TABLE people (id INTEGER PRIMARY KEY, name VARCHAR(20))")
		for i, name := range []string{"Grace", "Ada", "Edsger", "Ada", "Barbara"} {
			exec(t, db, "INSERT INTO people VALUES (?, ?)", i, name)
		}
		const all = "SELECT id, name FROM people ORDER BY id"
		scan := func(rows *sql.Rows) (p person, err error) {
			err = rows.Scan(&p.id, &p.name)
			return p, err
		}
		query := func(q string) iter.Seq2[person, error] {
			rows, err := db.SQL.QueryContext(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			return blindindex.Rows(rows, scan)
		}
		got, err := blindindex.Top(query(all), 3, nil, byName)
		if want := []person{{1, "Ada"}, {3, "Ada"}, {4, "Barbara"}}; err != nil || !slices.Equal(got, want) {
			t.Errorf("%v, %v; want %v", got, err, want)
		}
		if _, err := blindindex.Top(query("SELECT name, id FROM people"), 3, nil, byName); err == nil {
			t.Error("rows that cannot be scanned are no error")
		}
		for p, err := range query(all) {
			if err != nil || p.name == "Ada" {
				break // left early
			}
		}
		if n := db.SQL.Stats().InUse; n != 0 {
			t.Errorf("%d of the rows are not closed", n)
		}
	})
}
