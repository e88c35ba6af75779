package gormencrypt

import (
	"fmt"
	"reflect"
	"strings"

	"gorm.io/gorm/schema"

	"github.com/fernetcol/fernetcol/encryptedtype"
)

// serializerName is what the gorm tag of an encrypted plain field names:
// gorm:"serializer:fernet".
const serializerName = "fernet"

// tagName is the struct tag with the options of a field.
const tagName = "fernet"

// A column is one encrypted column of one model.
type column struct {
	table string
	field *schema.Field
	// typed says that the field is of package encryptedtype; else it is a plain
	// field with a serializer tag.
	typed bool
	// of is the type of the field without pointers and sql.Null.
	of            reflect.Type
	deterministic bool
	// context is what its keys are derived for; nil for the ring's own keys.
	context []string
	// row says that they are derived for the primary key too.
	row bool
	// indexTags are the values of its index options, and indexes what they declare.
	indexTags []string
	indexes   []*indexColumn
}

// String is what errors call the column.
func (c *column) String() string { return c.table + "." + c.field.DBName }

// bound names the keys of the column: columns with the same name have the same.
func (c *column) bound() string { return strings.Join(c.context, "\x00") }

// options of the fernet tag.
const (
	optionDeterministic = "DETERMINISTIC"
	optionBind          = "BIND"
	optionIndex         = "INDEX"
	bindRow             = "row"
)

// newColumn returns the encrypted column of a field, or nil if the field is not
// encrypted. A tag that cannot be kept is an error.
func newColumn(s *schema.Schema, f *schema.Field) (*column, error) {
	tagged := strings.EqualFold(f.TagSettings["SERIALIZER"], serializerName)
	typed := encryptedtype.IsColumn(f.FieldType)
	tag, hasTag := f.Tag.Lookup(tagName)
	if !tagged && !typed {
		if hasTag {
			return nil, fmt.Errorf(`%s.%s has a fernet tag but is not encrypted; add gorm:"serializer:fernet" or give it a type of package encryptedtype`, s.Name, f.Name)
		}
		return nil, nil
	}
	c := &column{table: s.Table, field: f, typed: typed, of: baseType(f.FieldType)}
	refuse := func(format string, args ...any) (*column, error) {
		return nil, fmt.Errorf("%s.%s: %s", s.Name, f.Name, fmt.Sprintf(format, args...))
	}
	if tagged && typed {
		return refuse("the type encrypts already; remove serializer:fernet")
	}
	if f.PrimaryKey {
		return refuse("a primary key cannot be encrypted")
	}
	if f.HasDefaultValue {
		return refuse("a default: tag would store its value in the clear; set the value in the program")
	}
	// From the tag itself: TagSettings gets the plugin's own CHECK.
	if schema.ParseTagSetting(f.Tag.Get("gorm"), ";")["CHECK"] != "" {
		return refuse("a check: tag would see the token and not the value; remove it")
	}
	if f.FieldType == reflect.TypeFor[encryptedtype.DeterministicString]() || strings.Contains(f.FieldType.String(), "DeterministicString") {
		c.deterministic = true
	}
	for setting := range strings.SplitSeq(tag, ";") {
		name, value, hasValue := strings.Cut(strings.TrimSpace(setting), ":")
		switch strings.ToUpper(name) {
		case optionDeterministic:
			if typed && !c.deterministic {
				return refuse("the type is not deterministic; use encryptedtype.DeterministicString")
			}
			c.deterministic = true
		case optionBind:
			where, name, _ := strings.Cut(value, ",")
			c.row = where == bindRow
			if !c.row {
				name = value
			}
			if name == "" { // without a name of its own
				name = s.Table + "." + f.DBName
			}
			c.context = []string{"gormencrypt/bind", name}
			if c.row {
				c.context[0] = "gormencrypt/bind:row"
			}
		case optionIndex:
			if !hasValue {
				return refuse("index needs the name of the field that holds it, as in index:EmailIndex")
			}
			c.indexTags = append(c.indexTags, value)
		case "":
		default:
			return refuse("unknown option %q in the fernet tag; there are deterministic, index, bind and bind:row", strings.ToLower(name))
		}
	}
	if c.row && c.deterministic {
		return refuse("with bind:row no two rows have equal tokens, so that deterministic has no use; take one of them away")
	}
	if c.row && len(s.PrimaryFields) == 0 {
		return refuse("bind:row needs a primary key")
	}
	return c, nil
}
