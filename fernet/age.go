package fernet

import (
	"math"
	"time"
)

// maxClockSkew is how far, in seconds, a token's clock may be ahead of ours.
const maxClockSkew = 60

// ageLimit is the age check of one call. Like Python's, it counts in whole
// seconds.
type ageLimit struct {
	ttl, now int64 // seconds
}

func newAgeLimit(ttl time.Duration, now time.Time) *ageLimit {
	seconds := int64(ttl / time.Second)
	if ttl%time.Second < 0 {
		seconds-- // toward minus infinity: a ttl just below 0 is not 0
	}
	return &ageLimit{ttl: seconds, now: now.Unix()}
}

// allows reports whether a token of that timestamp is neither expired
// (timestamp + ttl < now) nor from the future (timestamp > now + 60), for every
// 64-bit timestamp. A nil limit allows all.
func (a *ageLimit) allows(timestamp uint64) bool {
	if a == nil {
		return true
	}
	// From now = -60 on, the sum is right in uint64.
	if a.now < -maxClockSkew || timestamp > uint64(a.now)+maxClockSkew {
		return false
	}
	// The age lies between -60 and now, so this is right even where a timestamp
	// of 2^63 and more wraps around.
	return a.now-int64(timestamp) <= a.ttl
}

// maxUnix is the last second whose time.Time counts without overflow: its
// internal clock starts in the year 1.
const maxUnix = math.MaxInt64 - 62135596800

// seconds returns t as a token stores it. Times before 1970 have no place in
// the unsigned field and become 0.
func seconds(t time.Time) uint64 {
	return uint64(max(t.Unix(), 0))
}
