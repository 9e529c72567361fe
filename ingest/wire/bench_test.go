package wire_test

import (
	"strings"
	"testing"

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
