package fernet_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/fernetcol/fernetcol/fernet"
)

func TestDecryptAtTimeChecksAge(t *testing.T) {
	t.Parallel()
	const (
		made   = 1_700_000_000
		second = time.Second
		maxTTL = time.Duration(math.MaxInt64)
		minTTL = time.Duration(math.MinInt64)
	)
	at := func(seconds int64) time.Time { return time.Unix(seconds, 0) }
	tests := []struct {
		name      string
		timestamp uint64
		ttl       time.Duration
		now       time.Time
		want      bool
	}{
		{"fresh", made, 60 * second, at(made), true},
		{"one second before the end", made, 60 * second, at(made + 59), true},
		{"exactly ttl old", made, 60 * second, at(made + 60), true},
		{"one second over", made, 60 * second, at(made + 61), false},
		{"ttl old to the last nanosecond", made, 60 * second, time.Unix(made+60, 999_999_999), true},
		{"now in another zone", made, 60 * second, at(made + 60).In(time.FixedZone("", 14*3600)), true},

		{"59 s ahead", made + 59, second, at(made), true},
		{"60 s ahead", made + 60, second, at(made), true},
		{"61 s ahead", made + 61, second, at(made), false},
		{"61 s ahead, however long the ttl", made + 61, maxTTL, at(made), false},

		{"ttl 0, same second", made, 0, at(made), true},
		{"ttl 0, next second", made, 0, at(made + 1), false},
		{"ttl 0, a minute ahead", made + 60, 0, at(made), true},
		{"ttl of a nanosecond counts as 0", made, 1, at(made), true},
		{"ttl of a nanosecond, next second", made, 1, at(made + 1), false},
		{"ttl just below a second", made, second - 1, at(made + 1), false},
		{"ttl just below two seconds", made, 2*second - 1, at(made + 1), true},

		{"ttl -1 ns", made, -1, at(made), false},
		{"ttl -1 s", made, -second, at(made), false},
		{"ttl -1 s, 1 s ahead", made + 1, -second, at(made), true},
		{"ttl -1.5 s, 1 s ahead", made + 1, -1500 * time.Millisecond, at(made), false},
		{"the least ttl", made, minTTL, at(made), false},
		{"the least ttl, as far ahead as may be", made + 60, minTTL, at(made), false},

		{"the longest ttl", made, maxTTL, at(made + 1), true},
		{"the longest ttl to the second", 0, maxTTL, at(math.MaxInt64 / 1_000_000_000), true},
		{"the longest ttl and a second", 0, maxTTL, at(math.MaxInt64/1_000_000_000 + 1), false},

		{"timestamp 2^63-1", math.MaxInt64, maxTTL, at(made), false},
		{"timestamp 2^63", 1 << 63, maxTTL, at(made), false},
		{"timestamp 2^63+1", 1<<63 + 1, maxTTL, at(made), false},
		{"timestamp 2^64-1", math.MaxUint64, maxTTL, at(made), false},
		{"timestamp 2^64-1, negative ttl", math.MaxUint64, minTTL, at(made), false},
		{"timestamp 2^64-1 at the end of time", math.MaxUint64, maxTTL, at(math.MaxInt64), false},
		{"timestamp 2^63-1 at the end of time", math.MaxInt64, 0, at(math.MaxInt64), true},
		{"60 s ahead of the end of time", 1<<63 + 59, 0, at(math.MaxInt64), true},
		{"61 s ahead of the end of time", 1<<63 + 60, 0, at(math.MaxInt64), false},
		{"timestamp 0 at the end of time", 0, maxTTL, at(math.MaxInt64), false},

		{"a second before 1970", 0, 0, at(-1), true},
		{"60 s before 1970", 0, 0, at(-60), true},
		{"61 s before 1970", 0, 0, at(-61), false},
		{"60.000000001 s before 1970", 0, 0, time.Unix(-61, 999_999_999), false},
		{"before 1970, the token a year after", 31_536_000, maxTTL, at(-1), false},
		{"the zero time", 0, maxTTL, time.Time{}, false},
		{"the beginning of time", 0, maxTTL, at(math.MinInt64), false},
		{"the beginning of time, timestamp 2^63", 1 << 63, maxTTL, at(math.MinInt64), false},
		{"the beginning of time, timestamp 2^64-1", math.MaxUint64, maxTTL, at(math.MinInt64), false},
	}
	kr := newRing(t, 0, 1)
	for _, tt := range tests {
		for _, raw := range []bool{false, true} {
			token := fernet.TokenAt(kr, []byte("plaintext"), tt.timestamp, [16]byte{}, raw)
			got, err := kr.DecryptAtTime(token, tt.ttl, tt.now)
			switch {
			case tt.want && (err != nil || string(got) != "plaintext"):
				t.Errorf("%s: err %v, want it accepted", tt.name, err)
			case !tt.want && (err != fernet.ErrInvalidToken || got != nil):
				t.Errorf("%s: err %v, want exactly ErrInvalidToken", tt.name, err)
			}
			wantOpensAtAnyAge(t, kr, token, tt.name)
			if want := allowedByRule(tt.timestamp, tt.ttl, tt.now); want != tt.want {
				t.Errorf("%s: the rule in big integers says %v", tt.name, want)
			}
		}
	}
}

// Without a TTL there is no age check, at whatever time.
func wantOpensAtAnyAge(t *testing.T, kr *fernet.Keyring, token []byte, name string) {
	t.Helper()
	for _, o := range openings {
		if got, err := o.open(kr, token); err != nil || string(got) != "plaintext" {
			t.Errorf("%s: %s checks the age: %v", name, o.name, err)
		}
	}
}

// allowedByRule is the age rule in integers that cannot overflow: neither
// timestamp + ttl < now, nor timestamp > now + 60.
func allowedByRule(timestamp uint64, ttl time.Duration, now time.Time) bool {
	ts := new(big.Int).SetUint64(timestamp)
	at := big.NewInt(now.Unix())
	seconds := new(big.Int).Div(big.NewInt(int64(ttl)), big.NewInt(1e9)) // rounds down
	expired := new(big.Int).Add(ts, seconds).Cmp(at) < 0
	future := ts.Cmp(new(big.Int).Add(at, big.NewInt(60))) > 0
	return !expired && !future
}

func TestDecryptAtTimeFollowsRuleInBigIntegers(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	kr := newRing(t, 0)
	accepted := 0
	const rounds = 100_000 / stride
	for range rounds {
		timestamp, now := edge(r), int64(edge(r))
		ttl := time.Duration(edge(r))
		if r.IntN(2) == 0 { // close together, where the answer turns
			now = int64(timestamp) + r.Int64N(200) - 100
			ttl = time.Duration(r.Int64N(200)-50)*time.Second + time.Duration(r.Int64N(3)-1)
		}
		token := fernet.TokenAt(kr, nil, timestamp, [16]byte{}, true)
		_, err := kr.DecryptAtTime(token, ttl, time.Unix(now, 0))
		want := allowedByRule(timestamp, ttl, time.Unix(now, 0))
		if (err == nil) != want {
			t.Fatalf("timestamp %d, ttl %d ns, now %d: err %v, the rule says %v", timestamp, ttl, now, err, want)
		}
		if want {
			accepted++
		}
	}
	if accepted < rounds/20 || accepted > rounds*19/20 {
		t.Errorf("%d of %d accepted: the values do not test much", accepted, rounds)
	}
}

// edge returns a number of any size, often one beside a power of two.
func edge(r *rand.Rand) uint64 {
	switch r.IntN(4) {
	case 0:
		return uint64(1)<<r.IntN(64) + uint64(r.IntN(130)) - 65
	case 1:
		return uint64(r.IntN(130)) - 65
	case 2:
		return 1_700_000_000 + uint64(r.IntN(1000))
	default:
		return r.Uint64() >> r.IntN(64)
	}
}

func TestEncryptAtTimeStoresSeconds(t *testing.T) {
	t.Parallel()
	kr := newRing(t, 0)
	for _, tt := range []struct{ at, want time.Time }{
		{time.Unix(1_700_000_000, 0), time.Unix(1_700_000_000, 0)},
		{time.Unix(1_700_000_000, 999_999_999), time.Unix(1_700_000_000, 0)},
		{time.Unix(0, 0), time.Unix(0, 0)},
		{time.Unix(-1, 999_999_999), time.Unix(0, 0)},
		{time.Unix(-1_000_000, 0), time.Unix(0, 0)},
		{time.Time{}, time.Unix(0, 0)},
		{time.Date(2100, 2, 3, 4, 5, 6, 7, time.FixedZone("", -3600)), time.Date(2100, 2, 3, 5, 5, 6, 0, time.UTC)},
	} {
		got, err := kr.ExtractTimestamp(kr.EncryptAtTime(nil, tt.at))
		if err != nil || got != tt.want.UTC() {
			t.Errorf("token made at %v says %v, %v; want %v", tt.at, got, err, tt.want.UTC())
		}
	}
}

func TestEncryptUsesCurrentTime(t *testing.T) {
	t.Parallel()
	kr := newRing(t, 0)
	for name, encrypt := range map[string]func() []byte{
		"Encrypt":       func() []byte { return kr.Encrypt(nil) },
		"EncryptRaw":    func() []byte { return kr.EncryptRaw(nil) },
		"EncryptString": func() []byte { return []byte(kr.EncryptString("")) },
		"AppendEncrypt": func() []byte { return kr.AppendEncrypt(nil, nil) },
	} {
		before := time.Now().Truncate(time.Second)
		got, err := kr.ExtractTimestamp(encrypt())
		if after := time.Now(); err != nil || got.Before(before) || got.After(after) {
			t.Errorf("%s between %v and %v says %v, %v", name, before, after, got, err)
		}
	}
}

// A time.Time counts seconds from the year 1 in 64 bits, a token from 1970.
func TestExtractTimestampStopsWhereTimeDoes(t *testing.T) {
	t.Parallel()
	kr := newRing(t, 0)
	extract := func(timestamp uint64) (time.Time, error) {
		return kr.ExtractTimestamp(fernet.TokenAt(kr, nil, timestamp, [16]byte{}, false))
	}
	last, err := extract(fernet.MaxUnix)
	if err != nil || last.Unix() != fernet.MaxUnix || last.Location() != time.UTC {
		t.Errorf("the last time is refused: %v", err)
	}
	if strconv.IntSize == 64 && int64(last.Year()) != 292277024627 { // elsewhere, Year overflows
		t.Errorf("the last time is in the year %d; the documentation says 292277024627", last.Year())
	}
	if !last.After(time.Unix(fernet.MaxUnix-1, 0)) || time.Unix(fernet.MaxUnix+1, 0).After(last) {
		t.Error("MaxUnix is not where time.Time overflows")
	}
	for _, timestamp := range []uint64{fernet.MaxUnix + 1, math.MaxInt64, 1 << 63, math.MaxUint64} {
		if got, err := extract(timestamp); err != fernet.ErrInvalidToken || !got.IsZero() {
			t.Errorf("timestamp %d gives %v, %v; want ErrInvalidToken", timestamp, got, err)
		}
	}
}
