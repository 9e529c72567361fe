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
	Name:    "links",
	Address: func(r *LinkRow) clickhouse.Address { return clickhouse.Address(r.Address) },
	Columns: []clickhouse.Column[LinkRow]{
		clickhouse.Instant("recorded_at", func(r *LinkRow) ingest.Millis { return r.RecordedAt }),
		clickhouse.Word("tenant", func(r *LinkRow) string { return r.Tenant }),
		clickhouse.Word("source", func(r *LinkRow) string { return r.Source }),
		clickhouse.Instant("received_at", func(r *LinkRow) ingest.Millis { return r.ReceivedAt }),
		clickhouse.Word("kind", func(r *LinkRow) ingest.LinkKind { return r.Kind }),
		clickhouse.Instant("at", func(r *LinkRow) ingest.Millis { return r.At }),
		clickhouse.Texts("alerts", func(r *LinkRow) []string { return r.Alerts }),
		clickhouse.Texts("causes", func(r *LinkRow) []string { return r.Causes }),
		clickhouse.Word("rule", func(r *LinkRow) string { return r.Rule }),
		clickhouse.Word("receiver", func(r *LinkRow) string { return r.Receiver }),
		clickhouse.Text("group_key", func(r *LinkRow) string { return r.GroupKey }),
		clickhouse.Text("silence", func(r *LinkRow) string { return r.Silence.ID }),
		clickhouse.Instant("silence_from", func(r *LinkRow) ingest.Millis { return r.Silence.From }),
		clickhouse.Instant("silence_to", func(r *LinkRow) ingest.Millis { return r.Silence.To }),
		clickhouse.Word("author", func(r *LinkRow) string { return r.Silence.Author }),
		clickhouse.Text("comment", func(r *LinkRow) string { return r.Silence.Comment }),
		clickhouse.Texts("matchers", func(r *LinkRow) []string { return r.Silence.Matchers }),
	},
}
