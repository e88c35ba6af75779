//go:build !unix

package dbtest

import "errors"

func startCluster() (*cluster, error) {
	return nil, errors.New("not on this operating system")
}
