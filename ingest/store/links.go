package store

import (
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
)

// LinkRow is what a delivery said of how alerts belong together.
type LinkRow struct {
	ingest.Address
	RecordedAt ingest.Millis
	Tenant     string
	Source     string
	ReceivedAt ingest.Millis
	ingest.Link
}

// Links declares the table links.
var Links = clickhouse.Table[LinkRow]{
	Name: "links",
	Columns: []clickhouse.Column[LinkRow]{
		{Name: "partition", Type: "UInt32", Value: func(r *LinkRow) any { return r.Partition }},
		{Name: "position", Type: "UInt64", Value: func(r *LinkRow) any { return r.Position }},
		{Name: "ordinal", Type: "UInt32", Value: func(r *LinkRow) any { return r.Ordinal }},
		{Name: "recorded_at", Type: clickhouse.Instant, Value: func(r *LinkRow) any { return r.RecordedAt }},
		{Name: "tenant", Type: clickhouse.Word, Value: func(r *LinkRow) any { return r.Tenant }},
		{Name: "source", Type: clickhouse.Word, Value: func(r *LinkRow) any { return r.Source }},
		{Name: "received_at", Type: clickhouse.Instant, Value: func(r *LinkRow) any { return r.ReceivedAt }},
		{Name: "kind", Type: clickhouse.Word, Value: func(r *LinkRow) any { return r.Kind }},
		{Name: "at", Type: clickhouse.Instant, Value: func(r *LinkRow) any { return r.At }},
		{Name: "alerts", Type: "Array(String)", Value: func(r *LinkRow) any { return r.Alerts }},
		{Name: "causes", Type: "Array(String)", Value: func(r *LinkRow) any { return r.Causes }},
		{Name: "rule", Type: clickhouse.Word, Value: func(r *LinkRow) any { return r.Rule }},
		{Name: "receiver", Type: clickhouse.Word, Value: func(r *LinkRow) any { return r.Receiver }},
		{Name: "group_key", Type: "String", Value: func(r *LinkRow) any { return r.GroupKey }},
		{Name: "silence", Type: "String", Value: func(r *LinkRow) any { return r.Silence.ID }},
		{Name: "silence_from", Type: clickhouse.Instant, Value: func(r *LinkRow) any { return r.Silence.From }},
		{Name: "silence_to", Type: clickhouse.Instant, Value: func(r *LinkRow) any { return r.Silence.To }},
		{Name: "author", Type: clickhouse.Word, Value: func(r *LinkRow) any { return r.Silence.Author }},
		{Name: "comment", Type: "String", Value: func(r *LinkRow) any { return r.Silence.Comment }},
		{Name: "matchers", Type: "Array(String)", Value: func(r *LinkRow) any { return r.Silence.Matchers }},
	},
}
