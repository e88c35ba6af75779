package cli

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/fernetcol/fernetcol/fernet"
)

// inspection is the result of inspect, as --json prints it.
type inspection struct {
	Version        string  `json:"version"`
	Form           string  `json:"form"`
	Size           int     `json:"size"`
	PlaintextLeast int     `json:"plaintext_min_bytes"`
	PlaintextMost  int     `json:"plaintext_max_bytes"`
	Time           string  `json:"time,omitempty"`      // RFC 3339; absent if it cannot be written
	Timestamp      uint64  `json:"timestamp"`           // seconds since 1970
	Verified       bool    `json:"verified"`            // whether a key opened the token
	KeyID          string  `json:"key_id,omitempty"`    // of that key
	Primary        bool    `json:"primary,omitempty"`   // whether it is the primary key
	Deterministic  *bool   `json:"deterministic"`       // null unless verified
	Plaintext      *string `json:"plaintext,omitempty"` // with --plaintext, if it is UTF-8
	PlaintextBytes []byte  `json:"plaintext_base64,omitempty"`
}

func (a *app) inspect() *cobra.Command {
	var asJSON, plaintext bool
	cmd := &cobra.Command{
		Use:     "inspect",
		GroupID: groupKeys,
		Short:   "Say what a token shows, and which key opens it",
		Long: `Say what the token on standard input shows: its form, size and time, whether it is
deterministic, and the ID of the key that opens it. Without keys, only what anyone can
see, unverified. Exit code 4: not a token, or no key opens it.`,
		Example: `  fernetcol inspect <token
  psql -Atc 'SELECT email FROM users LIMIT 1' | fernetcol inspect --json`,
		Args: noArgs("the token comes on standard input"),
	}
	keys, bind := keyFlags(cmd), bindFlags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	cmd.Flags().BoolVar(&plaintext, "plaintext", false, "print the plaintext too")
	cmd.RunE = func(*cobra.Command, []string) error {
		var kr *fernet.Keyring
		if keys.given() || plaintext {
			var err error
			if kr, err = keys.load(a); err != nil {
				return err
			}
			if kr, err = bind.derive(kr); err != nil {
				return err
			}
		}
		input, err := a.readInput("token")
		if err != nil {
			return err
		}
		token := trimToken(input)
		s, err := shapeOf(token)
		if err != nil {
			return &statusError{exitUnreadable, err}
		}
		found := inspectShape(s)
		opened := kr == nil || found.open(kr, token, plaintext)
		if asJSON {
			err = a.writeJSON(found)
		} else {
			err = a.write([]byte(found.text(s, kr != nil)))
		}
		if err == nil && !opened {
			err = unreadableError("no key of the %s opens this token, so that nothing above is verified", ringName(bind))
		}
		return err
	}
	return cmd
}

func inspectShape(s shape) *inspection {
	found := &inspection{Version: "0x80", Form: s.form(), Size: s.size, Timestamp: s.timestamp}
	found.PlaintextLeast, found.PlaintextMost = s.plaintextRange()
	if t, ok := s.time(); ok {
		found.Time = t.Format(time.RFC3339)
	}
	return found
}

// open fills in what takes a key, and reports whether one opens the token.
func (i *inspection) open(kr *fernet.Keyring, token []byte, plaintext bool) bool {
	opened, err := kr.Decrypt(token)
	if err != nil {
		return false
	}
	id, err := kr.KeyID(token)
	if err != nil {
		return false
	}
	i.Verified, i.KeyID, i.Primary = true, id, id == kr.PrimaryID()
	deterministic := isDeterministic(kr, token, opened)
	i.Deterministic = &deterministic
	switch {
	case !plaintext:
	case utf8.Valid(opened):
		text := string(opened)
		i.Plaintext = &text
	default:
		i.PlaintextBytes = opened
	}
	return true
}

// isDeterministic reports whether the token is the one that its plaintext has under
// a key of the ring.
func isDeterministic(kr *fernet.Keyring, token, plaintext []byte) bool {
	text := string(token)
	if token[0] == tokenVersion {
		text = base64.URLEncoding.EncodeToString(token)
	}
	for _, d := range kr.DeterministicTokens(plaintext) {
		if string(d) == text { // both are ciphertext that the caller holds
			return true
		}
	}
	return false
}

// text is the inspection for people. tried says whether there were keys to try.
func (i *inspection) text(s shape, tried bool) string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-11s"+format+"\n", append([]any{name}, args...)...)
	}
	unit := "characters"
	if s.raw {
		unit = "bytes"
	}
	line("version", "%s", i.Version)
	line("form", "%s", i.Form)
	line("size", "%d %s, for %d to %d bytes of plaintext", i.Size, unit, i.PlaintextLeast, i.PlaintextMost)
	switch {
	case i.Time == "":
		line("time", "%d seconds after 1970", i.Timestamp)
	case i.Timestamp == 0:
		line("time", "none")
	default:
		line("time", "%s", i.Time)
	}
	switch {
	case i.Verified && *i.Deterministic:
		line("kind", "deterministic")
	case i.Verified:
		line("kind", "random")
	}
	switch {
	case i.Primary:
		line("key", "%s, the primary key", i.KeyID)
	case i.Verified:
		line("key", "%s, a retired key", i.KeyID)
	case tried:
		line("key", "none of the ring; unverified")
	default:
		line("key", "no keys given; unverified")
	}
	switch {
	case i.Plaintext != nil:
		line("plaintext", "%s", strconv.Quote(*i.Plaintext))
	case i.PlaintextBytes != nil:
		line("plaintext", "%s (base64)", base64.StdEncoding.EncodeToString(i.PlaintextBytes))
	}
	return b.String()
}

// writeJSON writes a result as one line.
func (a *app) writeJSON(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("cannot write the result as JSON: %w", err)
	}
	return a.write(append(line, '\n'))
}
