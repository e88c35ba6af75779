package main

import "github.com/fernetcol/fernetcol/benchmarks/internal/database"

// targets are what package gormencrypt set out to keep to, as ratios to plain
// strings.
type targets struct{ insert, read, lookup float64 }

// targetsOf has the targets by database.
var targetsOf = map[string]targets{
	database.SQLite:   {1.75, 2.3, 1.25},
	database.Postgres: {1.9, 2.6, 1.15},
}

// naiveTarget is how much of what the naive serializer adds to a read
// gormencrypt may add.
const naiveTarget = 0.5
