package gormencrypt

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"

	"gorm.io/gorm"
	gormmigrator "gorm.io/gorm/migrator"
	"gorm.io/gorm/schema"

	"github.com/fernetcol/fernetcol/encryptedtype"
)

// dialector stands before the one of the handle, so that the migrator knows the
// encrypted fields before it reads their types.
type dialector struct {
	gorm.Dialector
	p *Plugin
}

var (
	_ gorm.SavePointerDialectorInterface = dialector{}
	_ gorm.ErrorTranslator               = dialector{}
)

// Migrator implements [gorm.Dialector].
func (d dialector) Migrator(db *gorm.DB) gorm.Migrator {
	return migrator{Migrator: d.Dialector.Migrator(db), p: d.p, db: db}
}

// SavePoint implements [gorm.SavePointerDialectorInterface].
func (d dialector) SavePoint(tx *gorm.DB, name string) error {
	if s, ok := d.Dialector.(gorm.SavePointerDialectorInterface); ok {
		return s.SavePoint(tx, name)
	}
	return gorm.ErrUnsupportedDriver
}

// RollbackTo implements [gorm.SavePointerDialectorInterface].
func (d dialector) RollbackTo(tx *gorm.DB, name string) error {
	if s, ok := d.Dialector.(gorm.SavePointerDialectorInterface); ok {
		return s.RollbackTo(tx, name)
	}
	return gorm.ErrUnsupportedDriver
}

// Translate implements [gorm.ErrorTranslator].
func (d dialector) Translate(err error) error {
	if t, ok := d.Dialector.(gorm.ErrorTranslator); ok {
		return t.Translate(err)
	}
	return err
}

// migrator arms the models before GORM migrates them, which also gives it the
// CHECKs to add.
type migrator struct {
	gorm.Migrator
	p  *Plugin
	db *gorm.DB
}

// AutoMigrate implements [gorm.Migrator].
func (m migrator) AutoMigrate(models ...any) error {
	if err := m.p.armModels(m.db, models); err != nil {
		return err
	}
	for _, model := range models {
		if err := m.unpair(model); err != nil {
			return err
		}
	}
	return m.Migrator.AutoMigrate(models...)
}

// unpair drops the CHECK that asks for an entry in every row, of indexes whose tag
// says that rows may lack one now.
func (m migrator) unpair(model any) error {
	stmt := &gorm.Statement{DB: m.db}
	if stmt.Parse(model) != nil || !m.HasTable(model) {
		return nil
	}
	for _, ic := range m.p.table(stmt.Schema.Table).indexes {
		if ic.filling && m.HasConstraint(model, ic.pairedName()) {
			if err := m.DropConstraint(model, ic.pairedName()); err != nil {
				return err
			}
		}
	}
	return nil
}

// BuildIndexOptions passes on what GORM asks of a migrator that makes indexes.
func (m migrator) BuildIndexOptions(options []schema.IndexOption, stmt *gorm.Statement) []any {
	return m.Migrator.(gormmigrator.BuildIndexOptionsInterface).BuildIndexOptions(options, stmt)
}

// CreateTable implements [gorm.Migrator].
func (m migrator) CreateTable(models ...any) error {
	if err := m.p.armModels(m.db, models); err != nil {
		return err
	}
	return m.Migrator.CreateTable(models...)
}

// AddColumn implements [gorm.Migrator].
func (m migrator) AddColumn(model any, field string) error {
	if err := m.p.armModels(m.db, []any{model}); err != nil {
		return err
	}
	return m.Migrator.AddColumn(model, field)
}

// CreateConstraint implements [gorm.Migrator]. AutoMigrate calls it for a table
// that is there already.
func (m migrator) CreateConstraint(model any, name string) error {
	if !m.p.options.CheckNotValid || m.p.dialect != "postgres" {
		return m.Migrator.CreateConstraint(model, name)
	}
	stmt := &gorm.Statement{DB: m.db}
	if err := stmt.Parse(model); err != nil {
		return err
	}
	for _, c := range m.p.tableColumns(stmt.Schema.Table) {
		if c != nil && c.checkName() == name {
			return m.db.Exec("ALTER TABLE " + stmt.Quote(stmt.Table) + " ADD CONSTRAINT " + stmt.Quote(name) +
				" CHECK (" + m.p.check(c) + ") NOT VALID").Error
		}
	}
	return m.Migrator.CreateConstraint(model, name)
}

// armModels arms models as AutoMigrate takes them.
func (p *Plugin) armModels(db *gorm.DB, models []any) error {
	for _, model := range models {
		stmt := &gorm.Statement{DB: db}
		if stmt.Parse(model) != nil {
			continue // a table's name; of a wrong model, GORM says it better
		}
		if err := p.arm(stmt.Schema); err != nil {
			return err
		}
	}
	return nil
}

// migrateAs tells GORM's migrator the column's type and CHECK.
func (p *Plugin) migrateAs(c *column) {
	f := c.field
	if !c.typed { // the token, whatever the field is
		f.DataType, f.GORMDataType, f.Size = "text", "text", 0
	}
	if f.TagSettings["TYPE"] != "" {
		f.DataType = schema.DataType(f.TagSettings["TYPE"])
	}
	if !p.options.WithoutCheck {
		f.TagSettings["CHECK"] = c.checkName() + "," + p.check(c)
	}
}

// migrateIndex tells GORM's migrator the CHECK of an index column: that it has an
// entry wherever the column has a value, so that no other client can leave it out.
func (p *Plugin) migrateIndex(ic *indexColumn) {
	if !p.options.WithoutCheck {
		ic.field.TagSettings["CHECK"] = ic.checkName() + "," + p.checkIndex(ic)
	}
}

// checkIndex is the condition that a row has the entry that its value asks for.
func (p *Plugin) checkIndex(ic *indexColumn) string {
	column, index := p.quote(ic.of.field.DBName), p.quote(ic.field.DBName)
	length := fmt.Sprintf("(%s IS NULL OR LENGTH(%s) = %d)", index, index, ic.field.Size)
	if ic.filling {
		return length
	}
	return fmt.Sprintf("(%s IS NULL) = (%s IS NULL) AND %s", column, index, length)
}

// checkName is the name of the CHECK of an index column. An index that is being
// filled has another, so that the one that asks for every entry comes with its end.
func (ic *indexColumn) checkName() string {
	if ic.filling {
		return constraintName(ic.of.table, ic.field.DBName, "_shape")
	}
	return ic.pairedName()
}

func (ic *indexColumn) pairedName() string {
	return constraintName(ic.of.table, ic.field.DBName, "_paired")
}

// checkName is the name of the column's CHECK constraint.
func (c *column) checkName() string { return constraintName(c.table, c.field.DBName, "_fernet") }

// constraintName names a CHECK of a column. A name that would be too long for the
// database is cut, one that would be none to GORM (it takes letters, digits, _ and -)
// is rewritten, and a hash of the whole tells it from others.
func constraintName(table, column, suffix string) string {
	table = table[strings.LastIndexByte(table, '.')+1:] // without the schema
	name := "chk_" + table + "_" + column + suffix
	plain := strings.Map(func(r rune) rune {
		if r != '-' && (r >= utf8.RuneSelf || !letter(byte(r)) && !digit(byte(r))) {
			return '_'
		}
		return r
	}, name)
	if len(name) <= maxIdentifier && plain == name {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return plain[:min(len(plain), maxIdentifier-24)] + "_" + hex.EncodeToString(sum[:8]) + suffix
}

// maxIdentifier is the length in bytes to which PostgreSQL cuts a name.
const maxIdentifier = 63

// check is the condition that a stored value has the outward shape of a token.
func (p *Plugin) check(c *column) string {
	name := p.quote(c.field.DBName)
	if !c.binary() {
		return encryptedtype.CheckText(name)
	}
	// The version byte, and whole blocks around 57 bytes. A literal of one byte
	// is written in three ways, its hexadecimal digits in two.
	first := "HEX(SUBSTR(" + name + ", 1, 1))"
	if p.dialect == "postgres" {
		first = "ENCODE(SUBSTR(" + name + ", 1, 1), 'hex')"
	}
	return name + " IS NULL OR (" + first + " = '80' AND LENGTH(" + name + ") >= 73 AND LENGTH(" + name + ") % 16 = 9)"
}
