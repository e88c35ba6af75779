// Package keyprovider makes key rings from where keys are kept: an environment
// variable or a file.
//
//	kr, err := keyprovider.FromEnv("SECRET_FERNET_KEY")
//	kr, err := keyprovider.FromFile("/run/secrets/fernet-keys")
//
// Both take one key or several, in the form of [fernet.Key.Encode]. The first is
// the primary key, which encrypts; the others are retired and only decrypt. To
// rotate, put a new key first, and take an old one away once nothing needs it.
//
// A [Provider] gives a ring for a context, for programs in which tenants have
// rings of their own or keys change while the program runs; [Static] and [Func]
// make one.
//
// Every error says which entry is wrong, and none holds any part of a key.
package keyprovider
