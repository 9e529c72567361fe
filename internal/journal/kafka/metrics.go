package kafka

import (
	"math"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/evenkeel/evenkeel/internal/journal"
)

// metrics are the journal's own. Those that the local journal has too bear the same name; what
// belongs to one partition has the label partition.
type metrics struct {
	registered journal.Registered

	records, lost, failedWrites prometheus.Counter
	failures                    *prometheus.CounterVec
	write, group                prometheus.Histogram
	skew                        prometheus.Gauge
	assigned, generations       prometheus.Gauge
	fenced                      prometheus.Counter
}

func newMetrics(reg prometheus.Registerer, c *Cluster) (*metrics, error) {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	m := &metrics{
		records:      counter("evenkeel_journal_records_total", "Records that this replica made durable, each copy for a partition counted."),
		lost:         counter("evenkeel_journal_lost_records_total", "Offsets of the journal's topic that were read and held no record."),
		failedWrites: counter("evenkeel_journal_write_failures_total", "Batches that the brokers did not acknowledge. They are sent again while someone waits for them."),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "evenkeel_journal_append_failures_total", Help: "Appends that were not acknowledged, by reason.",
		}, []string{"reason"}),
		write: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "evenkeel_journal_write_duration_seconds", Help: "Time until the brokers acknowledged one group of records.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 15),
		}),
		group: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "evenkeel_journal_group_records", Help: "Records that were acknowledged together.",
			Buckets: prometheus.ExponentialBuckets(1, 4, 8),
		}),
		skew: gauge("evenkeel_journal_clock_skew_seconds",
			"How far this replica's clock is ahead of the broker's that took the last batch; its way there is part of it. received_at is this replica's."),
		assigned:    gauge("evenkeel_journal_assigned_partitions", "Partitions that this replica folds."),
		generations: gauge("evenkeel_journal_group_generation", "Generation of the consumer group, one more at each rebalance."),
		fenced:      counter("evenkeel_journal_fenced_total", "Times that this replica found that another one has taken over a partition from it."),
	}
	journal.ShowFailures(m.failures)
	var err error
	m.registered, err = journal.Register(reg, append([]prometheus.Collector{
		m.records, m.lost, m.failedWrites, m.failures, m.write, m.group, m.skew, m.assigned, m.generations, m.fenced,
	}, partitionGauges(c)...)...)
	return m, err
}

func partitionGauges(c *Cluster) []prometheus.Collector {
	var all []prometheus.Collector
	for _, p := range c.partitions {
		gauge := func(name, help string, value func() float64) {
			all = append(all, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Name: name, Help: help, ConstLabels: prometheus.Labels{"partition": strconv.Itoa(int(p.id))},
			}, value))
		}
		gauge("evenkeel_journal_bytes", "Bytes of the journal on the leader's disk.",
			func() float64 { return float64(p.Usage().Bytes) })
		gauge("evenkeel_journal_max_bytes", "Bytes that the journal may use.",
			func() float64 { return float64(p.maxBytes()) })
		gauge("evenkeel_journal_first_position", "Oldest position that is kept.",
			func() float64 { return float64(p.First()) })
		gauge("evenkeel_journal_last_position", "Newest position; one less than the first while the journal is empty.",
			func() float64 { return float64(p.Last()) })
		gauge("evenkeel_journal_full_seconds",
			"Time until the journal is full if what came in the last ten minutes goes on and nothing is trimmed; +Inf when nothing came.",
			p.untilFull)
	}
	return all
}

func (m *metrics) wrote(took time.Duration, records int) {
	m.write.Observe(took.Seconds())
	m.group.Observe(float64(records))
	m.records.Add(float64(records))
}

func (m *metrics) failure(err error) {
	m.failures.WithLabelValues(journal.FailureReason(err)).Inc()
}

// compareClocks notes how far ours is ahead of a broker's. A topic that keeps the producer's time does not tell.
func (m *metrics) compareClocks(ours, broker time.Time) {
	if broker.Unix() > 0 {
		m.skew.Set(ours.Sub(broker).Seconds())
	}
}

// untilFull estimates in seconds.
func (p *Partition) untilFull() float64 {
	u := p.Usage()
	p.mu.RLock()
	rate := p.growth.rate()
	p.mu.RUnlock()
	if rate <= 0 {
		return math.Inf(1)
	}
	return max(0, float64(u.MaxBytes-u.MaxBytes/16-u.Bytes)) / rate
}

// growth is how many bytes were ever appended, as estimated at the looks of the last ten minutes.
type growth struct{ looks []look }

type look struct {
	at    time.Time
	bytes float64
}

func (g *growth) look(at time.Time, bytes float64) {
	const kept = int(10 * time.Minute / watchEvery)
	g.looks = append(g.looks[max(0, len(g.looks)-kept):], look{at, bytes})
}

// rate returns bytes a second.
func (g *growth) rate() float64 {
	n := len(g.looks)
	if n < 2 {
		return 0
	}
	return (g.looks[n-1].bytes - g.looks[0].bytes) / g.looks[n-1].at.Sub(g.looks[0].at).Seconds()
}
