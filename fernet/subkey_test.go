package fernet_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"github.com/fernetcol/fernetcol/fernet"
)

// testdata/subkey.json is frozen, as derive.json is: stored indexes depend on every
// value in it.
func TestSubkeysMatchVectors(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/subkey.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Key, Subkey string
		Context     []string
	}
	if err := json.Unmarshal(b, &vectors); err != nil || len(vectors) != 27 {
		t.Fatal("testdata/subkey.json is not whole")
	}
	for i, v := range vectors {
		k, err := fernet.ParseKey(v.Key)
		if err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(k.Subkey(v.Context...)); got != v.Subkey {
			t.Errorf("vector %d, context %q: another subkey", i, v.Context)
		}
	}
}

func TestSubkeysAreApartFromEachOtherAndFromDerivedKeys(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for i, k := range []fernet.Key{fakeKey(0), fakeKey(1)} {
		for j, context := range [][]string{nil, {""}, {"", ""}, {"ab", "c"}, {"a", "bc"}, {"abc"}, {"c", "ab"}, {"abc", ""}, {"ab\x00\x00\x00\x00\x00\x00\x00\x01c"}} {
			subkey := k.Subkey(context...)
			if len(subkey) != fernet.SubkeySize {
				t.Errorf("a subkey of %d bytes", len(subkey))
			}
			if earlier, ok := seen[string(subkey)]; ok {
				t.Errorf("key %d, context %q: the subkey of number %d", i, context, earlier)
			}
			seen[string(subkey)] = 10*i + j

			// As a key it opens nothing of the ring that Derive makes for the context.
			own, err := fernet.ParseKey(base64.URLEncoding.EncodeToString(subkey))
			if err != nil {
				t.Fatal(err)
			}
			ring, err := fernet.NewKeyring(k)
			if err != nil {
				t.Fatal(err)
			}
			wantRefused(t, ringOf(t, own.Encode()), ring.Derive(context...).Encrypt([]byte("plaintext")), "a derived token under the subkey of %q", context)
			wantRefused(t, ringOf(t, own.Encode()), ring.Encrypt([]byte("plaintext")), "a token under the subkey of %q", context)
		}
	}
}

func TestCallerOwnsTheSubkey(t *testing.T) {
	t.Parallel()
	k := fakeKey(0)
	first := k.Subkey("context")
	want := bytes.Clone(first)
	clear(first)
	if !bytes.Equal(k.Subkey("context"), want) {
		t.Error("the subkey changes with the slice that was returned")
	}
}

func TestZeroKeyHasNoSubkeys(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("the zero Key has a subkey")
		}
	}()
	fernet.Key{}.Subkey("context")
}
