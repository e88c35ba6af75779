package encryptedtype_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/fernetcol/fernetcol/encryptedtype"
)

// crashVariable makes TestMain panic in one of these ways instead of running
// tests: what the runtime prints of a panic is only seen from outside.
const crashVariable = "FERNETCOL_TEST_CRASH"

type crashRecord struct {
	ID    int
	Email encryptedtype.EncryptedString
	photo encryptedtype.EncryptedBytes
}

var crashes = map[string]func(){
	"EncryptedString":     func() { panic(encryptedtype.EncryptedString(canary)) },
	"*EncryptedString":    func() { v := encryptedtype.EncryptedString(canary); panic(&v) },
	"EncryptedBytes":      func() { panic(encryptedtype.EncryptedBytes(canary)) },
	"Encrypted":           func() { panic(encryptedtype.Encrypted[string]{V: canary}) },
	"DeterministicString": func() { panic(encryptedtype.DeterministicString(canary)) },
	"Bind":                func() { panic(encryptedtype.Bind(nil, encryptedtype.EncryptedString(canary))) },
	"struct":              func() { panic(crashRecord{1, canary, []byte(canary)}) },
	"slice":               func() { panic([]encryptedtype.EncryptedString{canary}) },
	"Sprint":              func() { panic(fmt.Sprint(encryptedtype.EncryptedString(canary))) },
	"Sprintf":             func() { panic(fmt.Sprintf("%q", []encryptedtype.EncryptedString{canary})) },
	"error":               func() { panic(fmt.Errorf("row 7: %v", encryptedtype.EncryptedString(canary))) },
	"re-panic": func() {
		defer func() { panic(fmt.Errorf("again: %v", recover())) }()
		panic(encryptedtype.EncryptedString(canary))
	},
	"argument": func() { crashWith(encryptedtype.EncryptedString(canary), encryptedtype.Encrypted[string]{V: canary}) },
	"assertion": func() {
		var v any = encryptedtype.EncryptedString(canary)
		_ = v.(int)
	},
	"JSON": func() {
		var e encryptedtype.Encrypted[int]
		panic(e.UnmarshalJSON([]byte(`"` + canary + `"`)))
	},
}

//go:noinline
func crashWith(s encryptedtype.EncryptedString, e encryptedtype.Encrypted[string]) {
	panic(fmt.Sprintln(s, e))
}

func TestPanicsPrintNothingOfThePlaintext(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("runs the test binary once for each panic")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name := range crashes {
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), crashVariable+"="+name, "GOTRACEBACK=all")
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "panic: ") {
			t.Errorf("%s: the process did not panic: %v", name, err)
		}
		if showsCanary(string(out)) {
			t.Errorf("%s: the panic shows the plaintext", name)
		}
	}
}
