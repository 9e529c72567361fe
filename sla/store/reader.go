package store

import "github.com/evenkeel/evenkeel/internal/clickhouse"

// Reader answers questions about availability. It holds no state and may be used by
// many goroutines at once.
type Reader struct{ db clickhouse.Querier }

// NewReader returns a reader of what db holds.
func NewReader(db clickhouse.Querier) *Reader { return &Reader{db} }
