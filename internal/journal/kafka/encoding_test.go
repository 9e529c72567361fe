package kafka

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/ingest"
)

// Whatever stands in the topic becomes one record; what is a value is that record, and no other value is.
func FuzzValue(f *testing.F) {
	for _, rec := range []ingest.Record{
		{Kind: ingest.KindTick, ReceivedAt: 1},
		{Kind: ingest.KindDelivery, ReceivedAt: 1 << 40, Tenant: "t", Source: "s", Path: "/p", Body: []byte("{}")},
		{Kind: ingest.KindDelivery, ReceivedAt: 5, Body: []byte("{}"), Route: &ingest.Route{Label: "cluster", Of: 8, Among: []uint32{0, 3}}},
		{Kind: ingest.KindRejected, Reason: "r", Origin: &ingest.Origin{Stream: "s", Topic: "t", Partition: 3, Offset: 9, At: 7}},
	} {
		b, err := appendValue(nil, &rec)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		rec := record(message{offset: 4, value: b})
		if rec.Position != 5 {
			t.Fatalf("position %d", rec.Position)
		}
		parsed, err := parseValue(b)
		if err != nil {
			if rec.Kind != ingest.KindRejected || rec.Reason == "" {
				t.Fatalf("%v, but %+v", err, rec)
			}
			return
		}
		again, err := appendValue(nil, &parsed)
		if err != nil {
			t.Fatal(err)
		}
		back, err := parseValue(again)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(parsed, back, cmp.Comparer(bytes.Equal)); diff != "" {
			t.Fatalf("(-want +got)\n%s", diff)
		}
	})
}
