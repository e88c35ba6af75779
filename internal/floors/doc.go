// Package floors holds no code. Its test holds every package of the module to
// the floors of docs/architecture.md: who may import whom.
package floors
