// Package store keeps what came in, in ClickHouse: raw deliveries, events, changes
// and dead letters, and reads it back.
package store
