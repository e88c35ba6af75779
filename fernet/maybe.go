package fernet

// Every token made before 2^36 seconds after 1970, the year 4147, begins with these:
// the version and the first bits of the time.
const (
	textPrefix = "gAAAAA"
	rawPrefix  = "\x80\x00\x00\x00"
)

// MaybeToken reports whether value begins as every token made before the year 4147
// does, text or raw. It needs no key and proves nothing: it is for telling plaintext
// that was never encrypted from tokens, once no key opens the value. What it reports
// true for must then never be taken for plaintext: it may be a token that was cut
// off, or one whose key is missing.
func MaybeToken[T text](value T) bool {
	return hasPrefix(value, textPrefix) || hasPrefix(value, rawPrefix)
}

func hasPrefix[T text](value T, prefix string) bool {
	return len(value) >= len(prefix) && string(value[:len(prefix)]) == prefix
}
