package main

import (
	"fmt"
	"io"

	"github.com/fernetcol/fernetcol/benchmarks/internal/database"
	"github.com/fernetcol/fernetcol/benchmarks/internal/measure"
)

// held are the contenders that the targets are for.
var held = map[string]bool{nameSerializer: true, nameTyped: true}

func printDatabase(w io.Writer, conn *database.Conn, r results) {
	targets := targetsOf[conn.Name]
	fmt.Fprintf(w, "\n### %s\n\n", conn.Title)
	head := []string{""}
	for _, name := range []string{"insert", "read", "lookup"} {
		head = append(head, name+", µs", "to plain", "at most")
	}
	measure.Row(w, head...)
	measure.Rule(w, len(head))
	for _, op := range r.insert {
		cells := []string{op.Name}
		for _, o := range []struct {
			group  measure.Group
			target float64
		}{{r.insert, targets.insert}, {r.read, targets.read}, {r.lookup, targets.lookup}} {
			ratio, target := o.group.Ratio(op.Name, namePlain), ""
			if held[op.Name] {
				target = measure.AtMost(o.target, ratio)
			}
			cells = append(cells, measure.Microseconds(o.group.Time(op.Name)), ratio.String(), target)
		}
		measure.Row(w, cells...)
	}

	fmt.Fprintf(w, "\n### %s: what it adds to plain strings\n\n", conn.Title)
	head = []string{"", "of what the naive serializer adds to a read", "at most", "to an insert", "share of longer strings in what it adds to an insert", "to a read"}
	measure.Row(w, head...)
	measure.Rule(w, len(head))
	for _, name := range []string{nameSerializer, nameTyped, nameRaw} {
		ofNaive, target := r.read.Overhead(name, nameNaive, namePlain), ""
		if held[name] {
			target = measure.AtMost(naiveTarget, ofNaive)
		}
		longer := []string{"", ""}
		if held[name] { // raw tokens have another length
			longer = []string{r.insert.Overhead(namePadded, name, namePlain).String(), r.read.Overhead(namePadded, name, namePlain).String()}
		}
		measure.Row(w, append([]string{name, ofNaive.String(), target, r.insert.Overhead(name, nameNaive, namePlain).String()}, longer...)...)
	}
}
