package clickhouse_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/evenkeel/evenkeel/correlate"
	correlatestore "github.com/evenkeel/evenkeel/correlate/store"
	"github.com/evenkeel/evenkeel/deploy"
	"github.com/evenkeel/evenkeel/ingest"
	ingeststore "github.com/evenkeel/evenkeel/ingest/store"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
)

// flood returns the rows of n new alerts, each in a record of its own: of the events, the episodes and the
// transitions of each one.
func flood(first uint64, n int) []clickhouse.TableRows {
	events, episodes, transitions := make([]ingeststore.AlertRow, n), make([]correlate.Episode, n), make([]correlate.Transition, n)
	for i := range n {
		address := ingest.Address{Partition: 1, Position: first + uint64(i)}
		now := ingest.Millis(1_700_000_000_000 + int64(i)/10)
		service := fmt.Sprintf("service-%d", i%300)
		labels := ingest.Labels{
			{Name: "alertname", Value: "HighErrorRate"}, {Name: "cluster", Value: "eu-west-1"}, {Name: "container", Value: "app"},
			{Name: "instance", Value: fmt.Sprintf("10.0.%d.%d:9090", i/250%250, i%250)}, {Name: "job", Value: service}, {Name: "namespace", Value: "shop"},
			{Name: "pod", Value: fmt.Sprintf("%s-5d8f7c9b4-%05d", service, i)}, {Name: "service", Value: service},
			{Name: "severity", Value: "critical"}, {Name: "team", Value: "payments"},
		}
		annotations := ingest.Labels{
			{Name: "description", Value: fmt.Sprintf("%s answers %d %% of its requests with an error for more than 5 minutes", service, i%100)},
			{Name: "runbook_url", Value: "https://runbooks.example.org/" + service}, {Name: "summary", Value: service + " fails"},
		}
		key := correlate.EpisodeKey{Tenant: "default", Source: "alertmanager", Fingerprint: fmt.Sprintf("%016x", i*7919), StartsAt: now}
		alert := ingest.Alert{Fingerprint: key.Fingerprint, Labels: labels, Annotations: annotations, StartsAt: now,
			GeneratorURL: "http://prometheus.example.org/graph?g0.expr=errors", Receiver: "evenkeel", GroupKey: `{}/{severity="critical"}:{alertname="HighErrorRate"}`}
		incident := fmt.Sprintf("i-%08x", i/50)
		events[i] = ingeststore.AlertRow{Address: address, RecordedAt: now, Tenant: "default", Source: "alertmanager", ReceivedAt: now, Alert: alert}
		episodes[i] = correlate.Episode{Address: address, RecordedAt: now, EpisodeKey: key, State: "firing", FirstSeenAt: now,
			Service: service, Severity: "critical", AlertName: "HighErrorRate", Labels: labels, Annotations: annotations, GeneratorURL: alert.GeneratorURL,
			Incident: incident, FirstIncident: incident, Reasons: []string{"same service and alert within 5 minutes"}}
		transitions[i] = correlate.Transition{Address: address, RecordedAt: now, Tenant: "default", Incident: incident, Kind: correlate.Joined, At: now,
			Episode: &key, Actor: "evenkeel", Reason: "same service and alert within 5 minutes"}
	}
	return []clickhouse.TableRows{ingeststore.Events.Rows(events), correlatestore.Episodes.Rows(episodes), correlatestore.Transitions.Rows(transitions)}
}

// What the rows of one new alert cost until they are bytes, without a server and without compression.
func BenchmarkEncodeFlood(b *testing.B) {
	const alerts = 5000
	tables := flood(1, alerts)
	var into proto.Buffer
	var size int
	b.ReportAllocs()
	for b.Loop() {
		size = 0
		for _, rows := range tables {
			n, err := clickhouse.Encoded(&into, rows)
			if err != nil {
				b.Fatal(err)
			}
			size += n
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*alerts), "ns/alert")
	b.ReportMetric(float64(size)/alerts, "B/alert")
}

// What inserting them costs this process, the engine's share left out.
func BenchmarkInsertFlood(b *testing.B) {
	const alerts = 5000
	c := clickhouse.OpenShared(b)
	if _, err := clickhouse.Migrate(b.Context(), c, deploy.ClickHouse()); err != nil {
		b.Fatal(err)
	}
	w, err := clickhouse.NewWriter(c, clickhouse.WriterOptions{})
	if err != nil {
		b.Fatal(err)
	}
	position, spent := uint64(1), time.Duration(0)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		batch := clickhouse.Batch{Partition: 1, First: position, Last: position + alerts - 1, Tables: flood(position, alerts)}
		position += alerts
		b.StartTimer()
		before := cpu(b)
		if err := w.Insert(b.Context(), batch, false); err != nil {
			b.Fatal(err)
		}
		spent += cpu(b) - before
	}
	b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N*alerts), "cpu-ns/alert")
}

// cpu is what the process has used so far.
func cpu(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
