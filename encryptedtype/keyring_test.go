package encryptedtype_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
)

// The tests of this file that call ReplaceDefault are not parallel: there is one
// default in a process.

func TestWithoutAKeyringNothingIsStoredOrRead(t *testing.T) {
	tokens := map[string]any{}
	for _, ct := range columnTypes {
		tokens[ct.name] = mustValue(t, ct.wrap("plaintext"))
	}
	defer encryptedtype.ReplaceDefault(nil)()

	forEachType(t, func(t *testing.T, ct columnType) {
		for _, p := range []string{"plaintext", ""} {
			if v, err := ct.wrap(p).Value(); storable(v) || !errors.Is(err, encryptedtype.ErrNoKeyring) {
				t.Errorf("Value returns a %T and %v", v, err)
			}
		}
		for _, src := range []any{tokens[ct.name], "plaintext", []byte("plaintext"), nil, int64(1)} {
			d := ct.stale()
			if err := d.Scan(src); !errors.Is(err, encryptedtype.ErrNoKeyring) {
				t.Errorf("Scan of a %T: %v", src, err)
			}
			if !d.isZero() {
				t.Errorf("Scan of a %T leaves something in the destination", src)
			}
		}
	})
	if v, err := encryptedtype.EncryptedBytes(nil).Value(); storable(v) || !errors.Is(err, encryptedtype.ErrNoKeyring) {
		t.Errorf("Value of nil returns a %T and %v", v, err)
	}
}

func TestErrNoKeyringSaysWhatToDo(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"SetDefault", "Bind", "Into"} {
		if !strings.Contains(encryptedtype.ErrNoKeyring.Error(), name) {
			t.Errorf("%q does not name %s", encryptedtype.ErrNoKeyring, name)
		}
	}
}

func TestBoundValuesNeedNoDefault(t *testing.T) {
	defer encryptedtype.ReplaceDefault(nil)()
	forEachType(t, func(t *testing.T, ct columnType) {
		d := ct.stale()
		err := encryptedtype.Into(otherRing, d.pointer).Scan(mustValue(t, encryptedtype.Bind(otherRing, ct.wrap("bound"))))
		if err != nil || d.plaintext() != "bound" {
			t.Errorf("err %v, equal %v", err, d.plaintext() == "bound")
		}
	})
}

func TestSetDefaultRefusesNil(t *testing.T) {
	defer encryptedtype.ReplaceDefault(nil)()
	if err := encryptedtype.SetDefault(nil); !errors.Is(err, encryptedtype.ErrNoKeyring) {
		t.Errorf("without a default: %v", err)
	}
	if err := encryptedtype.SetDefault(testRing); err != nil {
		t.Fatalf("after the refusal: %v", err)
	}
	if err := encryptedtype.SetDefault(nil); !errors.Is(err, encryptedtype.ErrNoKeyring) {
		t.Errorf("with a default: %v", err)
	}
}

func TestSetDefaultSetsItOnce(t *testing.T) {
	defer encryptedtype.ReplaceDefault(nil)()
	if err := encryptedtype.SetDefault(testRing); err != nil {
		t.Fatal(err)
	}
	for _, kr := range []*fernet.Keyring{otherRing, testRing} {
		err := encryptedtype.SetDefault(kr)
		if err == nil || !strings.Contains(err.Error(), "already") {
			t.Errorf("the second call: %v", err)
		}
	}
	id, err := testRing.KeyID([]byte(mustValue(t, encryptedtype.EncryptedString("x")).(string)))
	if err != nil || id != testRing.PrimaryID() {
		t.Errorf("the refused ring is in use: %v", err)
	}
}

func TestSetDefaultSucceedsOnceOfManyAtATime(t *testing.T) {
	for range 200 {
		restore := encryptedtype.ReplaceDefault(nil)
		var set atomic.Int32
		var wg sync.WaitGroup
		start := make(chan struct{})
		for range 8 {
			wg.Go(func() {
				<-start
				if encryptedtype.SetDefault(testRing) == nil {
					set.Add(1)
				}
			})
		}
		close(start)
		wg.Wait()
		restore()
		if set.Load() != 1 {
			t.Fatalf("%d calls succeeded", set.Load())
		}
	}
}

// For the race detector: the first query may run while the default is set.
func TestFirstQueriesMayRunWhileTheDefaultIsSet(t *testing.T) {
	token := testRing.EncryptString("plaintext")
	defer encryptedtype.ReplaceDefault(nil)()

	var wg sync.WaitGroup
	wg.Go(func() {
		if err := encryptedtype.SetDefault(testRing); err != nil {
			t.Error(err)
		}
	})
	for range 8 {
		wg.Go(func() {
			for range 20 {
				var s encryptedtype.EncryptedString
				err := s.Scan(token)
				if err != nil && (!errors.Is(err, encryptedtype.ErrNoKeyring) || s != "") || err == nil && s != "plaintext" {
					t.Errorf("Scan: %v", err)
				}
				v, err := s.Value()
				if err != nil && (!errors.Is(err, encryptedtype.ErrNoKeyring) || storable(v)) {
					t.Errorf("Value: %v", err)
				}
			}
		})
	}
	wg.Wait()
}

func TestTypesAreSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	forEachType(t, func(t *testing.T, ct columnType) {
		v := ct.wrap("shared")
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 20 {
					d := ct.stale()
					token, err := v.Value()
					if err == nil {
						err = d.Scan(token)
					}
					if err != nil || d.plaintext() != "shared" {
						t.Errorf("err %v", err)
					}
				}
			})
		}
		wg.Wait()
	})
}
