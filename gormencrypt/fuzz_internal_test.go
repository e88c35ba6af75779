package gormencrypt

import (
	"reflect"
	"strings"
	"testing"

	"gorm.io/gorm/schema"

	"github.com/fernetcol/fernetcol/blindindex"
)

func fuzzPlugin(d dialect) *Plugin {
	p := New(nil, Options{})
	p.ansi, p.numbered = d != dialectMySQL, d == dialectPostgres
	f := &schema.Field{DBName: "email", FieldType: reflect.TypeFor[string]()}
	g := &schema.Field{DBName: "note", FieldType: reflect.TypeFor[string]()}
	phone := &column{table: "users", field: &schema.Field{DBName: "phone", FieldType: reflect.TypeFor[string]()}}
	one := &indexColumn{of: phone, field: &schema.Field{DBName: "phone_index"}}
	two := &indexColumn{of: phone, field: &schema.Field{DBName: "phone_new"}, filling: true}
	phone.indexes = []*indexColumn{one, two}
	p.tables["users"] = table{
		columns: columns{
			"id": nil, "name": nil, "phone_index": nil, "phone_new": nil, "phone": phone,
			"email": {table: "users", field: f, deterministic: true}, "note": {table: "users", field: g},
		},
		indexes: indexes{"phone_index": one, "phone_new": two},
	}
	p.quote = func(name string) string { return "`" + name + "`" }
	if d == dialectPostgres {
		p.quote = func(name string) string { return `"` + name + `"` }
	}
	p.words = map[string]bool{"users": true, "email": true, "note": true, "phone": true, "phone_index": true, "phone_new": true}
	return p
}

// FuzzRewrite says of every text: no panic; as many variables as placeholders;
// unchanged if no encrypted name is in it; and never a plain value beside an
// encrypted name that the check has not sealed.
func FuzzRewrite(f *testing.F) {
	for _, seed := range []string{
		"SELECT * FROM users WHERE email = ?", "SELECT name FROM users WHERE name = ?", "UPDATE users SET email = ? WHERE email IN (?, ?)",
		"INSERT INTO users (email, name) VALUES (?, ?)", "SELECT u.email e FROM users u WHERE (e = ? OR ? = u.email) AND name = 'it''s'",
		"WITH c AS (SELECT email FROM users) SELECT * FROM c WHERE email <> ? ORDER BY 1", "SELECT /* ? */ \"email\" FROM `users` -- ?\nWHERE [email] = ?",
		"SELECT count(DISTINCT email) FROM users GROUP BY email HAVING email = ? UNION ALL SELECT 1", "SELECT $$?$$ FROM users WHERE CASE WHEN email = ? THEN 1 END = ?",
		"SELECT u.phone FROM users u WHERE ? <> u.phone AND phone IN (?, NULL, ?)", "UPDATE users u SET u.phone = ?, phone_index = ? WHERE phone_new = ?",
		"INSERT INTO users (phone) VALUES (?), (NULL) ON CONFLICT (phone_index) DO UPDATE SET phone = excluded.phone", "SELECT p FROM (SELECT phone AS p FROM users) t WHERE p = ? OR t.phone = ?",
		"email = ? ? email (email) = ((?)) email NOT IN (SELECT note FROM users", "SELECT E'\\'' FROM users WHERE email=?", "))((,.. email . users = ?",
		"UPDATE users SET name = phone_index = ?, phone_new = ?", "SELECT 1 FROM users WHERE f(phone_new, ? IN (SELECT ?) AND CASE ? WHEN phone_index THEN 1", "UPDATE users!A(phone_new",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		for _, d := range []dialect{dialectSQLite, dialectPostgres, dialectMySQL} {
			text := sql
			p := fuzzPlugin(d)
			if d == dialectPostgres {
				text = strings.ReplaceAll(text, "?", "$1")
			}
			tokens := lex(text, d)
			last := 0
			var vars []any
			for _, tok := range tokens {
				if tok.start < last || tok.end <= tok.start || tok.end > len(text) {
					t.Fatalf("tokens overlap in %q", text)
				}
				last = tok.end
				if tok.kind == kindPlaceholder && (d != dialectPostgres || len(vars) == 0) {
					vars = append(vars, "plain")
				}
			}
			r := &rewriter{
				parser: newParser(p, tokens, &level{aliases: columns{}}, regionNone), sql: text, vars: vars,
				seal:    func(*column, any) ([]any, error) { return []any{sealed{"a"}, sealed{"b"}}, nil },
				sealOne: func(*column, any) (any, error) { return sealed{"a"}, nil },
				entry:   func(*indexColumn, any) (any, error) { return blindindex.Value("ab"), nil },
				raw:     true,
			}
			out, outVars, err := r.run()
			if err != nil {
				continue
			}
			if !p.mayConcern(tokens) && out != text {
				t.Fatalf("%q was changed to %q", text, out)
			}
			planRepeats(t, r.plan(), text, vars, out, outVars)
			n := 0
			for _, tok := range lex(out, d) {
				if tok.kind == kindPlaceholder {
					n++
				}
			}
			if d != dialectPostgres && n != len(outVars) {
				t.Fatalf("%q became %q with %d variables", text, out, len(outVars))
			}
			if d != dialectPostgres {
				noPlainComparison(t, p, d, out, outVars)
			}
		}
	})
}

// planRepeats fails if the plan for a text does not do what was done to it.
func planRepeats(t *testing.T, pl *plan, text string, vars []any, out string, outVars []any) {
	switch {
	case pl == nil:
		return
	case pl.unchanged:
		if out != text || len(outVars) != len(vars) {
			t.Fatalf("the plan leaves %q as it is, which became %q", text, out)
		}
		return
	case pl.text != out || len(pl.vars) != len(outVars):
		t.Fatalf("%q became %q, and by its plan %q", text, out, pl.text)
	}
	for i, from := range pl.vars {
		_, token := outVars[i].(sealed)
		_, entry := outVars[i].(blindindex.Value)
		if token != (from.how == isToken) || entry != (from.how == isEntry) || from.variable >= len(vars) {
			t.Fatalf("%q became %q, whose variable %d the plan takes for another kind", text, out, i)
		}
	}
}

// noPlainComparison fails if an encrypted name stands beside = and a placeholder
// whose value is not sealed.
func noPlainComparison(t *testing.T, p *Plugin, d dialect, sql string, vars []any) {
	tokens := lex(sql, d)
	ps := newParser(p, tokens, &level{aliases: columns{}}, regionNone)
	ps.parse()
	n := 0
	for i, tok := range tokens {
		if tok.kind != kindPlaceholder {
			continue
		}
		_, isToken := vars[n].(sealed)
		_, isEntry := vars[n].(blindindex.Value)
		n++
		if isToken || isEntry {
			continue
		}
		for _, name := range []int{i - 2, i + 2} {
			between := ps.at((i + name) / 2)
			if before := ps.at(name - 1); before.is("@") || before.is(":") { // a variable of MySQL's, a parameter of SQLite's
				continue
			}
			if !comparison(between) || name < 0 || nameEnd(tokens, name) != name || ps.places[name].region == regionFrom {
				continue
			}
			if c := ps.column(name, name); c != nil && !ps.at(name-1).is("AS") {
				t.Fatalf("%q compares %s with a plain value", sql, c)
			}
			if ic := ps.places[name].level.lookupIndex("", ps.at(name).text); ic != nil && !ps.at(name-1).is("AS") {
				t.Fatalf("%q compares %s with a plain value", sql, ic)
			}
		}
	}
}
