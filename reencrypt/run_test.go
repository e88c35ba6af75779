package reencrypt_test

import (
	"testing"

	"github.com/fernetcol/fernetcol/internal/dbtest"
	"github.com/fernetcol/fernetcol/reencrypt"
)

func TestRunMovesEveryTokenToThePrimaryKey(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *dbtest.Database) {
		t.Parallel()
		f := newFixture(t, db)
		f.users(500)
		before := f.strings("SELECT id, email, other FROM users ORDER BY id")
		result := f.run(f.plan(), small)
		after := f.strings("SELECT id, email, other FROM users ORDER BY id")

		want := reencrypt.Counts{Rows: 500, Rotated: 450, Null: 50}
		if result.Counts != want {
			t.Errorf("counts %+v, want %+v", result.Counts, want)
		}
		for i := range before {
			if before[i][0] != after[i][0] || before[i][2] != after[i][2] {
				t.Fatalf("row %d: a column that the plan does not name was changed", i)
			}
			if before[i][1] == "NULL" {
				if after[i][1] != "NULL" {
					t.Errorf("row %d: NULL became something", i)
				}
				continue
			}
			token := []byte(after[i][1])
			if id, err := f.kr.KeyID(token); err != nil || id != f.key.ID() {
				t.Fatalf("row %d is not under the new key", i)
			}
			p, _ := f.kr.Decrypt(token)
			q, _ := f.kr.Decrypt([]byte(before[i][1]))
			t1, _ := f.kr.ExtractTimestamp(token)
			t2, _ := f.kr.ExtractTimestamp([]byte(before[i][1]))
			if string(p) != string(q) || !t1.Equal(t2) {
				t.Fatalf("row %d: another plaintext or time", i)
			}
		}
		if left := f.strings("SELECT count(*) FROM " + reencrypt.StateTable); left[0][0] != "0" {
			t.Errorf("%s rows are left in the state table", left[0][0])
		}
		c := result.Census.Columns[0]
		if len(c.Keys) != 1 || c.Keys[0].KeyID != f.key.ID() || c.Keys[0].Rows != 450 || c.Null != 50 || c.Pending != 0 {
			t.Errorf("census %+v", c)
		}
	})
}
