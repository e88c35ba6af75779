package encryptedtype_test

import (
	"bytes"
	"database/sql"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/fernetcol/fernetcol/encryptedtype"
)

// record holds every type, in every form that encoders treat differently.
type record struct {
	S    encryptedtype.EncryptedString            `json:"s" xml:"s"`
	B    encryptedtype.EncryptedBytes             `json:"b" xml:"b"`
	E    encryptedtype.Encrypted[[]int]           `json:"e" xml:"e"`
	D    encryptedtype.DeterministicString        `json:"d" xml:"d"`
	P    *encryptedtype.EncryptedString           `json:"p" xml:"p"`
	O    encryptedtype.EncryptedString            `json:"o,omitempty" xml:"o,omitempty"`
	OB   encryptedtype.EncryptedBytes             `json:"ob,omitempty" xml:"ob,omitempty"`
	OE   encryptedtype.Encrypted[int]             `json:"oe,omitzero" xml:"-"`
	List []encryptedtype.EncryptedString          `json:"list" xml:"list"`
	Map  map[string]encryptedtype.EncryptedString `json:"map" xml:"-"`
}

func fullRecord() record {
	p := encryptedtype.EncryptedString("pointer")
	return record{
		S: "Grüße \"<&>\" \u2028", B: []byte{0, 0x80, 255}, E: encryptedtype.Encrypted[[]int]{V: []int{1, 2}}, D: "d", P: &p,
		List: []encryptedtype.EncryptedString{"", "a"}, Map: map[string]encryptedtype.EncryptedString{"k": "v"},
	}
}

func TestJSONCarriesThePlaintext(t *testing.T) {
	t.Parallel()
	in := fullRecord()
	data, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"s":"Grüße \"\u003c\u0026\u003e\" \u2028","b":"AID/","e":[1,2],"d":"d","p":"pointer","list":["","a"],"map":{"k":"v"}}`
	if string(data) != want {
		t.Errorf("JSON is\n%s, want\n%s", data, want)
	}
	var out record
	if err := json.Unmarshal(data, &out); err != nil || !reflect.DeepEqual(in, out) {
		t.Errorf("another record comes back: %v", err)
	}
}

func TestJSONNull(t *testing.T) {
	t.Parallel()
	out := fullRecord()
	if err := json.Unmarshal([]byte(`{"s":null,"b":null,"e":null,"d":null,"p":null}`), &out); err != nil {
		t.Fatal(err)
	}
	// A string stays as it is, what can be nil becomes it: as with the types of
	// the language.
	if in := fullRecord(); out.S != in.S || out.D != in.D || out.B != nil || out.E.V != nil || out.P != nil {
		t.Errorf("null: s %v, d %v, b %v, e %v, p %v", out.S == in.S, out.D == in.D, out.B == nil, out.E.V == nil, out.P == nil)
	}
	data, err := json.Marshal(record{})
	if err != nil || string(data) != `{"s":"","b":null,"e":null,"d":"","p":null,"list":null,"map":null}` {
		t.Errorf("the zero record is %s, %v", data, err)
	}
}

// jsonTypes returns a destination of every type, filled by earlier data.
func jsonTypes() map[string]json.Unmarshaler {
	s, b, d := encryptedtype.EncryptedString("old"), encryptedtype.EncryptedBytes("old"), encryptedtype.DeterministicString("old")
	return map[string]json.Unmarshaler{
		"EncryptedString":         &s,
		"EncryptedBytes":          &b,
		"DeterministicString":     &d,
		"Encrypted[string]":       &encryptedtype.Encrypted[string]{V: "old"},
		"Encrypted[[]string]":     &encryptedtype.Encrypted[[]string]{V: []string{"old"}},
		"Encrypted[int8]":         &encryptedtype.Encrypted[int8]{V: 1},
		"Encrypted[interface {}]": &encryptedtype.Encrypted[any]{V: "old"},
	}
}

func TestUnmarshalJSONRefusesTheMarker(t *testing.T) {
	t.Parallel()
	for _, data := range []string{`"[encrypted]"`, ` "[encrypted]" `, `"\u005bencrypted]"`, `"[\u0065ncrypted]"`} {
		for name, d := range jsonTypes() {
			before := reflect.ValueOf(d).Elem().Interface()
			err := json.Unmarshal([]byte(data), d)
			if err == nil {
				t.Errorf("%s takes %s", name, data)
				continue
			}
			checkSays(t, err, name)
			checkSays(t, err, "marker")
			if !reflect.DeepEqual(before, reflect.ValueOf(d).Elem().Interface()) {
				t.Errorf("%s changes on %s", name, data)
			}
		}
	}
	for _, field := range []string{"s", "b", "e", "d", "p", "o", "ob", "oe"} {
		var r record
		if err := json.Unmarshal([]byte(`{"`+field+`":"[encrypted]"}`), &r); err == nil {
			t.Errorf("field %s takes the marker", field)
		}
	}
	// Only the whole of it is the marker.
	var s encryptedtype.EncryptedString
	if err := json.Unmarshal([]byte(`"see [encrypted]"`), &s); err != nil || s != "see [encrypted]" {
		t.Errorf("text with the marker in it: %v", err)
	}
}

func TestJSONErrorsDoNotQuoteTheInput(t *testing.T) {
	t.Parallel()
	for _, data := range []string{
		`739182465`, `739182465.5e300`, `"` + canary + `"`, `{"` + canary + `":"` + canary + `"}`, `["` + canary + `",739182465]`,
		`{"N":739182465739182465739182465}`, `"` + canary, canary, `true`, ``,
	} {
		for name, d := range jsonTypes() {
			before := reflect.ValueOf(d).Elem().Interface()
			err := d.UnmarshalJSON([]byte(data))
			if err == nil {
				continue // it is a value of that type
			}
			checkSays(t, err, name)
			if showsCanary(err.Error()) || strings.Contains(err.Error(), "true") {
				t.Errorf("%s: the error quotes its input", name)
			}
			if !reflect.DeepEqual(before, reflect.ValueOf(d).Elem().Interface()) {
				t.Errorf("%s changes on an error", name)
			}
		}
	}
	for name, data := range map[string]string{"EncryptedString": `739182465`, "EncryptedBytes": `"%"`, "DeterministicString": `{}`, "Encrypted[int8]": `739182465`} {
		if err := json.Unmarshal([]byte(data), jsonTypes()[name]); err == nil {
			t.Errorf("%s takes %s", name, data)
		}
	}
}

// What was there before is not merged with what comes.
func TestUnmarshalJSONReplacesTheValue(t *testing.T) {
	t.Parallel()
	shared := map[string]int{"old": 1}
	m := encryptedtype.Encrypted[map[string]int]{V: shared}
	if err := json.Unmarshal([]byte(`{"new":2}`), &m); err != nil || !reflect.DeepEqual(m.V, map[string]int{"new": 2}) || len(shared) != 1 {
		t.Errorf("map: %v", err)
	}
	b := []byte("old")
	e := encryptedtype.EncryptedBytes(b)
	if err := json.Unmarshal([]byte(`"bmV3"`), &e); err != nil || string(e) != "new" || string(b) != "old" {
		t.Errorf("bytes: %v", err)
	}
}

func TestXMLCarriesThePlaintext(t *testing.T) {
	t.Parallel()
	in := fullRecord()
	in.S, in.B = "<&>", []byte("bytes")
	in.Map = nil // XML has no maps
	data, err := xml.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var out record
	if err := xml.Unmarshal(data, &out); err != nil || !reflect.DeepEqual(in, out) {
		t.Errorf("another record comes back: %v", err)
	}
}

func TestGobCarriesThePlaintext(t *testing.T) {
	t.Parallel()
	in := fullRecord()
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(in); err != nil {
		t.Fatal(err)
	}
	var out record
	if err := gob.NewDecoder(&b).Decode(&out); err != nil || !reflect.DeepEqual(in, out) {
		t.Errorf("another record comes back: %v", err)
	}
}

func TestJSONOfNullValues(t *testing.T) {
	t.Parallel()
	in := sql.Null[encryptedtype.EncryptedString]{V: "v", Valid: true}
	data, err := json.Marshal(in)
	if err != nil || string(data) != `{"V":"v","Valid":true}` {
		t.Errorf("%s, %v", data, err)
	}
	var out sql.Null[encryptedtype.EncryptedString]
	if err := json.Unmarshal(data, &out); err != nil || out != in {
		t.Errorf("another value comes back: %v", err)
	}
}

func TestMarshalJSONErrorsDoNotQuoteTheValue(t *testing.T) {
	t.Parallel()
	for _, v := range []any{
		encryptedtype.Encrypted[float64]{V: math.NaN()},
		encryptedtype.Encrypted[json.Number]{V: canary},
		encryptedtype.Encrypted[failing]{V: canary},
	} {
		data, err := json.Marshal(v)
		if err == nil {
			t.Errorf("%T becomes %d bytes", v, len(data))
		} else if showsCanary(err.Error()) || strings.Contains(err.Error(), "NaN") {
			t.Errorf("%T: the error quotes the value", v)
		}
	}
}
