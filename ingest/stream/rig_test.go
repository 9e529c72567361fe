package stream_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/stream"
	"github.com/evenkeel/evenkeel/internal/rig"
)

// memory is a journal that keeps what it is given, and refuses when it is told to.
type memory struct {
	mu      sync.Mutex
	records []ingest.Record
	refuse  error
}

func (m *memory) Append(_ context.Context, records []ingest.Record) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refuse != nil {
		return 0, m.refuse
	}
	first := uint64(len(m.records)) + 1
	m.records = append(m.records, records...)
	return first, nil
}

func (m *memory) refusing(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refuse = err
}

// kept returns the stream's records in order, those that were delivered again left out.
func (m *memory) kept() []ingest.Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	seen := map[ingest.Origin]bool{}
	var once []ingest.Record
	for _, r := range m.records {
		if r.Origin != nil && !seen[*r.Origin] {
			seen[*r.Origin] = true
			once = append(once, r)
		}
	}
	return once
}

// started is a stream that runs until it is stopped, or the test ends.
type started struct {
	stop     func()
	registry *prometheus.Registry
}

func start(t *testing.T, c stream.Config, o stream.Options) started {
	t.Helper()
	s := started{registry: prometheus.NewRegistry()}
	var err error
	if o.Metrics, err = stream.NewMetrics(s.registry); err != nil {
		t.Fatal(err)
	}
	o.Logger = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	st, err := stream.New(c, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); st.Run(ctx) }()
	s.stop = func() { cancel(); <-done }
	t.Cleanup(s.stop)
	return s
}

// metric returns a metric of the stream, by its name and the values of its other labels.
func (s started) metric(t *testing.T, name string, labels ...string) float64 {
	t.Helper()
	families, err := s.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			var values []string
			for _, l := range m.GetLabel() {
				if l.GetName() != "stream" {
					values = append(values, l.GetValue())
				}
			}
			if strings.Join(values, ",") == strings.Join(labels, ",") {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return -1
}

func config(k *rig.KafkaCluster, name string, topics ...string) stream.Config {
	c := stream.Config{Name: name, Brokers: k.Addresses(), Group: name, Format: "alertmanager"}
	for _, topic := range topics {
		c.Topics = append(c.Topics, stream.Topic{Name: topic})
	}
	return c
}

// alert is a webhook with one alert, on one line.
func alert(n int) string {
	return fmt.Sprintf(`{"version":"4","alerts":[{"status":"firing","fingerprint":"%016x","startsAt":"2026-11-22T11:00:00Z","labels":{"alertname":"A","n":"%d"}}]}`, n, n)
}

func alerts(from, to int) string {
	var b strings.Builder
	for n := from; n < to; n++ {
		b.WriteString(alert(n) + "\n")
	}
	return b.String()
}

func produce(t *testing.T, k *rig.KafkaCluster, topic, lines string, more ...string) {
	t.Helper()
	rig.Kcat(t, lines, append([]string{"-P", "-b", strings.Join(k.Addresses(), ","), "-t", topic, "-X", "acks=all"}, more...)...)
}

// eventually waits until ok, and fails with what it says otherwise.
func eventually(t *testing.T, within time.Duration, ok func() (bool, string)) {
	t.Helper()
	deadline := time.Now().Add(within)
	for {
		good, state := ok()
		if good {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %s: %s", within, state)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// allCommitted waits until the group has committed the ends of the topic.
func allCommitted(t *testing.T, k *rig.KafkaCluster, group, topic string, within time.Duration) {
	t.Helper()
	eventually(t, within, func() (bool, string) {
		committed, ends := k.Committed(t, group, topic), k.Ends(t, topic)
		for i := range ends {
			if max(0, committed[i]) != ends[i] {
				return false, fmt.Sprintf("%s: committed %v of %v", topic, committed, ends)
			}
		}
		return true, ""
	})
}
