package main

// targets are what package gormencrypt set out to keep to, as ratios to plain
// strings.
type targets struct{ insert, read, lookup float64 }

var (
	sqliteTargets   = targets{1.75, 2.3, 1.25}
	postgresTargets = targets{1.9, 2.6, 1.15}
)

// naiveTarget is how much of what the naive serializer adds to a read
// gormencrypt may add.
const naiveTarget = 0.5
