package partition

import "github.com/prometheus/client_golang/prometheus"

// metrics are what a partition shows of itself.
type metrics struct {
	folded, stored, lag, halted prometheus.Gauge
	foldSeconds, storeSeconds   prometheus.Histogram
	rows, storeFailures, panics prometheus.Counter
	dead                        prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		folded: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "evenkeel_partition_fold_position", Help: "Position of the newest record that is folded.",
		}),
		stored: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "evenkeel_partition_stored_position", Help: "Position up to which every row is in ClickHouse.",
		}),
		lag: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "evenkeel_partition_fold_lag_seconds", Help: "Age of the newest fold time that is stored: how old the answers of pages and API are.",
		}),
		foldSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "evenkeel_partition_fold_seconds", Help: "Time to fold one record.",
			Buckets: prometheus.ExponentialBuckets(0.00001, 10, 7),
		}),
		storeSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "evenkeel_partition_store_seconds", Help: "Time to store one batch.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 8),
		}),
		rows: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "evenkeel_partition_stored_rows_total", Help: "Rows stored.",
		}),
		storeFailures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "evenkeel_partition_store_failures_total", Help: "Failed tries to store a batch. Each is tried again.",
		}),
		halted: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "evenkeel_partition_fold_halted", Help: "1 where nothing is folded any more because the fold fails; the log and /-/ready say why.",
		}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "evenkeel_partition_fold_panics_total", Help: "Records at which the fold failed. Each is kept among the dead letters, or the fold is halted.",
		}),
	}
	m.dead = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "evenkeel_partition_dead_letters_total", Help: "Dead letters of the fold, whatever way they came: not understood, refused, or one alert too many.",
	})
	reg.MustRegister(m.dead, m.folded, m.stored, m.lag, m.halted, m.foldSeconds, m.storeSeconds, m.rows, m.storeFailures, m.panics)
	return m
}
