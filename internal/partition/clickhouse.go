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

// Write implements Store. Only when all rows of b are there it adds how far the partition is
// stored, so that who reads the position never misses a row before it.
func (c *ClickHouse) Write(ctx context.Context, b Batch, recovering bool) error {
	w := c.writer.Load()
	if w == nil {
		return fmt.Errorf("%w: it is being started", clickhouse.ErrAway)
	}
	if err := insert(ctx, w, b, recovering, b.Rows.tables()...); err != nil {
		return err
	}
	return insert(ctx, w, b, recovering, Positions.Rows([]Position{{b.Partition, b.Last, b.FoldTime}}))
}

// CheckInserts tells which tables would refuse the rows of batches: somebody has changed them.
func CheckInserts(ctx context.Context, c *clickhouse.Conn) error {
	tables := []clickhouse.AnyTable{Positions}
	for _, t := range new(Rows).tables() {
		tables = append(tables, t)
	}
	return clickhouse.CheckInserts(ctx, c, tables...)
}

func insert(ctx context.Context, w *clickhouse.Writer, b Batch, recovering bool, rows ...clickhouse.TableRows) error {
	return w.Insert(ctx, clickhouse.Batch{Partition: b.Partition, First: b.First, Last: b.Last, Confirm: b.Confirm, Tables: rows}, recovering)
}
