package gormencrypt

import "testing"

// What was found harmless before a table became known is not remembered after it.
func TestOldVerdictIsNotRemembered(t *testing.T) {
	var cache textCache
	key := textKey{text: "x"}
	_, age := cache.harmless(key)
	cache.forget()
	cache.put(key, age)
	if known, _ := cache.harmless(key); known {
		t.Error("a verdict from before is remembered")
	}
	_, age = cache.harmless(key)
	cache.put(key, age)
	if known, _ := cache.harmless(key); !known {
		t.Error("a verdict is not remembered")
	}
}
