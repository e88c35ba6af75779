package cli

import (
	"bytes"
	"fmt"
	"io"

	"github.com/fernetcol/fernetcol/fernet"
)

// maxInput is the longest token that the column types read back, in bytes, and some
// white space. No more is read, whatever comes.
const maxInput = fernet.DefaultMaxTokenLen + 1<<10

// readInput reads the command's data from standard input.
func (a *app) readInput(what string) ([]byte, error) {
	if err := a.takeInput("the " + what); err != nil {
		return nil, err
	}
	if a.InTerminal {
		a.message("reading the %s from the terminal; end it with Ctrl-D on a line of its own", what)
	}
	data, err := io.ReadAll(io.LimitReader(a.In, maxInput+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read standard input: %w", err)
	}
	if len(data) > maxInput {
		return nil, fmt.Errorf("standard input is longer than %d MiB, which no column type reads back", fernet.DefaultMaxTokenLen>>20)
	}
	return data, nil
}

// write writes a result.
func (a *app) write(data []byte) error {
	if _, err := a.Out.Write(data); err != nil {
		return fmt.Errorf("cannot write to standard output: %w", err)
	}
	return nil
}

// trimToken takes away what shells and editors leave around a text token. A raw
// token is left as it is: its last bytes may be white space.
func trimToken(input []byte) []byte {
	if text := bytes.TrimSpace(input); len(text) > 0 && text[0] == tokenStart[0] {
		return text
	}
	return input
}

// inputLines takes standard input apart into lines, of which the last may lack its
// line break. A carriage return before the break belongs to the break.
func inputLines(input []byte) [][]byte {
	if len(input) == 0 {
		return nil
	}
	lines := bytes.Split(bytes.TrimSuffix(input, []byte("\n")), []byte("\n"))
	for i, line := range lines {
		lines[i] = bytes.TrimSuffix(line, []byte("\r"))
	}
	return lines
}
