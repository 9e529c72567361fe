package store

import (
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/sla"
)

// Ledger declares service_ledger.
var Ledger = clickhouse.Table[sla.LedgerRow]{
	Name: "service_ledger",
	Columns: []clickhouse.Column[sla.LedgerRow]{
		{Name: "partition", Type: "UInt32", Value: func(r *sla.LedgerRow) any { return r.Partition }},
		{Name: "position", Type: "UInt64", Value: func(r *sla.LedgerRow) any { return r.Position }},
		{Name: "ordinal", Type: "UInt32", Value: func(r *sla.LedgerRow) any { return r.Ordinal }},
		{Name: "recorded_at", Type: clickhouse.Instant, Value: func(r *sla.LedgerRow) any { return r.RecordedAt }},
		{Name: "tenant", Type: clickhouse.Word, Value: func(r *sla.LedgerRow) any { return r.Tenant }},
		{Name: "service", Type: clickhouse.Word, Value: func(r *sla.LedgerRow) any { return r.Service }},
		{Name: "state", Type: clickhouse.Word, Value: func(r *sla.LedgerRow) any { return r.State }},
		{Name: "starts_at", Type: clickhouse.Instant, Value: func(r *sla.LedgerRow) any { return r.From }},
		{Name: "ends_at", Type: clickhouse.Instant, Value: func(r *sla.LedgerRow) any { return r.To }},
		{Name: "sign", Type: "Int8", Value: func(r *sla.LedgerRow) any { return r.Sign }},
	},
}

// Segments declares sla_segments.
var Segments = clickhouse.Table[sla.SegmentRow]{
	Name: "sla_segments",
	Columns: []clickhouse.Column[sla.SegmentRow]{
		{Name: "partition", Type: "UInt32", Value: func(r *sla.SegmentRow) any { return r.Partition }},
		{Name: "position", Type: "UInt64", Value: func(r *sla.SegmentRow) any { return r.Position }},
		{Name: "ordinal", Type: "UInt32", Value: func(r *sla.SegmentRow) any { return r.Ordinal }},
		{Name: "recorded_at", Type: clickhouse.Instant, Value: func(r *sla.SegmentRow) any { return r.RecordedAt }},
		{Name: "tenant", Type: clickhouse.Word, Value: func(r *sla.SegmentRow) any { return r.Tenant }},
		{Name: "service", Type: clickhouse.Word, Value: func(r *sla.SegmentRow) any { return r.Service }},
		{Name: "agreement", Type: clickhouse.Word, Value: func(r *sla.SegmentRow) any { return r.Agreement }},
		{Name: "bucket", Type: clickhouse.Word, Value: func(r *sla.SegmentRow) any { return r.Bucket }},
		{Name: "state", Type: clickhouse.Word, Value: func(r *sla.SegmentRow) any { return r.State }},
		{Name: "starts_at", Type: clickhouse.Instant, Value: func(r *sla.SegmentRow) any { return r.From }},
		{Name: "ends_at", Type: clickhouse.Instant, Value: func(r *sla.SegmentRow) any { return r.To }},
		{Name: "sign", Type: "Int8", Value: func(r *sla.SegmentRow) any { return r.Sign }},
	},
}
