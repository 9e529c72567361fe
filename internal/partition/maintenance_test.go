package partition_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
	"github.com/evenkeel/evenkeel/internal/partition"
	"github.com/evenkeel/evenkeel/sla"
)

const maintainedSite = `services: [{name: shop}, {name: db, maintenance: [{from: 2026-09-22T04:00:00Z, to: 2026-09-22T05:00:00Z}]}]`

// windowTold is a delivery of a maintenance window of the shop at a minute of a day; times are of that day.
func windowTold(minute int, id, from, to string, cancelled bool) ingest.Record {
	return ingest.Record{
		Kind: ingest.KindDelivery, Path: ingest.PathChanges, ReceivedAt: dayOf(minute),
		Body: fmt.Appendf(nil, `{"kind":"maintenance","id":%q,"service":"shop","from":"2026-09-22T%s:00Z","to":"2026-09-22T%s:00Z","cancelled":%t}`, id, from, to, cancelled),
	}
}

// maintainedDay is a day on which the shop is down from 02:00 to 02:30, and windows are told of: one in advance and moved, one
// that is cancelled, one hours after it.
func maintainedDay(t *testing.T) []ingest.Record {
	t.Helper()
	first := configuration(t, []byte(maintainedSite))
	first.ReceivedAt = dayOf(0)
	records := []ingest.Record{
		first,
		windowTold(30, "moved", "01:00", "01:30", false),
		windowTold(31, "moved", "02:15", "02:45", false),
		windowTold(32, "moved", "01:00", "01:30", false), // a late copy
		windowTold(40, "cancelled", "03:00", "03:30", false),
		windowTold(50, "cancelled", "03:00", "03:30", true),
		shopDown(121, "firing", "02:00:00", "0001-01-01T00:00:00Z"),
		shopDown(151, "resolved", "02:00:00", "2026-09-22T02:30:00Z"),
		windowTold(600, "late", "01:50", "02:05", false),
	}
	for i := range records {
		records[i].Position = uint64(i) + 1
	}
	return records
}

// segmentsOf is what rows recorded up to an instant leave of a service itself on that day.
func segmentsOf(rows []sla.SegmentRow, service string, asOf ingest.Millis) []string {
	counts := map[string]int{}
	for _, r := range rows {
		if r.Service == service && r.Agreement == "" && r.RecordedAt <= asOf {
			counts[fmt.Sprintf("%s to %s %s (%s)", r.From.String()[8:16], r.To.String()[8:16], r.Bucket, r.State)] += int(r.Sign)
		}
	}
	maps.DeleteFunc(counts, func(_ string, n int) bool { return n == 0 })
	return slices.Sorted(maps.Keys(counts))
}

func TestWindowsThatArePostedAreMaintenance(t *testing.T) {
	rows := foldAll(partition.NewFold(0), maintainedDay(t))
	early := []string{
		"22T00:00 to 22T02:00 up (up)", "22T02:00 to 22T02:15 down (down)", "22T02:15 to 22T02:30 maintenance (down)",
		"22T02:30 to 22T02:45 maintenance (up)", "22T02:45 to 23T00:00 up (up)",
	}
	late := []string{
		"22T00:00 to 22T01:50 up (up)", "22T01:50 to 22T02:00 maintenance (up)", "22T02:00 to 22T02:05 maintenance (down)",
		"22T02:05 to 22T02:15 down (down)", "22T02:15 to 22T02:30 maintenance (down)",
		"22T02:30 to 22T02:45 maintenance (up)", "22T02:45 to 23T00:00 up (up)",
	}
	for asOf, want := range map[ingest.Millis][]string{dayOf(599): early, dayOf(600): late} {
		if diff := cmp.Diff(want, segmentsOf(rows.Segments, "shop", asOf)); diff != "" {
			t.Errorf("as of %s (-want +got):\n%s", asOf, diff)
		}
	}
	if diff := cmp.Diff([]string{
		"22T00:00 to 22T04:00 up (up)", "22T04:00 to 22T05:00 maintenance (up)", "22T05:00 to 23T00:00 up (up)",
	}, segmentsOf(rows.Segments, "db", dayOf(600))); diff != "" {
		t.Errorf("the catalogue's window (-want +got):\n%s", diff)
	}
	if n := len(rows.Maintenance); n != 5 {
		t.Errorf("%d rows of windows: a copy is none", n)
	}
	if n := len(rows.DeadLetters); n != 0 {
		t.Errorf("dead letters: %+v", rows.DeadLetters)
	}
}

func TestWindowsOutliveARestart(t *testing.T) {
	records := maintainedDay(t)
	for cut := range records {
		whole := partition.NewFold(0)
		foldAll(whole, records[:cut])
		snapshot, err := whole.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		restored := partition.NewFold(0)
		if _, err := restored.Restore(snapshot); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(foldAll(whole, records[cut:]), foldAll(restored, records[cut:]), sameRows); diff != "" {
			t.Fatalf("restored after %d records, the rest differs:\n%s", cut, diff)
		}
	}
}

// A window is told to every partition and has one row; whichever of them measures the service knows it.
func TestWindowsOfSeveralPartitionsComeToThoseOfOne(t *testing.T) {
	const partitions = 3
	records := maintainedDay(t)
	whole := foldAll(partition.NewFold(0), records)
	var told [][]sla.Segment
	windows := 0
	for p := range uint32(partitions) {
		f := partition.NewFoldOf(sla.Share{Index: p, Of: partitions})
		var rows partition.Rows
		for _, rec := range records {
			if rec.Kind == ingest.KindDelivery {
				events, _, err := wire.Decode(rec)
				if err != nil {
					t.Fatal(err)
				}
				// Alerts by their fingerprint's partition: of a domain that is not the one that measures the service.
				route := ingest.NewRoute("alertname", partitions, rec.Tenant, events)
				if !slices.Contains(route.Among, p) {
					continue
				}
				rec.Route = &route
			}
			rows.Append(f.Apply(rec))
		}
		rows.Append(f.Apply(ingest.Record{Kind: ingest.KindTick, Position: 100, ReceivedAt: dayOf(601)}))
		windows += len(rows.Maintenance)
		told = append(told, segments(rows.Segments, "shop"))
	}
	if windows != len(whole.Maintenance) {
		t.Errorf("%d rows of windows, want %d", windows, len(whole.Maintenance))
	}
	if diff := cmp.Diff(segments(whole.Segments, "shop"), sla.MergeSegments(told...)); diff != "" {
		t.Errorf("of one partition (-) and merged of %d (+):\n%s", partitions, diff)
	}
}

// segments are what rows leave of a service itself, in order of time.
func segments(rows []sla.SegmentRow, service string) []sla.Segment {
	net := map[sla.Segment]int8{}
	for _, r := range rows {
		if r.Service == service && r.Agreement == "" {
			net[sla.Segment{Service: service, Bucket: r.Bucket, State: r.State, From: r.From, To: r.To}] += r.Sign
		}
	}
	maps.DeleteFunc(net, func(_ sla.Segment, n int8) bool { return n == 0 })
	return slices.SortedFunc(maps.Keys(net), func(a, b sla.Segment) int { return int(a.From - b.From) })
}

// A window that is refused is a dead letter that says which one, in one partition only.
func TestAWindowTooManyIsOneDeadLetter(t *testing.T) {
	const limit, each = 100_000, 5000
	records := make([]ingest.Record, 0, limit/each+1)
	for n := 0; n <= limit; n += each {
		var told []string
		for id := n; id < n+each && id <= limit; id++ {
			told = append(told, fmt.Sprintf(`{"kind":"maintenance","id":"%d","service":"shop","from":"2026-09-23T00:00:00Z","to":"2026-09-24T00:00:00Z"}`, id))
		}
		records = append(records, ingest.Record{
			Kind: ingest.KindDelivery, Path: ingest.PathChanges, Position: uint64(len(records)) + 1, ReceivedAt: dayOf(0),
			Body: []byte("[" + strings.Join(told, ",") + "]"), Route: &ingest.Route{Of: 2, Among: []uint32{0, 1}},
		})
	}
	for p, want := range []int{1, 0} {
		rows := foldAll(partition.NewFoldOf(sla.Share{Index: uint32(p), Of: 2}), records)
		if len(rows.DeadLetters) != want || len(rows.Maintenance) != want*limit {
			t.Errorf("partition %d: %d dead letters and %d windows", p, len(rows.DeadLetters), len(rows.Maintenance))
			continue
		}
		for _, d := range rows.DeadLetters {
			var m ingest.Maintenance
			if err := json.Unmarshal(d.Body, &m); err != nil || m.ID != fmt.Sprint(limit) {
				t.Errorf("%s: %s", d.Reason, d.Body)
			}
		}
	}
}
