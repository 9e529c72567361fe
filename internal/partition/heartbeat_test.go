package partition_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/internal/partition"
	"github.com/evenkeel/evenkeel/sla"
)

const watchedSite = `
services: [{name: shop}, {name: mail}, {name: elsewhere}]
sources:
  - name: am
    heartbeat: {matchers: 'alertname="Watchdog"', every: 5m, services: [mail]}
`

// told is a delivery of an Alertmanager at a minute of a day.
func told(minute int, alert string) ingest.Record {
	return ingest.Record{
		Kind: ingest.KindDelivery, Path: ingest.PathAlertmanager, Source: "am", ReceivedAt: dayOf(minute),
		Body: []byte(`{"version":"4","status":"firing","receiver":"r","groupKey":"k","alerts":[` + alert + `]}`),
	}
}

func dayOf(minute int) ingest.Millis {
	return ingest.Millis(1_790_035_200_000) + ingest.Millis(minute)*ingest.Minute // 2026-09-22 00:00
}

func watchdog(minute int) ingest.Record {
	return told(minute, `{"status":"firing","labels":{"alertname":"Watchdog"},"startsAt":"2026-09-01T00:00:00Z","fingerprint":"00000000000000aa"}`)
}

func shopDown(minute int, status, starts, ends string) ingest.Record {
	return told(minute, fmt.Sprintf(`{"status":%q,"labels":{"alertname":"Down","service":"shop","severity":"critical"},`+
		`"startsAt":"2026-09-22T%sZ","endsAt":%q,"fingerprint":"00000000000000bb"}`, status, starts, ends))
}

// configuredBy is the record of a configuration, at the beginning of the day.
func configuredBy(t *testing.T, site string) ingest.Record {
	t.Helper()
	file := filepath.Join(t.TempDir(), "evenkeel.yml")
	if err := os.WriteFile(file, []byte(site), 0o600); err != nil {
		t.Fatal(err)
	}
	c, _, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	first, err := c.Folding().Record()
	if err != nil {
		t.Fatal(err)
	}
	first.ReceivedAt = dayOf(0)
	return first
}

// unlikeUp counts what the ledger holds beside coverage, and was not taken back.
func unlikeUp(rows partition.Rows) map[string]int {
	counts := map[string]int{}
	for _, r := range rows.Ledger {
		if r.State != sla.Covered {
			counts[fmt.Sprintf("%s %s to %s %s", r.Service, r.From.String()[11:16], r.To.String()[11:16], r.State)] += int(r.Sign)
		}
	}
	maps.DeleteFunc(counts, func(_ string, n int) bool { return n == 0 })
	return counts
}

// A Prometheus dies at 00:20 while the shop is down; Alertmanager resolves everything five minutes later.
// At 01:00 Prometheus is back, and finds the shop still down.
func TestAResolveThatOnlySilenceCausedIsNoRecovery(t *testing.T) {
	records := []ingest.Record{configuredBy(t, watchedSite), watchdog(1), watchdog(5), shopDown(9, "firing", "00:08:00", "0001-01-01T00:00:00Z")}
	for minute := 9; minute < 20; minute += 4 {
		records = append(records, watchdog(minute))
	}
	records = append(records,
		shopDown(25, "resolved", "00:08:00", "2026-09-22T00:24:00Z"),
		watchdog(60), shopDown(62, "firing", "01:00:00", "0001-01-01T00:00:00Z"), watchdog(64), watchdog(68),
		shopDown(70, "resolved", "01:00:00", "2026-09-22T01:10:00Z"), watchdog(72),
	)
	for i := range records {
		records[i].Position = uint64(i) + 1
	}
	rows := foldAll(partition.NewFold(0), records)
	want := map[string]int{
		"shop 00:08 to 00:17 down": 1, "shop 00:17 to 01:00 unknown": 1, "shop 01:00 to 01:10 down": 1,
		"mail 00:17 to 01:00 unknown": 1,
	}
	if diff := cmp.Diff(want, unlikeUp(rows)); diff != "" {
		t.Error("the ledger (-want +got):", diff)
	}

	incidents := map[string]correlate.Incident{}
	for _, i := range rows.Incidents {
		incidents[i.ID] = i
	}
	silent := 0
	for _, i := range incidents {
		if i.Kind == correlate.Silent {
			silent++
			if i.OpenedAt != dayOf(17) || i.ResolvedAt != dayOf(60) || !cmp.Equal(i.Services, []string{"mail", "shop"}) {
				t.Errorf("the silence: %+v", i)
			}
		}
	}
	if silent != 1 {
		t.Errorf("%d incidents of silence", silent)
	}
}

const streamedSite = `
services: [{name: shop}, {name: mail}, {name: elsewhere}]
sources:
  - {name: am, heartbeat: {stream: bus, every: 5m, services: [mail]}}
streams:
  - {name: bus, brokers: ["127.0.0.1:9092"], group: g, topics: [alerts], source: am}
`

// readTo says at a minute that the stream was read up to another.
func readTo(t *testing.T, minute, to int) ingest.Record {
	t.Helper()
	rec, err := wire.ProgressOf("", "am", ingest.Progress{Stream: "bus", ReadTo: dayOf(to)})
	if err != nil {
		t.Fatal(err)
	}
	rec.ReceivedAt = dayOf(minute)
	return rec
}

// The stream is not read from 00:14 to 00:58. When it is, it brings a resolve, and an outage that came and went meanwhile.
func TestWhatAStreamBringsLateIsKnownAndTheRestOfThatTimeIsNot(t *testing.T) {
	records := []ingest.Record{configuredBy(t, streamedSite), readTo(t, 2, 2), readTo(t, 6, 6)}
	records = append(records,
		shopDown(9, "firing", "00:08:00", "0001-01-01T00:00:00Z"), readTo(t, 10, 10), readTo(t, 15, 14),
		shopDown(58, "resolved", "00:08:00", "2026-09-22T00:24:00Z"),
		shopDown(58, "firing", "00:30:00", "0001-01-01T00:00:00Z"), shopDown(58, "resolved", "00:30:00", "2026-09-22T00:40:00Z"),
		readTo(t, 59, 58), readTo(t, 61, 61),
	)
	for i := range records {
		records[i].Position = uint64(i) + 1
	}
	want := map[string]int{
		"shop 00:08 to 00:24 down": 1, "shop 00:24 to 00:30 unknown": 1, "shop 00:30 to 00:40 down": 1, "shop 00:40 to 00:58 unknown": 1,
		"mail 00:14 to 00:58 unknown": 1,
	}
	rows := foldAll(partition.NewFold(0), records)
	if diff := cmp.Diff(want, unlikeUp(rows)); diff != "" {
		t.Error("the ledger (-want +got):", diff)
	}
	if len(rows.DeadLetters) > 0 || len(rows.Deliveries) != len(records) {
		t.Errorf("%d dead letters, %d deliveries of %d records", len(rows.DeadLetters), len(rows.Deliveries), len(records))
	}

	// In several partitions, each has the services that belong to it or that it has alerts of, and one tells of the silence.
	silent := map[string]bool{}
	merged := map[string]int{}
	for id := range uint32(3) {
		f := partition.NewFoldOf(sla.Share{Index: id, Of: 3})
		for _, rec := range records {
			if rec.Path == ingest.PathProgress {
				rec.Route = &ingest.Route{Of: 3, Among: []uint32{0, 1, 2}}
			} else if id != 1 && rec.Kind == ingest.KindDelivery {
				continue // its domain is in partition 1
			}
			rows := f.Apply(rec)
			for _, i := range rows.Incidents {
				if i.Kind == correlate.Silent {
					silent[i.ID] = true
				}
			}
			for row, n := range unlikeUp(rows) {
				merged[row] += n
			}
		}
	}
	maps.DeleteFunc(merged, func(_ string, n int) bool { return n == 0 })
	if len(silent) != 1 {
		t.Errorf("%d incidents of silence", len(silent))
	}
	for row := range want {
		if merged[row] == 0 {
			t.Errorf("no partition says %s: %v", row, merged)
		}
	}
}

// Whatever alerts come is a sign that monitoring lives; a deployment that comes the same way is none.
func TestAChangeIsNoSignOfLifeOfMonitoring(t *testing.T) {
	first := configuredBy(t, "services: [{name: shop}]\nsources: [{name: alertmanager, heartbeat: {every: 5m}}]\n")
	const change = `{"id":"1","service":"shop","started_at":"2026-09-22T00:00:00Z"}`
	alert := shopDown(1, "firing", "00:01:00", "0001-01-01T00:00:00Z")
	cloud := func(data string) string {
		return `{"specversion":"1.0","id":"1","source":"s","type":"t","data":` + data + `}`
	}
	sent := func(minute int, path, body string) ingest.Record {
		return ingest.Record{Kind: ingest.KindDelivery, Path: path, ReceivedAt: dayOf(minute), Body: []byte(body)}
	}
	records := []ingest.Record{
		first, sent(1, ingest.PathDetect, string(alert.Body)),
		sent(4, ingest.PathDetect, change), sent(8, ingest.PathCloudEvents, cloud(change)),
		sent(30, ingest.PathCloudEvents, "["+cloud(string(alert.Body))+","+cloud(change)+"]"),
	}
	for i := range records {
		records[i].Position = uint64(i) + 1
	}
	fold := partition.NewFold(0)
	rows := foldAll(fold, records)
	var silences []string
	for _, i := range rows.Incidents {
		if i.Kind == correlate.Silent {
			silences = append(silences, fmt.Sprintf("%s to %s", i.OpenedAt, i.ResolvedAt))
		}
	}
	if diff := cmp.Diff([]string{fmt.Sprintf("%s to %s", dayOf(1), ingest.Millis(0)), fmt.Sprintf("%s to %s", dayOf(1), dayOf(30))}, silences); diff != "" {
		t.Errorf("silences (-want +got)\n%s", diff)
	}
	var sources []string
	for _, d := range rows.Deliveries {
		sources = append(sources, d.Source)
	}
	if diff := cmp.Diff([]string{"alertmanager", "changes", "changes", ""}, sources[1:]); diff != "" {
		t.Errorf("sources of deliveries (-want +got)\n%s", diff)
	}

	// What is kept of the deliveries, in ClickHouse and in a recorded file, is folded to the same.
	again := partition.NewFold(0)
	kept := again.Apply(records[0])
	for i, d := range rows.Deliveries[1:] {
		line, err := wire.AppendRecorded(nil, d.Record)
		if err != nil {
			t.Fatal(err)
		}
		for rec, err := range wire.Recorded(bytes.NewReader(line)) {
			if err != nil {
				t.Fatal(err)
			}
			rec.Position = uint64(i) + 2
			kept.Append(again.Apply(rec))
		}
	}
	if diff := cmp.Diff(rows, kept, sameRows); diff != "" {
		t.Errorf("folded again (-first +again)\n%s", diff)
	}
}
