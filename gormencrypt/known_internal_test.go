package gormencrypt

import "testing"

// What was found harmless before a table became known is not remembered after it.
func TestOldVerdictIsNotRemembered(t *testing.T) {
	var cache textCache
	key := textKey{text: "x"}
	_, age := cache.plan(key)
	cache.forget()
	cache.put(key, unchanged, age)
	if known, _ := cache.plan(key); known != nil {
		t.Error("a verdict from before is remembered")
	}
	_, age = cache.plan(key)
	cache.put(key, unchanged, age)
	if known, _ := cache.plan(key); known == nil {
		t.Error("a verdict is not remembered")
	}
}
