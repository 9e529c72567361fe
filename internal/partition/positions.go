package partition

import (
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
	Address: func(p *Position) clickhouse.Address {
		return clickhouse.Address{Partition: p.Partition, Position: p.Position}
	},
	Columns: []clickhouse.Column[Position]{
		clickhouse.Instant("fold_time", func(p *Position) ingest.Millis { return p.FoldTime }),
	},
}
