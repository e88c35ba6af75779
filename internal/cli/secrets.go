package cli

import (
	"encoding/base64"
	"regexp"
	"strings"

	"github.com/fernetcol/fernetcol/fernet"
)

// refuseSecrets refuses arguments that look like a key, a token or a data source
// name, wherever they stand, before anything else can repeat them.
func refuseSecrets(args []string) error {
	for i, arg := range args {
		if remedy := secretRemedy(arg); remedy != "" {
			return usageError("argument %d %s", i+1, remedy)
		}
	}
	return nil
}

// secretRemedy says what kind of secret an argument looks like and where it belongs,
// or returns "".
func secretRemedy(arg string) string {
	if looksLikeDSN(arg) {
		return "looks like a data source name, and other users see arguments; put it into DATABASE_URL or give --dsn-file, and consider its password known"
	}
	for _, word := range strings.FieldsFunc(arg, isSeparator) {
		// Both halves of --flag=value and NAME=value, in which the key has a '=' too.
		_, value, _ := strings.Cut(word, "=")
		for _, text := range []string{word, value} {
			switch {
			case looksLikeKey(text):
				return "looks like a key, and other users see arguments; put keys into SECRET_FERNET_KEY or give --key-file, and consider this one known"
			case looksLikeToken(text):
				return "looks like a token; give it on standard input"
			}
		}
	}
	return ""
}

func isSeparator(r rune) bool { return strings.ContainsRune(", \t\r\n;", r) }

// keyBytes is the length of a key before base64.
const keyBytes = 32

// looksLikeKey also takes a key in the other alphabet or without its padding, which
// is as secret as the key. Those look like the name of a file too, so that they must
// have what random characters have.
func looksLikeKey(s string) bool {
	if _, err := fernet.ParseKey(s); err == nil {
		return true
	}
	random := strings.ContainsAny(s, "0123456789") && strings.ToLower(s) != s && strings.ToUpper(s) != s
	if !random || strings.HasPrefix(s, "/") {
		return false
	}
	s = strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(s, "="))
	decoded, err := base64.RawURLEncoding.DecodeString(s)
	return err == nil && len(decoded) == keyBytes
}

// tokenStart is how a text token begins for the next two thousand years.
const tokenStart = "gAAAAA"

func looksLikeToken(s string) bool { return strings.HasPrefix(s, tokenStart) }

// dsnForms are the ways of writing a data source name: a URL, the form of
// go-sql-driver, that of libpq, and SQLite's.
var dsnForms = regexp.MustCompile(`://|@(tcp|tcp6|unix)?\(|:.*@|(?i)(^|\s|=)(password|passwd|pwd)=|^(--?[a-z-]+=)?(sqlite|file):`)

func looksLikeDSN(arg string) bool { return dsnForms.MatchString(arg) }
