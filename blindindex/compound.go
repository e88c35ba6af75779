package blindindex

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"

	"github.com/fernetcol/fernetcol/fernet"
)

// A CompoundColumn is one column of a compound index.
type CompoundColumn struct {
	Name       string
	Transforms []Transform // applied to its part in this order
}

// A Compound computes the entries of an index over several columns: one entry for
// all of them, which answers equality of all together and of none alone. It leaks
// less than an index for each: only which rows agree in every column. It is
// immutable and safe for concurrent use.
type Compound struct {
	index   *Index
	columns []CompoundColumn
}

// NewCompound returns the index called name over two or more columns of a table.
// The table, the name, and the columns in their order make its entries, with key, as
// for [New]; they never meet those of an index of another kind. Transforms belong to
// the columns: those of Options must be empty. Its other fields are as for New.
func NewCompound(key fernet.Key, table, name string, columns []CompoundColumn, o Options) (*Compound, error) {
	if len(columns) < 2 {
		return nil, fmt.Errorf("blindindex: compound index %s has %d columns, and needs at least 2; New makes one of a single column", name, len(columns))
	}
	if len(o.Transforms) > 0 {
		return nil, fmt.Errorf("%w: compound index %s has transforms in its Options; give them to its columns", ErrTransform, name)
	}
	c := &Compound{columns: slices.Clone(columns)}
	// The count keeps what newIndex appends apart from the name of a last column.
	context := []string{purposeCompound, table, name, strconv.Itoa(len(columns))}
	for i, col := range c.columns {
		if slices.ContainsFunc(c.columns[:i], func(other CompoundColumn) bool { return other.Name == col.Name }) {
			return nil, fmt.Errorf("blindindex: compound index %s has column %s twice", name, col.Name)
		}
		if err := checkTransforms(col.Transforms); err != nil {
			return nil, fmt.Errorf("%w (column %s of index %s)", err, col.Name, name)
		}
		c.columns[i].Transforms = slices.Clone(col.Transforms)
		context = append(context, col.Name)
	}
	index, err := newIndex(key, name, o, context...)
	if err != nil {
		return nil, err
	}
	c.index = index
	return c, nil
}

// Name returns the name that [NewCompound] was given.
func (c *Compound) Name() string { return c.index.Name() }

// Columns returns the names of the columns, in the order of the parts.
func (c *Compound) Columns() []string {
	names := make([]string, len(c.columns))
	for i, col := range c.columns {
		names[i] = col.Name
	}
	return names
}

// Bits returns the length of an entry in bits.
func (c *Compound) Bits() int { return c.index.Bits() }

// Digits returns the length of a [Value] in characters: the width of its column.
func (c *Compound) Digits() int { return c.index.Digits() }

// Truncated reports whether a lookup may find rows with other values, which
// [Compound.Matches] must filter.
func (c *Compound) Truncated() bool { return c.index.Truncated() }

// Lossy reports whether the index is of a part of some column's value, as
// [Index.Lossy] does.
func (c *Compound) Lossy() bool {
	return slices.ContainsFunc(c.columns, func(col CompoundColumn) bool { return lossy(col.Transforms) })
}

// Value returns the entry of the parts, one for each column in the order of
// [Compound.Columns]; another number of them is an error. Each part counts for
// itself: ("ab", "c") and ("a", "bc") have different entries.
//
// A row in which any of the columns is NULL has no entry: store NULL, the empty
// Value, and do not call this method. That is how SQL's own UNIQUE constraint over
// several columns takes a NULL. The empty text is a text like any other.
func (c *Compound) Value(parts ...string) (Value, error) {
	if len(parts) != len(c.columns) {
		return "", fmt.Errorf("%w: %d for the %d columns of index %s", errParts, len(parts), len(c.columns), c.Name())
	}
	var input []byte
	for i, part := range parts {
		part = transform(c.columns[i].Transforms, part)
		input = binary.BigEndian.AppendUint64(input, uint64(len(part)))
		input = append(input, part...)
	}
	v := c.index.entry(string(input))
	clear(input)
	return v, nil
}

var errParts = errors.New("blindindex: wrong number of parts")

// Matches reports whether two rows' parts are equal under the transforms of their
// columns: the filter for what a truncated index finds. Parts of another number than
// the columns match nothing.
func (c *Compound) Matches(a, b []string) bool {
	if len(a) != len(c.columns) || len(b) != len(c.columns) {
		return false
	}
	for i, col := range c.columns {
		if transform(col.Transforms, a[i]) != transform(col.Transforms, b[i]) {
			return false
		}
	}
	return true
}

func (c *Compound) redacted() string {
	if c == nil {
		return "blindindex.Compound(nil)"
	}
	return "blindindex.Compound(" + c.Name() + ")"
}

// String returns a marker with the name.
func (c *Compound) String() string { return c.redacted() }

// GoString returns the same marker as String.
func (c *Compound) GoString() string { return c.redacted() }

// Format writes the marker, for every verb.
func (c *Compound) Format(f fmt.State, _ rune) { io.WriteString(f, c.redacted()) }

// LogValue returns the marker as a slog value.
func (c *Compound) LogValue() slog.Value { return slog.StringValue(c.redacted()) }
