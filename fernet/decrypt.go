package fernet

import (
	"crypto/aes"
	"fmt"
	"time"
)

// Decrypt returns the plaintext of a text or raw token that any key of the ring
// opens, however old it is. Every other input gives [ErrInvalidToken] and nil.
// The result is a new slice (not nil, even if empty); token is not changed.
// There is no limit on its length; memory is set aside only once a long token
// has proved authentic.
func (kr *Keyring) Decrypt(token []byte) ([]byte, error) {
	return kr.appendPlaintext(nil, token, nil)
}

// DecryptAtTime is [Keyring.Decrypt] for tokens that live for ttl: it also
// refuses, with [ErrInvalidToken], a token older than ttl at the time now, and
// one made more than 60 seconds after now. Ages count in whole seconds, as in
// Python: a token is still good when it is exactly ttl old. A ttl of 0 accepts
// tokens of the current second; to ask for no age check, call Decrypt.
func (kr *Keyring) DecryptAtTime(token []byte, ttl time.Duration, now time.Time) ([]byte, error) {
	return kr.appendPlaintext(nil, token, newAgeLimit(ttl, now))
}

// AppendDecrypt is [Keyring.Decrypt] with the plaintext appended to dst. It
// allocates nothing if dst has room for the plaintext. On an error it returns
// nil, and neither dst nor its spare capacity is changed. token may lie in dst's
// spare capacity: it is read before anything is written.
func (kr *Keyring) AppendDecrypt(dst, token []byte) ([]byte, error) {
	return kr.appendPlaintext(dst, token, nil)
}

func (kr *Keyring) appendPlaintext(dst, token []byte, limit *ageLimit) ([]byte, error) {
	s, plaintext := open(kr, token, limit)
	if s == nil {
		return nil, ErrInvalidToken
	}
	defer s.erase()
	if dst == nil {
		dst = make([]byte, 0, len(plaintext))
	}
	return append(dst, plaintext...), nil
}

// DecryptString is [Keyring.Decrypt] for strings, with a limit: a token longer
// than [DefaultMaxTokenLen], or than [Keyring.WithMaxTokenLen] says, gives an
// error that wraps [ErrInvalidToken] and names both lengths. It makes one
// allocation.
func (kr *Keyring) DecryptString(token string) (string, error) {
	if len(token) > kr.maxTokenLen {
		return "", fmt.Errorf("%w: %d bytes, over the limit of %d (see Keyring.WithMaxTokenLen)",
			ErrInvalidToken, len(token), kr.maxTokenLen)
	}
	s, plaintext := open(kr, token, nil)
	if s == nil {
		return "", ErrInvalidToken
	}
	defer s.erase()
	return string(plaintext), nil
}

// open authenticates token and then decrypts it, in scratch, so that nothing
// unproved ever reaches the caller's memory. The plaintext is good until the
// caller erases the state, which is nil if the token is invalid.
func open[T text](kr *Keyring, token T, limit *ageLimit) (s *cipherState, plaintext []byte) {
	s = authenticate(kr, token, limit)
	if s == nil {
		return nil, nil
	}
	body := s.body()
	s.dec.SetIV(s.iv())
	s.dec.CryptBlocks(body, body)
	n, ok := unpad(body)
	if !ok {
		s.erase()
		return nil, nil
	}
	return s, body[:n]
}

// erase closes s after its token was decrypted: scratch is pooled and must not
// keep plaintext.
func (s *cipherState) erase() {
	clear(s.body())
	s.close()
}

// unpad returns the length of body, at least one block, without its padding: 1
// to 16 bytes, all equal to their number (PKCS #7; RFC 5652, section 6.3). The
// tag was right, so nobody without the key learns from how long it takes.
func unpad(body []byte) (int, bool) {
	pad := body[len(body)-1]
	if pad < 1 || pad > aes.BlockSize {
		return 0, false
	}
	n := len(body) - int(pad)
	for _, b := range body[n:] {
		if b != pad {
			return 0, false
		}
	}
	return n, true
}
