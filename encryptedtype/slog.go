package encryptedtype

import (
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"strings"
)

// ReplaceAttr is for [slog.HandlerOptions]. It keeps the plaintext out of log
// lines to which a whole struct, slice or map is given: the JSON handler would
// write it as package json does, and the text handler would print unexported
// fields. Wherever an attribute holds a value of this package's types, it is
// replaced by maps and slices of the exported fields, named as in their JSON,
// with [Redacted] in those places. Other attributes stay as they are, and so do
// errors, of which the handlers print what their Error method says. As the
// handlers do, it follows the pointers in exported fields only.
//
//	slog.NewJSONHandler(w, &slog.HandlerOptions{ReplaceAttr: encryptedtype.ReplaceAttr})
func ReplaceAttr(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() != slog.KindAny {
		return a
	}
	x := a.Value.Any()
	if _, ok := x.(error); ok {
		return a
	}
	r := redaction{open: map[place]bool{}, clean: map[place]bool{}, left: maxValues}
	if v := reflect.ValueOf(x); r.holdsSecret(v) {
		a.Value = slog.AnyValue(r.value(v))
	}
	return a
}

// What is printed in place of a value that contains itself, and of those beyond
// maxValues: objects that all point to each other have more paths through them
// than could be printed.
const (
	cycle     = "[cycle]"
	tooLong   = "[too long]"
	maxValues = 10_000
)

var (
	columnType = reflect.TypeFor[column]()
	boundType  = reflect.TypeFor[bound]()
)

// A redaction makes, of one value, what to print in its place.
type redaction struct {
	open  map[place]bool // being replaced, further out
	clean map[place]bool // found to hold no secret
	left  int            // how many more values may be replaced
}

// A place is what a pointer, a map or a slice refers to.
type place struct {
	typ     reflect.Type
	pointer uintptr
	len     int
	private bool
}

func placeOf(v reflect.Value, private bool) place {
	p := place{typ: v.Type(), pointer: v.Pointer(), private: private}
	if v.Kind() == reflect.Slice {
		p.len = v.Len()
	}
	return p
}

func isSecret(v reflect.Value) bool {
	if !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return false
	}
	return v.Type().Implements(columnType) || v.Type() == boundType
}

// holdsSecret reports whether a handler that prints v would reach a secret.
func (r *redaction) holdsSecret(v reflect.Value) bool {
	seen := map[place]bool{}
	if r.search(v, false, seen) {
		return true
	}
	maps.Copy(r.clean, seen)
	return false
}

// search is holdsSecret, but for the places seen already. What is private lies
// in an unexported field: fmt prints it, but only the address of a pointer, and
// package json does not look at it. Behind such pointers are the insides of
// live objects, which other goroutines may be changing.
func (r *redaction) search(v reflect.Value, private bool, seen map[place]bool) bool {
	if isSecret(v) {
		return true
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice:
		p := placeOf(v, private)
		if v.IsNil() || r.clean[p] || seen[p] {
			return false
		}
		seen[p] = true
	}
	switch v.Kind() {
	case reflect.Pointer:
		return !private && r.search(v.Elem(), private, seen)
	case reflect.Interface:
		return r.search(v.Elem(), private, seen)
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			// Package json does look into embedded structs.
			if r.search(v.Field(i), private || !f.IsExported() && !f.Anonymous, seen) {
				return true
			}
		}
	case reflect.Map:
		if isPlain(v.Type().Key()) && isPlain(v.Type().Elem()) {
			return false
		}
		for it := v.MapRange(); it.Next(); {
			if r.search(it.Key(), private, seen) || r.search(it.Value(), private, seen) {
				return true
			}
		}
	case reflect.Slice, reflect.Array:
		if isPlain(v.Type().Elem()) {
			return false
		}
		for i := range v.Len() {
			if r.search(v.Index(i), private, seen) {
				return true
			}
		}
	}
	return false
}

// isPlain reports whether no value of type t can be or hold a secret.
func isPlain(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Struct, reflect.Map, reflect.Slice, reflect.Array:
		return false
	}
	return !t.Implements(columnType)
}

// value returns v itself if it holds no secret; else [Redacted], or a map or
// slice of what value returns for its parts.
func (r *redaction) value(v reflect.Value) any {
	switch {
	case isSecret(v):
		return Redacted
	case !r.holdsSecret(v):
		if v.IsValid() && v.CanInterface() {
			return v.Interface()
		}
		return nil
	case r.left == 0:
		return tooLong
	}
	r.left--

	switch v.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice:
		p := placeOf(v, false)
		if r.open[p] {
			return cycle
		}
		r.open[p] = true
		defer delete(r.open, p)
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return r.value(v.Elem())
	case reflect.Struct:
		m := map[string]any{}
		r.fields(m, v)
		return m
	case reflect.Map:
		m := make(map[string]any, v.Len())
		for it := v.MapRange(); it.Next(); {
			m[fmt.Sprint(r.value(it.Key()))] = r.value(it.Value())
		}
		return m
	default: // a slice or an array; nothing else holds a secret
		s := make([]any, v.Len())
		for i := range s {
			s[i] = r.value(v.Index(i))
		}
		return s
	}
}

// fields adds the exported fields of v, a struct, to m. Those of an embedded
// struct stand, as in JSON, beside its own.
func (r *redaction) fields(m map[string]any, v reflect.Value) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		tag := f.Tag.Get("json")
		name, _, _ := strings.Cut(tag, ",")
		if f.Anonymous && name == "" && !isSecret(v.Field(i)) && r.embedded(m, v.Field(i)) {
			continue
		}
		if !f.IsExported() || tag == "-" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		m[name] = r.value(v.Field(i))
	}
}

// embedded adds the fields of v to m, where it is a struct or a pointer to one.
func (r *redaction) embedded(m map[string]any, v reflect.Value) bool {
	if v.Kind() == reflect.Pointer && v.Type().Elem().Kind() == reflect.Struct {
		p := placeOf(v, false)
		if v.IsNil() || r.open[p] {
			return true
		}
		r.open[p] = true
		defer delete(r.open, p)
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return false
	}
	inner := map[string]any{}
	r.fields(inner, v)
	maps.Copy(inner, m) // what is nearer to the surface wins
	maps.Copy(m, inner)
	return true
}
