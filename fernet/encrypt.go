package fernet

import (
	"crypto/aes"
	"crypto/rand"
	"encoding/binary"
	"slices"
	"strings"
	"time"
)

// Encrypt returns a text token of plaintext under the primary key, with the
// current time. It accepts any length, 0 included, and [TokenLen] gives that of
// the result. It makes one allocation.
func (kr *Keyring) Encrypt(plaintext []byte) []byte {
	return kr.AppendEncrypt(nil, plaintext)
}

// EncryptAtTime is [Keyring.Encrypt] with t as the token's time, in whole
// seconds. A time before 1970 is stored as 1970-01-01 00:00:00 UTC, because the
// format has no earlier one.
func (kr *Keyring) EncryptAtTime(plaintext []byte, t time.Time) []byte {
	return kr.primary().appendToken(nil, plaintext, seconds(t), nil, formText)
}

// EncryptString is [Keyring.Encrypt] for strings. It makes one allocation.
func (kr *Keyring) EncryptString(plaintext string) string {
	s := kr.primary().get()
	defer s.close()
	size := RawTokenLen(len(plaintext))
	buf := s.room(size + min(encodedLen(size), textPart))
	s.raw = buf[:size]
	copy(s.body(), plaintext)
	s.seal(len(plaintext), now(), nil)

	part := buf[size:]
	if len(part) < textPart {
		encodeBase64(part, s.raw)
		return string(part)
	}
	// A long text goes over in parts, so that scratch need not hold it too.
	var text strings.Builder
	text.Grow(encodedLen(size))
	for raw := range slices.Chunk(s.raw, textPart/4*3) {
		part = part[:encodedLen(len(raw))]
		encodeBase64(part, raw)
		text.Write(part)
	}
	return text.String()
}

// EncryptRaw returns a raw token of plaintext under the primary key, with the
// current time: the bytes that [Keyring.Encrypt] would put in base64, a quarter
// fewer, for binary columns. [RawTokenLen] gives the length of the result. All
// methods that take a token take this form too.
func (kr *Keyring) EncryptRaw(plaintext []byte) []byte {
	return kr.primary().appendToken(nil, plaintext, now(), nil, formRaw)
}

// AppendEncrypt appends a text token of plaintext to dst and returns the
// extended slice. It allocates nothing if dst has room for
// TokenLen(len(plaintext)) more bytes. plaintext may lie in dst's spare
// capacity.
func (kr *Keyring) AppendEncrypt(dst, plaintext []byte) []byte {
	return kr.primary().appendToken(dst, plaintext, now(), nil, formText)
}

// textPart is how many characters of a string are encoded at a time: whole
// quanta.
const textPart = 4096

type form bool

const (
	formText form = true
	formRaw  form = false
)

func now() uint64 { return seconds(time.Now()) }

// appendToken appends a token to dst. A nil iv asks for a random one.
func (rk *ringKey) appendToken(dst, plaintext []byte, timestamp uint64, iv *[aes.BlockSize]byte, f form) []byte {
	s := rk.get()
	defer s.close()
	s.raw = s.room(RawTokenLen(len(plaintext)))
	copy(s.body(), plaintext)
	s.seal(len(plaintext), timestamp, iv)

	if f == formRaw {
		return append(dst, s.raw...)
	}
	n, size := len(dst), encodedLen(len(s.raw))
	dst = slices.Grow(dst, size)[:n+size]
	encodeBase64(dst[n:], s.raw)
	return dst
}

// seal makes s.raw a token. Its body begins with n bytes of plaintext, which the
// ciphertext replaces.
func (s *cipherState) seal(n int, timestamp uint64, iv *[aes.BlockSize]byte) {
	s.raw[0] = version
	binary.BigEndian.PutUint64(s.raw[timeOffset:ivOffset], timestamp)
	if iv != nil {
		copy(s.iv(), iv[:])
	} else {
		rand.Read(s.iv()) // never fails
	}

	body := s.body()
	pad := byte(len(body) - n) // PKCS #7 (RFC 5652, section 6.3): 1 to 16
	for i := n; i < len(body); i++ {
		body[i] = pad
	}
	s.enc.SetIV(s.iv())
	s.enc.CryptBlocks(body, body)

	signed := s.raw[:len(s.raw)-tagSize]
	s.mac.Reset()
	s.mac.Write(signed)
	s.mac.Sum(signed) // appends the tag in place
}
