package fernet_test

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"log"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"text/template"

	"github.com/fernetcol/fernetcol/fernet"
)

// traces are the forms in which a text could show a part of a key: six characters
// of it, or a few bytes. Their values are the names of the forms.
type traces map[string]string

func tracesOf(k fernet.Key) traces {
	encoded := k.Encode()
	raw, err := base64.URLEncoding.DecodeString(encoded)
	if err != nil {
		panic("an encoded key does not decode")
	}
	found := traces{}
	for i := 0; i+6 <= len(encoded); i++ {
		found[encoded[i:i+6]] = "base64"
	}
	for i := 0; i+4 <= len(raw); i++ {
		part := raw[i : i+4]
		found[string(part)] = "bytes"
		for _, format := range []string{"%q", "%+q"} {
			quoted := fmt.Sprintf(format, part)
			found[quoted[1:len(quoted)-1]] = "quoted bytes"
		}
		for _, format := range []string{
			"%d", "%x", "%02x", "%#x", "%#02x", "%X", "%02X", "%#X", "%o", "%03o", "%#o", "%O", "%b", "%08b", "%U", "%q",
		} {
			for _, separator := range []string{"", " ", ", ", ","} {
				var list []string
				for _, b := range raw[i:] {
					list = append(list, fmt.Sprintf(format, b))
				}
				// Four bytes without separators can stand in a printed address.
				if n := 4 + 4*max(0, 1-len(separator)); len(list) >= n {
					found[strings.Join(list[:n], separator)] = "a list in " + format
				}
			}
		}
	}
	return found
}

// in names the form in which out shows a part of the key, or is "".
func (tr traces) in(out string) string {
	for trace, name := range tr {
		if strings.Contains(out, trace) {
			return name
		}
	}
	return ""
}

func TestTracesFindKeys(t *testing.T) {
	t.Parallel()
	k := fakeKey(0)
	tr := tracesOf(k)
	raw, err := base64.URLEncoding.DecodeString(k.Encode())
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%d", "%v", "%#v", "%s", "%q", "%x", "%X", "% x", "%#x", "% X", "%#q", "%o", "%b", "%U"} {
		if tr.in(fmt.Sprintf("some "+verb+" text", raw)) == "" || tr.in(fmt.Sprintf(verb, [32]byte(raw))) == "" {
			t.Errorf("a key printed with %s is not found", verb)
		}
	}
	if tr.in("key="+k.Encode()) == "" || tr.in(k.Encode()[9:20]) == "" {
		t.Error("an encoded key is not found")
	}
	if form := tr.in(k.String() + fmt.Sprintf("%p", &k)); form != "" {
		t.Errorf("%s is found where there is none", form)
	}
}

// hidden is a struct whose fields fmt reaches without their methods.
type hidden struct {
	key     fernet.Key
	pointer *fernet.Key
	list    []fernet.Key
	array   [1]fernet.Key
	byName  map[string]fernet.Key
	any     any
	ring    *fernet.Keyring
}

// open is a struct whose fields fmt, encoding/json and gob reach.
type open struct {
	Key     fernet.Key
	Pointer *fernet.Key
	List    []fernet.Key
	Array   [1]fernet.Key
	ByName  map[string]fernet.Key
	Any     any
	Ring    *fernet.Keyring
}

type embedded struct{ fernet.Key }

// shapes are the key and its ring in all that a program may print.
func shapes(t *testing.T, k fernet.Key) map[string]any {
	t.Helper()
	kr, err := fernet.NewKeyring(k, fakeKey(100))
	if err != nil {
		t.Fatal(err)
	}
	kr.Encrypt(nil) // so that there are states in its pools
	kr.EncryptDeterministic(nil)
	byName := map[string]fernet.Key{"name": k}
	h := hidden{k, &k, []fernet.Key{k}, [1]fernet.Key{k}, byName, k, kr}
	o := open{k, &k, []fernet.Key{k}, [1]fernet.Key{k}, byName, k, kr}
	pointer := &k
	return map[string]any{
		"Key":                k,
		"*Key":               &k,
		"**Key":              &pointer,
		"[]Key":              []fernet.Key{k},
		"[]*Key":             []*fernet.Key{&k},
		"*[]Key":             &[]fernet.Key{k},
		"[1]Key":             [1]fernet.Key{k},
		"map[string]Key":     byName,
		"map[string]any":     map[string]any{"name": k, "ring": kr},
		"*Keyring":           kr,
		"**Keyring":          &kr,
		"[]*Keyring":         []*fernet.Keyring{kr},
		"derived":            kr.Derive("context"),
		"unexported fields":  h,
		"*unexported fields": &h,
		"nested unexported":  struct{ h *hidden }{&h},
		"exported fields":    o,
		"*exported fields":   &o,
		"embedded":           embedded{k},
		"a method value":     k.Encode,
		"an error":           fmt.Errorf("opening: %w", errors.New(k.String())),
	}
}

func TestFmtShowsNoSecret(t *testing.T) {
	t.Parallel()
	k := fakeKey(0)
	tr := tracesOf(k)
	var letters []string
	for c := 'a'; c <= 'z'; c++ {
		letters = append(letters, string(c), strings.ToUpper(string(c)))
	}
	letters = append(letters, "!", "é")
	all := shapes(t, k)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, letter := range letters {
				for _, flags := range []string{"", "+", "#", "-", " ", "0", "+#", "# ", "80", "-80.3", "[1]"} {
					if form := tr.in(fmt.Sprintf("%"+flags+letter, all[name])); form != "" {
						t.Errorf("%%%s%s shows the key as %s", flags, letter, form)
					}
				}
			}
			printed := map[string]string{"Sprint": fmt.Sprint(all[name]), "Sprintln": fmt.Sprintln(all[name])}
			for _, format := range []string{"no verb", "%w", "%v %v", "%*d", "%[2]v", "%"} { // mistakes
				printed[format] = fmt.Sprintf(format, all[name]) + fmt.Errorf(format, all[name]).Error()
			}
			for print, out := range printed {
				if form := tr.in(out); form != "" {
					t.Errorf("%s shows the key as %s", print, form)
				}
			}
		})
	}
}

func TestFmtShowsMarkers(t *testing.T) {
	t.Parallel()
	k := fakeKey(0)
	kr := newRing(t, 0, 1, 2)
	key := "fernet.Key(REDACTED, ID " + k.ID() + ")"
	ring := "fernet.Keyring(REDACTED, primary ID " + k.ID() + ", 2 retired)"
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%c", "%b", "%40s"} {
		for _, tt := range []struct {
			value any
			want  string
		}{
			{k, key}, {&k, key}, {[]fernet.Key{k}, key}, {open{Key: k}, key}, {embedded{k}, key},
			{kr, ring}, {open{Ring: kr}, ring},
			{fernet.Key{}, "fernet.Key(zero)"},
			{&fernet.Keyring{}, "fernet.Keyring(empty)"},
			{(*fernet.Keyring)(nil), "fernet.Keyring(empty)"},
		} {
			if got := fmt.Sprintf(verb, tt.value); !strings.Contains(got, tt.want) {
				t.Errorf("%s of %T does not show %q", verb, tt.value, tt.want)
			}
		}
	}
	for _, tt := range []struct{ got, want string }{
		{k.String(), key}, {k.GoString(), key}, {k.LogValue().String(), key},
		{kr.String(), ring}, {kr.GoString(), ring}, {kr.LogValue().String(), ring},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}

func TestLogsShowNoSecret(t *testing.T) {
	t.Parallel()
	k := fakeKey(0)
	tr := tracesOf(k)
	for name, value := range shapes(t, k) {
		var out bytes.Buffer
		options := &slog.HandlerOptions{AddSource: true}
		for _, handler := range []slog.Handler{slog.NewTextHandler(&out, options), slog.NewJSONHandler(&out, options)} {
			logger := slog.New(handler).With("with", value)
			logger.Info("message", "value", value, slog.Group("group", "value", value))
			logger.Info("no key", value)
		}
		log.New(&out, "", 0).Println(value)
		if form := tr.in(out.String()); form != "" {
			t.Errorf("%s: a log shows the key as %s", name, form)
		}
		if (name == "Key" || name == "*Keyring") && strings.Count(out.String(), "REDACTED, ") < 7 {
			t.Errorf("%s: not every log shows the marker", name)
		}
	}
}

func TestEncodersShowNoSecret(t *testing.T) {
	t.Parallel()
	k := fakeKey(0)
	tr := tracesOf(k)
	for name, value := range shapes(t, k) {
		encoded := map[string]func(out *bytes.Buffer) error{
			"JSON": func(out *bytes.Buffer) error { return json.NewEncoder(out).Encode(value) },
			"gob":  func(out *bytes.Buffer) error { return gob.NewEncoder(out).Encode(value) },
			"XML":  func(out *bytes.Buffer) error { return xml.NewEncoder(out).Encode(value) },
			"text/template": func(out *bytes.Buffer) error {
				return template.Must(template.New("").Parse(`{{.}} {{printf "%x %d %p" . . .}} {{print .}}`)).Execute(out, value)
			},
			"html/template": func(out *bytes.Buffer) error {
				return htmltemplate.Must(htmltemplate.New("").Parse(`{{.}}<script>{{.}}</script>`)).Execute(out, value)
			},
		}
		for encoder, encode := range encoded {
			var out bytes.Buffer
			text := ""
			if err := encode(&out); err != nil { // such as a type that it does not take
				text = err.Error()
			}
			if form := tr.in(out.String() + text); form != "" {
				t.Errorf("%s of %s shows the key as %s", encoder, name, form)
			}
		}
	}
}
