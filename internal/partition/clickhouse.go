package partition

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/evenkeel/evenkeel/internal/clickhouse"
)

// ClickHouse is the Store of a service: away until a writer is there.
type ClickHouse struct {
	writer atomic.Pointer[clickhouse.Writer]
}

// Use makes w take the batches from now on.
func (c *ClickHouse) Use(w *clickhouse.Writer) { c.writer.Store(w) }

// Write implements Store.
func (c *ClickHouse) Write(ctx context.Context, b Batch, recovering bool) error {
	w := c.writer.Load()
	if w == nil {
		return fmt.Errorf("%w: it is being started", clickhouse.ErrAway)
	}
	return w.Insert(ctx, clickhouse.Batch{Partition: b.Partition, First: b.First, Last: b.Last, Tables: b.Rows.tables()}, recovering)
}
