package store

import (
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
)

// MaintenanceRow is one planned window as a delivery told it. One that is told otherwise is another
// row; the newest counts. Copies have none.
type MaintenanceRow struct {
	ingest.Address
	RecordedAt ingest.Millis
	Tenant     string
	Source     string
	ReceivedAt ingest.Millis
	ingest.Maintenance
}

// Maintenance declares the table maintenance.
var Maintenance = clickhouse.Table[MaintenanceRow]{
	Name: "maintenance",
	Columns: []clickhouse.Column[MaintenanceRow]{
		{Name: "partition", Type: "UInt32", Value: func(r *MaintenanceRow) any { return r.Partition }},
		{Name: "position", Type: "UInt64", Value: func(r *MaintenanceRow) any { return r.Position }},
		{Name: "ordinal", Type: "UInt32", Value: func(r *MaintenanceRow) any { return r.Ordinal }},
		{Name: "recorded_at", Type: clickhouse.Instant, Value: func(r *MaintenanceRow) any { return r.RecordedAt }},
		{Name: "tenant", Type: clickhouse.Word, Value: func(r *MaintenanceRow) any { return r.Tenant }},
		{Name: "source", Type: clickhouse.Word, Value: func(r *MaintenanceRow) any { return r.Source }},
		{Name: "received_at", Type: clickhouse.Instant, Value: func(r *MaintenanceRow) any { return r.ReceivedAt }},
		{Name: "id", Type: "String", Value: func(r *MaintenanceRow) any { return r.ID }},
		{Name: "service", Type: clickhouse.Word, Value: func(r *MaintenanceRow) any { return r.Service }},
		{Name: "from_at", Type: clickhouse.Instant, Value: func(r *MaintenanceRow) any { return r.From }},
		{Name: "to_at", Type: clickhouse.Instant, Value: func(r *MaintenanceRow) any { return r.To }},
		{Name: "cancelled", Type: "Bool", Value: func(r *MaintenanceRow) any { return r.Cancelled }},
		{Name: "reason", Type: "String", Value: func(r *MaintenanceRow) any { return r.Reason }},
		{Name: "author", Type: "String", Value: func(r *MaintenanceRow) any { return r.Author }},
		{Name: "url", Type: "String", Value: func(r *MaintenanceRow) any { return r.URL }},
	},
}
