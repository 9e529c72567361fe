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
	Name: "samples",
	Columns: []clickhouse.Column[SampleRow]{
		{Name: "partition", Type: "UInt32", Value: func(r *SampleRow) any { return r.Partition }},
		{Name: "position", Type: "UInt64", Value: func(r *SampleRow) any { return r.Position }},
		{Name: "ordinal", Type: "UInt32", Value: func(r *SampleRow) any { return r.Ordinal }},
		{Name: "recorded_at", Type: clickhouse.Instant, Value: func(r *SampleRow) any { return r.RecordedAt }},
		{Name: "tenant", Type: clickhouse.Word, Value: func(r *SampleRow) any { return r.Tenant }},
		{Name: "source", Type: clickhouse.Word, Value: func(r *SampleRow) any { return r.Source }},
		{Name: "received_at", Type: clickhouse.Instant, Value: func(r *SampleRow) any { return r.ReceivedAt }},
		{Name: "service", Type: clickhouse.Word, Value: func(r *SampleRow) any { return r.Service }},
		{Name: "sli", Type: clickhouse.Word, Value: func(r *SampleRow) any { return r.SLI }},
		{Name: "at", Type: clickhouse.Instant, Value: func(r *SampleRow) any { return r.At }},
		{Name: "good_milli", Type: "Int64", Value: func(r *SampleRow) any { return r.Good }},
		{Name: "total_milli", Type: "Int64", Value: func(r *SampleRow) any { return r.Total }},
	},
}
