package fernet_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"testing/cryptotest"
	"time"

	"github.com/fernetcol/fernetcol/fernet"
)

// python is a running testdata/interop.py.
type python struct {
	t   *testing.T
	in  *json.Encoder
	out *json.Decoder
}

// question and answer are the lines to and from it.
type question struct {
	Op        string   `json:"op"`
	Keys      []string `json:"keys,omitempty"` // of a MultiFernet
	Plaintext []byte   `json:"plaintext"`
	Token     string   `json:"token,omitempty"`
	TTL       *int64   `json:"ttl,omitempty"`
	Time      *int64   `json:"time,omitempty"`
}

type answer struct {
	Key       string
	Plaintext []byte
	Token     string
	Time      uint64
	Invalid   bool
}

// startPython skips the test where no Python has the cryptography module, or
// fails it if FERNETCOL_REQUIRE asks for it.
func startPython(t *testing.T) *python {
	t.Helper()
	var interpreter string
	for _, name := range []string{"/usr/bin/python3", "python3"} {
		if exec.Command(name, "-c", "import cryptography.fernet").Run() == nil {
			interpreter = name
			break
		}
	}
	if interpreter == "" {
		const missing = "no Python with the cryptography module; install it with: apt-get install python3-cryptography"
		if slices.Contains(strings.Split(strings.ReplaceAll(os.Getenv("FERNETCOL_REQUIRE"), " ", ""), ","), "python") {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	cmd := exec.Command(interpreter, "testdata/interop.py")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close() // which ends the program
		if err := cmd.Wait(); err != nil {
			t.Errorf("Python: %v", err)
		}
	})
	return &python{t: t, in: json.NewEncoder(stdin), out: json.NewDecoder(stdout)}
}

func (p *python) ask(q question) answer {
	p.t.Helper()
	var a answer
	if err := p.in.Encode(q); err != nil {
		p.t.Fatalf("asking Python to %s: %v", q.Op, err)
	}
	if err := p.out.Decode(&a); err != nil {
		p.t.Fatalf("Python does not answer to %s: %v", q.Op, err)
	}
	return a
}

// Not parallel: it fixes the randomness of the whole process, so that a seed
// gives the same tokens again.
func TestPythonInteroperates(t *testing.T) {
	cryptotest.SetGlobalRandom(t, seed(t))
	r := seeded(t)
	p := startPython(t)
	const most = 4096 // bytes of plaintext

	// Keys from both sides, each one alone in its ring.
	var keys []string
	var rings []*fernet.Keyring
	for range 10 {
		keys = append(keys, p.ask(question{Op: "generate"}).Key, fernet.GenerateKey().Encode())
	}
	for _, k := range keys {
		rings = append(rings, ringOf(t, k))
	}

	t.Run("Python opens our tokens", func(t *testing.T) {
		for i := range 10_000 {
			k, plaintext := r.IntN(len(keys)), randomBytes(r, i%(most+1))
			token := rings[k].Encrypt(plaintext)
			if got := p.ask(question{Op: "decrypt", Keys: keys[k : k+1], Token: string(token)}); got.Invalid || !bytes.Equal(got.Plaintext, plaintext) {
				t.Fatalf("token %d, %d bytes: refused %v, or the plaintext differs", i, len(plaintext), got.Invalid)
			}
		}
	})
	t.Run("we open Python's tokens", func(t *testing.T) {
		for i := range 10_000 {
			k, plaintext := r.IntN(len(keys)), randomBytes(r, i%(most+1))
			token := p.ask(question{Op: "encrypt", Keys: keys[k : k+1], Plaintext: plaintext}).Token
			if got, err := rings[k].Decrypt([]byte(token)); err != nil || !bytes.Equal(got, plaintext) {
				t.Fatalf("token %d, %d bytes: err %v, or the plaintext differs", i, len(plaintext), err)
			}
		}
	})
	t.Run("deterministic and derived tokens", func(t *testing.T) {
		for n := range 300 {
			plaintext := randomBytes(r, n)
			token := rings[0].EncryptDeterministic(plaintext)
			if got := p.ask(question{Op: "decrypt", Keys: keys[:1], Token: string(token)}); got.Invalid || !bytes.Equal(got.Plaintext, plaintext) {
				t.Fatalf("%d bytes: refused %v, or the plaintext differs", n, got.Invalid)
			}
		}
		v := derivationVectors(t).Keys[0]
		token := ringOf(t, v.Key).Derive(v.Derived[4].Context...).Encrypt([]byte("plaintext"))
		if got := p.ask(question{Op: "decrypt", Keys: []string{v.Derived[4].Key}, Token: string(token)}); string(got.Plaintext) != "plaintext" {
			t.Error("Python does not open a derived ring's token under the derived key")
		}
	})
	t.Run("rotation both ways", func(t *testing.T) {
		multi := []string{keys[0], keys[1], keys[2]}
		kr := ringOf(t, multi...)
		for n := range 300 {
			plaintext, from, at := randomBytes(r, n), r.IntN(3), r.Int64N(1<<33)
			theirs := p.ask(question{Op: "encrypt", Keys: multi[from : from+1], Plaintext: plaintext, Time: &at}).Token
			ours, err := kr.Rotate([]byte(theirs))
			if err != nil {
				t.Fatalf("%d bytes under key %d: Rotate: %v", n, from, err)
			}
			if got := p.ask(question{Op: "decrypt", Keys: multi[:1], Token: string(ours)}); got.Invalid || !bytes.Equal(got.Plaintext, plaintext) {
				t.Fatalf("%d bytes under key %d: Python does not open what we rotated", n, from)
			}
			if got := p.ask(question{Op: "timestamp", Keys: multi[:1], Token: string(ours)}); got.Time != uint64(at) {
				t.Fatalf("%d bytes: time %d after our rotation, want %d", n, got.Time, at)
			}

			ours = rings[from].EncryptAtTime(plaintext, time.Unix(at, 0))
			theirs = p.ask(question{Op: "rotate", Keys: multi, Token: string(ours)}).Token
			if got, err := rings[0].Decrypt([]byte(theirs)); err != nil || !bytes.Equal(got, plaintext) {
				t.Fatalf("%d bytes under key %d: what Python rotated: %v", n, from, err)
			}
			if got, err := kr.ExtractTimestamp([]byte(theirs)); err != nil || got.Unix() != at {
				t.Fatalf("%d bytes: time %v, %v after Python's rotation, want %d", n, got, err, at)
			}
		}
		if got := p.ask(question{Op: "decrypt", Keys: multi, Token: string(rings[3].Encrypt(nil))}); !got.Invalid {
			t.Error("Python opens a token of another key")
		}
	})
	t.Run("the same verdict on age", func(t *testing.T) {
		accepted := 0
		for range 3000 {
			// As Python reckons without limits, any 64-bit timestamp will do.
			timestamp := edge(r)
			now, ttl := int64(edge(r)>>1), r.Int64N(1<<33)
			if r.IntN(3) > 0 {
				now, ttl = int64(timestamp>>1)+r.Int64N(140)-70, r.Int64N(140)-20
				timestamp >>= 1
			}
			token := fernet.TokenAt(rings[0], nil, timestamp, [16]byte{}, false)
			want := !p.ask(question{Op: "decrypt", Keys: keys[:1], Token: string(token), TTL: &ttl, Time: &now}).Invalid
			_, err := rings[0].DecryptAtTime(token, time.Duration(ttl)*time.Second, time.Unix(now, 0))
			if (err == nil) != want {
				t.Fatalf("timestamp %d, ttl %d s, now %d: err %v, Python says %v", timestamp, ttl, now, err, want)
			}
			if want {
				accepted++
			}
			if got := p.ask(question{Op: "timestamp", Keys: keys[:1], Token: string(token)}); got.Time != timestamp {
				t.Fatalf("Python reads the timestamp %d as %d", timestamp, got.Time)
			}
		}
		if accepted < 500 {
			t.Errorf("only %d tokens were accepted: the values do not test much", accepted)
		}
	})
}
