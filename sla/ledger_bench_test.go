package sla

import (
	"fmt"
	"testing"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
)

// estate returns a configuration of n services with an agreement in office hours each.
func estate(n int) Config {
	c := Config{Zone: "Europe/Berlin", Calendars: []Calendar{{Name: "office", Hours: []Hours{{Weekdays: workdays, From: 8 * 60, To: 18 * 60}}}}}
	for k := range n {
		c.Services = append(c.Services, ServiceLevels{
			Name: fmt.Sprintf("service-%05d", k), Agreements: []Agreement{{Name: "gold", Calendar: "office", Objective: .999}},
		})
	}
	return c
}

func configured(b *testing.B, at ingest.Millis, c Config) *Ledger {
	b.Helper()
	l := NewLedger()
	l.Advance(at)
	if err := l.Configure(at, c); err != nil {
		b.Fatal(err)
	}
	l.Flush()
	return l
}

// One midnight of UTC and one of Berlin, for 10 000 services.
func BenchmarkMidnight(b *testing.B) {
	now := at2026("2026-10-05T12:00:00Z")
	l := configured(b, now, estate(10_000))
	b.ResetTimer()
	rows := 0
	for range b.N {
		now += ingest.Day
		l.Advance(now)
		out := l.Flush()
		rows += len(out.Ledger) + len(out.Segments)
	}
	b.ReportMetric(float64(rows)/float64(b.N), "rows/op")
}

// 100 000 changes of episodes (each fires, then resolves) spread over 10 000 services in
// a day, one flush each.
func BenchmarkChanges(b *testing.B) {
	now := at2026("2026-10-05T00:00:00Z")
	benchmarkChanges(b, now, 100_000, estate(10_000))
}

// 100 000 changes of one flapping service in a day, one flush each.
func BenchmarkFlapping(b *testing.B) {
	now := at2026("2026-10-05T00:00:00Z")
	benchmarkChanges(b, now, 100_000, estate(1))
}

func benchmarkChanges(b *testing.B, now ingest.Millis, n int, c Config) {
	for range b.N {
		b.StopTimer()
		l := configured(b, now, c)
		gap := ingest.Day / ingest.Millis(n)
		b.StartTimer()
		for k := range n / 2 {
			from := now + 2*ingest.Millis(k)*gap
			e := episode("a", c.Services[k%len(c.Services)].Name, "critical", from, 0)
			for _, end := range []ingest.Millis{0, from + gap} {
				if e.EndsAt = end; end != 0 {
					e.State = correlate.Resolved
				}
				l.Advance(max(from, end))
				l.Apply([]correlate.Episode{e})
				l.Flush()
			}
		}
	}
}

// The first configuration, and a change of zone of 100 days of history.
func BenchmarkRestateAll(b *testing.B) {
	now := at2026("2026-10-05T12:00:00Z")
	l := configured(b, now, estate(1000))
	now += RestateDays * ingest.Day
	l.Advance(now)
	l.Flush()
	b.ResetTimer()
	rows := 0
	for k := range b.N {
		c := estate(1000)
		c.Zone = []string{"America/New_York", "Europe/Berlin"}[k%2]
		if err := l.Configure(now, c); err != nil {
			b.Fatal(err)
		}
		out := l.Flush()
		rows += len(out.Segments)
	}
	b.ReportMetric(float64(rows)/float64(b.N), "rows/op")
}

func BenchmarkSnapshot(b *testing.B) {
	now := at2026("2026-10-05T00:00:00Z")
	c := estate(10_000)
	l := configured(b, now, c)
	for k := range 100_000 {
		from := now + ingest.Millis(k)*400
		l.Advance(from)
		l.Apply([]correlate.Episode{episode(fmt.Sprint(k), c.Services[k%10_000].Name, "critical", from, from+200)})
		l.Flush()
	}
	b.ResetTimer()
	size := 0
	for range b.N {
		saved, err := l.Snapshot()
		if err != nil {
			b.Fatal(err)
		}
		size = len(saved)
	}
	b.ReportMetric(float64(size), "bytes")
}

func at2026(text string) ingest.Millis {
	var m ingest.Millis
	if err := m.UnmarshalJSON([]byte(`"` + text + `"`)); err != nil {
		panic(err)
	}
	return m
}
