package store

import (
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
)

// Deliveries declares the table deliveries.
var Deliveries = clickhouse.Table[DeliveryRow]{
	Name: "deliveries",
	Columns: []clickhouse.Column[DeliveryRow]{
		{Name: "partition", Type: "UInt32", Value: func(r *DeliveryRow) any { return r.Partition }},
		{Name: "position", Type: "UInt64", Value: func(r *DeliveryRow) any { return r.Address.Position }},
		{Name: "ordinal", Type: "UInt32", Value: func(r *DeliveryRow) any { return r.Ordinal }},
		{Name: "recorded_at", Type: clickhouse.Instant, Value: func(r *DeliveryRow) any { return r.RecordedAt }},
		{Name: "tenant", Type: clickhouse.Word, Value: func(r *DeliveryRow) any { return r.Tenant }},
		{Name: "source", Type: clickhouse.Word, Value: func(r *DeliveryRow) any { return r.Source }},
		{Name: "received_at", Type: clickhouse.Instant, Value: func(r *DeliveryRow) any { return r.ReceivedAt }},
		{Name: "kind", Type: clickhouse.Word, Value: func(r *DeliveryRow) any { return r.Kind.String() }},
		{Name: "path", Type: clickhouse.Word, Value: func(r *DeliveryRow) any { return r.Path }},
		{Name: "reason", Type: "String", Value: func(r *DeliveryRow) any { return r.Reason }},
		{Name: "copy", Type: "Bool", Value: func(r *DeliveryRow) any { return r.Copy }},
		{Name: "route", Type: "String", Value: func(r *DeliveryRow) any { return routeText(r.Route) }},
		{Name: "body", Type: "String", Value: func(r *DeliveryRow) any { return r.Body }},
		{Name: "alerts", Type: "UInt32", Value: func(r *DeliveryRow) any { return r.Alerts }},
		{Name: "repeats", Type: "UInt32", Value: func(r *DeliveryRow) any { return r.Repeats }},
		{Name: "changes", Type: "UInt32", Value: func(r *DeliveryRow) any { return r.Changes }},
		{Name: "others", Type: "UInt32", Value: func(r *DeliveryRow) any { return r.Others }},
		{Name: "dead_letters", Type: "UInt32", Value: func(r *DeliveryRow) any { return r.DeadLetters }},
		{Name: "truncated", Type: "UInt32", Value: func(r *DeliveryRow) any { return r.Truncated }},
	},
}

// Events declares the table events: what alerts said that was new.
var Events = clickhouse.Table[AlertRow]{
	Name: "events",
	Columns: []clickhouse.Column[AlertRow]{
		{Name: "partition", Type: "UInt32", Value: func(r *AlertRow) any { return r.Partition }},
		{Name: "position", Type: "UInt64", Value: func(r *AlertRow) any { return r.Position }},
		{Name: "ordinal", Type: "UInt32", Value: func(r *AlertRow) any { return r.Ordinal }},
		{Name: "recorded_at", Type: clickhouse.Instant, Value: func(r *AlertRow) any { return r.RecordedAt }},
		{Name: "tenant", Type: clickhouse.Word, Value: func(r *AlertRow) any { return r.Tenant }},
		{Name: "source", Type: clickhouse.Word, Value: func(r *AlertRow) any { return r.Source }},
		{Name: "received_at", Type: clickhouse.Instant, Value: func(r *AlertRow) any { return r.ReceivedAt }},
		{Name: "fingerprint", Type: "String", Value: func(r *AlertRow) any { return r.Fingerprint }},
		{Name: "status", Type: clickhouse.Word, Value: func(r *AlertRow) any { return status(r.Resolved) }},
		{Name: "unknown", Type: "Bool", Value: func(r *AlertRow) any { return r.Unknown }},
		{Name: "alertname", Type: clickhouse.Word, Value: func(r *AlertRow) any { return r.Labels.Get("alertname") }},
		{Name: "starts_at", Type: clickhouse.Instant, Value: func(r *AlertRow) any { return r.StartsAt }},
		{Name: "ends_at", Type: clickhouse.Instant, Value: func(r *AlertRow) any { return r.EndsAt }},
		{Name: "by_timeout", Type: "Bool", Value: func(r *AlertRow) any { return r.EndsByTimeout }},
		{Name: "labels", Type: clickhouse.Labels, Value: func(r *AlertRow) any { return r.Labels }},
		{Name: "annotations", Type: clickhouse.Labels, Value: func(r *AlertRow) any { return r.Annotations }},
		{Name: "generator_url", Type: "String", Value: func(r *AlertRow) any { return r.GeneratorURL }},
		{Name: "receiver", Type: clickhouse.Word, Value: func(r *AlertRow) any { return r.Receiver }},
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
		{Name: "recorded_at", Type: clickhouse.Instant, Value: func(r *ChangeRow) any { return r.RecordedAt }},
		{Name: "tenant", Type: clickhouse.Word, Value: func(r *ChangeRow) any { return r.Tenant }},
		{Name: "source", Type: clickhouse.Word, Value: func(r *ChangeRow) any { return r.Source }},
		{Name: "received_at", Type: clickhouse.Instant, Value: func(r *ChangeRow) any { return r.ReceivedAt }},
		{Name: "id", Type: "String", Value: func(r *ChangeRow) any { return r.ID }},
		{Name: "kind", Type: clickhouse.Word, Value: func(r *ChangeRow) any { return r.Kind }},
		{Name: "service", Type: clickhouse.Word, Value: func(r *ChangeRow) any { return r.Service }},
		{Name: "started_at", Type: clickhouse.Instant, Value: func(r *ChangeRow) any { return r.StartedAt }},
		{Name: "finished_at", Type: clickhouse.Instant, Value: func(r *ChangeRow) any { return r.FinishedAt }},
		{Name: "outcome", Type: clickhouse.Word, Value: func(r *ChangeRow) any { return r.Outcome }},
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
		{Name: "recorded_at", Type: clickhouse.Instant, Value: func(r *DeadLetterRow) any { return r.RecordedAt }},
		{Name: "tenant", Type: clickhouse.Word, Value: func(r *DeadLetterRow) any { return r.Tenant }},
		{Name: "source", Type: clickhouse.Word, Value: func(r *DeadLetterRow) any { return r.Source }},
		{Name: "path", Type: clickhouse.Word, Value: func(r *DeadLetterRow) any { return r.Path }},
		{Name: "received_at", Type: clickhouse.Instant, Value: func(r *DeadLetterRow) any { return r.ReceivedAt }},
		{Name: "reason", Type: "String", Value: func(r *DeadLetterRow) any { return r.Reason }},
		{Name: "body", Type: "String", Value: func(r *DeadLetterRow) any { return r.Body }},
	},
}

func status(resolved bool) string {
	if resolved {
		return "resolved"
	}
	return "firing"
}

// routeText is a record's route as it stands in its row, "" where it has none.
func routeText(r *ingest.Route) string {
	if r == nil {
		return ""
	}
	text, err := r.MarshalText()
	if err != nil {
		return "" // no journal gives a route that breaks its rules
	}
	return string(text)
}
