//go:build !race

package fernet_test

import (
	"bytes"
	"fmt"
	"runtime/debug"
	"testing"
	"time"
)

// wantAllocs checks how often f allocates. No test may run beside it.
func wantAllocs(t *testing.T, want float64, name string, f func()) {
	t.Helper()
	if got := testing.AllocsPerRun(20, f); got != want {
		t.Errorf("%s: %v allocations, want %v", name, got, want)
	}
}

// Not parallel, and without a garbage collector, which empties the pools.
func TestAllocations(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	for _, n := range []int{0, 16, 64, 256, 1 << 10, 16 << 10, 1 << 20} {
		t.Run(fmt.Sprintf("%d bytes", n), func(t *testing.T) {
			kr := newRing(t, 0, 1, 2)
			plaintext := bytes.Repeat([]byte("p"), n)
			text := string(plaintext)
			token, raw := kr.Encrypt(plaintext), kr.EncryptRaw(plaintext)
			old := newRing(t, 2).Encrypt(plaintext)
			textToken := string(token)
			forged := bytes.Clone(token)
			forged[len(forged)/2] ^= 1
			dst := make([]byte, 0, len(token))
			now := time.Now()

			// An empty string needs no memory.
			ofString := 1.0
			if n == 0 {
				ofString = 0
			}
			wantAllocs(t, 1, "Encrypt", func() { kr.Encrypt(plaintext) })
			wantAllocs(t, 1, "EncryptRaw", func() { kr.EncryptRaw(plaintext) })
			wantAllocs(t, 1, "EncryptString", func() { kr.EncryptString(text) })
			wantAllocs(t, 0, "AppendEncrypt", func() { kr.AppendEncrypt(dst, plaintext) })
			wantAllocs(t, ofString, "Decrypt", func() { kr.Decrypt(token) })
			wantAllocs(t, ofString, "Decrypt of raw", func() { kr.Decrypt(raw) })
			wantAllocs(t, ofString, "Decrypt under a retired key", func() { kr.Decrypt(old) })
			wantAllocs(t, ofString, "DecryptAtTime", func() { kr.DecryptAtTime(token, time.Hour, now) })
			wantAllocs(t, ofString, "DecryptString", func() { kr.DecryptString(textToken) })
			wantAllocs(t, 0, "AppendDecrypt", func() { kr.AppendDecrypt(dst, token) })
			wantAllocs(t, 0, "AppendDecrypt of raw", func() { kr.AppendDecrypt(dst, raw) })
			wantAllocs(t, 0, "AppendDecrypt of a forged token", func() { kr.AppendDecrypt(dst, forged) })
		})
	}
}
