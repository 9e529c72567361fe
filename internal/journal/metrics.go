package journal

import (
	"math"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the journal's own: evenkeel_journal_*.
type metrics struct {
	registered Registered

	records  prometheus.Counter
	lost     prometheus.Counter
	cut      prometheus.Gauge
	failures *prometheus.CounterVec
	fsync    prometheus.Histogram
	group    prometheus.Histogram
	growth   growth
}

func newMetrics(reg prometheus.Registerer, j *Local) (*metrics, error) {
	m := &metrics{
		records: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "evenkeel_journal_records_total", Help: "Records made durable.",
		}),
		lost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "evenkeel_journal_lost_records_total", Help: "Records that the disk did not keep, each counted once since the start.",
		}),
		cut: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "evenkeel_journal_cut_bytes", Help: "Bytes taken off the end at the start: what a crash left half-written, never acknowledged.",
		}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "evenkeel_journal_append_failures_total", Help: "Appends that were not acknowledged, by reason.",
		}, []string{"reason"}),
		fsync: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "evenkeel_journal_write_duration_seconds", Help: "Time to write and fsync one group of records.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 2, 16),
		}),
		group: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "evenkeel_journal_group_records", Help: "Records that shared one fsync.",
			Buckets: prometheus.ExponentialBuckets(1, 4, 8),
		}),
	}
	ShowFailures(m.failures)
	var err error
	m.registered, err = Register(reg, append([]prometheus.Collector{m.records, m.lost, m.cut, m.failures, m.fsync, m.group}, m.gauges(j)...)...)
	return m, err
}

func (m *metrics) gauges(j *Local) []prometheus.Collector {
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
	}
	return []prometheus.Collector{
		gauge("evenkeel_journal_bytes", "Bytes of the journal on disk.",
			func() float64 { return float64(j.Usage().Bytes) }),
		gauge("evenkeel_journal_max_bytes", "Bytes that the journal may use.",
			func() float64 { return float64(j.opts.MaxBytes) }),
		gauge("evenkeel_journal_healthy", "1 while the journal can take deliveries, 0 while it is full, failing or hanging.",
			func() float64 {
				if j.Health() != nil {
					return 0
				}
				return 1
			}),
		gauge("evenkeel_journal_first_position", "Oldest position that is kept.",
			func() float64 { return float64(j.First()) }),
		gauge("evenkeel_journal_last_position", "Newest position; one less than the first while the journal is empty.",
			func() float64 { return float64(j.Last()) }),
		gauge("evenkeel_journal_full_seconds",
			"Time until the journal or its disk is full if what came in the last ten minutes goes on and nothing is trimmed; +Inf when nothing came.",
			func() float64 { return j.untilFull(time.Now()) }),
	}
}

func (m *metrics) synced(took time.Duration, w *write) {
	m.fsync.Observe(took.Seconds())
	m.group.Observe(float64(w.records))
	m.records.Add(float64(w.records))
	m.growth.add(time.Now(), w.size)
}

func (m *metrics) failure(err error) {
	m.failures.WithLabelValues(FailureReason(err)).Inc()
}

// untilFull estimates in seconds.
func (j *Local) untilFull(now time.Time) float64 {
	u := j.Usage()
	left := max(0, u.MaxBytes-reserve(u.MaxBytes)-u.Bytes)
	if free, err := j.disk.Free(); err == nil {
		left = min(left, free)
	}
	rate := j.m.growth.rate(now)
	if rate == 0 {
		return math.Inf(1)
	}
	return float64(left) / rate
}

// growth counts the bytes of the last ten minutes, minute by minute.
type growth struct {
	mu      sync.Mutex
	minutes [10]struct{ minute, bytes int64 }
	since   time.Time
}

func (g *growth) add(now time.Time, bytes int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.since.IsZero() {
		g.since = now
	}
	minute := now.Unix() / 60
	slot := &g.minutes[minute%int64(len(g.minutes))]
	if slot.minute != minute {
		slot.minute, slot.bytes = minute, 0
	}
	slot.bytes += bytes
}

// rate returns bytes a second over the time that was watched, at least a minute of it.
func (g *growth) rate(now time.Time) float64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	minute := now.Unix() / 60
	var bytes int64
	for _, slot := range g.minutes {
		if minute-slot.minute < int64(len(g.minutes)) {
			bytes += slot.bytes
		}
	}
	watched := min(max(now.Sub(g.since), time.Minute), time.Duration(len(g.minutes))*time.Minute)
	return float64(bytes) / watched.Seconds()
}
