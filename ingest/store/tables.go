package store

import (
	"time"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
)

// Types of columns, as DESCRIBE prints them.
const (
	instant = "DateTime64(3, 'UTC')"
	word    = "LowCardinality(String)"
	labels  = "Map(LowCardinality(String), String)"
)

// Deliveries declares the table deliveries.
var Deliveries = clickhouse.Table[DeliveryRow]{
	Name: "deliveries",
	Columns: []clickhouse.Column[DeliveryRow]{
		{Name: "partition", Type: "UInt32", Value: func(r *DeliveryRow) any { return r.Partition }},
		{Name: "position", Type: "UInt64", Value: func(r *DeliveryRow) any { return r.Address.Position }},
		{Name: "ordinal", Type: "UInt32", Value: func(r *DeliveryRow) any { return r.Ordinal }},
		{Name: "recorded_at", Type: instant, Value: func(r *DeliveryRow) any { return at(r.RecordedAt) }},
		{Name: "tenant", Type: word, Value: func(r *DeliveryRow) any { return r.Tenant }},
		{Name: "source", Type: word, Value: func(r *DeliveryRow) any { return r.Source }},
		{Name: "received_at", Type: instant, Value: func(r *DeliveryRow) any { return at(r.ReceivedAt) }},
		{Name: "kind", Type: word, Value: func(r *DeliveryRow) any { return r.Kind.String() }},
		{Name: "path", Type: word, Value: func(r *DeliveryRow) any { return r.Path }},
		{Name: "reason", Type: "String", Value: func(r *DeliveryRow) any { return r.Reason }},
		{Name: "body", Type: "String", Value: func(r *DeliveryRow) any { return r.Body }},
		{Name: "alerts", Type: "UInt32", Value: func(r *DeliveryRow) any { return r.Alerts }},
		{Name: "changes", Type: "UInt32", Value: func(r *DeliveryRow) any { return r.Changes }},
		{Name: "dead_letters", Type: "UInt32", Value: func(r *DeliveryRow) any { return r.DeadLetters }},
		{Name: "truncated", Type: "UInt32", Value: func(r *DeliveryRow) any { return r.Truncated }},
	},
}

// Events declares the table events: alerts seen.
var Events = clickhouse.Table[AlertRow]{
	Name: "events",
	Columns: []clickhouse.Column[AlertRow]{
		{Name: "partition", Type: "UInt32", Value: func(r *AlertRow) any { return r.Partition }},
		{Name: "position", Type: "UInt64", Value: func(r *AlertRow) any { return r.Position }},
		{Name: "ordinal", Type: "UInt32", Value: func(r *AlertRow) any { return r.Ordinal }},
		{Name: "recorded_at", Type: instant, Value: func(r *AlertRow) any { return at(r.RecordedAt) }},
		{Name: "tenant", Type: word, Value: func(r *AlertRow) any { return r.Tenant }},
		{Name: "source", Type: word, Value: func(r *AlertRow) any { return r.Source }},
		{Name: "received_at", Type: instant, Value: func(r *AlertRow) any { return at(r.ReceivedAt) }},
		{Name: "fingerprint", Type: "String", Value: func(r *AlertRow) any { return r.Fingerprint }},
		{Name: "status", Type: word, Value: func(r *AlertRow) any { return status(r.Resolved) }},
		{Name: "alertname", Type: word, Value: func(r *AlertRow) any { return r.Labels.Get("alertname") }},
		{Name: "starts_at", Type: instant, Value: func(r *AlertRow) any { return at(r.StartsAt) }},
		{Name: "ends_at", Type: instant, Value: func(r *AlertRow) any { return at(r.EndsAt) }},
		{Name: "labels", Type: labels, Value: func(r *AlertRow) any { return r.Labels.Map() }},
		{Name: "annotations", Type: labels, Value: func(r *AlertRow) any { return r.Annotations.Map() }},
		{Name: "generator_url", Type: "String", Value: func(r *AlertRow) any { return r.GeneratorURL }},
		{Name: "receiver", Type: word, Value: func(r *AlertRow) any { return r.Receiver }},
		{Name: "group_key", Type: "String", Value: func(r *AlertRow) any { return r.GroupKey }},
	},
}

// Changes declares the table changes.
var Changes = clickhouse.Table[ChangeRow]{
	Name: "changes",
	Columns: []clickhouse.Column[ChangeRow]{
		{Name: "partition", Type: "UInt32", Value: func(r *ChangeRow) any { return r.Partition }},
		{Name: "position", Type: "UInt64", Value: func(r *ChangeRow) any { return r.Position }},
		{Name: "ordinal", Type: "UInt32", Value: func(r *ChangeRow) any { return r.Ordinal }},
		{Name: "recorded_at", Type: instant, Value: func(r *ChangeRow) any { return at(r.RecordedAt) }},
		{Name: "tenant", Type: word, Value: func(r *ChangeRow) any { return r.Tenant }},
		{Name: "source", Type: word, Value: func(r *ChangeRow) any { return r.Source }},
		{Name: "received_at", Type: instant, Value: func(r *ChangeRow) any { return at(r.ReceivedAt) }},
		{Name: "id", Type: "String", Value: func(r *ChangeRow) any { return r.ID }},
		{Name: "kind", Type: word, Value: func(r *ChangeRow) any { return r.Kind }},
		{Name: "service", Type: word, Value: func(r *ChangeRow) any { return r.Service }},
		{Name: "started_at", Type: instant, Value: func(r *ChangeRow) any { return at(r.StartedAt) }},
		{Name: "finished_at", Type: instant, Value: func(r *ChangeRow) any { return at(r.FinishedAt) }},
		{Name: "outcome", Type: word, Value: func(r *ChangeRow) any { return r.Outcome }},
		{Name: "version", Type: "String", Value: func(r *ChangeRow) any { return r.Change.Version }},
		{Name: "author", Type: "String", Value: func(r *ChangeRow) any { return r.Author }},
		{Name: "title", Type: "String", Value: func(r *ChangeRow) any { return r.Title }},
		{Name: "url", Type: "String", Value: func(r *ChangeRow) any { return r.URL }},
	},
}

// DeadLetters declares the table dead_letters.
var DeadLetters = clickhouse.Table[DeadLetterRow]{
	Name: "dead_letters",
	Columns: []clickhouse.Column[DeadLetterRow]{
		{Name: "partition", Type: "UInt32", Value: func(r *DeadLetterRow) any { return r.Partition }},
		{Name: "position", Type: "UInt64", Value: func(r *DeadLetterRow) any { return r.Position }},
		{Name: "ordinal", Type: "UInt32", Value: func(r *DeadLetterRow) any { return r.Ordinal }},
		{Name: "recorded_at", Type: instant, Value: func(r *DeadLetterRow) any { return at(r.RecordedAt) }},
		{Name: "tenant", Type: word, Value: func(r *DeadLetterRow) any { return r.Tenant }},
		{Name: "source", Type: word, Value: func(r *DeadLetterRow) any { return r.Source }},
		{Name: "path", Type: word, Value: func(r *DeadLetterRow) any { return r.Path }},
		{Name: "received_at", Type: instant, Value: func(r *DeadLetterRow) any { return at(r.ReceivedAt) }},
		{Name: "reason", Type: "String", Value: func(r *DeadLetterRow) any { return r.Reason }},
		{Name: "body", Type: "String", Value: func(r *DeadLetterRow) any { return r.Body }},
	},
}

// at is the instant as the client wants it: none is the beginning of 1970.
func at(m ingest.Millis) time.Time { return time.UnixMilli(int64(m)).UTC() }

func status(resolved bool) string {
	if resolved {
		return "resolved"
	}
	return "firing"
}
