//go:build !race

package fernet_test

const raceEnabled = false

const (
	stride     = 1
	byteStride = 1
)
