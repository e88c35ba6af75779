package gormencrypt

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"weak"

	"github.com/fernetcol/fernetcol/fernet"
)

// ErrNoKeyring is wrapped by the error for a statement for which the provider has
// no key ring. Nothing is stored or read.
var ErrNoKeyring = errors.New("gormencrypt: no key ring")

type keyringKey struct{}

// WithKeyring returns a context whose statements use kr, whatever the provider of
// the plugin would give:
//
//	db.WithContext(gormencrypt.WithKeyring(ctx, kr)).First(&user)
func WithKeyring(ctx context.Context, kr *fernet.Keyring) context.Context {
	return context.WithValue(ctx, keyringKey{}, kr)
}

// keyring returns the ring for a column in a statement.
func (p *Plugin) keyring(ctx context.Context, c *column) (*fernet.Keyring, error) {
	kr, ok := ctx.Value(keyringKey{}).(*fernet.Keyring)
	if !ok {
		var err error
		if kr, err = p.provider.Keyring(ctx); err != nil {
			return nil, fmt.Errorf("%w for column %s: %w", ErrNoKeyring, c, err)
		}
	}
	if kr == nil {
		return nil, fmt.Errorf("%w for column %s: the provider gave none", ErrNoKeyring, c)
	}
	switch {
	case c.context == nil:
		return kr, nil
	case c.row:
		names, err := c.rowContext(ctx)
		if err != nil {
			return nil, err
		}
		return kr.Derive(names...), nil
	}
	return p.rings.derived(kr, c), nil
}

// A ringCache keeps the rings that bound columns derive, as long as the ring they
// come from lives: deriving costs as much as encrypting a row.
type ringCache struct {
	mu    sync.RWMutex
	rings map[weak.Pointer[fernet.Keyring]]map[string]*fernet.Keyring
}

func (rc *ringCache) derived(kr *fernet.Keyring, c *column) *fernet.Keyring {
	key, name := weak.Make(kr), c.bound()
	rc.mu.RLock()
	d := rc.rings[key][name]
	rc.mu.RUnlock()
	if d != nil {
		return d
	}
	rc.mu.Lock()
	defer rc.mu.Unlock()
	of := rc.rings[key]
	if of == nil {
		of = map[string]*fernet.Keyring{}
		if rc.rings == nil {
			rc.rings = map[weak.Pointer[fernet.Keyring]]map[string]*fernet.Keyring{}
		}
		rc.rings[key] = of
		runtime.AddCleanup(kr, rc.forget, key)
	}
	if of[name] == nil {
		of[name] = kr.Derive(c.context...)
	}
	return of[name]
}

func (rc *ringCache) forget(key weak.Pointer[fernet.Keyring]) {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	delete(rc.rings, key)
}
