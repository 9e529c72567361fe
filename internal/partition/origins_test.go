package partition_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/partition"
)

// streamed is a record of a stream with an alert of its own, or one that is refused.
func streamed(position uint64, offset int64, at ingest.Millis, refused bool) ingest.Record {
	rec := ingest.Record{
		Position: position, ReceivedAt: 1_790_000_000_000 + ingest.Millis(position), Kind: ingest.KindDelivery, Path: ingest.PathAlertmanager,
		Body:   fmt.Appendf(nil, `{"version":"4","alerts":[{"status":"firing","fingerprint":"%016x","startsAt":"2026-11-22T11:00:00Z","labels":{"alertname":"A","n":"%d"}}]}`, offset, offset),
		Origin: &ingest.Origin{Stream: "s", Topic: "t", Partition: 3, Offset: offset, At: at},
	}
	if refused {
		rec.Kind, rec.Reason = ingest.KindRejected, "not JSON"
	}
	return rec
}

func TestARecordThatAStreamDeliversAgainMakesNoRow(t *testing.T) {
	f := partition.NewFold(0)
	var events, dead, deliveries int
	apply := func(rec ingest.Record) {
		rows := f.Apply(rec)
		events, dead, deliveries = events+len(rows.Events), dead+len(rows.DeadLetters), deliveries+len(rows.Deliveries)
	}
	apply(streamed(1, 7, 100, false))
	apply(streamed(2, 8, 100, true))
	apply(streamed(3, 7, 100, false))
	apply(streamed(4, 8, 100, true))
	snapshot, err := f.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	f = partition.NewFold(0)
	if _, err := f.Restore(snapshot); err != nil {
		t.Fatal(err)
	}
	apply(streamed(5, 8, 100, true))
	apply(streamed(6, 7, 100, false))
	if diff := cmp.Diff([3]int{1, 1, 2}, [3]int{events, dead, deliveries}); diff != "" {
		t.Errorf("events, dead letters, deliveries (-want +got):\n%s", diff)
	}
	apply(streamed(7, 7, 200, false)) // the topic was made anew
	if deliveries != 3 {
		t.Errorf("%d deliveries: another record with the same offset is no copy", deliveries)
	}
}
