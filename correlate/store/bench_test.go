package store_test

import (
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/correlate/store"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/rig"
)

// A year of 400 000 episodes, of which each has three rows, and of which every thousandth still fires.
const yearOfEpisodes = `
INSERT INTO episodes
SELECT 0, e * 3 + v, 0, starts + toIntervalMinute([0, 1, 30][v + 1]) AS recorded, 'default', 'alertmanager', hex(sipHash64(e % 50000)),
    starts, if(v = 2, 'resolved', 'firing'), if(v = 2, recorded, toDateTime64(0, 3, 'UTC')), toDateTime64(0, 3, 'UTC'), starts,
    concat('service-', toString(e % 500)), ['warning', 'critical'][e % 2 + 1], concat('Alert', toString(e % 40)),
    map('alertname', concat('Alert', toString(e % 40)), 'service', concat('service-', toString(e % 500)), 'cluster', 'prod-eu-1',
        'namespace', 'shop', 'instance', concat('10.0.', toString(e % 251), '.', toString(e % 241), ':9100'), 'severity', 'critical'),
    map('summary', 'High error rate', 'description', 'Error rate is above 5 percent since ten minutes, and has been rising since the last deployment',
        'runbook_url', 'https://runbooks.example.org/HighErrorRate'),
    'http://prometheus.example.org:9090/graph?g0.expr=rate%28errors%5B5m%5D%29+%3E+0.05', [], hex(sipHash64(intDiv(e, 10))), hex(sipHash64(intDiv(e, 10))),
    ['at the same service: cart']
FROM
(
    SELECT intDiv(number, 3) AS e, number % 3 AS v, toDateTime64('2026-01-01 00:00:00', 3, 'UTC') + toIntervalSecond(e * 75) AS starts
    FROM numbers(1200000)
    WHERE NOT (v = 2 AND e % 1000 = 999)
)`

func BenchmarkEpisodes(b *testing.B) {
	conn := rig.ClickHouse(b)
	if err := conn.Exec(b.Context(), yearOfEpisodes, nil); err != nil {
		b.Fatal(err)
	}
	reader := store.NewReader(conn)
	now := instant("2026-12-15T00:00:00Z")
	for _, test := range []struct {
		name string
		q    store.EpisodeQuery
		want int
	}{
		{"open now", store.EpisodeQuery{Tenant: "default", From: now, AsOf: now}, 400},
		{"of a day", store.EpisodeQuery{Tenant: "default", From: now - 40*ingest.Day, To: now - 39*ingest.Day, AsOf: now}, 1530},
		{"of an incident", store.EpisodeQuery{Tenant: "default", Incident: "x", AsOf: now}, 0},
	} {
		b.Run(test.name, func(b *testing.B) {
			for range b.N {
				got, err := reader.Episodes(b.Context(), test.q)
				if err != nil || len(got) != test.want {
					b.Fatal(len(got), err)
				}
			}
		})
	}
}

func instant(text string) ingest.Millis {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return ingest.MillisOf(t)
}
