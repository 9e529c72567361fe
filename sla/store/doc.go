// Package store keeps the ledger and its segments in ClickHouse and reads
// availability from them.
//
// Both tables are append-only rows with a sign and recorded_at. What was known at
// an instant is the sum of the rows recorded up to it, so every read takes an as_of and
// gives the same answer for it for ever. Sums are whole milliseconds; ratios
// are made in Go. What no row covers is unknown.
package store
