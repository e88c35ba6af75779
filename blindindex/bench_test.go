package blindindex_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fernetcol/fernetcol/blindindex"
)

func BenchmarkValue(b *testing.B) {
	ix := newIndex(b, blindindex.Options{})
	for _, n := range []int{16, 64, 256, 1 << 10, 16 << 10, 1 << 20} {
		text := strings.Repeat("x", n)
		b.Run(fmt.Sprintf("%dB", n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(n))
			for b.Loop() {
				ix.Value(text)
			}
		})
	}
}

func BenchmarkValueTransformed(b *testing.B) {
	for _, tt := range []struct {
		name, text string
		transforms []blindindex.Transform
	}{
		{"lower/ASCII", "Ada.Lovelace@example.com", []blindindex.Transform{blindindex.Lower}},
		{"lower/Unicode", "Ada.Lövelace@example.com", []blindindex.Transform{blindindex.Lower}},
		{"fold/Unicode", "Ada.Lövelace@example.com", []blindindex.Transform{blindindex.Fold}},
		{"nfkc+fold/Unicode", "Ada.Lövelace@example.com", []blindindex.Transform{blindindex.NFKC, blindindex.Fold}},
	} {
		ix := newIndex(b, blindindex.Options{Transforms: tt.transforms})
		b.Run(tt.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ix.Value(tt.text)
			}
		})
	}
}

func BenchmarkValueArgon2id(b *testing.B) {
	ix := newIndex(b, blindindex.Options{Argon2id: &blindindex.DefaultArgon2id})
	b.ReportAllocs()
	for b.Loop() {
		ix.Value("078-05-1120")
	}
}

func BenchmarkValueParallel(b *testing.B) {
	ix := newIndex(b, blindindex.Options{})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			ix.Value("ada.lovelace@example.com")
		}
	})
}

func BenchmarkPartialValues(b *testing.B) {
	g, p := newGrams(b, 3, folded), newPrefixes(b, 2, 8, folded)
	const text = "Ada Lovelace, Countess"
	b.Run("grams", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			g.Values(text)
		}
	})
	b.Run("prefixes", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			p.Values(text)
		}
	})
}
