package gormencrypt

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"

	"github.com/fernetcol/fernetcol/blindindex"
	"github.com/fernetcol/fernetcol/fernet"
)

// A Provider gives the key ring for a statement, from the statement's context
// where it wants: one tenant has another ring than the next. It is called for
// every statement that uses an encrypted column, and must be fast and safe for
// concurrent use.
type Provider interface {
	Keyring(ctx context.Context) (*fernet.Keyring, error)
}

// Options of a [Plugin]. The zero value is good.
type Options struct {
	// Models are the models with encrypted columns, as for AutoMigrate. A model
	// that GORM meets through the handle is known from then on; one that is named
	// here is known from the start, also to statements that name only its table,
	// and its tags are checked by db.Use.
	Models []any
	// WithoutCheck keeps AutoMigrate from adding the CHECK constraints with which
	// the database itself refuses plaintext, and a value without the entry of its
	// index.
	WithoutCheck bool
	// CheckNotValid makes AutoMigrate add a CHECK to a table that is there already
	// as NOT VALID: new rows are checked, and rows that still hold plaintext do
	// not stand in the way. Once they are encrypted, run ALTER TABLE … VALIDATE
	// CONSTRAINT. PostgreSQL only; elsewhere it does nothing. The CHECK of an index
	// is never NOT VALID: rows without their entry would not be found.
	CheckNotValid bool
	// IndexKey is the key of blind indexes. It has the form of an encryption key and
	// must be another one: what rotates those must not change an index. Models with
	// an index need it, or IndexKeyFor.
	IndexKey fernet.Key
	// IndexKeyFor gives the index key for a statement instead, from its context: one
	// tenant has another than the next. name is that of the tag's word key=name, or
	// "". It is called for every statement that uses an index, and must be fast and
	// safe for concurrent use.
	IndexKeyFor func(ctx context.Context, name string) (fernet.Key, error)
	// Transforms are your own, for the index tags that name them.
	Transforms []blindindex.Transform
}

// A Plugin is what db.Use takes. It belongs to one handle.
type Plugin struct {
	provider Provider
	options  Options

	dialect  string
	quote    func(string) string // a name
	ansi     bool                // double quotes surround identifiers
	numbered bool                // placeholders are $1, $2, …

	mu sync.RWMutex
	// armed are the schemas whose encrypted fields this plugin sets.
	armed  map[*schema.Schema]error
	tables map[string]table
	// words are the names of encrypted columns, of their indexes and of their tables.
	words map[string]bool
	// truncates says that an index is truncated, so that queries may have to narrow.
	truncates atomic.Bool

	rings   ringCache
	derived indexCache
	known   textCache

	openerOnce sync.Once
	openerDB   *sql.DB
}

// New returns a plugin that takes its key rings from provider, unless
// [WithKeyring] names one in a statement's context.
func New(provider Provider, options Options) *Plugin {
	return &Plugin{
		provider: provider,
		options:  options,
		armed:    map[*schema.Schema]error{},
		tables:   map[string]table{},
		words:    map[string]bool{},
	}
}

// Name implements [gorm.Plugin].
func (p *Plugin) Name() string { return pluginName }

const pluginName = "fernetcol:gormencrypt"

// Initialize implements [gorm.Plugin]; db.Use calls it. It fails if there is no
// provider, or if a model of the options cannot be encrypted as its tags say.
func (p *Plugin) Initialize(db *gorm.DB) error {
	if p.provider == nil {
		return errors.New("gormencrypt: New needs a Provider; for one key ring, keyprovider.Static")
	}
	p.dialect = db.Dialector.Name()
	p.ansi = p.dialect != "mysql"
	p.numbered = p.dialect == "postgres"
	p.quote = func(name string) string { return db.Statement.Quote(name) }
	if err := p.checkIndexKey(); err != nil {
		return err
	}
	schema.RegisterSerializer(serializerName, serializer{})
	for _, m := range p.options.Models {
		stmt := &gorm.Statement{DB: db}
		if err := stmt.Parse(m); err != nil {
			return fmt.Errorf("gormencrypt: Options.Models: %w", err)
		}
		if err := p.arm(stmt.Schema); err != nil {
			return err
		}
	}
	p.wrapClauses(db)
	db.Dialector = dialector{Dialector: db.Dialector, p: p}
	return p.registerCallbacks(db)
}

// checkIndexKey refuses an index key that also encrypts, where that can be told
// without a statement's context.
func (p *Plugin) checkIndexKey() error {
	if p.options.IndexKey.IsZero() {
		return nil
	}
	kr, err := p.provider.Keyring(context.Background())
	if err == nil && kr != nil && kr.PrimaryID() == p.options.IndexKey.ID() {
		return errors.New("gormencrypt: Options.IndexKey is the primary encryption key; give it a key of its own, which stays when that one is rotated")
	}
	return nil
}

// A table is what the plugin knows of one: its columns and their indexes.
type table struct {
	columns columns
	indexes indexes
}

func (p *Plugin) table(name string) table {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.tables[tableWord(name)]
}

func (p *Plugin) tableColumns(name string) columns { return p.table(name).columns }

// tableWord is a table's name without its schema and quotes.
func tableWord(table string) string { return lower(unquoteName(table)) }

// arm finds the encrypted fields of a schema and of those it has relations to,
// and makes GORM read them through this plugin. Every statement of the handle
// calls it before it reads or writes, so that the lock orders the change of a
// field before its first use.
func (p *Plugin) arm(s *schema.Schema) error {
	if s == nil {
		return nil
	}
	p.mu.RLock()
	err, done := p.armed[s]
	p.mu.RUnlock()
	if done {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.armLocked(s)
}

func (p *Plugin) armLocked(s *schema.Schema) error {
	if err, done := p.armed[s]; done {
		return err
	}
	found := columns{}
	var problems []error
	for _, f := range s.Fields {
		if f.DBName == "" {
			continue
		}
		c, err := newColumn(s, f)
		if err != nil {
			problems = append(problems, fmt.Errorf("gormencrypt: %w", err))
			continue
		}
		found[strings.ToLower(f.DBName)] = c // nil for a plain one
		if c != nil {
			p.words[strings.ToLower(f.DBName)] = true
			p.words[tableWord(s.Table)] = true
			p.armField(c)
		}
	}
	declared, indexProblems := p.indexesOf(s, found)
	problems = append(problems, indexProblems...)
	for _, ic := range declared {
		p.words[lower(ic.field.DBName)] = true
		if ic.truncated() {
			p.truncates.Store(true)
		}
		ic.armField()
		p.migrateIndex(ic)
	}
	problems = append(problems, p.merge(tableWord(s.Table), table{found, declared})...)
	err := errors.Join(problems...)
	p.armed[s] = err
	p.known.forget()
	for _, rel := range s.Relationships.Relations {
		if relErr := p.armLocked(rel.FieldSchema); err == nil {
			err = relErr
		}
		if rel.JoinTable != nil {
			if relErr := p.armLocked(rel.JoinTable); err == nil {
				err = relErr
			}
		}
	}
	p.armed[s] = err
	return err
}

// merge adds what a model says of its table to what others said.
func (p *Plugin) merge(name string, t table) []error {
	var problems []error
	for name, c := range p.tables[name].columns {
		if t.columns[name] == nil {
			t.columns[name] = c
		} else if c != nil {
			if err := t.columns[name].agree(c); err != nil {
				problems = append(problems, err)
				t.columns[name] = c // those who knew it first are not the worse for it
				maps.DeleteFunc(t.indexes, func(_ string, ic *indexColumn) bool { return lower(ic.of.field.DBName) == name })
			}
		}
	}
	for name, ic := range p.tables[name].indexes {
		if t.indexes[name] == nil {
			t.indexes[name] = ic
		}
	}
	p.tables[name] = t
	return problems
}

// armStatement arms what a statement reads and writes.
func (p *Plugin) armStatement(db *gorm.DB) {
	stmt := db.Statement
	p.forbidNarrowing(stmt) // of the statement that this one was made of
	if err := p.arm(stmt.Schema); err != nil {
		db.AddError(err)
		return
	}
	// The destination may be another model than the one the statement is about.
	if reflect.ValueOf(stmt.Dest).Kind() == reflect.Pointer && !isOwnModel(stmt) {
		other := &gorm.Statement{DB: db}
		if other.Parse(stmt.Dest) == nil {
			if err := p.arm(other.Schema); err != nil {
				db.AddError(err)
			}
		}
	}
}

// isOwnModel reports whether the destination is of the statement's own model.
func isOwnModel(stmt *gorm.Statement) bool {
	if stmt.Schema == nil || !stmt.ReflectValue.IsValid() {
		return false
	}
	t := stmt.ReflectValue.Type()
	if t.Kind() == reflect.Slice || t.Kind() == reflect.Array {
		t = t.Elem()
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t == stmt.Schema.ModelType
}

// wrapClauses puts the plugin between GORM and the SQL of every clause. It is the
// last moment before the statement runs: hooks, maps, scopes and conditions are
// resolved, and nothing is sent yet.
func (p *Plugin) wrapClauses(db *gorm.DB) {
	type sealer = func(clause.Clause, *gorm.Statement) (clause.Clause, error)
	for name, how := range map[string]struct {
		seal  sealer
		check bool // its text is checked
	}{
		"VALUES":      {seal: p.sealValues},
		"SET":         {seal: p.sealSet, check: true},
		"ON CONFLICT": {seal: p.sealOnConflict, check: true},
		"SELECT":      {check: true},
		"FROM":        {check: true},
		"WHERE":       {check: true},
		"GROUP BY":    {check: true},
		"ORDER BY":    {check: true},
	} {
		inner, ok := db.ClauseBuilders[name]
		asGORM := !ok
		if asGORM {
			inner = func(c clause.Clause, b clause.Builder) { c.Build(b) }
		}
		db.ClauseBuilders[name] = func(c clause.Clause, b clause.Builder) {
			if stmt, ok := b.(*gorm.Statement); ok {
				check := how.check && !(asGORM && namesNothing(c, stmt))
				p.buildClause(c, stmt, check, inner, how.seal)
			} else {
				inner(c, b)
			}
		}
	}
	p.wrapLimit(db)
}

func lower(s string) string { return strings.ToLower(s) }

// unquoteName takes the quotes and the table off a column name as an application
// may write it: "users"."email".
func unquoteName(name string) string {
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		name = name[i+1:]
	}
	const quotes = "\"`[]"
	if name == "" || strings.IndexByte(quotes, name[0]) < 0 && strings.IndexByte(quotes, name[len(name)-1]) < 0 {
		return name // as most are; Trim is slow to begin
	}
	return strings.Trim(name, quotes)
}
