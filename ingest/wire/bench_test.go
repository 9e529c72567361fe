package wire_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
)

func BenchmarkDecode(b *testing.B) {
	for _, size := range []struct {
		name   string
		alerts int
	}{{"4KB", 9}, {"60KB", 140}, {"1MB", 2400}} {
		b.Run(size.name, func(b *testing.B) {
			rec := webhook(strings.TrimSuffix(strings.Repeat(firing+",", size.alerts), ","))
			b.SetBytes(int64(len(rec.Body)))
			b.ReportAllocs()
			for b.Loop() {
				if events, _, err := wire.Decode(rec); err != nil || len(events) != size.alerts {
					b.Fatal(err, len(events))
				}
			}
		})
	}
}

// BenchmarkPosted decodes 64 alerts as Prometheus posts them: the same ones with another end, and new ones.
func BenchmarkPosted(b *testing.B) {
	for _, kind := range []string{"repeats", "distinct"} {
		b.Run(kind, func(b *testing.B) {
			d, err := wire.New(wire.Config{})
			if err != nil {
				b.Fatal(err)
			}
			rec := ingest.Record{Kind: ingest.KindDelivery, Path: ingest.PathAlerts, ReceivedAt: 1_790_000_000_000, Body: prometheus(64)}
			b.SetBytes(int64(len(rec.Body)))
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				if kind == "distinct" {
					rec.Body = bytes.ReplaceAll(rec.Body, fmt.Appendf(nil, "10-0-%08d", n), fmt.Appendf(nil, "10-0-%08d", n+1))
				}
				rec.Body = bytes.ReplaceAll(rec.Body, fmt.Appendf(nil, ".%03dZ", n%1000), fmt.Appendf(nil, ".%03dZ", (n+1)%1000))
				if got, err := d.Read(rec); err != nil || len(got.Events) != 64 {
					b.Fatal(err, len(got.Events))
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/64, "ns/alert")
		})
	}
}

func prometheus(alerts int) []byte {
	var out bytes.Buffer
	for i := range alerts {
		fmt.Fprintf(&out, `,{"annotations":{"description":"Error rate of cart is above 5 percent since ten minutes, and has been rising since the last deployment","runbook_url":"https://runbooks.example.org/HighErrorRate","summary":"High error rate"},`+
			`"endsAt":"2026-11-22T11:58:21.000Z","startsAt":"2026-11-22T11:54:21Z","generatorURL":"http://prometheus.example.org:9090/graph?g0.expr=rate%%28errors%%5B5m%%5D%%29+%%3E+0.05\u0026g0.tab=1",`+
			`"labels":{"alertname":"HighErrorRate","cluster":"prod-eu-1","instance":"10-0-%08d:9100-%d","job":"node","namespace":"shop","pod":"cart-%x","service":"service-%02d","severity":"critical","team":"payments"}}`, 0, i, i*7919, i%32)
	}
	out.WriteByte(']')
	body := out.Bytes()
	body[0] = '['
	return body
}
