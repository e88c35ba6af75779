package cli

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"math"
	"time"
)

// The layout of a token before base64 (docs/format.md).
const (
	tokenVersion  = 0x80
	timestampAt   = 1
	ciphertextAt  = 25
	tagSize       = 32
	blockSize     = 16
	shortestToken = ciphertextAt + blockSize + tagSize
)

// shape is what a token shows to anyone, without a key and so without proof.
type shape struct {
	raw       bool
	size      int // of the token as it was given: characters or bytes
	blocks    int
	timestamp uint64
}

var errNotAToken = errors.New("this is no token: a text token is padded URL-safe base64 that begins with gAAAAA, a raw one begins with the byte 0x80, and both hold whole blocks")

// shapeOf reads the outside of a token.
func shapeOf(token []byte) (shape, error) {
	s := shape{raw: len(token) > 0 && token[0] == tokenVersion, size: len(token)}
	decoded := token
	if !s.raw {
		var err error
		decoded, err = base64.URLEncoding.Strict().AppendDecode(nil, token)
		// AppendDecode skips CR and LF, a token has none.
		if err != nil || bytes.ContainsAny(token, "\r\n") {
			return shape{}, errNotAToken
		}
	}
	if len(decoded) < shortestToken || decoded[0] != tokenVersion || (len(decoded)-ciphertextAt-tagSize)%blockSize != 0 {
		return shape{}, errNotAToken
	}
	s.blocks = (len(decoded) - ciphertextAt - tagSize) / blockSize
	s.timestamp = binary.BigEndian.Uint64(decoded[timestampAt:])
	return s, nil
}

// form names the two forms as the rest of the documentation does.
func (s shape) form() string {
	if s.raw {
		return "raw"
	}
	return "text"
}

// plaintextRange returns the lengths that the plaintext may have, in bytes: there
// are 1 to 16 bytes of padding.
func (s shape) plaintextRange() (least, most int) {
	return (s.blocks - 1) * blockSize, s.blocks*blockSize - 1
}

// time returns the token's time, or false if it is later than RFC 3339 can write.
func (s shape) time() (time.Time, bool) {
	if s.timestamp > math.MaxInt64 {
		return time.Time{}, false
	}
	t := time.Unix(int64(s.timestamp), 0).UTC()
	return t, t.Year() >= 1970 && t.Year() <= 9999
}
