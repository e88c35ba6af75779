package blindindex

import (
	"cmp"
	"container/heap"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"slices"
)

// Top returns the first k of the rows that keep is true for, in the order of compare:
// a filter and ORDER BY … LIMIT k on decrypted values, which the database cannot see.
// compare is negative if a comes before b. Rows that compare as equal stay in their
// order, the earlier first. A nil keep keeps every row. If there are fewer than k
// rows, all are returned.
//
// Every row is read once, and k of them are kept: time grows with the rows, memory
// with k alone. Narrow the rows in the database as far as it can, by an index or a
// date. Nothing about the order is stored or sent to the database, as it would be by
// an encryption that keeps order.
//
// At the first error, Top stops and returns it as it is, without rows. A k below 1,
// or a nil rows or compare, is an error before anything is read. [Rows] makes a
// sequence of a query's rows.
func Top[T any](rows iter.Seq2[T, error], k int, keep func(T) bool, compare func(a, b T) int) ([]T, error) {
	if k < 1 {
		return nil, fmt.Errorf("blindindex: the top %d of the rows; there must be at least 1", k)
	}
	if rows == nil || compare == nil {
		return nil, errors.New("blindindex: Top needs rows and a function that compares them")
	}
	h := &topHeap[T]{compare: compare}
	n := 0
	for row, err := range rows {
		if err != nil {
			return nil, err
		}
		if keep != nil && !keep(row) {
			continue
		}
		n++
		switch next := (ranked[T]{row, n}); {
		case len(h.rows) < k:
			heap.Push(h, next)
		case h.order(next, h.rows[0]) < 0:
			h.rows[0] = next
			heap.Fix(h, 0)
		}
	}
	slices.SortFunc(h.rows, h.order)
	first := make([]T, len(h.rows))
	for i, r := range h.rows {
		first[i] = r.row
	}
	return first, nil
}

// Rows returns the rows of a query as a sequence for [Top]. scan reads one row, by
// calling Scan on it; what it returns must own its memory, so no [sql.RawBytes]. The
// sequence ends with the first error, of scan or of the rows, and closes the rows
// when it ends or is left. It can be used once.
func Rows[T any](rows *sql.Rows, scan func(*sql.Rows) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		defer rows.Close()
		for rows.Next() {
			row, err := scan(rows)
			if !yield(row, err) || err != nil {
				return
			}
		}
		if err := cmp.Or(rows.Err(), rows.Close()); err != nil {
			var none T
			yield(none, err)
		}
	}
}

// ranked is a row and its place in the sequence.
type ranked[T any] struct {
	row   T
	place int
}

// topHeap is a heap with the last of the kept rows at its root.
type topHeap[T any] struct {
	rows    []ranked[T]
	compare func(a, b T) int
}

func (h *topHeap[T]) order(a, b ranked[T]) int {
	return cmp.Or(h.compare(a.row, b.row), cmp.Compare(a.place, b.place))
}

func (h *topHeap[T]) Len() int           { return len(h.rows) }
func (h *topHeap[T]) Less(i, j int) bool { return h.order(h.rows[i], h.rows[j]) > 0 }
func (h *topHeap[T]) Swap(i, j int)      { h.rows[i], h.rows[j] = h.rows[j], h.rows[i] }
func (h *topHeap[T]) Push(x any)         { h.rows = append(h.rows, x.(ranked[T])) }

// Pop is never called.
func (h *topHeap[T]) Pop() any { panic("blindindex: Top removes no row") }
