package store

import (
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/sla"
)

// Ledger declares service_ledger.
var Ledger = clickhouse.Table[sla.LedgerRow]{
	Name:    "service_ledger",
	Address: func(r *sla.LedgerRow) clickhouse.Address { return clickhouse.Address(r.Address) },
	Columns: []clickhouse.Column[sla.LedgerRow]{
		clickhouse.Instant("recorded_at", func(r *sla.LedgerRow) ingest.Millis { return r.RecordedAt }),
		clickhouse.Word("tenant", func(r *sla.LedgerRow) string { return r.Tenant }),
		clickhouse.Word("service", func(r *sla.LedgerRow) string { return r.Service }),
		clickhouse.Word("state", func(r *sla.LedgerRow) sla.State { return r.State }),
		clickhouse.Instant("starts_at", func(r *sla.LedgerRow) ingest.Millis { return r.From }),
		clickhouse.Instant("ends_at", func(r *sla.LedgerRow) ingest.Millis { return r.To }),
		clickhouse.Int8("sign", func(r *sla.LedgerRow) int8 { return r.Sign }),
	},
}

// Segments declares sla_segments.
var Segments = clickhouse.Table[sla.SegmentRow]{
	Name:    "sla_segments",
	Address: func(r *sla.SegmentRow) clickhouse.Address { return clickhouse.Address(r.Address) },
	Columns: []clickhouse.Column[sla.SegmentRow]{
		clickhouse.Instant("recorded_at", func(r *sla.SegmentRow) ingest.Millis { return r.RecordedAt }),
		clickhouse.Word("tenant", func(r *sla.SegmentRow) string { return r.Tenant }),
		clickhouse.Word("service", func(r *sla.SegmentRow) string { return r.Service }),
		clickhouse.Word("agreement", func(r *sla.SegmentRow) string { return r.Agreement }),
		clickhouse.Word("bucket", func(r *sla.SegmentRow) sla.Bucket { return r.Bucket }),
		clickhouse.Word("state", func(r *sla.SegmentRow) sla.State { return r.State }),
		clickhouse.Instant("starts_at", func(r *sla.SegmentRow) ingest.Millis { return r.From }),
		clickhouse.Instant("ends_at", func(r *sla.SegmentRow) ingest.Millis { return r.To }),
		clickhouse.Int8("sign", func(r *sla.SegmentRow) int8 { return r.Sign }),
	},
}
