package gormencrypt

import (
	"sync"

	"github.com/fernetcol/fernetcol/blindindex"
	"github.com/fernetcol/fernetcol/fernet"
)

// maxDerived bounds how many indexes are kept: a program has so many index columns,
// each with as many keys as it has tenants.
const maxDerived = 4096

// An indexCache keeps the indexes of keys that depend on the context: deriving one
// costs as much as some entries.
type indexCache struct {
	mu    sync.RWMutex
	byKey map[derivedKey]*blindindex.Index
}

type derivedKey struct {
	ic *indexColumn
	id string // of the key
}

func (cache *indexCache) get(ic *indexColumn, key fernet.Key) (*blindindex.Index, error) {
	k := derivedKey{ic, key.ID()}
	cache.mu.RLock()
	index := cache.byKey[k]
	cache.mu.RUnlock()
	if index != nil {
		return index, nil
	}
	index, err := blindindex.New(key, ic.names[0], ic.names[1], ic.names[2], ic.options)
	if err != nil {
		return nil, err
	}
	cache.mu.Lock()
	defer cache.mu.Unlock()
	if cache.byKey == nil || len(cache.byKey) >= maxDerived {
		cache.byKey = map[derivedKey]*blindindex.Index{}
	}
	cache.byKey[k] = index
	return index, nil
}
