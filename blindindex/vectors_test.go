package blindindex_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/crypto/argon2"

	"github.com/fernetcol/fernetcol/blindindex"
)

// vectors is testdata/vectors.json, which testdata/vectors.py computed. It is frozen:
// stored entries depend on every value in it.
type vectors struct {
	Single []struct {
		Key, Text  string
		Names      []string // table, column, index
		Transforms []string
		Argon2id   *blindindex.Argon2id
		Bits       int
		Value      blindindex.Value
	}
	Compound []struct {
		Key, Table, Name string
		Columns          []struct {
			Name       string
			Transforms []string
		}
		Argon2id *blindindex.Argon2id
		Bits     int
		Parts    []string
		Value    blindindex.Value
	}
	Partial []struct {
		Kind, Key, Text string
		Transforms      []string
		Lengths         []int
		Argon2id        *blindindex.Argon2id
		Bits            int
		Values          blindindex.Values
	}
	Transforms []struct{ Name, In, Out string }

	// Of each block of characters in Assigned, by its first one in hexadecimal, a
	// digest of what a transform makes of each in each template.
	Templates map[string][]string
	Block     rune
	Assigned  [][2]rune
	Every     map[string]map[string]string
}

func readVectors(t *testing.T) vectors {
	t.Helper()
	b, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Single) != 403 || len(v.Compound) != 31 || len(v.Partial) != 160 || len(v.Transforms) != 216 || len(v.Assigned) != 696 || len(v.Every) != 5 {
		t.Fatal("testdata/vectors.json is not whole")
	}
	return v
}

func parseTransforms(t *testing.T, names []string) []blindindex.Transform {
	t.Helper()
	var list []blindindex.Transform
	for _, n := range names {
		tr, err := blindindex.ParseTransform(n)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, tr)
	}
	return list
}

// ofBits returns options for entries of a length, with rows that allow it.
func ofBits(bits int) blindindex.Options {
	switch {
	case bits == blindindex.MaxBits:
		return blindindex.Options{}
	case bits < 10:
		return blindindex.Options{Bits: bits, Rows: 1 << (2 * bits)}
	default:
		return blindindex.Options{Bits: bits, Rows: 1 << 20, InputBits: 10}
	}
}

func TestEntriesMatchVectors(t *testing.T) {
	t.Parallel()
	for i, v := range readVectors(t).Single {
		o := ofBits(v.Bits)
		o.Transforms, o.Argon2id = parseTransforms(t, v.Transforms), v.Argon2id
		ix, err := blindindex.New(mustParse(v.Key), v.Names[0], v.Names[1], v.Names[2], o)
		if err != nil {
			t.Fatalf("vector %d: %v", i, err)
		}
		for range 2 { // the second time with a used HMAC
			if got := ix.Value(v.Text); got != v.Value {
				t.Errorf("vector %d, %d bits, %q: %s, want %s", i, v.Bits, v.Transforms, got, v.Value)
			}
		}
		if ix.Digits() != len(v.Value) || ix.Bits() != v.Bits || ix.Truncated() != (v.Bits < 128) {
			t.Errorf("vector %d: %d digits, %d bits, truncated %v", i, ix.Digits(), ix.Bits(), ix.Truncated())
		}
	}
}

func TestCompoundEntriesMatchVectors(t *testing.T) {
	t.Parallel()
	for i, v := range readVectors(t).Compound {
		o := ofBits(v.Bits)
		o.Argon2id = v.Argon2id
		var cols []blindindex.CompoundColumn
		for _, c := range v.Columns {
			cols = append(cols, blindindex.CompoundColumn{Name: c.Name, Transforms: parseTransforms(t, c.Transforms)})
		}
		c, err := blindindex.NewCompound(mustParse(v.Key), v.Table, v.Name, cols, o)
		if err != nil {
			t.Fatalf("vector %d: %v", i, err)
		}
		if got, err := c.Value(v.Parts...); err != nil || got != v.Value {
			t.Errorf("vector %d: %s, %v; want %s", i, got, err, v.Value)
		}
	}
}

func TestPartialEntriesMatchVectors(t *testing.T) {
	t.Parallel()
	for i, v := range readVectors(t).Partial {
		o := ofBits(v.Bits)
		o.Transforms, o.Argon2id = parseTransforms(t, v.Transforms), v.Argon2id
		var got blindindex.Values
		if v.Kind == "grams" {
			got = must(blindindex.NewGrams(mustParse(v.Key), "users", "name", "name_parts", v.Lengths[0], o)).Values(v.Text)
		} else {
			got = must(blindindex.NewPrefixes(mustParse(v.Key), "users", "name", "name_parts", v.Lengths[0], v.Lengths[1], o)).Values(v.Text)
		}
		if !slices.Equal(got, v.Values) {
			t.Errorf("vector %d, %s of %v: %d entries, want %d others", i, v.Kind, v.Lengths, len(got), len(v.Values))
		}
	}
}

// transformed returns what a transform makes of a text, which a second one sees.
func transformed(t testing.TB, tr blindindex.Transform, in string) string {
	t.Helper()
	var seen string
	spy := blindindex.Custom("spy", func(s string) string { seen = s; return s })
	ix, err := blindindex.New(testKey, "t", "c", "n", blindindex.Options{Transforms: []blindindex.Transform{tr, spy}})
	if err != nil {
		t.Fatal(err)
	}
	ix.Matches(in, in)
	return seen
}

func TestTransformsMatchVectors(t *testing.T) {
	t.Parallel()
	for _, v := range readVectors(t).Transforms {
		tr := parseTransforms(t, []string{v.Name})[0]
		if got := transformed(t, tr, v.In); got != v.Out {
			t.Errorf("%s of %+q is %+q, want %+q", v.Name, v.In, got, v.Out)
		}
	}
}

func TestTransformsOfEveryCharacterMatchVectors(t *testing.T) {
	t.Parallel()
	vs := readVectors(t)
	for name, want := range vs.Every {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out string
			spy := blindindex.Custom("spy", func(s string) string { out = s; return s })
			ix := newIndex(t, blindindex.Options{Transforms: append(parseTransforms(t, []string{name}), spy)})
			got := map[string]string{}
			digest := sha256.New()
			var in []byte
			for i, r := range vs.Assigned {
				for c := r[0]; c <= r[1]; c++ {
					for _, template := range vs.Templates[name] {
						ix.Matches("", strings.ReplaceAll(template, "{}", string(c)))
						in = binary.BigEndian.AppendUint64(in[:0], uint64(len(out)))
						digest.Write(append(in, out...))
					}
					next := c + 1
					if c == r[1] && i+1 < len(vs.Assigned) {
						next = vs.Assigned[i+1][0]
					}
					if last := c == r[1] && i+1 == len(vs.Assigned); last || next/vs.Block != c/vs.Block {
						got[strconv.FormatInt(int64(c/vs.Block*vs.Block), 16)] = hex.EncodeToString(digest.Sum(nil))[:16]
						digest.Reset()
					}
				}
			}
			if len(got) != len(want) {
				t.Errorf("%d blocks, want %d", len(got), len(want))
			}
			for block, w := range want {
				if got[block] != w {
					t.Errorf("the characters from U+%s become others than in the vectors", block)
				}
			}
		})
	}
}

// Where Go's transforms differ from Python's functions of the same name, or from
// what one might take them for. Their documentation says so.
func TestTransformsDifferFromPythonAsDocumented(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		what, transform, in, out, python string
	}{
		{"str.strip takes the separators of ASCII", "trim", "\x1c\x1d\x1e\x1fa\x1f", "\x1c\x1d\x1e\x1fa\x1f", "a"},
		{"more than 30 marks are broken up", "nfc", "a" + strings.Repeat("\u0327", 40), "a" + strings.Repeat("\u0327", 30) + "\u034f" + strings.Repeat("\u0327", 10), ""},
		{"more than 30 marks are broken up", "nfkc", strings.Repeat("\u1161", 31), strings.Repeat("\u1161", 30) + "\u034f\u1161", ""},
		{"a sigma behind a lone ypogegrammeni", "lower", "\u0345\u03a3", "\u0345\u03c2", "\u0345\u03c3"},
		{"a sigma before more than 30 ignored characters", "lower", "\u0391\u03a3" + strings.Repeat("\u00ad", 40) + "\u0391", "\u03b1\u03c2" + strings.Repeat("\u00ad", 40) + "\u03b1", ""},
	} {
		tr := parseTransforms(t, []string{tt.transform})[0]
		if got := transformed(t, tr, tt.in); got != tt.out || got == tt.python {
			t.Errorf("%s: %+q becomes %+q, want %+q", tt.what, tt.in, got, tt.out)
		}
	}
}

// The published vectors of the reference implementation
// (https://github.com/P-H-C/phc-winner-argon2, src/test.c, Argon2id, version 0x13).
// That of RFC 9106, section 5.3, has a secret and associated data, which the
// primitive here does not take.
func TestArgon2idMatchesReference(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		time, memory   uint32
		threads        uint8
		password, salt string
		want           string
	}{
		{2, 256, 1, "password", "somesalt", "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe"},
		{2, 256, 2, "password", "somesalt", "6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037"},
		{2, 65536, 1, "password", "somesalt", "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"},
		{1, 65536, 1, "password", "somesalt", "f6a5adc1ba723dddef9b5ac1d464e180fcd9dffc9d1cbf76cca2fed795d9ca98"},
		{2, 65536, 1, "differentpassword", "somesalt", "0b84d652cf6b0c4beaef0dfe278ba6a80df6696281d7e0d2891b817d8c458fde"},
		{2, 65536, 1, "password", "diffsalt", "bdf32b05ccc42eb15d58fd19b1f856b113da1e9a5874fdcc544308565aa8141c"},
	} {
		got := argon2.IDKey([]byte(tt.password), []byte(tt.salt), tt.time, tt.memory, tt.threads, 32)
		if hex.EncodeToString(got) != tt.want {
			t.Errorf("t=%d, m=%d, p=%d: %x, want %s", tt.time, tt.memory, tt.threads, got, tt.want)
		}
	}
}
