package stream

import (
	"errors"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// The results of a record, and the operations that can fail: values of labels.
const (
	resultAccepted    = "accepted"
	resultPartly      = "partly" // some of what it holds is among the dead letters
	resultUndecodable = "undecodable"

	opJoin       = "join"        // becoming or staying a member of the group
	opFetch      = "fetch"       // reading a partition
	opAppend     = "append"      // the journal
	opDeadLetter = "dead_letter" // writing to the dead-letter topic, or looking what is there
	opCommit     = "commit"
	opAsk        = "ask" // topics, offsets and lag
)

// Metrics are those of all streams: evenkeel_stream_*.
type Metrics struct {
	records    *prometheus.CounterVec
	bytes      *prometheus.CounterVec
	errors     *prometheus.CounterVec
	deadSent   *prometheus.CounterVec
	expired    *prometheus.CounterVec
	rebalances *prometheus.CounterVec
	lag        *prometheus.GaugeVec
	assigned   *prometheus.GaugeVec
	paused     *prometheus.GaugeVec
	commit     *prometheus.HistogramVec
}

// NewMetrics makes the metrics and registers them, where there is a registerer.
func NewMetrics(reg prometheus.Registerer) (*Metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, append([]string{"stream"}, labels...))
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, append([]string{"stream"}, labels...))
	}
	m := &Metrics{
		records:    counter("evenkeel_stream_records_total", "Records that the journal holds, by result.", "result"),
		bytes:      counter("evenkeel_stream_bytes_total", "Bytes of the values of those records."),
		errors:     counter("evenkeel_stream_errors_total", "Operations that failed and are tried again.", "operation"),
		deadSent:   counter("evenkeel_stream_dead_letters_sent_total", "Records written to the dead-letter topic."),
		expired:    counter("evenkeel_stream_expired_records_total", "Records that Kafka removed before they were read: its retention is too short."),
		rebalances: counter("evenkeel_stream_rebalances_total", "How often the group shared out its partitions to this member."),
		lag:        gauge("evenkeel_stream_lag_records", "Records behind the committed offset, of the partitions of this member.", "topic", "partition"),
		assigned:   gauge("evenkeel_stream_assigned_partitions", "Partitions that this member reads."),
		paused:     gauge("evenkeel_stream_paused_partitions", "Partitions that wait because the journal or the dead-letter topic takes nothing."),
		commit: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "evenkeel_stream_commit_duration_seconds", Help: "Time that committing offsets took.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 14),
		}, []string{"stream"}),
	}
	if reg == nil {
		return m, nil
	}
	var errs []error
	for _, c := range []prometheus.Collector{m.records, m.bytes, m.errors, m.deadSent, m.expired, m.rebalances, m.lag, m.assigned, m.paused, m.commit} {
		errs = append(errs, reg.Register(c))
	}
	return m, errors.Join(errs...)
}

// of are the metrics of one stream, all there from the start.
type of struct {
	*Metrics
	stream string
}

func (m *Metrics) of(stream string) of {
	for _, result := range []string{resultAccepted, resultPartly, resultUndecodable} {
		m.records.WithLabelValues(stream, result)
	}
	for _, op := range []string{opJoin, opFetch, opAppend, opDeadLetter, opCommit, opAsk} {
		m.errors.WithLabelValues(stream, op)
	}
	for _, c := range []*prometheus.CounterVec{m.bytes, m.deadSent, m.expired, m.rebalances} {
		c.WithLabelValues(stream)
	}
	m.assigned.WithLabelValues(stream).Set(0)
	m.paused.WithLabelValues(stream).Set(0)
	m.commit.WithLabelValues(stream)
	return of{m, stream}
}

func (m of) failed(op string) { m.errors.WithLabelValues(m.stream, op).Inc() }

func (m of) kept(batch []taken) {
	for i := range batch {
		m.records.WithLabelValues(m.stream, batch[i].result()).Inc()
		m.bytes.WithLabelValues(m.stream).Add(float64(len(batch[i].message.Value)))
	}
}

func (m of) committed(took time.Duration) { m.commit.WithLabelValues(m.stream).Observe(took.Seconds()) }

func (m of) setLag(topic string, partition int, lag int64) {
	m.lag.WithLabelValues(m.stream, topic, strconv.Itoa(partition)).Set(float64(lag))
}

// noLag removes every lag of the stream: one that is not known is not shown.
func (m of) noLag() { m.lag.DeletePartialMatch(prometheus.Labels{"stream": m.stream}) }

// gone removes what is only true while the stream runs.
func (m of) gone() {
	m.noLag()
	m.assigned.WithLabelValues(m.stream).Set(0)
}
