//go:build !unix

package keyprovider

import "io/fs"

// private does not apply where modes do not say who may read a file.
func private(fs.FileInfo) bool { return true }
