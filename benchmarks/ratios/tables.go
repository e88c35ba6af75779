package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/fernetcol/fernetcol/benchmarks"
)

func printDirection(w io.Writer, name string, groups []group, targets []target) {
	fmt.Fprintf(w, "\n### Append%s\n\n", name)
	row(w, "size", "ns", "times faster than fernet-go", "to reach", "reachable", "of the floor", "at most", "of Tink", "the floor: times faster than fernet-go")
	rule(w, 9)
	for i, g := range groups {
		t := targets[i]
		faster, ofFloor := g.ratio(opFernetGo, opAppend), g.ratio(opAppend, opFloor)
		reachable := ""
		if t.reachable != 0 {
			reachable = atLeast(t.reachable, faster)
		}
		row(w, benchmarks.SizeName(benchmarks.Sizes[i]), nanoseconds(g.time(opAppend)),
			faster.String(), atLeast(t.timesFaster, faster), reachable,
			ofFloor.String(), atMost(t.ofFloor, ofFloor),
			g.ratio(opAppend, opTink).String(), g.ratio(opFernetGo, opFloor).String())
	}

	fmt.Fprintf(w, "\n### %[1]s and %[1]sString\n\n", name)
	row(w, "size", "slice, ns", "times faster than fernet-go", "of the append", "of Tink", "string, ns", "times faster than fernet-go", "of the append")
	rule(w, 8)
	for i, g := range groups {
		row(w, benchmarks.SizeName(benchmarks.Sizes[i]),
			nanoseconds(g.time(opFresh)), g.ratio(opFernetGo, opFresh).String(), g.ratio(opFresh, opAppend).String(), g.ratio(opFresh, opTink).String(),
			nanoseconds(g.time(opString)), g.ratio(opFernetGo, opString).String(), g.ratio(opString, opAppend).String())
	}
}

func printParts(w io.Writer, parts, encrypts []group) {
	fmt.Fprint(w, "\n### What the floor's encryption consists of, ns\n\n")
	names := []string{opClock, opRandom, opMAC, opCBC, opBase64}
	row(w, append(append([]string{"size"}, names...), "sum", "floor", "fernet-go")...)
	rule(w, len(names)+4)
	for i, g := range parts {
		cells := []string{benchmarks.SizeName(benchmarks.Sizes[i])}
		sum := 0.0
		for _, name := range names {
			t := g.time(name)
			sum += t.median
			cells = append(cells, nanoseconds(t))
		}
		row(w, append(cells, fmt.Sprintf("%.0f", sum), nanoseconds(encrypts[i].time(opFloor)), nanoseconds(encrypts[i].time(opFernetGo)))...)
	}
}

func printRings(w io.Writer, sizes []int, groups []group) {
	fmt.Fprint(w, "\n### A ring of ten keys, tokens under its last\n\n")
	row(w, "size", "one key, ns", "ten keys, ns", "ratio", "at most")
	rule(w, 5)
	for i, g := range groups {
		r := g.ratio(opTenKeys, opOne)
		row(w, benchmarks.SizeName(sizes[i]), nanoseconds(g.time(opOne)), nanoseconds(g.time(opTenKeys)),
			r.String(), atMost(ringTarget, r))
	}
}

func printScaling(w io.Writer, size int, groups []group) {
	fmt.Fprintf(w, "\n### Two goroutines, %s, GOMAXPROCS=2\n\n", benchmarks.SizeName(size))
	row(w, "", "one, ns", "two, ns", "times faster", "at least", "two floors that share nothing: times faster")
	rule(w, 6)
	for i, name := range []string{"AppendEncrypt", "AppendDecrypt"} {
		g := groups[i]
		r := g.ratio(opOne, opTwo)
		row(w, name, nanoseconds(g.time(opOne)), nanoseconds(g.time(opTwo)),
			r.String(), atLeast(scalingTarget, r), g.ratio(opOneBare, opTwoBare).String())
	}
}

// String gives the median and how far it may be off.
func (e estimate) String() string { return fmt.Sprintf("%.2f ±%.2f", e.median, e.spread()) }

func nanoseconds(e estimate) string { return fmt.Sprintf("%.0f", e.median) }

// number prints a target: 1.65, but 4.0 and not 4.00.
func number(f float64) string {
	if s := fmt.Sprintf("%.2f", f); !strings.HasSuffix(s, "0") {
		return s
	}
	return fmt.Sprintf("%.1f", f)
}

func atLeast(target float64, e estimate) string { return mark(target, e.median >= target) }

func atMost(target float64, e estimate) string { return mark(target, e.median <= target) }

func mark(target float64, met bool) string {
	if met {
		return number(target) + " met"
	}
	return number(target) + " **missed**"
}

func row(w io.Writer, cells ...string) { fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | ")) }

func rule(w io.Writer, columns int) { fmt.Fprintf(w, "|%s\n", strings.Repeat("---|", columns)) }
