package main

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"github.com/fernetcol/fernetcol/benchmarks/internal/database"
	"github.com/fernetcol/fernetcol/benchmarks/internal/measure"
)

var errWrongRow = errors.New("found another row than was asked for")

// compare gives the contenders their turns. The times are in nanoseconds a lookup.
func compare(contenders []contender, s settings) (measure.Group, error) {
	if s.contender != "" {
		contenders = slices.DeleteFunc(contenders, func(c contender) bool { return c.name != s.contender })
		if len(contenders) == 0 {
			return nil, fmt.Errorf("no contender %q", s.contender)
		}
	}
	var g measure.Group
	for _, c := range contenders {
		g = append(g, &measure.Operation{Name: c.name})
		if _, err := turn(c, s); err != nil { // warms up
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
	}
	for range s.turns {
		for _, i := range rand.Perm(len(contenders)) {
			took, err := turn(contenders[i], s)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", contenders[i].name, err)
			}
			g[i].Samples = append(g[i].Samples, float64(took)/float64(s.lookups))
		}
	}
	return g, nil
}

// turn looks up rows of its own: some contenders share a table, where a page that one
// has read would be there for the next. It should be long enough for its collections,
// and for the upper pages of its table to be in the database's cache again.
func turn(c contender, s settings) (time.Duration, error) {
	rows := make([]int, s.lookups)
	emails := make([]string, s.lookups)
	for i := range rows {
		rows[i] = 1 + rand.IntN(s.rows)
		emails[i] = email(rows[i])
	}
	runtime.GC()
	start := time.Now()
	for i, row := range rows {
		id, text, err := c.lookup(emails[i])
		if err != nil {
			return 0, err
		}
		if id != int64(row) || text != emails[i] {
			return 0, errWrongRow
		}
	}
	return time.Since(start), nil
}

// target is what a lookup by index may cost at most, as a ratio to one on a plain
// indexed column.
const target = 1.2

// plainOf names the contender to which another is compared, and held are those that
// the target is for.
var (
	plainOf = map[string]string{
		nameSerializer: namePlain, nameTyped: namePlain, nameLower: namePlain, nameShort: namePlain, nameByHand: namePlain,
		nameSQL: nameSQLPlain, nameSQLLower: nameSQLPlain,
	}
	held = map[string]bool{nameSerializer: true, nameTyped: true, nameLower: true, nameSQL: true, nameSQLLower: true}
)

func printDatabase(w io.Writer, conn *database.Conn, g measure.Group) {
	fmt.Fprintf(w, "\n#### %s\n\n", conn.Title)
	head := []string{"", "lookup, µs", "to plain", "at most"}
	measure.Row(w, head...)
	measure.Rule(w, len(head))
	for _, op := range g {
		cells := []string{op.Name, measure.Microseconds(g.Time(op.Name)), "", ""}
		if plain := plainOf[op.Name]; plain != "" {
			ratio := g.Ratio(op.Name, plain)
			if cells[2] = ratio.String(); held[op.Name] {
				cells[3] = measure.AtMost(target, ratio)
			}
		}
		measure.Row(w, cells...)
	}
}
