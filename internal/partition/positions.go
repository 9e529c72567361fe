package partition

import (
	"time"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
)

// Position says how far a partition is stored.
type Position struct {
	Partition uint32
	Position  uint64        // every row up to here is stored
	FoldTime  ingest.Millis // after it
}

// Positions declares the table positions.
var Positions = clickhouse.Table[Position]{
	Name: "positions",
	Columns: []clickhouse.Column[Position]{
		{Name: "partition", Type: "UInt32", Value: func(p *Position) any { return p.Partition }},
		{Name: "position", Type: "UInt64", Value: func(p *Position) any { return p.Position }},
		{Name: "ordinal", Type: "UInt32", Value: func(*Position) any { return uint32(0) }},
		{Name: "fold_time", Type: "DateTime64(3, 'UTC')", Value: func(p *Position) any { return time.UnixMilli(int64(p.FoldTime)).UTC() }},
	},
}
