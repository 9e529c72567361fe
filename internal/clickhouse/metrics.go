package clickhouse

import "github.com/prometheus/client_golang/prometheus"

// writerMetrics are a writer's.
type writerMetrics struct {
	rows       *prometheus.CounterVec
	failures   prometheus.Counter
	recoveries prometheus.Counter
	seconds    prometheus.Histogram
}

func newWriterMetrics(r prometheus.Registerer) (*writerMetrics, error) {
	m := &writerMetrics{
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "evenkeel_clickhouse_inserted_rows_total",
			Help: "Rows that were inserted, by table.",
		}, []string{"table"}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "evenkeel_clickhouse_insert_failures_total",
			Help: "Inserts that failed because ClickHouse was away, and were tried again.",
		}),
		recoveries: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "evenkeel_clickhouse_recoveries_total",
			Help: "How often an insert's outcome was unknown and its rows were read back.",
		}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "evenkeel_clickhouse_insert_duration_seconds",
			Help:    "How long the inserts that succeeded took, each into one table.",
			Buckets: prometheus.ExponentialBuckets(0.002, 2.5, 10),
		}),
	}
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.rows, m.failures, m.recoveries, m.seconds} {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}
