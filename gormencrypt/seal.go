package gormencrypt

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"

	"github.com/fernetcol/fernetcol/blindindex"
	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
)

// A sealed value is a token on its way to the driver. Only this package makes
// them, so what is sealed is not sealed again, and what is not, is plaintext,
// whatever it looks like.
type sealed struct{ token driver.Value }

// Value implements [driver.Valuer].
func (s sealed) Value() (driver.Value, error) { return s.token, nil }

// serializer is what the tag serializer:fernet names. It does nothing on its own:
// the plugin of the handle takes over from it, and without a plugin it fails.
type serializer struct{}

var errNoPlugin = fmt.Errorf("gormencrypt: serializer:fernet needs the plugin: db.Use(gormencrypt.New(…))")

// Scan implements [schema.SerializerInterface].
func (serializer) Scan(context.Context, *schema.Field, reflect.Value, any) error { return errNoPlugin }

// Value implements [schema.SerializerInterface]. What it returns is not a value
// that a driver accepts; the plugin takes the plaintext out of it.
func (serializer) Value(_ context.Context, _ *schema.Field, _ reflect.Value, v any) (any, error) {
	return pending{v}, nil
}

// pending is a plaintext that waits to be sealed.
type pending struct{ v any }

// Format keeps the plaintext out of errors about types.
func (pending) Format(f fmt.State, _ rune) { fmt.Fprint(f, encryptedtype.Redacted) }

// seal returns the token of a value under the primary key, or nil for NULL.
func (p *Plugin) seal(ctx context.Context, c *column, value any) (any, error) {
	if s, ok := value.(sealed); ok {
		return s, nil
	}
	text, isText := c.text(value)
	var plain []byte
	if !isText {
		var isNull bool
		var err error
		if plain, isNull, err = c.plaintext(value); err != nil || isNull {
			return nil, err
		}
	}
	kr, err := p.keyring(ctx, c)
	if err != nil {
		return nil, err
	}
	if isText && !c.deterministic {
		if n := fernet.TokenLen(len(text)); n > kr.MaxTokenLen() {
			return nil, c.tooLong(kr, n)
		}
		return sealed{kr.EncryptString(text)}, nil
	}
	if isText {
		plain = []byte(text)
	}
	if fernet.TokenLen(len(plain)) > kr.MaxTokenLen() {
		return nil, c.tooLong(kr, fernet.TokenLen(len(plain)))
	}
	switch {
	case c.deterministic:
		return sealed{string(kr.EncryptDeterministic(plain))}, nil
	case c.binary():
		return sealed{kr.EncryptRaw(plain)}, nil
	default:
		return sealed{string(kr.Encrypt(plain))}, nil
	}
}

func (c *column) tooLong(kr *fernet.Keyring, n int) error {
	return fmt.Errorf("gormencrypt: column %s: a token of %d bytes is over the key ring's limit of %d", c, n, kr.MaxTokenLen())
}

// text returns the string of a value that is one already: what plaintext would
// find out by reflection, for the values that most rows consist of.
func (c *column) text(value any) (string, bool) {
	if p, ok := value.(pending); ok {
		value = p.v
	}
	if c.of.Kind() != reflect.String {
		return "", false
	}
	switch x := value.(type) {
	case string:
		return x, true
	case encryptedtype.EncryptedString:
		return string(x), true
	case encryptedtype.DeterministicString:
		return string(x), true
	}
	return "", false
}

// sealAll returns the tokens of a value under every key, or none for NULL.
func (p *Plugin) sealAll(ctx context.Context, c *column, value any) ([]any, error) {
	plain, isNull, err := c.plaintext(value)
	if err != nil || isNull {
		return nil, err
	}
	kr, err := p.keyring(ctx, c)
	if err != nil {
		return nil, err
	}
	var tokens []any
	for _, t := range kr.DeterministicTokens(plain) {
		tokens = append(tokens, sealed{string(t)})
	}
	return tokens, nil
}

// binary reports whether the column holds raw tokens.
func (c *column) binary() bool {
	return c.typed && c.base() == reflect.TypeFor[encryptedtype.EncryptedBytes]()
}

// base is the type of the field without pointers and sql.Null.
func (c *column) base() reflect.Type { return c.of }

func baseType(t reflect.Type) reflect.Type {
	for {
		switch {
		case t.Kind() == reflect.Pointer:
			t = t.Elem()
		case isNull(t):
			f, _ := t.FieldByName("V")
			t = f.Type
		default:
			return t
		}
	}
}

func isNull(t reflect.Type) bool {
	return t.PkgPath() == "database/sql" && len(t.Name()) > 5 && t.Name()[:5] == "Null["
}

// plaintext returns the bytes that a value of the application encrypts to in the
// column. A value that is no value of the column's type is an error, which names
// the type and not the value.
func (c *column) plaintext(value any) (plain []byte, isNull bool, err error) {
	if x, ok := value.(encryptedtype.EncryptedBytes); ok && c.binary() {
		return x, x == nil, nil
	}
	v, isNull, err := c.simplify(value)
	if err != nil || isNull {
		return nil, isNull, err
	}
	base := c.base()
	if v.Type() != base {
		if v, err = c.convert(v, base); err != nil {
			return nil, false, err
		}
	}
	switch x := v.Interface().(type) {
	case []byte:
		return x, x == nil, nil
	case encryptedtype.EncryptedBytes:
		return x, x == nil, nil
	}
	if v.Kind() == reflect.String {
		return []byte(v.String()), false, nil
	}
	plain, err = json.Marshal(v.Interface())
	if err != nil {
		return nil, false, c.refuse("the value cannot be written as JSON") // the cause may quote it
	}
	return plain, false, nil
}

// simplify takes away what wraps a value: pointers, sql.Null, driver.Valuer.
func (c *column) simplify(value any) (v reflect.Value, isNull bool, err error) {
	for {
		switch x := value.(type) {
		case nil:
			return v, true, nil
		case pending:
			value = x.v
			continue
		case sql.NamedArg:
			value = x.Value
			continue
		case clause.Expr:
			switch {
			case len(x.Vars) == 0 && (strings.EqualFold(x.SQL, "NULL") || strings.EqualFold(x.SQL, "DEFAULT")):
				return v, true, nil
			case len(x.Vars) == 0 && x.SQL == "(NULL)":
				return v, true, nil
			}
			return v, false, c.refuse("gorm.Expr would be stored as it is; give the value")
		case blindindex.Value, *blindindex.Value:
			return v, false, c.refuse("an entry of an index is not a value of the column; compare it with the index column")
		case clause.Expression, clause.Column, *gorm.DB, gorm.Valuer:
			return v, false, c.refuse("%T is computed by the database, which has no key; give the value", value)
		}
		v = reflect.ValueOf(value)
		switch {
		case v.Kind() == reflect.Pointer && v.IsNil():
			return v, true, nil
		case encryptedtype.IsColumn(v.Type()) && v.Kind() != reflect.Pointer && !isNullType(v):
			return v, false, nil
		case v.Kind() == reflect.Pointer:
			if valuer, ok := value.(driver.Valuer); ok && !encryptedtype.IsColumn(v.Type()) {
				if value, err = valuer.Value(); err != nil {
					return v, false, c.refuse("the value's own Value method failed")
				}
				continue
			}
			value = v.Elem().Interface()
		case isNullType(v):
			if !v.FieldByName("Valid").Bool() {
				return v, true, nil
			}
			value = v.FieldByName("V").Interface()
		case v.Type() == c.base():
			return v, false, nil
		default:
			valuer, ok := value.(driver.Valuer)
			if !ok {
				return v, false, nil
			}
			if value, err = valuer.Value(); err != nil {
				return v, false, c.refuse("the value's own Value method failed")
			}
		}
	}
}

func isNullType(v reflect.Value) bool { return isNull(v.Type()) }

// convert makes v a value of the column's type, if nothing is lost by it.
func (c *column) convert(v reflect.Value, to reflect.Type) (reflect.Value, error) {
	// A field of another size, read back, must be the same number.
	switch {
	case to.Kind() == reflect.Struct && encryptedtype.IsColumn(to): // Encrypted[T]
		inner, err := c.convertTo(v, to.Field(0).Type)
		if err != nil {
			return v, err
		}
		out := reflect.New(to).Elem()
		out.Field(0).Set(inner)
		return out, nil
	default:
		return c.convertTo(v, to)
	}
}

func (c *column) convertTo(v reflect.Value, to reflect.Type) (reflect.Value, error) {
	from := v.Type()
	switch {
	case from.AssignableTo(to):
		out := reflect.New(to).Elem()
		out.Set(v)
		return out, nil
	case isText(from) && isText(to):
		return v.Convert(to), nil
	case isNumber(from.Kind()) && isNumber(to.Kind()):
		out := v.Convert(to)
		if back := out.Convert(from); back.Equal(v) {
			return out, nil
		}
	case from.Kind() == to.Kind() && from.ConvertibleTo(to):
		return v.Convert(to), nil
	}
	return v, c.refuse("a value of type %s does not fit %s", from, to)
}

func isText(t reflect.Type) bool {
	return t.Kind() == reflect.String || t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
}

func isNumber(k reflect.Kind) bool {
	return reflect.Int <= k && k <= reflect.Float64 && k != reflect.Uintptr
}
