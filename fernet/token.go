package fernet

import (
	"crypto/aes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
)

// ErrInvalidToken is the one error for a token that no key of the ring opens,
// whatever is wrong with it, so that it tells an attacker nothing: not a token,
// altered, made under another key, expired, or from the future.
var ErrInvalidToken = errors.New("fernet: invalid token")

// The fields of a token before base64 (Fernet specification, "Token Format").
const (
	version = 0x80

	timeOffset = 1
	ivOffset   = timeOffset + 8
	bodyOffset = ivOffset + aes.BlockSize
	tagSize    = sha256.Size
	overhead   = bodyOffset + tagSize // 57 bytes around the body

	// firstChar begins every text token: the high six bits of the version.
	firstChar = 'g'
)

// DefaultMaxTokenLen is the length in bytes above which [Keyring.DecryptString]
// refuses a token before it looks at it: 64 MiB, which is 48 MiB of plaintext.
// [Keyring.WithMaxTokenLen] sets another.
const DefaultMaxTokenLen = 64 << 20

// RawTokenLen returns the length in bytes of a raw token for n bytes of
// plaintext: 57 plus n padded to the next whole block of 16, so 73 bytes for
// n = 0 to 15.
func RawTokenLen(n int) int {
	return overhead + n/aes.BlockSize*aes.BlockSize + aes.BlockSize
}

// TokenLen returns the length in bytes, all of them ASCII, of a text token for n
// bytes of plaintext: 4/3 of [RawTokenLen], rounded up to a multiple of 4, so
// 100 for n = 0 to 15 and 120 for n = 16 to 31.
func TokenLen(n int) int { return encodedLen(RawTokenLen(n)) }

// wellFormed reports whether n bytes can be a raw token: at least one block,
// whole blocks.
func wellFormed(n int) bool {
	return n >= RawTokenLen(0) && (n-overhead)%aes.BlockSize == 0
}

// rawLen returns the length of the raw form of token if its first byte and its
// length allow that it is one; isText says in which form it stands.
func rawLen[T text](token T) (n int, isText, ok bool) {
	if len(token) == 0 {
		return 0, false, false
	}
	switch token[0] {
	case version:
		n = len(token)
	case firstChar:
		isText = true
		if n, ok = decodedLen(token); !ok {
			return 0, true, false
		}
	}
	return n, isText, wellFormed(n)
}

// timestamp returns the time field of a raw token.
func timestamp(raw []byte) uint64 { return binary.BigEndian.Uint64(raw[timeOffset:ivOffset]) }
