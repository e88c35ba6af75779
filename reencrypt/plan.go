package reencrypt

import (
	"github.com/fernetcol/fernetcol/blindindex"
	"github.com/fernetcol/fernetcol/fernet"
)

// A Dialect names the kind of database.
type Dialect string

// The databases. MySQL is MariaDB too.
const (
	PostgreSQL Dialect = "postgres"
	MySQL      Dialect = "mysql"
	SQLite     Dialect = "sqlite"
)

// A Plan says what a table should hold in the end. It is not changed by this
// package; do not change it, or what it points to, while a call uses it.
type Plan struct {
	// Schema of the table: in PostgreSQL a schema, in MySQL a database, in SQLite
	// an attached database. "" is where the connection finds the table.
	Schema string
	// Table is the name as the database stores it, unquoted.
	Table string
	// Columns to move, at least one.
	Columns []Column
}

// A Column is a column of tokens. With the name and the key ring alone, every token
// that a retired key of the ring opens is moved to the primary key.
type Column struct {
	// Name as the database stores it, unquoted.
	Name string
	// Keyring opens the stored tokens; its primary key is the one to move to.
	Keyring *fernet.Keyring
	// Bind is the context of the tokens that the column should hold, as given to
	// [fernet.Keyring.Derive]; none for tokens under the ring itself. What the GORM
	// plugin writes for fernet:"bind" is {"gormencrypt/bind", "table.column"}.
	Bind []string
	// BindRow adds the parts of the row's primary key to Bind, as the GORM plugin does
	// for fernet:"bind:row" ({"gormencrypt/bind:row", "table.column"}). The key must
	// consist of integers, texts, bytes and UUIDs.
	BindRow bool
	// Sources are where tokens may come from beside Keyring under Bind: another ring,
	// another context, or none. They are tried in this order.
	Sources []Source
	// Form is in which form tokens should stand. The zero value keeps each as it is.
	Form Form
	// Deterministic makes every token of the column deterministic
	// ([fernet.Keyring.EncryptDeterministic]). Without it, a deterministic token stays
	// one, and the others stay what they are.
	Deterministic bool
	// Plaintext encrypts values in place that cannot be tokens ([fernet.MaybeToken]).
	// Without it they count as plaintext and are left as they are. What begins like a
	// token and opens under no key is unreadable either way.
	Plaintext bool
	// Indexes are blind indexes of the column to fill or replace.
	Indexes []Index
}

// A Source is a ring and a context that stored tokens may be under.
type Source struct {
	// Keyring opens the tokens. nil is the ring of the column.
	Keyring *fernet.Keyring
	// Bind and BindRow are those of [Column].
	Bind    []string
	BindRow bool
}

// An Index is a column with the blind index of another column's plaintext.
type Index struct {
	// Column as the database stores it, unquoted.
	Column string
	// Index computes the entries. An entry that another index made is replaced.
	Index *blindindex.Index
}

// A Form is how a token is stored.
type Form int

// The forms.
const (
	// FormKeep leaves a token in its form. New tokens of plaintext are raw in a binary
	// column and text in any other.
	FormKeep Form = iota
	// FormText is padded base64.
	FormText
	// FormRaw is the bytes without base64, for binary columns: a quarter smaller.
	FormRaw
	// FormPlaintext takes the encryption away, to undo a migration: tokens become their
	// plaintext. Every reader must take plaintext by then.
	FormPlaintext
)
