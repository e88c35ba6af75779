package reencrypt

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"slices"
	"time"

	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/internal/dialect"
)

// A kind is what a stored value is, and so what is done with it.
type kind byte

const (
	isNull       kind = 'n'
	isCurrent    kind = 'c'
	toRotate     kind = 'r'
	toEncrypt    kind = 'e'
	toDecrypt    kind = 'd'
	isPlaintext  kind = 'p' // and stays so
	isUnreadable kind = 'u'
	isNotText    kind = 't'
	isTooLong    kind = 'l' // what it should become is
)

// A finding is what is known of one value.
type finding struct {
	kind kind
	new  any // the value to write, if it is one of the three

	// Of a token that opens:
	ring          int
	keyID         string
	raw           bool
	deterministic bool
	time          int64 // 0 for none

	// stale are the index entries to write, by their place among the target's; nil
	// is NULL.
	stale map[int]any
}

// writes reports whether the value is to be replaced.
func (f *finding) writes() bool {
	return f.kind == toRotate || f.kind == toEncrypt || f.kind == toDecrypt
}

// An examiner reads rows and decides. It keeps buffers and is for one goroutine.
type examiner struct {
	j         *job
	now       func() time.Time
	hints     []int // the ring that opened the last token, by column
	token     []byte
	plaintext []byte
}

func newExaminer(j *job) *examiner {
	return &examiner{j: j, now: time.Now, hints: make([]int, len(j.columns))}
}

// row returns a finding for each column of the plan. values are as read, in the
// order of job.read.
func (e *examiner) row(k dialect.Key, values []any) []finding {
	found := make([]finding, len(e.j.columns))
	for i := range e.j.columns {
		found[i] = e.value(i, k, values)
	}
	return found
}

func (e *examiner) value(i int, k dialect.Key, values []any) (f finding) {
	tg := &e.j.columns[i]
	switch v := values[tg.at].(type) {
	case nil:
		f = finding{kind: isNull}
		e.index(&f, tg, values, nil)
		return f
	case string:
		e.token = append(e.token[:0], v...)
	case []byte:
		e.token = append(e.token[:0], v...)
	default:
		return finding{kind: isNotText}
	}

	// Plaintext must not stay in a buffer that lives as long as the run.
	defer func() { clear(e.plaintext); clear(e.token) }()
	to := &tg.rings[0]
	if !e.open(&f, i, k) {
		if fernet.MaybeToken(e.token) {
			return finding{kind: isUnreadable}
		}
		if !tg.spec.Plaintext {
			return finding{kind: isPlaintext}
		}
		raw := tg.spec.Form == FormRaw || tg.spec.Form == FormKeep && tg.info.Kind == dialect.Bytes
		f = finding{kind: toEncrypt, new: e.make(tg, to.of(e.j.table, k), e.token, e.now(), tg.spec.Deterministic, raw, values[tg.at])}
		if f.new == nil {
			return finding{kind: isTooLong}
		}
		e.index(&f, tg, values, e.token)
		return f
	}
	if f.kind == isUnreadable {
		return f
	}
	if tg.spec.Form == FormPlaintext {
		f.kind, f.new = toDecrypt, stored(tg, values[tg.at], slices.Clone(e.plaintext))
		e.index(&f, tg, values, e.plaintext)
		return f
	}
	raw := tg.spec.Form == FormRaw || tg.spec.Form == FormKeep && f.raw
	deterministic := f.deterministic || tg.spec.Deterministic
	f.kind = isCurrent
	target := to.of(e.j.table, k)
	if f.ring != 0 || f.keyID != target.PrimaryID() || raw != f.raw || deterministic != f.deterministic {
		f.kind = toRotate
		f.new = e.make(tg, target, e.plaintext, time.Unix(f.time, 0), deterministic, raw, values[tg.at])
		if f.new == nil {
			f.kind = isTooLong
			return f
		}
	}
	e.index(&f, tg, values, e.plaintext)
	return f
}

// open finds the ring and key that open e.token and decrypts it to e.plaintext.
func (e *examiner) open(f *finding, i int, k dialect.Key) bool {
	tg := &e.j.columns[i]
	for n := range tg.rings {
		at := (e.hints[i] + n) % len(tg.rings)
		kr := tg.rings[at].of(e.j.table, k)
		id, err := kr.KeyID(e.token)
		if err != nil {
			continue
		}
		e.hints[i] = at
		*f = finding{ring: at, keyID: id, raw: e.token[0] == rawVersion}
		plaintext, err := kr.AppendDecrypt(e.plaintext[:0], e.token)
		timestamp := timeOf(e.token)
		if err != nil || timestamp > math.MaxInt64 {
			f.kind = isUnreadable // the tag is right, and the token is not
			return true
		}
		e.plaintext = plaintext
		f.time = int64(timestamp)
		f.deterministic = timestamp == 0 && isDeterministic(kr, e.token, plaintext)
		return true
	}
	return false
}

// rawVersion is the first byte of a raw token, docs/format.md.
const rawVersion = 0x80

// timeOf returns the time field of a token whose tag was found right.
func timeOf(token []byte) uint64 {
	const version, size = 1, 8
	if token[0] != rawVersion {
		var head [12 / 4 * 3]byte
		if _, err := base64.URLEncoding.Decode(head[:], token[:12]); err != nil {
			return math.MaxUint64
		}
		token = head[:]
	}
	return binary.BigEndian.Uint64(token[version : version+size])
}

// isDeterministic reports whether the token is the deterministic one of its plaintext
// under some key of the ring.
func isDeterministic(kr *fernet.Keyring, token, plaintext []byte) bool {
	if token[0] == rawVersion {
		token = base64.URLEncoding.AppendEncode(nil, token)
	}
	return slices.ContainsFunc(kr.DeterministicTokens(plaintext), func(t []byte) bool { return string(t) == string(token) })
}

// make returns the token to store in place of old, or nil if it does not fit.
func (e *examiner) make(tg *target, kr *fernet.Keyring, plaintext []byte, at time.Time, deterministic, raw bool, old any) any {
	var token []byte
	if deterministic {
		token = kr.EncryptDeterministic(plaintext)
	} else {
		token = kr.EncryptAtTime(plaintext, at)
	}
	if raw {
		n, err := base64.URLEncoding.Decode(token, token)
		if err != nil {
			panic("reencrypt: package fernet made a token that is not base64")
		}
		token = token[:n]
	}
	if tg.info.MaxLen > 0 && int64(len(token)) > tg.info.MaxLen {
		return nil
	}
	if raw {
		return token
	}
	return stored(tg, old, token)
}

// stored gives a new value the type of its column. In SQLite a text and the same bytes
// differ: text stays text.
func stored(tg *target, old any, value []byte) any {
	if _, text := old.(string); text || tg.info.Kind == dialect.Text {
		return string(value)
	}
	return value
}

// index compares the entries of a value's indexes with what they should be. A nil
// plaintext is NULL's.
func (e *examiner) index(f *finding, tg *target, values []any, plaintext []byte) {
	for i := range tg.indexes {
		ix := &tg.indexes[i]
		var want any
		if f.kind != isNull {
			want = string(ix.spec.Index.Value(string(plaintext)))
		}
		have := values[ix.at]
		if b, ok := have.([]byte); ok {
			have = string(b)
		}
		if have != want {
			if f.stale == nil {
				f.stale = map[int]any{}
			}
			if s, ok := want.(string); ok && ix.info.Kind == dialect.Bytes && e.j.name != SQLite {
				want = []byte(s)
			}
			f.stale[i] = want
		}
	}
}
