// Package store keeps episodes, transitions and incidents in ClickHouse and reads
// them back.
//
// All three tables are append-only. The current row of a key is the one with the
// greatest (position, ordinal); the row current at an instant is the greatest
// among those recorded up to it. So every read takes an AsOf, and the same
// AsOf gives the same rows for ever.
package store
