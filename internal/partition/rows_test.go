package partition_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/partition"
)

func TestEveryKindOfEventIsARowOfItsTable(t *testing.T) {
	cloud := func(data string) string {
		return `{"specversion":"1.0","id":"1","source":"s","type":"t","data":` + data + `}`
	}
	rec := ingest.Record{Position: 9, Kind: ingest.KindDelivery, Path: ingest.PathDetect, Tenant: "t", Source: "s", ReceivedAt: 1795348800000, Body: []byte("[" +
		cloud(`[{"labels":{"alertname":"Up"},"startsAt":"2026-11-22T11:54:21Z"}]`) + "," +
		cloud(`{"id":"1","service":"db","started_at":"2026-11-22T11:54:21Z"}`) + "," +
		cloud(`{"kind":"maintenance","id":"1","service":"db","from":"2026-11-22T11:54:21Z","to":"2026-11-22T12:54:21Z"}`) + "," +
		cloud(`[{"service":"db","good":1,"total":1,"at":"2026-11-22T11:54:21Z"},{"service":"db","good":1,"total":1,"at":"2026-11-22T11:55:21Z"}]`) + "," +
		cloud(`{"@timestamp":"2026-11-22T11:54:21Z","data":{"silenceCreated":{"silence":{"id":"i"}}}}`) + "," +
		cloud(`{}`) + "]")}
	rows := partition.NewFold(3).Apply(rec)
	type counts struct{ deliveries, events, changes, maintenance, samples, links, dead int }
	got := counts{len(rows.Deliveries), len(rows.Events), len(rows.Changes), len(rows.Maintenance), len(rows.Samples), len(rows.Links), len(rows.DeadLetters)}
	if want := (counts{1, 1, 1, 1, 2, 1, 1}); got != want {
		t.Fatalf("%+v, want %+v", got, want)
	}
	if d := rows.Deliveries[0]; d.Alerts != 1 || d.Changes != 1 || d.Others != 4 || d.DeadLetters != 1 {
		t.Errorf("counted %d alerts, %d changes, %d others, %d dead letters", d.Alerts, d.Changes, d.Others, d.DeadLetters)
	}
	second := rows.Samples[1]
	if diff := cmp.Diff(ingest.Address{Partition: 3, Position: 9, Ordinal: 1}, second.Address); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if second.Tenant != "t" || second.Source != "s" || second.ReceivedAt != rec.ReceivedAt || second.RecordedAt != rec.ReceivedAt || second.Service != "db" {
		t.Errorf("%+v", second)
	}
}

// The next batch takes the memory of one that is stored, and nothing of what was in it; after a flood, no more memory
// than it needs.
func TestTheMemoryOfAStoredBatchIsUsedAgain(t *testing.T) {
	var rows partition.Rows
	for range 1000 {
		rows.Append(partition.Rows{Episodes: []correlate.Episode{{Service: "cart"}}})
	}
	used := rows.Emptied()
	if len(used.Episodes) != 0 || cap(used.Episodes) < 1000 || used.Len() != 0 || used.Bytes() != 0 {
		t.Errorf("%d rows, room for %d, %d bytes", used.Len(), cap(used.Episodes), used.Bytes())
	}
	for i, e := range used.Episodes[:1000] {
		if e.Service != "" {
			t.Fatalf("row %d is still there: %+v", i, e)
		}
	}
	used.Append(partition.Rows{Episodes: make([]correlate.Episode, 1000)})
	if next := used.Emptied(); cap(next.Episodes) < 1000 {
		t.Error("memory that was needed is given back")
	}
	few := partition.Rows{Episodes: used.Episodes[:0]}
	few.Append(partition.Rows{Episodes: make([]correlate.Episode, 10)})
	if next := few.Emptied(); cap(next.Episodes) != 0 {
		t.Errorf("after a batch of 10 rows there is room for %d", cap(next.Episodes))
	}
}
