package measure

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
)

// Row writes one row of a table.
func Row(w io.Writer, cells ...string) { fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | ")) }

// Rule writes the line under a table's head.
func Rule(w io.Writer, columns int) { fmt.Fprintf(w, "|%s\n", strings.Repeat("---|", columns)) }

// Nanoseconds prints a time.
func Nanoseconds(e Estimate) string { return fmt.Sprintf("%.0f", e.Median) }

// Microseconds prints a time.
func Microseconds(e Estimate) string { return fmt.Sprintf("%.1f", e.Median/1e3) }

// AtLeast prints a target and whether the median meets it.
func AtLeast(target float64, e Estimate) string { return mark(target, e.Median >= target) }

// AtMost prints a target and whether the median meets it.
func AtMost(target float64, e Estimate) string { return mark(target, e.Median <= target) }

func mark(target float64, met bool) string {
	if met {
		return number(target) + " met"
	}
	return number(target) + " **missed**"
}

// number prints a target: 1.65, but 4.0 and not 4.00.
func number(f float64) string {
	if s := fmt.Sprintf("%.2f", f); !strings.HasSuffix(s, "0") {
		return s
	}
	return fmt.Sprintf("%.1f", f)
}

// CPU names the processor, where the system says it in a file.
func CPU() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return "CPU unknown"
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "CPU unknown"
}
