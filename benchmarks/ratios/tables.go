package main

import (
	"fmt"
	"io"

	"github.com/fernetcol/fernetcol/benchmarks"
	"github.com/fernetcol/fernetcol/benchmarks/internal/measure"
)

func printDirection(w io.Writer, name string, groups []measure.Group, targets []target) {
	fmt.Fprintf(w, "\n### Append%s\n\n", name)
	measure.Row(w, "size", "ns", "times faster than fernet-go", "to reach", "reachable", "of the floor", "at most", "of Tink", "the floor: times faster than fernet-go")
	measure.Rule(w, 9)
	for i, g := range groups {
		t := targets[i]
		faster, ofFloor := g.Ratio(opFernetGo, opAppend), g.Ratio(opAppend, opFloor)
		reachable := ""
		if t.reachable != 0 {
			reachable = measure.AtLeast(t.reachable, faster)
		}
		measure.Row(w, benchmarks.SizeName(benchmarks.Sizes[i]), measure.Nanoseconds(g.Time(opAppend)),
			faster.String(), measure.AtLeast(t.timesFaster, faster), reachable,
			ofFloor.String(), measure.AtMost(t.ofFloor, ofFloor),
			g.Ratio(opAppend, opTink).String(), g.Ratio(opFernetGo, opFloor).String())
	}

	fmt.Fprintf(w, "\n### %[1]s and %[1]sString\n\n", name)
	measure.Row(w, "size", "slice, ns", "times faster than fernet-go", "of the append", "of Tink", "string, ns", "times faster than fernet-go", "of the append")
	measure.Rule(w, 8)
	for i, g := range groups {
		measure.Row(w, benchmarks.SizeName(benchmarks.Sizes[i]),
			measure.Nanoseconds(g.Time(opFresh)), g.Ratio(opFernetGo, opFresh).String(), g.Ratio(opFresh, opAppend).String(), g.Ratio(opFresh, opTink).String(),
			measure.Nanoseconds(g.Time(opString)), g.Ratio(opFernetGo, opString).String(), g.Ratio(opString, opAppend).String())
	}
}

func printParts(w io.Writer, parts, encrypts []measure.Group) {
	fmt.Fprint(w, "\n### What the floor's encryption consists of, ns\n\n")
	names := []string{opClock, opRandom, opMAC, opCBC, opBase64}
	measure.Row(w, append(append([]string{"size"}, names...), "sum", "floor", "fernet-go")...)
	measure.Rule(w, len(names)+4)
	for i, g := range parts {
		cells := []string{benchmarks.SizeName(benchmarks.Sizes[i])}
		sum := 0.0
		for _, name := range names {
			t := g.Time(name)
			sum += t.Median
			cells = append(cells, measure.Nanoseconds(t))
		}
		measure.Row(w, append(cells, fmt.Sprintf("%.0f", sum), measure.Nanoseconds(encrypts[i].Time(opFloor)), measure.Nanoseconds(encrypts[i].Time(opFernetGo)))...)
	}
}

func printRings(w io.Writer, sizes []int, groups []measure.Group) {
	fmt.Fprint(w, "\n### A ring of ten keys, tokens under its last\n\n")
	measure.Row(w, "size", "one key, ns", "ten keys, ns", "ratio", "at most")
	measure.Rule(w, 5)
	for i, g := range groups {
		r := g.Ratio(opTenKeys, opOne)
		measure.Row(w, benchmarks.SizeName(sizes[i]), measure.Nanoseconds(g.Time(opOne)), measure.Nanoseconds(g.Time(opTenKeys)),
			r.String(), measure.AtMost(ringTarget, r))
	}
}

func printScaling(w io.Writer, size int, groups []measure.Group) {
	fmt.Fprintf(w, "\n### Two goroutines, %s, GOMAXPROCS=2\n\n", benchmarks.SizeName(size))
	measure.Row(w, "", "one, ns", "two, ns", "times faster", "at least", "two floors that share nothing: times faster")
	measure.Rule(w, 6)
	for i, name := range []string{"AppendEncrypt", "AppendDecrypt"} {
		g := groups[i]
		r := g.Ratio(opOne, opTwo)
		measure.Row(w, name, measure.Nanoseconds(g.Time(opOne)), measure.Nanoseconds(g.Time(opTwo)),
			r.String(), measure.AtLeast(scalingTarget, r), g.Ratio(opOneBare, opTwoBare).String())
	}
}
