package improve_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/improve"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/sla"
)

// at reads an instant; without an offset it is UTC.
func at(t testing.TB, text string) ingest.Millis {
	t.Helper()
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04", time.DateOnly} {
		if when, err := time.Parse(layout, text); err == nil {
			return ingest.MillisOf(when)
		}
	}
	t.Fatalf("%q is no instant", text)
	return 0
}

func period(t testing.TB, name, zone string) improve.Period {
	t.Helper()
	p, err := improve.ParsePeriod(name, zone)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// october is a full October 2026 in Berlin: promises kept, missed and not proven, incidents with
// causes, noise, a source that fell silent. The weeks before 5 August were not observed.
func october(t testing.TB) (*memory, improve.Params) {
	p := improve.Params{
		Tenant: "default", Period: period(t, "2026-10", "Europe/Berlin"), AsOf: at(t, "2026-11-02"),
		LinkBase: "https://evenkeel.example",
		Services: []correlate.Service{
			{Name: "cart", Owner: "team-shop", Tier: 2}, {Name: "checkout", Owner: "team-payments", Tier: 1},
			{Name: "payment", Owner: "team-payments", Tier: 1}, {Name: "search", Owner: "team-search", Tier: 2},
			{Name: "recommendation", Owner: "team-search"}, {Name: "email", Owner: "team-platform", Tier: 3},
			{Name: "shipping", Owner: "team-logistics", Tier: 2},
		},
	}
	p.Levels = sla.Config{Zone: "Europe/Berlin", Services: []sla.ServiceLevels{
		{Name: "cart", Agreements: []sla.Agreement{{Name: "gold", Objective: 0.995}}},
		{Name: "checkout", Agreements: []sla.Agreement{{Name: "gold", Objective: 0.999}}},
		{Name: "payment", Agreements: []sla.Agreement{{Name: "gold", Objective: 0.9995}}},
		{Name: "search", Agreements: []sla.Agreement{{Name: "gold", Objective: 0.99, Policy: sla.Policy{Preset: "icinga"}}}},
		{Name: "recommendation"}, {Name: "email"},
		{Name: "shipping", Agreements: []sla.Agreement{{Name: "gold", Objective: 0.998}}},
	}}
	m := &memory{history: at(t, "2026-08-05T09:12")}
	m.intake = []improve.Intake{
		{Source: "alertmanager", Deliveries: 4310, Events: 12877, Copies: 9120, DeadLetters: 2, First: at(t, "2026-10-01T00:01"), Last: at(t, "2026-10-31T22:58")},
		{Source: "grafana", Deliveries: 212, Rejected: 1, Events: 240, Copies: 31, First: at(t, "2026-10-02T07:40"), Last: at(t, "2026-10-30T12:00")},
	}
	m.states = []sla.Segment{
		state(t, "checkout", sla.DownBucket, "2026-10-06T03:10", "2026-10-06T04:22"),
		state(t, "checkout", sla.DownBucket, "2026-10-14T12:31", "2026-10-14T12:49"),
		state(t, "checkout", sla.DownBucket, "2026-10-21T16:02", "2026-10-21T16:40"),
		state(t, "checkout", sla.DegradedBucket, "2026-10-21T16:40", "2026-10-21T19:05"),
		state(t, "checkout", sla.DownBucket, "2026-09-11T10:00", "2026-09-11T10:25"),
		state(t, "cart", sla.DownBucket, "2026-10-14T12:33", "2026-10-14T15:40"),
		state(t, "cart", sla.MaintenanceBucket, "2026-10-18T01:00", "2026-10-18T05:00"),
		state(t, "payment", sla.UnknownBucket, "2026-10-25T00:30", "2026-10-25T07:00"),
		state(t, "payment", sla.DownBucket, "2026-10-03T08:15", "2026-10-03T08:24"),
		state(t, "search", sla.DegradedBucket, "2026-10-09T00:00", "2026-10-09T21:00"),
		state(t, "search", sla.DownBucket, "2026-09-30T21:30", "2026-09-30T22:20"),
		state(t, "recommendation", sla.DownBucket, "2026-10-27T11:00", "2026-10-27T11:47"),
	}
	fill(t, m)
	return m, p
}

func state(t testing.TB, service string, b sla.Bucket, from, to string) sla.Segment {
	under := map[sla.Bucket]sla.State{
		sla.DownBucket: sla.Down, sla.DegradedBucket: sla.Degraded, sla.UnknownBucket: sla.Unknown, sla.MaintenanceBucket: sla.Up,
	}[b]
	return sla.Segment{Service: service, Bucket: b, State: under, From: at(t, from), To: at(t, to)}
}

// fill makes up incidents and their episodes, more from week to week.
func fill(t testing.TB, m *memory) {
	random := rand.New(rand.NewPCG(7, 11))
	services := []string{"checkout", "cart", "payment", "search", "recommendation", "shipping"}
	begin := at(t, "2026-08-05T10:00")
	for day := range 88 {
		for range random.IntN(2) + day/40 {
			start := begin + ingest.Millis(day)*ingest.Day + ingest.Millis(random.IntN(80_000))*ingest.Second
			addIncident(m, random, len(m.incidents), services, start)
		}
	}
	m.incidents[len(m.incidents)-1].ResolvedAt = 0
	m.incidents[len(m.incidents)-1].State = correlate.IncidentOpen
}

func addIncident(m *memory, random *rand.Rand, n int, services []string, start ingest.Millis) {
	service := services[min(random.IntN(9), len(services)-1)]
	length := ingest.Millis(3+random.IntN(60)+random.IntN(2)*random.IntN(200)) * ingest.Minute
	i := correlate.Incident{
		Tenant: "default", ID: fmt.Sprintf("inc-%04d", n+1), State: correlate.IncidentClosed, Title: "HighErrorRate on " + service, Severity: []string{"critical", "warning", "warning"}[n%3],
		OpenedAt: start, ResolvedAt: start + length, Services: []string{service}, Episodes: 1 + random.IntN(4),
	}
	switch {
	case n%4 == 0:
		i.Causes = []correlate.Cause{{Entity: "node-7", Score: 0.8, Why: "shared by all alerts"}}
	case n%9 != 0:
		i.Causes = []correlate.Cause{{Service: service, Score: 0.6, Why: "first to alert"}}
	}
	m.incidents = append(m.incidents, i)
	for k := range i.Episodes {
		name := []string{"HighErrorRate", "HighLatency", "PodRestarting", "QueueGrowing"}[(n+k)%4]
		e := improve.Episode{
			Source: "alertmanager", Fingerprint: fmt.Sprintf("%s-%s-%d", name, service, k), StartsAt: start + ingest.Millis(k)*ingest.Minute,
			State: correlate.Resolved, FirstSeenAt: start + ingest.Millis(k)*ingest.Minute + 30*ingest.Second, AlertName: name, Service: service, Incident: i.ID,
		}
		e.End = e.StartsAt + length/ingest.Millis(k+1)
		if n%13 == 5 {
			e.State = correlate.Unknown
		}
		m.episodes = append(m.episodes, e)
	}
	for k := range 5 { // a flapping alert of no service beside every third incident
		if n%3 != 0 {
			break
		}
		from := start + ingest.Millis(k*9)*ingest.Minute
		m.episodes = append(m.episodes, improve.Episode{
			Source: "grafana", Fingerprint: "disk", StartsAt: from, End: from + 2*ingest.Minute, State: correlate.Resolved, FirstSeenAt: from + ingest.Second,
			AlertName: "DiskAlmostFull", Incident: i.ID,
		})
	}
}

// nothing is a period of which nothing is known.
func nothing(t testing.TB) (*memory, improve.Params) {
	return &memory{}, improve.Params{Tenant: "default", Period: period(t, "2026-10", ""), AsOf: at(t, "2026-11-02")}
}
