package gormencrypt_test

import (
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/internal/dbtest"
)

type Contact struct {
	Mail  string `gorm:"serializer:fernet"`
	Phone encryptedtype.EncryptedString
}

type Author struct {
	ID        int64
	Bio       string  `gorm:"serializer:fernet"`
	Contact   Contact `gorm:"embedded;embeddedPrefix:contact_"`
	Profile   Profile
	Books     []Book
	PressID   *int64
	Press     *Press
	Languages []Language `gorm:"many2many:author_languages"`
	UpdatedAt time.Time
	DeletedAt gorm.DeletedAt
}

type Profile struct {
	ID       int64
	AuthorID int64
	Motto    string `gorm:"serializer:fernet"`
}

type Book struct {
	ID       int64
	AuthorID int64
	Draft    encryptedtype.EncryptedString
}

type Press struct {
	ID    int64
	Owner string `gorm:"serializer:fernet"`
}

type Language struct {
	ID   int64
	Hint string `gorm:"serializer:fernet"`
}

func newAuthor() *Author {
	return &Author{
		Bio: canary + "-bio", Contact: Contact{canary + "-mail", canary + "-phone"},
		Profile: Profile{Motto: canary + "-motto"}, Books: []Book{{Draft: canary + "-draft"}, {Draft: canary + "-draft"}},
		Press: &Press{Owner: canary + "-owner"}, Languages: []Language{{Hint: canary + "-hint"}},
	}
}

func TestAssociationsAndEmbeddedFieldsAreSealed(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &Press{}, &Language{}, &Author{}, &Profile{}, &Book{})
		a := newAuthor()
		w.ok(w.db.Create(a))
		check := func() {
			t.Helper()
			w.stored("authors", "bio", a.ID, canary+"-bio")
			w.stored("authors", "contact_mail", a.ID, canary+"-mail")
			w.stored("authors", "contact_phone", a.ID, canary+"-phone")
			w.stored("profiles", "motto", a.Profile.ID, canary+"-motto")
			w.stored("books", "draft", a.Books[len(a.Books)-1].ID, canary+"-draft")
			w.stored("presses", "owner", a.Press.ID, canary+"-owner")
			w.stored("languages", "hint", a.Languages[len(a.Languages)-1].ID, canary+"-hint")
		}
		check()
		w.note(w.db.Model(a).Association("Books").Append(&Book{Draft: canary + "-draft"}))
		w.note(w.db.Model(a).Association("Languages").Replace(&Language{Hint: canary + "-hint"}))
		w.note(w.db.Model(a).Association("Press").Replace(&Press{Owner: canary + "-owner"}))
		w.note(w.db.Model(a).Association("Profile").Replace(&Profile{Motto: canary + "-motto"}))
		check()
		w.ok(w.db.Session(&gorm.Session{FullSaveAssociations: true}).Updates(a))
		w.ok(w.db.Session(&gorm.Session{FullSaveAssociations: true}).Save(a))
		check()

		var got Author
		w.ok(w.db.Preload("Books").Preload("Languages").Joins("Press").Joins("Profile").First(&got, a.ID))
		if got.Bio != a.Bio || got.Contact != a.Contact || got.Profile.Motto != a.Profile.Motto || got.Press.Owner != a.Press.Owner ||
			len(got.Books) != 3 || got.Books[2].Draft != canary+"-draft" || got.Languages[0].Hint != canary+"-hint" {
			t.Error("not what was written")
		}
		w.ok(w.db.Delete(&got))
		w.stored("authors", "bio", a.ID, canary+"-bio")
		if w.ok(w.db.Find(&[]Author{})).RowsAffected != 0 {
			t.Error("not deleted")
		}
		var gone Author
		w.ok(w.db.Unscoped().First(&gone, a.ID))
		if gone.Bio != a.Bio {
			t.Error("a deleted row is not decrypted")
		}
		w.ok(w.db.Unscoped().Model(&Author{}).Where("id = ?", a.ID).Update("contact_mail", canary+"-2"))
		w.stored("authors", "contact_mail", a.ID, canary+"-2")
	})
}

// Hooked changes its fields in hooks, in both of GORM's ways.
type Hooked struct {
	ID     int64
	Plain  string
	Direct string `gorm:"serializer:fernet"`
	Set    encryptedtype.EncryptedString
	Key    string `gorm:"serializer:fernet;type:varchar(255)" fernet:"deterministic"`
}

func (h *Hooked) BeforeCreate(tx *gorm.DB) error {
	h.Direct = canary + "-hook"
	tx.Statement.SetColumn("Set", canary+"-set")
	tx.Statement.SetColumn("Key", canary+"-key")
	return nil
}

func (h *Hooked) BeforeUpdate(tx *gorm.DB) error {
	tx.Statement.SetColumn("Set", canary+"-set2")
	tx.Statement.SetColumn("key", canary+"-key2")
	return nil
}

func TestHooksSealWhatTheySet(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *dbtest.Database) {
		w := newWorld(t, d, &Hooked{})
		h, many := &Hooked{}, []*Hooked{{}, {}}
		w.ok(w.db.Create(h))
		w.ok(w.db.Create(many))
		for _, h := range append(many, h) {
			w.stored("hookeds", "direct", h.ID, canary+"-hook")
			w.stored("hookeds", "set", h.ID, canary+"-set")
			w.stored("hookeds", "key", h.ID, canary+"-key")
			if h.Set != canary+"-set" {
				t.Error("the field was not set")
			}
		}
		w.ok(w.db.Model(h).Update("plain", "x"))
		w.stored("hookeds", "set", h.ID, canary+"-set2")
		w.ok(w.db.Model(h).Updates(Hooked{Plain: "y"}))
		w.stored("hookeds", "key", h.ID, canary+"-key2")
		h.Direct = canary + "-save"
		w.ok(w.db.Save(h))
		w.stored("hookeds", "direct", h.ID, canary+"-save")
	})
}
