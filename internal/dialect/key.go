package dialect

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A Key is the primary key of a row: a string for each column, or in SQLite the
// stored int64, float64, string or []byte.
type Key []any

// String returns the key for people.
func (k Key) String() string {
	parts := make([]string, len(k))
	for i, part := range k {
		switch v := part.(type) {
		case []byte:
			parts[i] = hex.EncodeToString(v)
		default:
			parts[i] = fmt.Sprint(v)
		}
	}
	return strings.Join(parts, ",")
}

// The JSON of a part that JSON itself cannot hold without loss.
type encodedPart struct {
	Bytes *string `json:"b,omitempty"` // base64
	Text  *string `json:"s,omitempty"` // base64 of what is not UTF-8
	Float *string `json:"f,omitempty"` // hexadecimal
}

// MarshalJSON writes the key so that nothing is lost.
func (k Key) MarshalJSON() ([]byte, error) {
	if k == nil {
		return []byte("null"), nil
	}
	out := make([]any, len(k))
	for i, part := range k {
		switch v := part.(type) {
		case int64:
			out[i] = v
		case string:
			if utf8.ValidString(v) {
				out[i] = v
				continue
			}
			s := base64.StdEncoding.EncodeToString([]byte(v))
			out[i] = encodedPart{Text: &s}
		case []byte:
			s := base64.StdEncoding.EncodeToString(v)
			out[i] = encodedPart{Bytes: &s}
		case float64:
			s := strconv.FormatFloat(v, 'x', -1, 64)
			out[i] = encodedPart{Float: &s}
		default:
			return nil, fmt.Errorf("dialect: a key cannot hold a %T", part)
		}
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (k *Key) UnmarshalJSON(data []byte) error {
	var raw []json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	*k = nil
	for _, r := range raw {
		part, err := decodePart(r)
		if err != nil {
			return err
		}
		*k = append(*k, part)
	}
	return nil
}

func decodePart(r json.RawMessage) (any, error) {
	var s string
	if json.Unmarshal(r, &s) == nil {
		return s, nil
	}
	var n int64
	if json.Unmarshal(r, &n) == nil {
		return n, nil
	}
	var e encodedPart
	if err := json.Unmarshal(r, &e); err != nil {
		return nil, err
	}
	switch {
	case e.Bytes != nil:
		return base64.StdEncoding.DecodeString(*e.Bytes)
	case e.Text != nil:
		b, err := base64.StdEncoding.DecodeString(*e.Text)
		return string(b), err
	case e.Float != nil:
		f, err := strconv.ParseFloat(*e.Float, 64)
		if math.IsNaN(f) {
			return nil, fmt.Errorf("dialect: a key cannot hold NaN")
		}
		return f, err
	}
	return nil, fmt.Errorf("dialect: not a part of a key")
}

// part makes what a driver read for a key column into a part of a Key. Drivers give
// text as string or []byte; SQLite's bytes stay bytes.
func part(d Dialect, v any) (any, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case []byte:
		if _, typed := d.(sqlite); typed {
			return v, nil
		}
		return string(v), nil
	case int64, float64:
		if _, typed := d.(sqlite); typed {
			return v, nil
		}
		return fmt.Sprint(v), nil
	case nil:
		return nil, fmt.Errorf("dialect: the key of a row is NULL")
	}
	return nil, fmt.Errorf("dialect: the driver gave a %T for a key", v)
}

// Context returns the parts of a key as names for a derivation: integers in decimal,
// texts as they are, bytes in lower-case hexadecimal (docs/format.md).
func (t *Table) Context(k Key) []string {
	names := make([]string, len(k))
	for i, p := range k {
		switch v := p.(type) {
		case []byte:
			names[i] = hex.EncodeToString(v)
		case string:
			names[i] = v
			if t.Key[i].Kind == KeyBytes { // read as hexadecimal
				names[i] = strings.ToLower(v)
			}
		default:
			names[i] = fmt.Sprint(v)
		}
	}
	return names
}
