package correlate_test

import (
	"errors"
	"testing"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
)

// Where several partitions share a journal, the heartbeat of a source comes to one of them. The
// others must not take it to be silent.
func TestAHeartbeatIsExpectedInAPartitionFromItsFirstSignOn(t *testing.T) {
	f := correlate.NewShared(1)
	f.Advance(minute(0))
	config := correlate.Config{Heartbeats: []correlate.Heartbeat{{
		Tenant: "t", Source: "am", Every: int64(5 * ingest.Minute), Matchers: []correlate.Match{{Name: "alertname", Op: "=", Value: "Watchdog"}},
	}}}
	if err := f.Configure(config); err != nil {
		t.Fatal(err)
	}
	f.Advance(minute(1))
	snapshot, err := f.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	f = correlate.NewShared(1) // of the next owner
	if err := errors.Join(f.Restore(snapshot), f.Configure(config)); err != nil {
		t.Fatal(err)
	}
	watchdog := func(at int, resolved bool) {
		f.Apply(ingest.Event{Tenant: "t", Source: "am", ReceivedAt: minute(at), Alert: &ingest.Alert{
			Fingerprint: "1", Resolved: resolved, StartsAt: minute(0), Labels: ingest.Labels{{Name: "alertname", Value: "Watchdog"}},
		}})
	}
	f.Advance(minute(60))
	watchdog(60, true)
	if out := f.Flush(); len(out.Incidents) > 0 || len(out.Silences) > 0 {
		t.Fatalf("a source that was never heard of here is silent: %+v", out.Incidents)
	}
	f.Advance(minute(61))
	watchdog(61, false)
	f.Advance(minute(90))
	out := f.Flush()
	if len(out.Silences) != 1 || out.Silences[0].From != minute(61) {
		t.Errorf("silences are %+v, want one since the first sign", out.Silences)
	}
}
