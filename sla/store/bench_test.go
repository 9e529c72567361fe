package store_test

import (
	"strconv"
	"testing"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/rig"
	"github.com/evenkeel/evenkeel/sla"
	"github.com/evenkeel/evenkeel/sla/store"
)

// A year of 10 000 services with one agreement: three segments a day and agreement, one
// of a hundred of them restated.
const yearOfSegments = `
INSERT INTO sla_segments
SELECT 0, n, 0, starts, 'default', concat('service-', leftPad(toString(s), 5, '0')), a,
    ['up', 'down', 'up'][k + 1], ['up', 'down', 'up'][k + 1],
    starts, starts + toIntervalHour([9, 1, 14][k + 1]), 1
FROM
(
    SELECT number AS n, intDiv(number, 3) % 365 AS d, number % 3 AS k, ['', 'gold'][intDiv(number, 1095) % 2 + 1] AS a,
        intDiv(number, 2190) AS s,
        toDateTime64('2026-01-01 00:00:00', 3, 'UTC') + toIntervalDay(d) + toIntervalHour([0, 9, 10][k + 1]) AS starts
    FROM numbers({from:UInt64}, {count:UInt64})
)`

func BenchmarkAvailability(b *testing.B) {
	conn := rig.ClickHouse(b)
	const services, per = 10_000, 2190
	for from := 0; from < services*per; from += services * per / 4 {
		err := conn.Exec(b.Context(), yearOfSegments, map[string]string{"from": text(from), "count": text(services * per / 4)})
		if err != nil {
			b.Fatal(err)
		}
	}
	reader := store.NewReader(conn)
	for _, test := range []struct {
		name     string
		services []string
		from, to ingest.Millis
		results  int
	}{
		{"one service, a month", []string{"service-04711"}, instant("2026-10-01T00:00:00Z"), instant("2026-11-01T00:00:00Z"), 1},
		{"one service, a year", []string{"service-04711"}, instant("2026-01-01T00:00:00Z"), instant("2027-01-01T00:00:00Z"), 1},
		{"all services, a month", nil, instant("2026-10-01T00:00:00Z"), instant("2026-11-01T00:00:00Z"), services},
		{"all services, a year", nil, instant("2026-01-01T00:00:00Z"), instant("2027-01-01T00:00:00Z"), services},
	} {
		b.Run(test.name, func(b *testing.B) {
			for range b.N {
				got, err := reader.Availability(b.Context(), store.AvailabilityQuery{
					Services: test.services, From: test.from, To: test.to, AsOf: instant("2027-01-01T00:00:00Z"), Config: sla.Config{},
				})
				if err != nil {
					b.Fatal(err)
				}
				if len(got) != test.results || got[0].Matrix.Down == 0 || got[0].Matrix.Unknown != 0 {
					b.Fatalf("%d results, the first %+v", len(got), got[0].Matrix)
				}
			}
		})
	}
}

func text(n int) string { return strconv.Itoa(n) }
