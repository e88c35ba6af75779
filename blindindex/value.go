package blindindex

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// A Value is an entry of an index column: 1 to 32 digits of lower-case hexadecimal, a
// digit for every four bits. The empty Value is NULL, as which it is stored and read.
//
// It is no secret in itself, as a token is none: without the index key it says
// only which rows are equal.
type Value string

var (
	_ driver.Valuer = Value("")
	_ sql.Scanner   = (*Value)(nil)
)

// errNotAValue says nothing of the value, which may be plaintext that got into an
// index column.
var errNotAValue = errors.New("blindindex: not an index value, which is lower-case hexadecimal; make one with Index.Value")

// Value implements [driver.Valuer]: a string, or nil for the empty Value. What is
// not lower-case hexadecimal is an error, so that a plaintext converted to this
// type is not stored.
func (v Value) Value() (driver.Value, error) {
	if v == "" {
		return nil, nil
	}
	if !v.valid() {
		return nil, errNotAValue
	}
	return string(v), nil
}

// Scan implements [sql.Scanner]. It takes string, []byte and nil, and refuses what
// is not lower-case hexadecimal. On an error *v is empty.
func (v *Value) Scan(src any) error {
	*v = ""
	var read Value
	switch s := src.(type) {
	case nil:
		return nil
	case string:
		read = Value(s)
	case []byte:
		read = Value(s)
	default:
		return fmt.Errorf("blindindex: cannot read a %T into a Value; the column must be text", src)
	}
	if !read.valid() {
		return errNotAValue
	}
	*v = read
	return nil
}

// isDigit has the characters of a value. Comparisons would be branches that no
// processor foresees, for every value that is read.
var isDigit = [256]bool{
	'0': true, '1': true, '2': true, '3': true, '4': true, '5': true, '6': true, '7': true, '8': true, '9': true,
	'a': true, 'b': true, 'c': true, 'd': true, 'e': true, 'f': true,
}

// valid reports whether v has the form of a value, which the empty one has not.
func (v Value) valid() bool {
	if v == "" || len(v) > maxDigits {
		return false
	}
	for i := range len(v) {
		if !isDigit[v[i]] {
			return false
		}
	}
	return true
}

// Format prints the entry as fmt prints a string. What is no entry, and may be a
// plaintext that was converted by mistake, it does not print: drivers put a value
// that they cannot store into their errors.
func (v Value) Format(f fmt.State, verb rune) {
	if v != "" && !v.valid() {
		io.WriteString(f, notAValue)
		return
	}
	fmt.Fprintf(f, fmt.FormatString(f, verb), string(v))
}

// GoString returns what Format prints for %#v.
func (v Value) GoString() string { return fmt.Sprintf("%#v", v) }

// LogValue returns what Format prints as a slog value.
func (v Value) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(v)) }

// notAValue is printed instead of a Value that is no entry.
const notAValue = "blindindex.Value(not an index value)"

// GormDataType makes an index column a short string for GORM. It is a method, so
// that this package need not import gorm.
func (Value) GormDataType() string { return "string" }
