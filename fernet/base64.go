package fernet

import "encoding/binary"

// The base64 of this file is that of RFC 4648, section 5 (URL-safe alphabet,
// padded), and strict: what decodes re-encodes to the same characters. The
// standard library's Strict mode still skips CR and LF, and a token that can
// be spelled in two ways can be altered without the key.

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// padChar fills the last quantum of four characters.
const padChar = '='

// notBase64 marks an invalid character in the decoding tables: it lies outside
// the 24 bits that four characters carry.
const notBase64 = 1 << 31

// slack is how many bytes past its result decodeBase64 may write, because it
// moves eight at a time.
const slack = 2

// encodePair holds the two characters of every 12-bit value, first one high.
var encodePair = func() (t [1 << 12]uint16) {
	for v := range t {
		t[v] = uint16(alphabet[v>>6])<<8 | uint16(alphabet[v&63])
	}
	return t
}()

// decodeAt[p] holds the bits that a character contributes at position p of its
// quantum, already shifted to their place in the 24.
var decodeAt = func() (t [4][256]uint32) {
	for p := range t {
		for c := range t[p] {
			t[p][c] = notBase64
		}
		for v := range len(alphabet) {
			t[p][alphabet[v]] = uint32(v) << (18 - 6*p)
		}
	}
	return t
}()

// text is what decodes: a string needs no copy to become bytes first.
type text interface{ string | []byte }

// encodedLen is the number of characters that n bytes encode to.
func encodedLen(n int) int { return (n + 2) / 3 * 4 }

// encodeBase64 writes the encoding of src to dst, which holds exactly
// encodedLen(len(src)) characters.
func encodeBase64(dst, src []byte) {
	// 12 bytes at a time, of which the loads read 14. The compiler needs the
	// condition on dst, which always holds, to leave out bounds checks.
	for len(src) >= 14 && len(dst) >= 16 {
		v, w := binary.BigEndian.Uint64(src), binary.BigEndian.Uint64(src[6:])
		binary.BigEndian.PutUint64(dst, encode6(v))
		binary.BigEndian.PutUint64(dst[8:], encode6(w))
		src, dst = src[12:], dst[16:]
	}
	for len(src) >= 3 && len(dst) >= 4 {
		v := uint(src[0])<<16 | uint(src[1])<<8 | uint(src[2])
		binary.BigEndian.PutUint16(dst, encodePair[v>>12])
		binary.BigEndian.PutUint16(dst[2:], encodePair[v&0xfff])
		src, dst = src[3:], dst[4:]
	}
	switch len(src) {
	case 1:
		binary.BigEndian.PutUint16(dst, encodePair[uint(src[0])<<4])
		dst[2], dst[3] = padChar, padChar
	case 2:
		v := uint(src[0])<<8 | uint(src[1])
		binary.BigEndian.PutUint16(dst, encodePair[v>>4])
		dst[2], dst[3] = alphabet[v&15<<2], padChar
	}
}

// encode6 encodes the high six bytes of v.
func encode6(v uint64) uint64 {
	return uint64(encodePair[v>>52])<<48 |
		uint64(encodePair[v>>40&0xfff])<<32 |
		uint64(encodePair[v>>28&0xfff])<<16 |
		uint64(encodePair[v>>16&0xfff])
}

// decodedLen is the number of bytes that src decodes to if it is canonical. It
// reads at most the last two characters; ok is false if the length alone rules
// src out.
func decodedLen[T text](src T) (n int, ok bool) {
	if len(src) == 0 || len(src)%4 != 0 {
		return 0, false
	}
	n = len(src) / 4 * 3
	switch {
	case src[len(src)-1] != padChar:
		return n, true
	case src[len(src)-2] != padChar:
		return n - 1, true
	default:
		return n - 2, true
	}
}

// decodeBase64 writes the bytes that src encodes to dst and reports whether src
// is canonical; if not, dst holds nothing of use. dst has at least
// decodedLen(src)+slack bytes and may begin where src begins. The tables are
// indexed by characters of the token, which are public.
func decodeBase64[T text](dst []byte, src T) bool {
	if len(src)%4 != 0 {
		return false
	}
	var bad uint32
	for len(src) > 16 && len(dst) >= 14 { // the last quantum may be padded and is left over
		s := src[:16]
		a, b := decodeQuantum(s), decodeQuantum(s[4:])
		c, d := decodeQuantum(s[8:]), decodeQuantum(s[12:])
		bad |= a | b | c | d
		binary.BigEndian.PutUint64(dst, uint64(a)<<40|uint64(b&(1<<24-1))<<16)
		binary.BigEndian.PutUint64(dst[6:], uint64(c)<<40|uint64(d&(1<<24-1))<<16)
		src, dst = src[16:], dst[12:]
	}
	for len(src) > 4 && len(dst) >= 3 {
		v := decodeQuantum(src)
		bad |= v
		dst[0], dst[1], dst[2] = byte(v>>16), byte(v>>8), byte(v)
		src, dst = src[4:], dst[3:]
	}
	return bad&notBase64 == 0 && (len(src) == 0 || decodeLast(dst, src))
}

// decodeQuantum decodes four characters, none of them padding, to 24 bits.
func decodeQuantum[T text](s T) uint32 {
	return decodeAt[0][s[0]] | decodeAt[1][s[1]] | decodeAt[2][s[2]] | decodeAt[3][s[3]]
}

// decodeLast decodes the last quantum, in which one or two padding characters
// may stand and the bits they leave over are zero (RFC 4648, section 3.5).
func decodeLast[T text](dst []byte, s T) bool {
	q := [4]byte{s[0], s[1], s[2], s[3]}
	var zero uint32 // the bits that padding obliges to be zero
	if q[3] == padChar {
		q[3], zero = alphabet[0], 0xff
		if q[2] == padChar {
			q[2], zero = alphabet[0], 0xffff
		}
	}
	v := decodeQuantum(q[:])
	if v&(notBase64|zero) != 0 {
		return false
	}
	switch zero {
	case 0xffff:
		dst[0] = byte(v >> 16)
	case 0xff:
		dst[0], dst[1] = byte(v>>16), byte(v>>8)
	default:
		dst[0], dst[1], dst[2] = byte(v>>16), byte(v>>8), byte(v)
	}
	return true
}
