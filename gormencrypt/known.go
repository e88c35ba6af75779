package gormencrypt

import (
	"strings"
	"sync"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"
)

// A textKey names a text of SQL in a statement whose scope follows from it.
type textKey struct {
	schema *schema.Schema
	table  string
	text   string
	from   int // where the part that was checked begins
	// base and vars are how many variables come before that part, and in it.
	base, vars int
}

// maxKnownTexts bounds the memory for texts: a program has so many queries, and
// one that writes values into its SQL has endlessly many.
const maxKnownTexts = 1024

// A textCache remembers what becomes of texts: the same few come again and again,
// and to take them apart costs more than to decrypt a row. What a text uses follows
// from the text, the model, the table and the tables that the plugin knows; it is
// emptied when one becomes known.
type textCache struct {
	mu    sync.RWMutex
	age   int // how often it was emptied
	texts map[textKey]*plan
}

// plan returns the plan for a text, or nil, and the age that put asks for.
func (tc *textCache) plan(k textKey) (known *plan, age int) {
	tc.mu.RLock()
	defer tc.mu.RUnlock()
	return tc.texts[k], tc.age
}

// put remembers the plan for a text, unless a table has become known since plan
// gave the age.
func (tc *textCache) put(k textKey, made *plan, age int) {
	k.text = strings.Clone(k.text) // it may be a part of a statement's buffer
	tc.mu.Lock()
	defer tc.mu.Unlock()
	if age != tc.age {
		return
	}
	if tc.texts == nil || len(tc.texts) >= maxKnownTexts {
		tc.texts = map[textKey]*plan{}
	}
	tc.texts[k] = made
}

// forget is for when a table has become known.
func (tc *textCache) forget() {
	tc.mu.Lock()
	defer tc.mu.Unlock()
	tc.texts = nil
	tc.age++
}

// textKey returns the key of the text of a clause, if nothing else in the statement
// names tables.
func (p *Plugin) textKey(stmt *gorm.Statement, text string, from, base int) (textKey, bool) {
	if stmt.TableExpr != nil {
		return textKey{}, false
	}
	if f, ok := stmt.Clauses["FROM"].Expression.(clause.From); ok && len(f.Tables)+len(f.Joins) > 0 {
		return textKey{}, false
	}
	return textKey{stmt.Schema, stmt.Table, text, from, base, len(stmt.Vars) - base}, true
}
