package fernet

import "crypto/hmac"

// authenticate returns the state of the key that signed token, with the token in
// it, or nil. It checks, in this order, the first byte and the length, the
// base64, the version, the age if limit is not nil, and the tag, all of it
// before any decryption; for a long token the tag once more, after the length.
// The caller closes the state.
func authenticate[T text](kr *Keyring, token T, limit *ageLimit) *cipherState {
	n, isText, ok := rawLen(token)
	if !ok || n > maxScratch && !signedByAny(kr, token, isText) {
		return nil
	}
	likely := kr.likely()
	s := kr.keys[likely].get()
	s.raw = s.room(n)
	if !isText {
		copy(s.raw, token)
	} else if !decodeBase64(s.raw[:n+slack], token) {
		s.close()
		return nil
	}
	if s.raw[0] != version || !limit.allows(timestamp(s.raw)) {
		s.close()
		return nil
	}
	if s.authentic() {
		return s
	}
	for i, rk := range kr.keys {
		if i == likely {
			continue
		}
		next := rk.get()
		next.scratch, s.scratch = s.scratch, next.scratch // the token moves along
		next.raw = s.raw
		s.close()
		s = next
		if s.authentic() {
			kr.hint.Store(int32(i))
			return s
		}
	}
	s.close()
	return nil
}

// streamChunk is how many characters of a long token are in hand at a time:
// whole quanta, whose bytes are whole blocks.
const streamChunk = 4096

// signedByAny reports whether any key signed token, as authenticate would find,
// without a copy of it: one forged gigabyte must not cost another.
func signedByAny[T text](kr *Keyring, token T, isText bool) bool {
	for _, rk := range kr.keys {
		if signedBy(rk, token, isText) {
			return true
		}
	}
	return false
}

func signedBy[T text](rk *ringKey, token T, isText bool) bool {
	s := rk.get()
	defer s.close()
	s.mac.Reset()
	// held keeps back the last tagSize bytes seen, which may be the tag.
	var buf [streamChunk + tagSize]byte
	held := 0
	for len(token) > 0 {
		part := token[:min(streamChunk, len(token))]
		token = token[len(part):]
		n := len(part)
		if isText {
			var ok bool
			if n, ok = decodedLen(part); !ok || (n%3 != 0 && len(token) > 0) || !decodeBase64(buf[held:], part) {
				return false
			}
		} else {
			copy(buf[held:], part)
		}
		n += held
		if n > tagSize {
			s.mac.Write(buf[:n-tagSize])
			held = copy(buf[:], buf[n-tagSize:n])
		} else {
			held = n
		}
	}
	return hmac.Equal(s.mac.Sum(s.tag[:0]), buf[:held])
}
