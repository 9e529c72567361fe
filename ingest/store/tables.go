package store

import (
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
)

// Deliveries declares the table deliveries.
var Deliveries = clickhouse.Table[DeliveryRow]{
	Name:    "deliveries",
	Address: func(r *DeliveryRow) clickhouse.Address { return clickhouse.Address(r.Address) },
	Bytes:   func(r *DeliveryRow) int { return len(r.Body) },
	Columns: []clickhouse.Column[DeliveryRow]{
		clickhouse.Instant("recorded_at", func(r *DeliveryRow) ingest.Millis { return r.RecordedAt }),
		clickhouse.Word("tenant", func(r *DeliveryRow) string { return r.Tenant }),
		clickhouse.Word("source", func(r *DeliveryRow) string { return r.Source }),
		clickhouse.Instant("received_at", func(r *DeliveryRow) ingest.Millis { return r.ReceivedAt }),
		clickhouse.Word("kind", func(r *DeliveryRow) string { return r.Kind.String() }),
		clickhouse.Word("path", func(r *DeliveryRow) string { return r.Path }),
		clickhouse.Text("reason", func(r *DeliveryRow) string { return r.Reason }),
		clickhouse.Bool("copy", func(r *DeliveryRow) bool { return r.Copy }),
		clickhouse.Text("route", func(r *DeliveryRow) string { return routeText(r.Route) }),
		clickhouse.Word("stream", func(r *DeliveryRow) string { return origin(r).Stream }),
		clickhouse.Word("topic", func(r *DeliveryRow) string { return origin(r).Topic }),
		clickhouse.Uint32("stream_partition", func(r *DeliveryRow) uint32 { return uint32(origin(r).Partition) }),
		clickhouse.Int64("stream_offset", func(r *DeliveryRow) int64 { return origin(r).Offset }),
		clickhouse.Instant("written_at", func(r *DeliveryRow) ingest.Millis { return origin(r).At }),
		clickhouse.Text("body", func(r *DeliveryRow) []byte { return r.Body }),
		clickhouse.Uint32("alerts", func(r *DeliveryRow) uint32 { return r.Alerts }),
		clickhouse.Uint32("repeats", func(r *DeliveryRow) uint32 { return r.Repeats }),
		clickhouse.Uint32("changes", func(r *DeliveryRow) uint32 { return r.Changes }),
		clickhouse.Uint32("others", func(r *DeliveryRow) uint32 { return r.Others }),
		clickhouse.Uint32("dead_letters", func(r *DeliveryRow) uint32 { return r.DeadLetters }),
		clickhouse.Uint32("truncated", func(r *DeliveryRow) uint32 { return r.Truncated }),
	},
}

// Events declares the table events: what alerts said that was new.
var Events = clickhouse.Table[AlertRow]{
	Name:    "events",
	Address: func(r *AlertRow) clickhouse.Address { return clickhouse.Address(r.Address) },
	Bytes:   func(r *AlertRow) int { return r.Labels.Bytes() + r.Annotations.Bytes() },
	Columns: []clickhouse.Column[AlertRow]{
		clickhouse.Instant("recorded_at", func(r *AlertRow) ingest.Millis { return r.RecordedAt }),
		clickhouse.Word("tenant", func(r *AlertRow) string { return r.Tenant }),
		clickhouse.Word("source", func(r *AlertRow) string { return r.Source }),
		clickhouse.Instant("received_at", func(r *AlertRow) ingest.Millis { return r.ReceivedAt }),
		clickhouse.Text("fingerprint", func(r *AlertRow) string { return r.Fingerprint }),
		clickhouse.Word("status", func(r *AlertRow) string { return status(r.Resolved) }),
		clickhouse.Bool("unknown", func(r *AlertRow) bool { return r.Unknown }),
		clickhouse.Word("alertname", func(r *AlertRow) string { return r.Labels.Get("alertname") }),
		clickhouse.Instant("starts_at", func(r *AlertRow) ingest.Millis { return r.StartsAt }),
		clickhouse.Instant("ends_at", func(r *AlertRow) ingest.Millis { return r.EndsAt }),
		clickhouse.Bool("by_timeout", func(r *AlertRow) bool { return r.EndsByTimeout }),
		clickhouse.Labels("labels", func(r *AlertRow) ingest.Labels { return r.Labels }),
		clickhouse.Labels("annotations", func(r *AlertRow) ingest.Labels { return r.Annotations }),
		clickhouse.Text("generator_url", func(r *AlertRow) string { return r.GeneratorURL }),
		clickhouse.Word("receiver", func(r *AlertRow) string { return r.Receiver }),
		clickhouse.Text("group_key", func(r *AlertRow) string { return r.GroupKey }),
	},
}

// Changes declares the table changes.
var Changes = clickhouse.Table[ChangeRow]{
	Name:    "changes",
	Address: func(r *ChangeRow) clickhouse.Address { return clickhouse.Address(r.Address) },
	Columns: []clickhouse.Column[ChangeRow]{
		clickhouse.Instant("recorded_at", func(r *ChangeRow) ingest.Millis { return r.RecordedAt }),
		clickhouse.Word("tenant", func(r *ChangeRow) string { return r.Tenant }),
		clickhouse.Word("source", func(r *ChangeRow) string { return r.Source }),
		clickhouse.Instant("received_at", func(r *ChangeRow) ingest.Millis { return r.ReceivedAt }),
		clickhouse.Text("id", func(r *ChangeRow) string { return r.ID }),
		clickhouse.Word("kind", func(r *ChangeRow) string { return r.Kind }),
		clickhouse.Word("service", func(r *ChangeRow) string { return r.Service }),
		clickhouse.Instant("started_at", func(r *ChangeRow) ingest.Millis { return r.StartedAt }),
		clickhouse.Instant("finished_at", func(r *ChangeRow) ingest.Millis { return r.FinishedAt }),
		clickhouse.Word("outcome", func(r *ChangeRow) string { return r.Outcome }),
		clickhouse.Text("version", func(r *ChangeRow) string { return r.Change.Version }),
		clickhouse.Text("author", func(r *ChangeRow) string { return r.Author }),
		clickhouse.Text("title", func(r *ChangeRow) string { return r.Title }),
		clickhouse.Text("url", func(r *ChangeRow) string { return r.URL }),
	},
}

// DeadLetters declares the table dead_letters.
var DeadLetters = clickhouse.Table[DeadLetterRow]{
	Name:    "dead_letters",
	Address: func(r *DeadLetterRow) clickhouse.Address { return clickhouse.Address(r.Address) },
	Bytes:   func(r *DeadLetterRow) int { return len(r.Body) },
	Columns: []clickhouse.Column[DeadLetterRow]{
		clickhouse.Instant("recorded_at", func(r *DeadLetterRow) ingest.Millis { return r.RecordedAt }),
		clickhouse.Word("tenant", func(r *DeadLetterRow) string { return r.Tenant }),
		clickhouse.Word("source", func(r *DeadLetterRow) string { return r.Source }),
		clickhouse.Word("path", func(r *DeadLetterRow) string { return r.Path }),
		clickhouse.Instant("received_at", func(r *DeadLetterRow) ingest.Millis { return r.ReceivedAt }),
		clickhouse.Text("reason", func(r *DeadLetterRow) string { return r.Reason }),
		clickhouse.Text("body", func(r *DeadLetterRow) []byte { return r.Body }),
	},
}

func status(resolved bool) string {
	if resolved {
		return "resolved"
	}
	return "firing"
}

// origin is where in a stream the delivery came from; the zero Origin where it is of none.
func origin(r *DeliveryRow) ingest.Origin {
	if r.Origin == nil {
		return ingest.Origin{}
	}
	return *r.Origin
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
