//go:build cgo

package dbtest

import _ "github.com/mattn/go-sqlite3"

const cgo = true
