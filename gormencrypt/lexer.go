package gormencrypt

import "strings"

// kind is what a token of SQL is, as far as this package must know.
type kind uint8

const (
	kindWord        kind = iota // a keyword or a bare identifier
	kindQuoted                  // an identifier in quotes: "a", `a` or [a]
	kindPlaceholder             // $1 or ?
	kindNumber
	kindString // a literal in single or dollar quotes
	kindSymbol // an operator or punctuation, as long as it goes
	kindOpaque // what databases, or their modes, read in different ways
)

// sqlToken is one token of SQL text. White space and comments are not tokens.
type sqlToken struct {
	kind       kind
	text       string // as written; of a quoted identifier, what is inside
	start, end int    // bytes of the text
}

// is reports whether the token is the given keyword or symbol.
func (t sqlToken) is(word string) bool {
	return (t.kind == kindWord || t.kind == kindSymbol) && strings.EqualFold(t.text, word)
}

func (t sqlToken) identifier() bool { return t.kind == kindWord || t.kind == kindQuoted }

// operators are the symbols of more than one character that must not fall apart.
var operators = []string{"->>", "!~~*", "!~~", "~~*", "!~*", "<=>", "||", "::", "<=", ">=", "<>", "!=", "->", "~~", "!~", "~*", "#>", "@>", "<@", "&&", ":="}

// operatorBytes are those that an operator of several characters goes on with.
const operatorBytes = ">~!*=|:-<#@&"

// A dialect says how a database reads SQL.
type dialect uint8

const (
	dialectSQLite dialect = iota
	dialectPostgres
	dialectMySQL
)

func (p *Plugin) grammar() dialect {
	switch {
	case p.numbered:
		return dialectPostgres
	case p.ansi:
		return dialectSQLite
	}
	return dialectMySQL
}

// lex takes the SQL of PostgreSQL, SQLite or MySQL apart. Text that
// ends inside a quote or a comment gives a last token that reaches to the end.
func lex(sql string, d dialect) []sqlToken {
	mysql := d == dialectMySQL
	tokens := make([]sqlToken, 0, len(sql)/4)
	for i := 0; i < len(sql); {
		start := i
		c := sql[i]
		t := sqlToken{start: start}
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v':
			i++
			continue
		case strings.HasPrefix(sql[i:], "--") && (!mysql || i+2 == len(sql) || sql[i+2] <= ' '), c == '#' && mysql:
			i = until(sql, i, "\n")
			continue
		case mysql && (strings.HasPrefix(sql[i:], "/*!") || strings.HasPrefix(sql[i:], "/*M!")):
			t.kind = kindOpaque // a comment that MySQL executes
			i = until(sql, i+2, "*/")
		case strings.HasPrefix(sql[i:], "/*"):
			end := until(sql, i+2, "*/")
			if d != dialectPostgres || !strings.Contains(sql[i+2:end], "/*") {
				i = end
				continue
			}
			t.kind = kindOpaque // PostgreSQL's comments nest
			i = end
		case c == '\'':
			t.kind = kindString
			i = quoted(sql, i, '\'', mysql)
			if mysql && strings.Contains(sql[start:i], `\'`) {
				t.kind = kindOpaque // another end with NO_BACKSLASH_ESCAPES
			}
		case c == '"' && mysql: // an identifier with ANSI_QUOTES
			t.kind = kindString
			i = quoted(sql, i, '"', true)
		case c == '"' || c == '`':
			t.kind = kindQuoted
			i = quoted(sql, i, c, false)
		case c == '[' && d == dialectSQLite:
			t.kind = kindQuoted
			i = until(sql, i+1, "]")
		case d == dialectPostgres && c == '$' && i+1 < len(sql) && digit(sql[i+1]):
			t.kind = kindPlaceholder
			for i++; i < len(sql) && digit(sql[i]); i++ {
			}
		case d != dialectPostgres && c == '?':
			t.kind = kindPlaceholder
			i++
		case d == dialectPostgres && c == '$' && dollarTag(sql[i:]) != "":
			t.kind = kindString
			tag := dollarTag(sql[i:])
			i = until(sql, i+len(tag), tag)
		case d == dialectPostgres && (c == 'U' || c == 'u') && (strings.HasPrefix(sql[i+1:], `&"`) || strings.HasPrefix(sql[i+1:], `&'`)):
			t.kind = kindOpaque // escapes in a name
			i = quoted(sql, i+2, sql[i+2], false)
		case digit(c):
			t.kind = kindNumber
			for i++; i < len(sql) && (digit(sql[i]) || sql[i] == '.' || letter(sql[i])); i++ {
			}
		case letter(c):
			t.kind = kindWord
			for i++; i < len(sql) && (letter(sql[i]) || digit(sql[i]) || sql[i] == '$'); i++ {
			}
			// E'…' and the like are literals with a prefix.
			if i < len(sql) && sql[i] == '\'' && i-start == 1 && strings.IndexByte("EBXNebxn", c) >= 0 {
				t.kind = kindString
				i = quoted(sql, i, '\'', mysql || c == 'E' || c == 'e')
			}
		default:
			t.kind = kindSymbol
			i++
			for _, op := range operators {
				if i == len(sql) || strings.IndexByte(operatorBytes, sql[i]) < 0 {
					break
				}
				if strings.HasPrefix(sql[start:], op) {
					i = start + len(op)
					break
				}
			}
		}
		t.end = i
		t.text = sql[start:i]
		if t.kind == kindQuoted {
			t.text = unquote(t.text)
		}
		tokens = append(tokens, t)
	}
	return tokens
}

// until returns the index behind the next stop, or the end.
func until(sql string, from int, stop string) int {
	if n := strings.Index(sql[from:], stop); n >= 0 {
		return from + n + len(stop)
	}
	return len(sql)
}

// quoted returns the index behind a quoted text that begins at i. A doubled quote
// does not end it, nor, with backslash, an escaped one.
func quoted(sql string, i int, quote byte, backslash bool) int {
	for i++; i < len(sql); i++ {
		switch {
		case backslash && sql[i] == '\\':
			i++
		case sql[i] == quote && i+1 < len(sql) && sql[i+1] == quote:
			i++
		case sql[i] == quote:
			return i + 1
		}
	}
	return len(sql)
}

// dollarTag returns the opening tag of a dollar-quoted literal, or "".
func dollarTag(sql string) string {
	for i := 1; i < len(sql); i++ {
		switch {
		case sql[i] == '$':
			return sql[:i+1]
		case !letter(sql[i]) && !digit(sql[i]):
			return ""
		}
	}
	return ""
}

func unquote(s string) string {
	quote := s[:1]
	if quote == "[" {
		quote = "]"
	}
	s = strings.TrimSuffix(s[1:], quote)
	return strings.ReplaceAll(s, quote+quote, quote)
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

func letter(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c >= 0x80
}
