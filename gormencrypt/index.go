package gormencrypt

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"gorm.io/gorm/schema"

	"github.com/fernetcol/fernetcol/blindindex"
	"github.com/fernetcol/fernetcol/fernet"
)

// An indexColumn is a blind index of an encrypted column: a column of its own, which
// the plugin fills and asks.
type indexColumn struct {
	of    *column
	field *schema.Field
	// keyName is what Options.IndexKeyFor is asked for.
	keyName string
	// filling says that not every row has its entry yet, or any more: the index is
	// filled and asked, but does not answer alone.
	filling bool
	options blindindex.Options
	names   [3]string // table, column and index, as the entries are derived for

	// index is what computes the entries if the key is always the same.
	index *blindindex.Index
	lossy bool
}

// String is what errors call the index.
func (ic *indexColumn) String() string { return ic.of.table + "." + ic.field.DBName }

// truncated reports whether a lookup may find rows with other values.
func (ic *indexColumn) truncated() bool {
	return ic.options.Bits != 0 && ic.options.Bits < blindindex.MaxBits
}

// sameAs reports whether two models declare the same index.
func (ic *indexColumn) sameAs(other *indexColumn) bool {
	transforms := func(a, b blindindex.Transform) bool { return a.String() == b.String() }
	a, b := ic.options, other.options
	return ic.names == other.names && ic.keyName == other.keyName && ic.filling == other.filling && a.Bits == b.Bits &&
		reflect.DeepEqual(a.Argon2id, b.Argon2id) && slices.EqualFunc(a.Transforms, b.Transforms, transforms)
}

// indexes are the index columns of a table, by lower-case name.
type indexes map[string]*indexColumn

// The words of the index option, beside the names of transforms.
const (
	indexBits     = "bits="
	indexRows     = "rows="
	indexInput    = "input="
	indexKey      = "key="
	indexAs       = "as="
	indexArgon2id = "argon2id"
	indexFilling  = "filling"
)

// newIndex returns the index that a value of the index option declares:
// "EmailIndex,lower".
func (p *Plugin) newIndex(s *schema.Schema, c *column, tag string) (*indexColumn, error) {
	words := strings.Split(tag, ",")
	for i := range words {
		words[i] = strings.TrimSpace(words[i])
	}
	fail := func(format string, args ...any) (*indexColumn, error) {
		return nil, fmt.Errorf("gormencrypt: %s.%s: index %s: %s", s.Name, c.field.Name, words[0], fmt.Sprintf(format, args...))
	}
	if !indexable(c.of) {
		return fail("a %s is encrypted as JSON, which has many spellings of one value; only text and integers can be indexed", c.of)
	}
	ic := &indexColumn{of: c, field: sibling(s, c.field, words[0])}
	switch f := ic.field; {
	case words[0] == "" || f == nil || f.DBName == "":
		return fail("the model has no such field; add it, of type blindindex.Value")
	case f.FieldType != reflect.TypeFor[blindindex.Value]():
		return fail("the field is a %s; make it a blindindex.Value", f.FieldType)
	case f.PrimaryKey:
		return fail("it cannot be the primary key")
	case f.HasDefaultValue || schema.ParseTagSetting(f.Tag.Get("gorm"), ";")["CHECK"] != "":
		return fail("it is filled by the plugin; take the default: or check: tag away")
	}
	ic.names = [3]string{s.Table, c.field.DBName, ic.field.DBName}
	for _, word := range words[1:] {
		if err := p.indexWord(ic, word); err != nil {
			return fail("%s", err)
		}
	}
	// Whatever the key is, the options must be good.
	checked, err := blindindex.New(fernet.GenerateKey(), ic.names[0], ic.names[1], ic.names[2], ic.options)
	if err != nil {
		return fail("%s", err)
	}
	ic.lossy = checked.Lossy()
	if size := ic.field.TagSettings["SIZE"]; size != "" && ic.field.Size < checked.Digits() {
		return fail("its entries are %d characters; take the size: tag away", checked.Digits())
	}
	if ic.truncated() && isUnique(s, ic.field) {
		return fail("a truncated index is equal for different values, so that it cannot be unique; leave bits out")
	}
	if ic.truncated() && c.row {
		return fail("with bind:row a truncated index cannot be filtered; leave bits out")
	}
	if p.options.IndexKeyFor == nil {
		if ic.keyName != "" {
			return fail("key=%s needs Options.IndexKeyFor, which gives the key of a name", ic.keyName)
		}
		if ic.index, err = blindindex.New(p.options.IndexKey, ic.names[0], ic.names[1], ic.names[2], ic.options); err != nil {
			return fail("%s; set Options.IndexKey", blindindex.ErrNoKey)
		}
	}
	ic.field.Size = checked.Digits()
	return ic, nil
}

// indexWord takes in a word of the index option.
func (p *Plugin) indexWord(ic *indexColumn, word string) error {
	number := func(text string) (int64, error) {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 1 {
			return 0, fmt.Errorf("%q is not a number from 1 on", word)
		}
		return n, nil
	}
	var n int64
	var err error
	switch {
	case word == indexFilling:
		ic.filling = true
	case word == indexArgon2id:
		a := blindindex.DefaultArgon2id
		ic.options.Argon2id = &a
	case strings.HasPrefix(word, indexArgon2id+"="):
		a := blindindex.Argon2id{}
		if _, err := fmt.Sscanf(word+"\n", indexArgon2id+"=m%dt%dp%d\n", &a.MemoryKiB, &a.Time, &a.Threads); err != nil {
			return fmt.Errorf("%q is not of the form argon2id=m19456t2p1: KiB of memory, passes, threads", word)
		}
		ic.options.Argon2id = &a
	case strings.HasPrefix(word, indexBits):
		n, err = number(word[len(indexBits):])
		ic.options.Bits = int(min(n, 1<<20))
	case strings.HasPrefix(word, indexRows):
		ic.options.Rows, err = number(word[len(indexRows):])
	case strings.HasPrefix(word, indexInput):
		n, err = number(word[len(indexInput):])
		ic.options.InputBits = int(min(n, 1<<20))
	case strings.HasPrefix(word, indexKey):
		ic.keyName = word[len(indexKey):]
	case strings.HasPrefix(word, indexAs):
		parts := strings.Split(word[len(indexAs):], ".")
		if len(parts) != 3 || slices.Contains(parts, "") {
			return fmt.Errorf("%q is not of the form as=table.column.index", word)
		}
		ic.names = [3]string(parts)
	default:
		for _, t := range p.options.Transforms {
			if t.String() == word {
				ic.options.Transforms = append(ic.options.Transforms, t)
				return nil
			}
		}
		t, parseErr := blindindex.ParseTransform(word)
		if parseErr != nil {
			return fmt.Errorf("%w, filling, argon2id, bits=, rows=, input=, key= and as=, and those of Options.Transforms", parseErr)
		}
		ic.options.Transforms = append(ic.options.Transforms, t)
	}
	return err
}

// indexable reports whether equal values of a type encrypt to equal plaintexts.
func indexable(t reflect.Type) bool {
	return isText(t) || reflect.Int <= t.Kind() && t.Kind() <= reflect.Uint64
}

// sibling returns the field called name of the struct that f is a field of, which
// may be embedded.
func sibling(s *schema.Schema, f *schema.Field, name string) *schema.Field {
	for _, other := range s.Fields {
		if n := len(other.BindNames); other.Name == name && n == len(f.BindNames) && slices.Equal(other.BindNames[:n-1], f.BindNames[:n-1]) {
			return other
		}
	}
	return nil
}

// isUnique reports whether the database keeps a column unique, by itself or together
// with others.
func isUnique(s *schema.Schema, f *schema.Field) bool {
	if f.Unique || f.UniqueIndex != "" {
		return true
	}
	for _, index := range s.ParseIndexes() {
		if index.Class == "UNIQUE" && slices.ContainsFunc(index.Fields, func(o schema.IndexOption) bool { return o.Field == f }) {
			return true
		}
	}
	return false
}

// indexesOf declares the indexes of the columns of a schema.
func (p *Plugin) indexesOf(s *schema.Schema, found columns) (indexes, []error) {
	all := indexes{}
	var problems []error
	for _, f := range s.Fields { // in the order of the fields
		c := found[lower(f.DBName)]
		if c == nil || c.field != f {
			continue
		}
		for _, tag := range c.indexTags {
			ic, err := p.newIndex(s, c, tag)
			if err == nil && all[lower(ic.field.DBName)] != nil {
				err = fmt.Errorf("gormencrypt: %s.%s: index %s is that of %s already; every index needs a field of its own",
					s.Name, f.Name, ic.field.Name, all[lower(ic.field.DBName)].of.field.Name)
			}
			if err != nil {
				problems = append(problems, err)
				continue
			}
			all[lower(ic.field.DBName)] = ic
			c.indexes = append(c.indexes, ic)
		}
	}
	return all, problems
}

// agree compares a column with what another model of its table says of it, and takes
// over the indexes that only that one declares: whoever writes the column must fill
// them.
func (c *column) agree(earlier *column) error {
	if c.deterministic != earlier.deterministic || c.bound() != earlier.bound() || c.row != earlier.row {
		return fmt.Errorf("gormencrypt: column %s is encrypted in different ways by the models %s and %s, which would not find or read each other's rows; give it the same options in both",
			c, earlier.field.Schema.Name, c.field.Schema.Name)
	}
	for _, old := range earlier.indexes {
		i := slices.IndexFunc(c.indexes, func(ic *indexColumn) bool { return ic.field.DBName == old.field.DBName })
		if i < 0 {
			c.indexes = append(c.indexes, old)
		} else if !c.indexes[i].sameAs(old) {
			return fmt.Errorf("gormencrypt: index %s is declared in different ways by the models %s and %s", old, old.of.field.Schema.Name, c.field.Schema.Name)
		}
	}
	return nil
}

// errNoIndexKey is for a provider that gives the zero Key.
var errNoIndexKey = errors.New("Options.IndexKeyFor gave none")

// indexFor returns what computes the entries of an index in a statement.
func (p *Plugin) indexFor(ctx context.Context, ic *indexColumn) (*blindindex.Index, error) {
	if ic.index != nil {
		return ic.index, nil
	}
	key, err := p.options.IndexKeyFor(ctx, ic.keyName)
	if err == nil && key.IsZero() {
		err = errNoIndexKey
	}
	if err != nil {
		return nil, fmt.Errorf("%w for %s: %w", blindindex.ErrNoKey, ic, err)
	}
	return p.derived.get(ic, key)
}

// entry returns the entry of a value of the column, or nil for NULL.
func (p *Plugin) entry(ctx context.Context, ic *indexColumn, value any) (any, error) {
	text, isText := ic.of.text(value)
	if !isText {
		plain, isNull, err := ic.of.plaintext(value)
		if err != nil || isNull {
			return nil, err
		}
		text = string(plain)
	}
	index, err := p.indexFor(ctx, ic)
	if err != nil {
		return nil, err
	}
	return index.Value(text), nil
}

// answering returns the indexes that together answer equality on the column, or none.
func (c *column) answering() []*indexColumn {
	var found []*indexColumn
	complete := false
	for _, ic := range c.indexes {
		if !ic.lossy {
			found = append(found, ic)
			complete = complete || !ic.filling
		}
	}
	if !complete {
		return nil
	}
	return found
}

// whyUnanswered says what keeps equality on the column from being answered.
func (c *column) whyUnanswered() string {
	for _, ic := range c.indexes {
		if ic.filling && !ic.lossy {
			return fmt.Sprintf("its index %s is not filled yet, so that rows would be missing; run FillIndexes, then take filling out of the tag", ic.field.DBName)
		}
	}
	for _, ic := range c.indexes {
		return fmt.Sprintf("its index %s is of a part of the value; compare the index column itself, or declare an index of the whole value", ic.field.DBName)
	}
	return "its tokens differ for equal values, so that nothing would be found; " + useDeterministic
}
