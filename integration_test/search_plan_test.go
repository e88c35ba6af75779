package integration_test

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"regexp"
	"strings"
	"testing"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"

	"github.com/fernetcol/fernetcol/blindindex"
	"github.com/fernetcol/fernetcol/encryptedtype"
	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/gormencrypt"
	"github.com/fernetcol/fernetcol/internal/bulk"
	"github.com/fernetcol/fernetcol/internal/dbtest"
	"github.com/fernetcol/fernetcol/keyprovider"
)

// manyRows is what the tables hold whose query plans are looked at: enough for a
// scan to be the wrong plan.
const manyRows = 1_000_000

// filledRows are those that have an entry in every index.
const filledRows = manyRows / 10 * 9

// A subscriber is looked up by one index, or by two of which one is being filled.
type subscriber struct {
	ID         int64
	Email      encryptedtype.EncryptedString `fernet:"index:EmailIndex,lower"`
	Phone      string                        `gorm:"serializer:fernet" fernet:"index:PhoneIndex;index:PhoneNew,trim,filling"`
	EmailIndex blindindex.Value              `gorm:"uniqueIndex"`
	PhoneIndex blindindex.Value              `gorm:"index"`
	PhoneNew   blindindex.Value              `gorm:"index"`
}

// The names that GORM gives to the indexes of subscribers.
const (
	byEmail    = "idx_subscribers_email_index"
	byPhone    = "idx_subscribers_phone_index"
	byPhoneNew = "idx_subscribers_phone_new"
)

func emailOf(id int64) string { return fmt.Sprintf("u%07d@e.test", id) }
func phoneOf(id int64) string { return fmt.Sprintf("+1%07d", id) }

func TestLookupsByIndexDoNotScanMillionRows(t *testing.T) {
	for name, open := range map[string]func(testing.TB) *dbtest.Database{"sqlite": dbtest.SQLite, "postgres": dbtest.Postgres} {
		t.Run(name, func(t *testing.T) {
			db := open(t)
			key := fernet.GenerateKey()
			loadSubscribers(t, db, key)
			sent := &recordingPool{ConnPool: db.SQL}
			g := encrypting(t, db, sent, key)

			const id = madeRows / 2
			email, phone := emailOf(id), phoneOf(id)
			for _, lookup := range []struct {
				name    string
				indexes []string
				find    func(db *gorm.DB, s *subscriber) *gorm.DB
			}{
				{"First", []string{byEmail}, func(db *gorm.DB, s *subscriber) *gorm.DB {
					return db.Where("email = ?", strings.ToUpper(email)).First(s)
				}},
				{"struct", []string{byEmail}, func(db *gorm.DB, s *subscriber) *gorm.DB {
					return db.Where(&subscriber{Email: encryptedtype.EncryptedString(email)}).Find(s)
				}},
				{"IN", []string{byEmail}, func(db *gorm.DB, s *subscriber) *gorm.DB {
					return db.Where("email IN ?", []string{"nobody", email, "no one"}).First(s)
				}},
				{"two indexes", []string{byPhone, byPhoneNew}, func(db *gorm.DB, s *subscriber) *gorm.DB {
					return db.Where("phone = ?", phone).First(s)
				}},
				{"two indexes, IN", []string{byPhone, byPhoneNew}, func(db *gorm.DB, s *subscriber) *gorm.DB {
					return db.Where("phone IN ?", []string{phone, "none"}).Find(s)
				}},
				{"OR", []string{byEmail, byPhone, byPhoneNew}, func(db *gorm.DB, s *subscriber) *gorm.DB {
					return db.Where("email = ?", email).Or("phone = ?", phone).First(s)
				}},
				{"raw", []string{byEmail}, func(db *gorm.DB, s *subscriber) *gorm.DB {
					return db.Raw("SELECT * FROM subscribers WHERE ? = email", email).Scan(s)
				}},
			} {
				t.Run(lookup.name, func(t *testing.T) {
					var s subscriber
					if err := lookup.find(g, &s).Error; err != nil {
						t.Fatal(err)
					}
					if s.ID != id || string(s.Email) != email || s.Phone != phone {
						t.Errorf("row %d was found, or half of it; want %d", s.ID, id)
					}
					mustSearch(t, db, sent, lookup.indexes)
				})
			}
			t.Run("database/sql", func(t *testing.T) {
				index, err := blindindex.New(key, "subscribers", "email", "email_index", blindindex.Options{Transforms: []blindindex.Transform{blindindex.Lower}})
				if err != nil {
					t.Fatal(err)
				}
				var s subscriber
				row := sent.QueryRowContext(t.Context(), db.Rebind("SELECT id, email FROM subscribers WHERE email_index = ?"), index.Value(email))
				if err := row.Scan(&s.ID, &s.Email); err != nil {
					t.Fatal(err)
				}
				if s.ID != id || string(s.Email) != email {
					t.Errorf("row %d was found, want %d", s.ID, id)
				}
				mustSearch(t, db, sent, []string{byEmail})
			})
			t.Run("upsert", func(t *testing.T) {
				upsert := clause.OnConflict{Columns: []clause.Column{{Name: "email"}}, DoUpdates: clause.AssignmentColumns([]string{"phone"})}
				if err := g.Clauses(upsert).Create(&subscriber{ID: id, Email: encryptedtype.EncryptedString(email), Phone: "new"}).Error; err != nil {
					t.Fatal(err)
				}
				if n := count(t, db, "SELECT COUNT(*) FROM subscribers"); n != manyRows {
					t.Errorf("%d rows, want %d", n, manyRows)
				}
				if db.Dialect == "postgres" && !strings.Contains(planOf(t, db, sent.query, sent.args), "Conflict Arbiter Indexes: "+byEmail) {
					t.Errorf("the conflict is not found by %s", byEmail)
				}
			})
		})
	}
}

// encrypting returns a handle with the plugin over conn.
func encrypting(t *testing.T, db *dbtest.Database, conn gorm.ConnPool, indexKey fernet.Key) *gorm.DB {
	t.Helper()
	g, err := gorm.Open(db.Dialector(conn), &gorm.Config{Logger: logger.Discard})
	if err != nil {
		t.Fatal(err)
	}
	plugin := gormencrypt.New(keyprovider.Static(ring), gormencrypt.Options{IndexKey: indexKey, WithoutCheck: true})
	if err := g.Use(plugin); err != nil {
		t.Fatal(err)
	}
	return g
}

// loadSubscribers fills a table with rows as the plugin would write them. Of the
// second index of Phone, the last tenth lacks its entries.
func loadSubscribers(t *testing.T, db *dbtest.Database, indexKey fernet.Key) {
	t.Helper()
	if raceEnabled && db.Dialect == "sqlite" {
		inC := *db
		inC.Driver = "sqlite3" // whose code the race detector does not slow down
		db = inC.Reopen(t)
	}
	g := encrypting(t, db, db.SQL, indexKey)
	m := g.Migrator()
	if err := m.CreateTable(&subscriber{}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{byEmail, byPhone, byPhoneNew} { // faster made when the rows are there
		if err := m.DropIndex(&subscriber{}, name); err != nil {
			t.Fatal(err)
		}
	}
	if db.Dialect == "postgres" {
		exec(t, db, "ALTER TABLE subscribers SET UNLOGGED")
	}
	columns := []string{"id", "email", "phone", "email_index", "phone_index", "phone_new"}
	if n, err := bulk.Load(t.Context(), db.SQL, "subscribers", columns, subscribers(t, indexKey)); err != nil || n != madeRows {
		t.Fatalf("%d rows were loaded: %v", n, err)
	}
	if madeRows < manyRows { // the database copies the tokens, and makes up entries that no value has
		series, entry := "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i < ?) SELECT i FROM n", "lower(hex(randomblob(16)))"
		if db.Dialect == "postgres" {
			series, entry = "SELECT i FROM generate_series(0, ?::int) AS n(i)", "md5(random()::text)"
		}
		exec(t, db, fmt.Sprintf(`INSERT INTO subscribers (id, email, phone, email_index, phone_index, phone_new)
			SELECT made.i + %[1]d, s.email, s.phone, %[2]s, %[2]s, CASE WHEN made.i < %[3]d THEN %[2]s END
			FROM (%[4]s) AS made JOIN subscribers s ON s.id = made.i %% %[5]d + 1`,
			manyRows+1, entry, filledRows-madeRows, series, madeRows), manyRows-madeRows-1)
	}
	if err := g.AutoMigrate(&subscriber{}); err != nil { // makes the indexes
		t.Fatal(err)
	}
	exec(t, db, "ANALYZE subscribers")
}

// subscribers are the rows whose tokens and entries the library makes.
func subscribers(t *testing.T, indexKey fernet.Key) iter.Seq[[]any] {
	t.Helper()
	index := func(column, name string, transforms ...blindindex.Transform) *blindindex.Index {
		ix, err := blindindex.New(indexKey, "subscribers", column, name, blindindex.Options{Transforms: transforms})
		if err != nil {
			t.Fatal(err)
		}
		return ix
	}
	email := index("email", "email_index", blindindex.Lower)
	phone, phoneNew := index("phone", "phone_index"), index("phone", "phone_new", blindindex.Trim)
	return func(yield func([]any) bool) {
		for id := int64(1); id <= madeRows; id++ {
			e, p := emailOf(id), phoneOf(id)
			row := []any{id, ring.EncryptString(e), ring.EncryptString(p), string(email.Value(e)), string(phone.Value(p)), nil}
			if id <= filledRows {
				row[5] = string(phoneNew.Value(p))
			}
			if !yield(row) {
				return
			}
		}
	}
}

// A recordingPool remembers the last query that was sent.
type recordingPool struct {
	gorm.ConnPool
	query string
	args  []any
}

func (p *recordingPool) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	p.query, p.args = query, args
	return p.ConnPool.QueryContext(ctx, query, args...)
}

func (p *recordingPool) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	p.query, p.args = query, args
	return p.ConnPool.QueryRowContext(ctx, query, args...)
}

// searches are how the databases say that they look something up in an index.
var searches = map[string]*regexp.Regexp{
	"postgres": regexp.MustCompile(`Index (?:Only )?Scan (?:using|on) (\w+)`),
	"sqlite":   regexp.MustCompile(`SEARCH subscribers USING (?:COVERING )?INDEX (\w+) \(\w+=\?\)`),
}

// mustSearch fails unless the last query looks its rows up in exactly the given
// indexes, and scans nothing.
func mustSearch(t *testing.T, db *dbtest.Database, sent *recordingPool, indexes []string) {
	t.Helper()
	plan := planOf(t, db, sent.query, sent.args)
	used := map[string]bool{}
	for _, m := range searches[db.Dialect].FindAllStringSubmatch(plan, -1) {
		used[m[1]] = true
	}
	ok := len(used) == len(indexes)
	for _, name := range indexes {
		ok = ok && used[name]
	}
	for line := range strings.Lines(plan) {
		line = strings.TrimLeft(line, " ->")
		ok = ok && !strings.HasPrefix(line, "Seq Scan") && !strings.HasPrefix(line, "Parallel Seq Scan") && !strings.HasPrefix(line, "SCAN")
	}
	if !ok {
		t.Errorf("the plan is not to search %v alone:\n%s\n%s", indexes, sent.query, plan)
	}
}

// planOf returns the plan of a query, a step a line. It holds no value: of those,
// the databases print what they print of any constant, which are entries.
func planOf(t *testing.T, db *dbtest.Database, query string, args []any) string {
	t.Helper()
	explain := "EXPLAIN (COSTS OFF) "
	if db.Dialect == "sqlite" {
		explain = "EXPLAIN QUERY PLAN "
	}
	rows, err := db.SQL.Query(explain+query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var step string
	dst := make([]any, len(names))
	for i := range dst {
		dst[i] = new(any)
	}
	dst[len(dst)-1] = &step // SQLite's first columns are numbers
	var plan strings.Builder
	for rows.Next() {
		if err := rows.Scan(dst...); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&plan, step)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}
