package blindindex

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"slices"
	"sync"

	"github.com/fernetcol/fernetcol/fernet"
)

// ErrNoKey is wrapped by the error for an index without a key.
var ErrNoKey = errors.New("blindindex: no index key")

// The first element of what the subkey of an index is derived for: its kind. They
// and the order of the other elements are frozen (docs/format.md).
const (
	purposeSingle   = "blindindex/v1"
	purposeCompound = "blindindex/v1/compound"
	purposeGrams    = "blindindex/v1/grams"
	purposePrefixes = "blindindex/v1/prefixes"
)

// Options of an index. The zero value is good: the value as it is, in 128 bits.
type Options struct {
	// Transforms are applied to a value in this order before it is indexed, and
	// to what is looked for.
	Transforms []Transform
	// Bits is the length of an entry; 0 is [MaxBits]. A shorter one finds rows with
	// other values too, which [Index.Matches] tells apart after decryption. It must
	// be one of [Lengths] for Rows and InputBits.
	Bits int
	// Rows is how many rows the table will have. A shorter index needs it.
	Rows int64
	// InputBits is how many bits a value has, for [Lengths]; 0 if not known and
	// large.
	InputBits int
	// Argon2id makes every entry slow to compute, for values with little entropy.
	Argon2id *Argon2id
}

// An Index computes the entries of one index column. It is immutable and safe for
// concurrent use.
type Index struct {
	name    string
	options Options
	macs    *sync.Pool // of *mac; in it, the subkey
	stretch func([]byte) []byte
}

// New returns the index called name of a column of a table. The three, with key,
// make its entries: another table, column or name gives other entries, so that equal
// values in two columns do not look equal. Names are taken as they are written; keep
// them when the table or column is renamed.
//
// key is an index key of its own, not one that encrypts: rotating those must change
// no entry. The zero Key is refused with an error that wraps [ErrNoKey], a length
// that does not fit with one that wraps [ErrLength].
func New(key fernet.Key, table, column, name string, o Options) (*Index, error) {
	return newIndex(key, name, o, purposeSingle, table, column, name)
}

// newIndex returns an index whose subkey is derived for context. No element of it
// may be empty: they are names.
func newIndex(key fernet.Key, name string, o Options, context ...string) (*Index, error) {
	if slices.Contains(context, "") {
		return nil, errors.New("blindindex: an index needs the names of its table, its column and itself")
	}
	if key.IsZero() {
		return nil, fmt.Errorf("%w for index %s: give one made by fernet.GenerateKey", ErrNoKey, name)
	}
	if o.Bits == 0 {
		o.Bits = MaxBits
	}
	if err := checkLength(o.Bits, o.Rows, o.InputBits); err != nil {
		return nil, fmt.Errorf("%w (index %s)", err, name)
	}
	if err := checkTransforms(o.Transforms); err != nil {
		return nil, fmt.Errorf("%w (index %s)", err, name)
	}
	o.Transforms = slices.Clone(o.Transforms)
	ix := &Index{name: name, options: o}
	if o.Argon2id != nil {
		a := *o.Argon2id
		if err := a.check(); err != nil {
			return nil, fmt.Errorf("%w (index %s)", err, name)
		}
		context = append(context, a.String())
		salt := key.Subkey(append(slices.Clone(context), "salt")...)
		ix.stretch = func(in []byte) []byte { return a.stretch(in, salt) }
	}
	subkey := key.Subkey(context...)
	ix.macs = &sync.Pool{New: func() any { return newMAC(subkey) }}
	return ix, nil
}

// mac is a pooled HMAC under the subkey of an index.
type mac struct {
	hash  hash.Hash
	chunk [512]byte // of the input, which is a string
	sum   [sha256.Size]byte
}

func newMAC(subkey []byte) *mac {
	return &mac{hash: hmac.New(sha256.New, subkey)}
}

// write hashes a text without a copy of all of it, and leaves none.
func (m *mac) write(text string) {
	for len(text) > 0 {
		n := copy(m.chunk[:], text)
		m.hash.Write(m.chunk[:n])
		clear(m.chunk[:n])
		text = text[n:]
	}
}

// Name returns the name that [New] was given.
func (ix *Index) Name() string { return ix.name }

// Bits returns the length of an entry in bits.
func (ix *Index) Bits() int { return ix.options.Bits }

// Digits returns the length of a [Value] in characters: the width of its column.
func (ix *Index) Digits() int { return (ix.options.Bits + 3) / 4 }

// Truncated reports whether a lookup may find rows with other values, which
// [Index.Matches] must filter.
func (ix *Index) Truncated() bool { return ix.options.Bits < MaxBits }

// Lossy reports whether the index is of a part of the value (its domain, its last
// four characters), so that equal entries do not mean equal values.
func (ix *Index) Lossy() bool {
	return lossy(ix.options.Transforms)
}

// Value returns the entry of a text: what to store beside it, and what to look for.
// It is never empty, not for the empty text either. NULL has no entry but NULL, the
// empty Value.
func (ix *Index) Value(text string) Value {
	return ix.entry(ix.transform(text))
}

func (ix *Index) transform(text string) string {
	return transform(ix.options.Transforms, text)
}

// entry returns the first bits of HMAC-SHA256 of the input.
func (ix *Index) entry(input string) Value {
	m := ix.macs.Get().(*mac)
	defer ix.macs.Put(m)
	m.hash.Reset()
	if ix.stretch == nil {
		m.write(input)
	} else {
		m.hash.Write(ix.stretch([]byte(input)))
	}
	m.hash.Sum(m.sum[:0])
	var digits [maxDigits]byte
	hex.Encode(digits[:], m.sum[:MaxBits/8])
	n := ix.Digits()
	if spare := n*4 - ix.options.Bits; spare > 0 { // the bits behind the last are zero
		last := m.sum[(n-1)/2]
		if n%2 == 1 {
			last >>= 4
		}
		digits[n-1] = "0123456789abcdef"[last&0xf>>spare<<spare]
	}
	return Value(digits[:n])
}

// Matches reports whether two texts are equal under the transforms of the index. It
// is the filter for what a truncated index finds: keep a row if its decrypted value
// matches what was looked for.
func (ix *Index) Matches(a, b string) bool {
	return ix.transform(a) == ix.transform(b)
}

func (ix *Index) redacted() string {
	if ix == nil {
		return "blindindex.Index(nil)"
	}
	return "blindindex.Index(" + ix.name + ")"
}

// String returns a marker with the name.
func (ix *Index) String() string { return ix.redacted() }

// GoString returns the same marker as String.
func (ix *Index) GoString() string { return ix.redacted() }

// Format writes the marker, for every verb.
func (ix *Index) Format(f fmt.State, _ rune) { io.WriteString(f, ix.redacted()) }

// LogValue returns the marker as a slog value.
func (ix *Index) LogValue() slog.Value { return slog.StringValue(ix.redacted()) }
