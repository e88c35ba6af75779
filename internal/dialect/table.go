package dialect

import "errors"

// The errors of [Dialect.Describe].
var (
	ErrNoTable = errors.New("no such table")
	ErrNoKey   = errors.New("no primary key, and no unique key without NULL, to go by")
)

// A Table is what the catalog says of one.
type Table struct {
	Schema, Name string // as they stand in the catalog; Schema may be ""
	Columns      []Column
	Key          []KeyColumn
	// NullKey says that the columns of the key may hold NULL, as SQLite allows.
	NullKey bool
	// Triggers that an UPDATE fires.
	Triggers []string
	// Rows is an estimate.
	Rows int64
	// Obstacles are why the table cannot be worked on, one sentence each. With one,
	// nothing but the name is set.
	Obstacles []string
}

// Column returns the column called name, or nil.
func (t *Table) Column(name string) *Column {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return &t.Columns[i]
		}
	}
	return nil
}

// A Kind is what a column holds.
type Kind int

// The kinds.
const (
	Other Kind = iota
	Text
	Bytes
)

// A Column is what the catalog says of one.
type Column struct {
	Name   string
	Type   string // as the database writes it
	Kind   Kind
	MaxLen int64 // in characters, or in bytes for [Bytes]; 0 is no limit
	// Generated columns cannot be written.
	Generated bool
	// Held columns change by themselves with their row, unless they are set.
	Held bool

	charset string // of MySQL
}

// A KeyKind is what a column of a key holds, as far as that matters to a program.
type KeyKind int

// The kinds of key columns.
const (
	KeyOther KeyKind = iota
	KeyInt
	KeyText
	KeyBytes
	KeyUUID
)

// A KeyColumn is a column of the key and the expressions that take it to the program
// and back. Each has one %s: for the column in read and order, for the parameter in
// bind.
type KeyColumn struct {
	Name string
	Kind KeyKind

	read  string // gives text, or in SQLite the value as it is stored
	order string // what is compared and sorted
	bind  string // gives a value to compare with order
	array string // PostgreSQL: the type to cast an array to
}
