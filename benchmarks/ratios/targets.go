package main

// A target is what package fernet set out to reach at one size.
type target struct {
	timesFaster float64 // than fernet-go, at least
	reachable   float64 // what seemed possible; 0 if nothing was said
	ofFloor     float64 // at most
}

// The targets, in the order of benchmarks.Sizes.
var (
	encryptTargets = []target{
		{3.3, 4.0, 1.02},
		{3.1, 3.5, 1.02},
		{2.3, 2.5, 1.02},
		{1.8, 0, 1.02},
		{1.5, 0, 1.02},
		{1.3, 0, 1.02},
	}
	decryptTargets = []target{
		{3.8, 4.3, 1.08},
		{3.1, 3.4, 1.08},
		{2.3, 2.5, 1.02},
		{1.65, 0, 1.02},
		{1.3, 0, 1.02},
		{1.15, 0, 1.02},
	}
)

const (
	scalingTarget = 1.7  // two goroutines to one, at least
	ringTarget    = 1.15 // a ring of ten keys to one key, at most
)
