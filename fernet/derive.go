package fernet

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
)

// Derivation labels. They and the encoding of info are part of the stored
// format (docs/format.md) and frozen by golden vectors: another derivation
// needs another label.
const (
	labelKeyID         = "fernetcol/v1/key-id"
	labelDerive        = "fernetcol/v1/derive"
	labelDeterministic = "fernetcol/v1/deterministic"
)

// derive returns size bytes of HKDF-SHA256 (RFC 5869) of the whole key, with no
// salt, and as info the label and each element of context, every one preceded by
// its length in bytes as 8 bytes, big-endian. So ("ab", "c") and ("a", "bc")
// never meet.
func (k Key) derive(size int, label string, context ...string) []byte {
	info := appendPrefixed(nil, label)
	for _, c := range context {
		info = appendPrefixed(info, c)
	}
	out, err := hkdf.Key(sha256.New, k.secret()[:], nil, string(info), size)
	if err != nil {
		// Only sizes above 8160 bytes and, in FIPS mode, keys below 14 can fail.
		panic("fernet: HKDF: " + err.Error())
	}
	return out
}

func appendPrefixed(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint64(b, uint64(len(s))), s...)
}
