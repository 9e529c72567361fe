package correlate_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
)

// flood is a site in which a large part of everything alerts within five minutes: n alerts
// of 200 services on 60 hosts in three zones, in deliveries of 20.
func flood(n int) ([]arrival, correlate.Config) {
	random := rand.New(rand.NewPCG(1, 2))
	var c correlate.Config
	for i := range 200 {
		s := correlate.Service{Name: fmt.Sprintf("s%03d", i)}
		for range random.IntN(4) {
			if i < 199 {
				s.DependsOn = append(s.DependsOn, fmt.Sprintf("s%03d", i+1+random.IntN(199-i)))
			}
		}
		c.Services = append(c.Services, s)
	}
	var events []ingest.Event
	for i := range n {
		at := start + ingest.Millis(random.Int64N(int64(5*ingest.Minute)))
		host := random.IntN(60)
		events = append(events, ingest.Event{Tenant: "t", Source: "am", ReceivedAt: at + 30*ingest.Second + ingest.Millis(random.Int64N(int64(ingest.Minute))), Alert: &ingest.Alert{
			Fingerprint: fmt.Sprintf("%016x", i), StartsAt: at,
			Labels: ingest.LabelsOf(map[string]string{
				"alertname": fmt.Sprintf("Alert%d", random.IntN(15)), "service": fmt.Sprintf("s%03d", random.IntN(200)),
				"host": fmt.Sprintf("h%02d", host), "zone": fmt.Sprintf("z%d", host%3), "cluster": "one",
				"pod": fmt.Sprintf("p%d", i), "severity": []string{"critical", "warning"}[random.IntN(2)],
			}),
		}})
	}
	slices.SortFunc(events, func(a, b ingest.Event) int { return int(a.ReceivedAt - b.ReceivedAt) })
	var all []arrival
	for batch := range slices.Chunk(events, 20) {
		all = append(all, arrival{batch[len(batch)-1].ReceivedAt, batch})
	}
	return all, c
}

func BenchmarkFloodOf20000Alerts(b *testing.B) {
	arrivals, c := flood(20_000)
	for b.Loop() {
		newWorld(b, c).run(arrivals...).until(end(arrivals) + ingest.Hour)
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N)/20_000*1000, "µs/alert")
}
