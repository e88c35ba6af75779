package blindindex_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/fernetcol/fernetcol/blindindex"
)

// secretTraces are parts of the key and of the subkeys of the indexes below, as text
// and as fmt prints bytes.
func secretTraces() []string {
	raw := must(base64.URLEncoding.DecodeString(testKey.Encode()))
	found := []string{testKey.Encode()[:8], testKey.Encode()[20:28]}
	for _, secret := range [][]byte{
		raw, raw[16:],
		testKey.Subkey("blindindex/v1", "users", "email", "email_index"),
		testKey.Subkey("blindindex/v1/compound", "people", "name_birth", "2", "a", "b"),
		testKey.Subkey("blindindex/v1/grams", "users", "name", "name_grams", "3"),
		testKey.Subkey("blindindex/v1/prefixes", "users", "name", "name_prefixes"),
	} {
		found = append(found, string(secret[:4]), hex.EncodeToString(secret[:4]), strings.ToUpper(hex.EncodeToString(secret[:4])),
			strings.Trim(fmt.Sprint(secret[:4]), "[]"), strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", secret[:4]), "[]byte{"), "}"))
	}
	return found
}

func redactedValues(t *testing.T) map[string]fmt.Stringer {
	ix := newIndex(t, blindindex.Options{Transforms: []blindindex.Transform{blindindex.Lower}})
	c := newCompound(t, blindindex.Options{}, columns("a", "b")...)
	g, p := newGrams(t, 3, blindindex.Options{}), newPrefixes(t, 2, 5, blindindex.Options{})
	// Used once, so that a pool holds an HMAC and its input.
	const canary = "CANARY-739182465"
	ix.Value(canary)
	must(c.Value(canary, canary))
	g.Values(canary)
	p.Values(canary)
	return map[string]fmt.Stringer{
		"blindindex.Index(email_index)":      ix,
		"blindindex.Compound(name_birth)":    c,
		"blindindex.Grams(name_grams)":       g,
		"blindindex.Prefixes(name_prefixes)": p,
		"blindindex.Index(nil)":              (*blindindex.Index)(nil),
		"blindindex.Compound(nil)":           (*blindindex.Compound)(nil),
		"blindindex.Grams(nil)":              (*blindindex.Grams)(nil),
		"blindindex.Prefixes(nil)":           (*blindindex.Prefixes)(nil),
	}
}

func TestEveryVerbPrintsTheMarker(t *testing.T) {
	t.Parallel()
	traces := append(secretTraces(), "CANARY", "739182465", hex.EncodeToString([]byte("CANARY")), strings.Trim(fmt.Sprint([]byte("CANARY")), "[]"))
	check := func(how, out string) {
		for _, trace := range traces {
			if strings.Contains(out, trace) {
				t.Errorf("%s shows a secret", how)
				return
			}
		}
	}
	for marker, v := range redactedValues(t) {
		for _, c := range "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" {
			for _, flags := range []string{"", "+", "#", "-", " ", "0", "+#", "40", ".3", "+#-40.30"} {
				verb := "%" + flags + string(c)
				if c == 'T' || c == 'p' || c == 'w' {
					check(verb, fmt.Sprintf(verb, v))
					continue
				}
				if got := fmt.Sprintf(verb, v); got != marker {
					t.Errorf("%s prints %q, want %q", verb, got, marker)
				}
				check(marker+" in a struct, "+verb, fmt.Sprintf(verb, struct{ X, y any }{v, v}))
				check(marker+" in a slice, "+verb, fmt.Sprintf(verb, []any{v}))
			}
		}
		if v.String() != marker || fmt.Sprint(v) != marker || v.(fmt.GoStringer).GoString() != marker {
			t.Errorf("%s: String or GoString prints something else", marker)
		}
		var text, js bytes.Buffer
		slog.New(slog.NewTextHandler(&text, nil)).Info("m", "v", v)
		slog.New(slog.NewJSONHandler(&js, nil)).Info("m", "v", v, "group", slog.GroupValue(slog.Any("v", v)))
		if !strings.Contains(text.String(), marker) || strings.Count(js.String(), marker) != 2 {
			t.Errorf("%s: slog prints something else", marker)
		}
		b, err := json.Marshal(v)
		if err != nil || string(b) != "{}" && string(b) != "null" {
			t.Errorf("%s: JSON is %s, %v", marker, b, err)
		}
	}
}

// A copy of the struct has no methods to redact it: nothing secret may lie where fmt
// reaches.
func TestCopiesShowNoSecret(t *testing.T) {
	t.Parallel()
	all := redactedValues(t)
	copies := []any{
		*all["blindindex.Index(email_index)"].(*blindindex.Index),
		*all["blindindex.Compound(name_birth)"].(*blindindex.Compound),
		*all["blindindex.Grams(name_grams)"].(*blindindex.Grams),
		*all["blindindex.Prefixes(name_prefixes)"].(*blindindex.Prefixes),
	}
	for _, c := range copies {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			out := fmt.Sprintf(verb, c)
			for _, trace := range append(secretTraces(), "CANARY") {
				if strings.Contains(out, trace) {
					t.Errorf("%T: %s shows a secret", c, verb)
				}
			}
		}
	}
}

func TestErrorsShowNoKey(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		second(blindindex.New(testKey, "", "c", "n", blindindex.Options{})),
		second(blindindex.New(testKey, "t", "c", "n", blindindex.Options{Bits: 3})),
		second(blindindex.New(testKey, "t", "c", "n", blindindex.Options{Transforms: []blindindex.Transform{{}}})),
		second(blindindex.NewCompound(testKey, "t", "n", nil, blindindex.Options{})),
		second(blindindex.NewGrams(testKey, "t", "c", "n", 1, blindindex.Options{})),
		second(blindindex.NewPrefixes(testKey, "t", "c", "n", 0, 0, blindindex.Options{})),
	} {
		for _, trace := range secretTraces() {
			if strings.Contains(err.Error(), trace) {
				t.Error("an error shows a part of the key")
			}
		}
	}
}
