package encryptedtype

import (
	"fmt"
	"log/slog"
	"reflect"
	"strings"
)

// ReplaceAttr is for [slog.HandlerOptions]. It keeps the plaintext out of log
// lines to which a whole struct, slice or map is given: the JSON handler would
// write it as package json does, and the text handler would print unexported
// fields. Wherever an attribute holds a value of this package's types, it is
// replaced by maps and slices of the exported fields, named as in their JSON,
// with [Redacted] in those places. Other attributes stay as they are.
//
//	slog.NewJSONHandler(w, &slog.HandlerOptions{ReplaceAttr: encryptedtype.ReplaceAttr})
func ReplaceAttr(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() != slog.KindAny {
		return a
	}
	if safe, secret := withoutSecrets(reflect.ValueOf(a.Value.Any()), maxDepth); secret {
		a.Value = slog.AnyValue(safe)
	}
	return a
}

// maxDepth ends the walk through values that point to themselves. What lies
// deeper is not printed.
const maxDepth = 32

var (
	columnType = reflect.TypeFor[column]()
	boundType  = reflect.TypeFor[bound]()
)

// withoutSecrets returns what to print in place of v if it holds a secret. The
// result is then made of maps, slices and values that hold none.
func withoutSecrets(v reflect.Value, depth int) (safe any, secret bool) {
	if !v.IsValid() {
		return nil, false
	}
	if v.Type().Implements(columnType) && (v.Kind() != reflect.Pointer || !v.IsNil()) || v.Type() == boundType {
		return Redacted, true
	}
	if depth == 0 {
		return "[too deep]", true
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			safe, secret = withoutSecrets(v.Elem(), depth-1)
		}
	case reflect.Struct:
		safe, secret = structWithoutSecrets(v, depth)
	case reflect.Map:
		m := make(map[string]any, v.Len())
		for it := v.MapRange(); it.Next(); {
			key, keySecret := plain(it.Key(), depth)
			value, valueSecret := plain(it.Value(), depth)
			m[fmt.Sprint(key)] = value
			secret = secret || keySecret || valueSecret
		}
		safe = m
	case reflect.Slice, reflect.Array:
		s := make([]any, v.Len())
		for i := range s {
			var elemSecret bool
			s[i], elemSecret = plain(v.Index(i), depth)
			secret = secret || elemSecret
		}
		safe = s
	}
	return safe, secret
}

func structWithoutSecrets(v reflect.Value, depth int) (safe any, secret bool) {
	m := map[string]any{}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		value, fieldSecret := plain(v.Field(i), depth)
		secret = secret || fieldSecret
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "-" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		m[name] = value
	}
	return m, secret
}

// plain is withoutSecrets, or v itself if it holds no secret and may be read.
func plain(v reflect.Value, depth int) (any, bool) {
	safe, secret := withoutSecrets(v, depth-1)
	if secret {
		return safe, true
	}
	if v.IsValid() && v.CanInterface() {
		return v.Interface(), false
	}
	return nil, false
}
