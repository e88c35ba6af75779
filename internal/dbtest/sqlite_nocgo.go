//go:build !cgo

package dbtest

const cgo = false
