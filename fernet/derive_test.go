package fernet_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/fernetcol/fernetcol/fernet"
)

// derivation is testdata/derive.json, which testdata/derive.py computed. It is
// frozen: stored tokens depend on every value in it.
type derivation struct {
	Plaintexts []string
	Keys       []struct {
		Key, ID string
		Tokens  []string // the deterministic token of each plaintext
		Derived []struct {
			Context []string
			Key     string
			Tokens  []string
		}
	}
}

func derivationVectors(t *testing.T) derivation {
	t.Helper()
	b, err := os.ReadFile("testdata/derive.json")
	if err != nil {
		t.Fatal(err)
	}
	var d derivation
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	if len(d.Keys) != 3 || len(d.Keys[0].Derived) != 10 || len(d.Plaintexts) != 5 {
		t.Fatal("testdata/derive.json is not whole")
	}
	return d
}

func TestDerivationMatchesVectors(t *testing.T) {
	t.Parallel()
	d := derivationVectors(t)
	for n, v := range d.Keys {
		kr := ringOf(t, v.Key)
		if got := kr.PrimaryID(); got != v.ID {
			t.Errorf("key %d: ID %s, want %s", n, got, v.ID)
		}
		wantDeterministic(t, kr, d.Plaintexts, v.Tokens, fmt.Sprintf("key %d", n))
		for _, w := range v.Derived {
			derived := kr.Derive(w.Context...)
			name := fmt.Sprintf("key %d, context %q", n, w.Context)
			wantDeterministic(t, derived, d.Plaintexts, w.Tokens, name)
			// The derived key, as a key in its own right, opens what the derived
			// ring made, and the reverse.
			own := ringOf(t, w.Key)
			wantOpens(t, own, derived.Encrypt([]byte("plaintext")), []byte("plaintext"), "%s, by the vector's key", name)
			wantOpens(t, derived, own.Encrypt([]byte("plaintext")), []byte("plaintext"), "%s, by Derive", name)
		}
	}
}

func wantDeterministic(t *testing.T, kr *fernet.Keyring, plaintexts, tokens []string, name string) {
	t.Helper()
	for i, p := range plaintexts {
		if string(kr.EncryptDeterministic([]byte(p))) != tokens[i] {
			t.Errorf("%s: the token of plaintext %d differs from the vector", name, i)
		}
		wantOpens(t, kr, []byte(tokens[i]), []byte(p), "%s, plaintext %d", name, i)
	}
}

func TestDeriveIsolatesContexts(t *testing.T) {
	t.Parallel()
	contexts := [][]string{
		nil, {""}, {"", ""}, {"", "", ""}, {"ab", "c"}, {"a", "bc"}, {"abc"}, {"abc", ""}, {"", "abc"}, {"a", "b", "c"},
		{"c", "ab"}, {"a\x00bc"}, {"a,bc"}, {"users", "email"}, {"users", "Email"}, {"users.email"}, {"fernetcol/v1/derive"},
		// What the length prefixes of ("ab", "c") look like from the inside.
		{"ab\x00\x00\x00\x00\x00\x00\x00\x01c"}, {"a", "b\x00\x00\x00\x00\x00\x00\x00\x01c"},
	}
	root := newRing(t, 0, 1)
	rings := []*fernet.Keyring{root}
	for _, c := range contexts {
		rings = append(rings, root.Derive(c...))
	}
	rings = append(rings, root.Derive("ab").Derive("c"), root.Derive().Derive())
	for i, maker := range rings {
		token, deterministic := maker.Encrypt([]byte("plaintext")), maker.EncryptDeterministic([]byte("plaintext"))
		for j, opener := range rings {
			if i == j {
				wantOpens(t, opener, token, []byte("plaintext"), "ring %d", i)
				continue
			}
			wantRefused(t, opener, token, "a token of ring %d in ring %d", i, j)
			wantRefused(t, opener, deterministic, "a deterministic token of ring %d in ring %d", i, j)
		}
	}
}

func TestDeriveIsTheSameEveryTime(t *testing.T) {
	t.Parallel()
	context := []string{"users", "email"}
	a, b := newRing(t, 0, 1).Derive(context...), newRing(t, 0, 1).Derive(context...)
	context[0] = "changed" // Derive kept nothing of it
	wantOpens(t, a, b.Encrypt([]byte("plaintext")), []byte("plaintext"), "derived twice")
	if !bytes.Equal(a.EncryptDeterministic(nil), b.EncryptDeterministic(nil)) {
		t.Error("two derivations differ")
	}
}

// A derived ring has the order and the names of its parent's keys, so that a
// census of tokens speaks of the keys that the operator knows.
func TestDeriveKeepsKeyIDs(t *testing.T) {
	t.Parallel()
	root := newRing(t, 0, 1, 2)
	for _, derived := range []*fernet.Keyring{root.Derive("context"), root.Derive("a").Derive("b", "c"), root.WithMaxTokenLen(1000).Derive()} {
		if got, want := derived.PrimaryID(), fakeKey(0).ID(); got != want {
			t.Errorf("PrimaryID %s, want that of the root key, %s", got, want)
		}
		for i, token := range derived.DeterministicTokens([]byte("plaintext")) {
			if got, err := derived.KeyID(token); err != nil || got != fakeKey(i).ID() {
				t.Errorf("KeyID of a token under key %d: %s, %v", i, got, err)
			}
		}
	}
}

func TestDeriveAfterRotationOpensOldTokens(t *testing.T) {
	t.Parallel()
	old := newRing(t, 1).Derive("users", "email")
	rotated := newRing(t, 0, 1).Derive("users", "email")
	token := old.Encrypt([]byte("plaintext"))
	wantOpens(t, rotated, token, []byte("plaintext"), "under the retired key")
	moved, err := rotated.Rotate(token)
	if err != nil {
		t.Fatal(err)
	}
	wantOpens(t, newRing(t, 0).Derive("users", "email"), moved, []byte("plaintext"), "rotated")
	wantRefused(t, old, moved, "rotated, under the old key")
}

func TestDeterministicTokens(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	kr := newRing(t, 0, 1, 2)
	for n := range 200 {
		plaintext := randomBytes(r, n)
		tokens := kr.DeterministicTokens(plaintext)
		if len(tokens) != 3 || !bytes.Equal(tokens[0], kr.EncryptDeterministic(plaintext)) {
			t.Fatalf("%d bytes: %d tokens, or the first is not the primary key's", n, len(tokens))
		}
		for i, token := range tokens {
			if !bytes.Equal(token, newRing(t, i).EncryptDeterministic(plaintext)) {
				t.Errorf("%d bytes: token %d is not that of key %d", n, i, i)
			}
			wantOpens(t, kr, token, plaintext, "%d bytes, key %d", n, i)
			if at, err := kr.ExtractTimestamp(token); err != nil || at.Unix() != 0 {
				t.Errorf("%d bytes, key %d: time %v, %v; want 1970", n, i, at, err)
			}
		}
		other := append(slices.Clone(plaintext), 0)
		if bytes.Equal(tokens[0], kr.EncryptDeterministic(other)) {
			t.Errorf("%d bytes and one more: the same token", n)
		}
	}
}
