package wire_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
	"github.com/evenkeel/evenkeel/internal/rig"
)

// deliveries returns what a real Alertmanager 0.34 sent for one driven scenario, in order.
func deliveries(t testing.TB) []ingest.Record {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(rig.Shared(t, "data/alertmanager-0.34/webhook"), "*.json"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no deliveries: %v", err)
	}
	var records []ingest.Record
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var file struct{ Body json.RawMessage }
		if err := json.Unmarshal(raw, &file); err != nil {
			t.Fatal(err)
		}
		records = append(records, ingest.Record{Kind: ingest.KindDelivery, Path: ingest.PathAlertmanager, Body: file.Body})
	}
	return records
}

func TestRealAlertmanagerDeliveriesAreUnderstoodWhole(t *testing.T) {
	var got []string
	for i, rec := range deliveries(t) {
		d, err := wire.Read(rec)
		if err != nil || len(d.Dead) > 0 || len(d.Warnings) > 0 {
			t.Errorf("delivery %d: %v, %v, %v", i+1, err, d.Dead, d.Warnings)
		}
		for _, e := range d.Events {
			a := e.Alert
			if own := a.Labels.Fingerprint(); own != a.Fingerprint {
				t.Errorf("%v: computed fingerprint %s, Alertmanager says %s", a.Labels, own, a.Fingerprint)
			}
			got = append(got, fmt.Sprintf("%02d %s %s %s %s %s left out %d", i+1, a.Receiver, a.Labels.Get("alertname"),
				a.Labels.Get("instance"), short(a.StartsAt), short(a.EndsAt), d.Truncated))
		}
	}
	want := []string{ // read off the recorded files by hand
		"01 team.a+web DiskFull 10.0.0.9:9100 54:21.366 - left out 0",
		"02 truncated HighErrorRate 10.0.0.0:8080 54:21.366 - left out 1",
		"02 truncated HighErrorRate 10.0.0.2:8080 54:21.366 - left out 1",
		"03 team.a+web ClusterDown eu-1 54:55.370 - left out 0",
	}
	if diff := cmp.Diff(want, got[:len(want)]); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	ends := map[string]bool{}
	for _, line := range got {
		ends[line] = true
	}
	for _, line := range []string{
		"05 truncated HighErrorRate 10.0.0.0:8080 54:21.366 55:02.373 left out 2",
		"09 truncated NoEnd 10.0.0.77:8080 55:17.377 55:32.378 left out 0",
	} {
		if !ends[line] {
			t.Errorf("missing %q in %q", line, got)
		}
	}
}

func short(m ingest.Millis) string {
	if m == 0 {
		return "-"
	}
	return m.String()[14:23]
}

func TestRecordedStormsAreUnderstoodWhole(t *testing.T) {
	for _, storm := range []string{"calm", "busy", "dense"} {
		f, err := os.Open(rig.Shared(t, "data/storms/"+storm+"/deliveries.jsonl.gz"))
		if err != nil {
			t.Fatal(err)
		}
		alerts, changes := 0, 0
		var last ingest.Millis
		for rec, err := range wire.Recorded(f) {
			if err != nil {
				t.Fatal(err)
			}
			d, err := wire.Read(rec)
			if err != nil || len(d.Dead) > 0 || len(d.Warnings) > 0 {
				t.Fatalf("%s: %v %v %v", storm, err, d.Dead, d.Warnings)
			}
			if rec.ReceivedAt < last {
				t.Errorf("%s: received_at goes back to %s", storm, rec.ReceivedAt)
			}
			last = rec.ReceivedAt
			for _, e := range d.Events {
				if e.Change != nil {
					changes++
				} else {
					alerts++
				}
			}
		}
		_ = f.Close()
		if alerts == 0 || changes == 0 {
			t.Errorf("%s: %d alerts, %d changes", storm, alerts, changes)
		}
		t.Logf("%s: %d alerts, %d changes", storm, alerts, changes)
	}
}
