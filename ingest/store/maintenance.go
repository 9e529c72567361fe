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
	Name:    "maintenance",
	Address: func(r *MaintenanceRow) clickhouse.Address { return clickhouse.Address(r.Address) },
	Columns: []clickhouse.Column[MaintenanceRow]{
		clickhouse.Instant("recorded_at", func(r *MaintenanceRow) ingest.Millis { return r.RecordedAt }),
		clickhouse.Word("tenant", func(r *MaintenanceRow) string { return r.Tenant }),
		clickhouse.Word("source", func(r *MaintenanceRow) string { return r.Source }),
		clickhouse.Instant("received_at", func(r *MaintenanceRow) ingest.Millis { return r.ReceivedAt }),
		clickhouse.Text("id", func(r *MaintenanceRow) string { return r.ID }),
		clickhouse.Word("service", func(r *MaintenanceRow) string { return r.Service }),
		clickhouse.Instant("from_at", func(r *MaintenanceRow) ingest.Millis { return r.From }),
		clickhouse.Instant("to_at", func(r *MaintenanceRow) ingest.Millis { return r.To }),
		clickhouse.Bool("cancelled", func(r *MaintenanceRow) bool { return r.Cancelled }),
		clickhouse.Text("reason", func(r *MaintenanceRow) string { return r.Reason }),
		clickhouse.Text("author", func(r *MaintenanceRow) string { return r.Author }),
		clickhouse.Text("url", func(r *MaintenanceRow) string { return r.URL }),
	},
}
