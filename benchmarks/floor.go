package benchmarks

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash"
	"time"
)

const (
	keySize    = 32
	version    = 0x80
	timeOffset = 1
	ivOffset   = timeOffset + 8
	bodyOffset = ivOffset + aes.BlockSize
	overhead   = bodyOffset + sha256.Size
)

// Floor makes and opens Fernet tokens with the bare primitives of the standard
// library, everything that can be prepared prepared and no step taken that a
// token does not need: what no implementation on those primitives can be much
// faster than. It measures; do not use it otherwise. It is not safe for
// concurrent use, has one key, believes that its output has room, decodes
// tokens that are not canonical and panics on short ones.
type Floor struct {
	mac      hash.Hash
	enc, dec cbcMode
	raw      []byte
	tag      [sha256.Size]byte
}

// cbcMode is a CBC mode of the standard library with the method that lets one
// mode serve many tokens.
type cbcMode interface {
	cipher.BlockMode
	SetIV(iv []byte)
}

// NewFloor returns the floor for a Fernet key: 16 bytes that sign and 16 that
// encrypt.
func NewFloor(key [keySize]byte) (*Floor, error) {
	block, err := aes.NewCipher(key[keySize/2:])
	if err != nil {
		return nil, fmt.Errorf("benchmarks: AES: %w", err)
	}
	var iv [aes.BlockSize]byte
	enc, ok := cipher.NewCBCEncrypter(block, iv[:]).(cbcMode)
	if !ok {
		return nil, fmt.Errorf("benchmarks: this Go's CBC modes have no SetIV")
	}
	dec, ok := cipher.NewCBCDecrypter(block, iv[:]).(cbcMode)
	if !ok {
		return nil, fmt.Errorf("benchmarks: this Go's CBC modes have no SetIV")
	}
	mac := hmac.New(sha256.New, key[:keySize/2])
	mac.Reset() // from here on, a Reset restores a hashed state
	longest := overhead + Sizes[len(Sizes)-1] + aes.BlockSize
	return &Floor{mac: mac, enc: enc, dec: dec, raw: make([]byte, longest+3)}, nil
}

// AppendEncrypt appends a token of plaintext to dst, which has room for it.
func (f *Floor) AppendEncrypt(dst, plaintext []byte) []byte {
	raw := f.raw[:overhead+len(plaintext)/aes.BlockSize*aes.BlockSize+aes.BlockSize]
	signed := raw[:len(raw)-sha256.Size]
	body := signed[bodyOffset:]

	raw[0] = version
	binary.BigEndian.PutUint64(raw[timeOffset:], uint64(time.Now().Unix()))
	iv := raw[ivOffset:bodyOffset]
	rand.Read(iv)

	pad := byte(len(body) - copy(body, plaintext))
	for i := len(plaintext); i < len(body); i++ {
		body[i] = pad
	}
	f.enc.SetIV(iv)
	f.enc.CryptBlocks(body, body)

	f.mac.Reset()
	f.mac.Write(signed)
	f.mac.Sum(signed)

	n := len(dst)
	dst = dst[:n+base64.URLEncoding.EncodedLen(len(raw))]
	base64.URLEncoding.Encode(dst[n:], raw)
	return dst
}

// AppendDecrypt appends the plaintext of token, at least one block long, to dst,
// which has room for the padding too. It returns nil if the token is wrong.
func (f *Floor) AppendDecrypt(dst, token []byte) []byte {
	size, err := base64.URLEncoding.Decode(f.raw, token)
	if err != nil || f.raw[0] != version {
		return nil
	}
	signed, tag := f.raw[:size-sha256.Size], f.raw[size-sha256.Size:size]
	f.mac.Reset()
	f.mac.Write(signed)
	if !hmac.Equal(f.mac.Sum(f.tag[:0]), tag) {
		return nil
	}

	n, body := len(dst), signed[bodyOffset:]
	dst = dst[:n+len(body)]
	f.dec.SetIV(signed[ivOffset:bodyOffset])
	f.dec.CryptBlocks(dst[n:], body)
	pad := dst[len(dst)-1]
	if pad < 1 || pad > aes.BlockSize {
		return nil
	}
	for _, b := range dst[len(dst)-int(pad):] {
		if b != pad {
			return nil
		}
	}
	return dst[:len(dst)-int(pad)]
}
