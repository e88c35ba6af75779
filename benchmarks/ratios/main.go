// Ratios measures package fernet against its peers and prints the result as
// Markdown tables, with the targets beside it.
//
//	go run ./ratios         # about two minutes
//	go run ./ratios -quick  # about half a minute, and rougher
//
//	# beside 16 MiB of live data, where collections cost more and come later
//	go run ./ratios -heap 16 -slice 80ms -rounds 12
//
// All contenders run in one process, by turns, in short slices, and each table
// gives the median of the ratios within a round: absolute times on a shared
// machine say little, ratios within a moment much. Everything but the scaling of
// two goroutines runs at GOMAXPROCS=1. What follows a ± is the longer side of the
// median's 95 % confidence interval.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/fernetcol/fernetcol/benchmarks"
	"github.com/fernetcol/fernetcol/benchmarks/internal/measure"
)

func main() {
	rounds := flag.Int("rounds", 50, "how often each contender is timed")
	slice := flag.Duration("slice", 20*time.Millisecond, "how long each time")
	heap := flag.Int("heap", 0, "MiB of live data to hold meanwhile, which collections must mark")
	quick := flag.Bool("quick", false, "fewer rounds")
	flag.Parse()
	if flag.NArg() > 0 || *rounds < 1 || *slice <= 0 || *heap < 0 {
		flag.Usage()
		os.Exit(2)
	}
	if *quick {
		*rounds = min(*rounds, 11)
	}
	live := ballast(*heap << 20)
	if err := run(os.Stdout, *rounds, *slice); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	runtime.KeepAlive(live)
}

// A record is live data such as a program holds: small, and full of pointers.
type record struct {
	next *record
	text []byte
}

// ballast returns records of about n bytes in all.
func ballast(n int) *record {
	const size, header = 96, 32
	var list *record
	for range n / size {
		list = &record{next: list, text: make([]byte, size-header)}
	}
	return list
}

const scalingSize = 64

var ringMeasured = []int{16, 64, 1 << 10}

func run(w io.Writer, rounds int, slice time.Duration) error {
	field, err := benchmarks.NewField()
	if err != nil {
		return err
	}
	runtime.GOMAXPROCS(1)
	fmt.Fprintf(w, "%s, %s/%s, %s; %d rounds of %v.\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, measure.CPU(), rounds, slice)

	// One size after the other: with all of them in memory the heap would be
	// large, and a slice too short for its collections.
	var encrypts, decrypts, parts, rings []measure.Group
	for _, size := range benchmarks.Sizes {
		encrypt := encryptGroup(field, size)
		decrypt, err := decryptGroup(field, size)
		if err != nil {
			return err
		}
		part, err := partsGroup(size)
		if err != nil {
			return err
		}
		if size < 1<<20 {
			measure.Slices(rounds, slice, encrypt, decrypt)
		} else { // the heap is larger now, and its collections are rarer
			measure.Slices((rounds+1)/2, 5*slice, encrypt, decrypt)
		}
		measure.Slices(rounds, slice/4, part) // absolute times for orientation, which need less
		encrypts, decrypts, parts = append(encrypts, encrypt), append(decrypts, decrypt), append(parts, part)
	}
	for _, size := range ringMeasured {
		g, err := ringGroup(size)
		if err != nil {
			return err
		}
		rings = append(rings, g)
	}
	measure.Slices(rounds, slice, rings...)

	runtime.GOMAXPROCS(2)
	scaling, err := scalingGroups(scalingSize)
	if err != nil {
		return err
	}
	measure.Slices(rounds, slice, scaling...)

	printDirection(w, "Encrypt", encrypts, encryptTargets)
	printDirection(w, "Decrypt", decrypts, decryptTargets)
	printParts(w, parts, encrypts)
	printRings(w, ringMeasured, rings)
	printScaling(w, scalingSize, scaling)
	return nil
}
