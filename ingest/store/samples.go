package store

import (
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
)

// SampleRow is one sample as a delivery told it. One that is told again is another row; the
// newest of a source, service, SLI and instant counts.
type SampleRow struct {
	ingest.Address
	RecordedAt ingest.Millis
	Tenant     string
	Source     string
	ReceivedAt ingest.Millis
	ingest.Sample
}

// Samples declares the table samples.
var Samples = clickhouse.Table[SampleRow]{
	Name:    "samples",
	Address: func(r *SampleRow) clickhouse.Address { return clickhouse.Address(r.Address) },
	Columns: []clickhouse.Column[SampleRow]{
		clickhouse.Instant("recorded_at", func(r *SampleRow) ingest.Millis { return r.RecordedAt }),
		clickhouse.Word("tenant", func(r *SampleRow) string { return r.Tenant }),
		clickhouse.Word("source", func(r *SampleRow) string { return r.Source }),
		clickhouse.Instant("received_at", func(r *SampleRow) ingest.Millis { return r.ReceivedAt }),
		clickhouse.Word("service", func(r *SampleRow) string { return r.Service }),
		clickhouse.Word("sli", func(r *SampleRow) string { return r.SLI }),
		clickhouse.Instant("at", func(r *SampleRow) ingest.Millis { return r.At }),
		clickhouse.Int64("good_milli", func(r *SampleRow) ingest.Count { return r.Good }),
		clickhouse.Int64("total_milli", func(r *SampleRow) ingest.Count { return r.Total }),
	},
}
