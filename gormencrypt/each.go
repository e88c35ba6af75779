package gormencrypt

import (
	"iter"

	"gorm.io/gorm"
)

// Each reads the rows that db finds for the model T one by one, decrypted, in memory
// for one row: for what the database cannot do with encrypted values, such as sorting
// them or looking for a part of one.
//
//	newest, err := blindindex.Top(gormencrypt.Each[User](db.Where("active")), 50, …)
//
// It is for one range statement; leaving it early closes the rows. A row that cannot
// be read ends it with an error that names the row, and a zero T. Preload and
// truncated indexes, which Find handles, are not for it.
func Each[T any](db *gorm.DB) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		tx := db.Model(new(T))
		rows, err := tx.Rows()
		if err != nil {
			yield(zero, err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			var row T
			if err := tx.ScanRows(rows, &row); err != nil {
				yield(zero, err)
				return
			}
			if !yield(row, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(zero, err)
		}
	}
}
