package webhook

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/evenkeel/evenkeel/ingest"
)

// metrics are those of receiving: evenkeel_ingest_*. Their labels have the values of Paths,
// outcomes and kinds only, all of them there from the start.
type metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	bytes    *prometheus.CounterVec
	events   *prometheus.CounterVec
	dead     *prometheus.CounterVec
	left     prometheus.Counter
	memory   prometheus.Gauge
	waits    prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &metrics{
		requests: counter("evenkeel_ingest_requests_total", "Requests with deliveries, by path and outcome.", "path", "outcome"),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "evenkeel_ingest_request_duration_seconds", Help: "Time from the first byte to the answer: what a sender waits.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 15),
		}, []string{"path"}),
		bytes:  counter("evenkeel_ingest_body_bytes_total", "Bytes of bodies received, unpacked.", "path"),
		events: counter("evenkeel_ingest_events_total", "Alerts and changes in deliveries that were accepted.", "path"),
		dead:   counter("evenkeel_ingest_dead_letters_total", "Alerts and changes, and whole deliveries, that were not understood.", "path"),
		left: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "evenkeel_ingest_truncated_alerts_total", Help: "Alerts that Alertmanager says it left out (max_alerts).",
		}),
		memory: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "evenkeel_ingest_inflight_bytes", Help: "Bytes of bodies in memory now, as sent and unpacked.",
		}),
		waits: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "evenkeel_ingest_inflight_waits_total", Help: "Times that a request had to wait for memory; those that waited in vain have the outcome busy.",
		}),
	}
	for _, path := range Paths() {
		m.duration.WithLabelValues(path)
		for _, c := range []*prometheus.CounterVec{m.bytes, m.events, m.dead} {
			c.WithLabelValues(path)
		}
		for _, o := range outcomes {
			m.requests.WithLabelValues(path, string(o))
		}
	}
	if reg == nil {
		return m, nil
	}
	return m, errors.Join(reg.Register(m.requests), reg.Register(m.duration), reg.Register(m.bytes),
		reg.Register(m.events), reg.Register(m.dead), reg.Register(m.left), reg.Register(m.memory), reg.Register(m.waits))
}

// request counts one answer. A path that is not ours is not a label.
func (m *metrics) request(path string, o outcome, took time.Duration) {
	if o == outcomeNotFound {
		return
	}
	m.requests.WithLabelValues(path, string(o)).Inc()
	m.duration.WithLabelValues(path).Observe(took.Seconds())
	if o == outcomeUndecodable {
		m.dead.WithLabelValues(path).Inc()
	}
}

// counts are of what a delivery holds.
type counts struct{ events, dead, left int }

func countsOf(r *ingest.Reading) counts { return counts{len(r.Events), len(r.Dead), r.Truncated} }

func (m *metrics) decoded(path string, c counts) {
	m.events.WithLabelValues(path).Add(float64(c.events))
	m.dead.WithLabelValues(path).Add(float64(c.dead))
	m.left.Add(float64(c.left))
}
