package keyprovider

import (
	"context"

	"github.com/fernetcol/fernetcol/fernet"
)

// A Provider gives the key ring to use, from the context where it wants: one
// tenant has another ring than the next. It is called often, and must be fast and
// safe for concurrent use.
type Provider interface {
	Keyring(ctx context.Context) (*fernet.Keyring, error)
}

// Static returns a Provider that always gives kr.
func Static(kr *fernet.Keyring) Provider { return static{kr} }

type static struct{ kr *fernet.Keyring }

func (s static) Keyring(context.Context) (*fernet.Keyring, error) { return s.kr, nil }

// Func is a Provider made of a function.
type Func func(ctx context.Context) (*fernet.Keyring, error)

// Keyring calls f.
func (f Func) Keyring(ctx context.Context) (*fernet.Keyring, error) { return f(ctx) }
