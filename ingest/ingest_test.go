package ingest_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/ingest"
)

func TestMillisAreCutAndGoThroughJSON(t *testing.T) {
	for _, test := range []struct {
		in   time.Time
		want ingest.Millis
		json string
	}{
		{time.Time{}, 0, `null`},
		{time.Unix(0, 0), 0, `null`},
		{time.Date(1969, 12, 31, 23, 59, 59, 0, time.UTC), 0, `null`},
		{time.Date(2026, 11, 22, 12, 54, 21, 366_999_999, time.FixedZone("", 3600)), 1795348461366, `"2026-11-22T11:54:21.366Z"`},
	} {
		m := ingest.MillisOf(test.in)
		text, err := json.Marshal(m)
		if m != test.want || string(text) != test.json || err != nil {
			t.Errorf("%s: %d, %s, %v", test.in, m, text, err)
		}
		var back ingest.Millis
		if err := json.Unmarshal(text, &back); err != nil || back != m {
			t.Errorf("%s: back %d, %v", text, back, err)
		}
	}
	var m ingest.Millis
	if err := json.Unmarshal([]byte(`"yesterday"`), &m); err == nil {
		t.Error("yesterday is an instant")
	}
}

func TestLabelsAreSortedWithoutEmptyOnes(t *testing.T) {
	ls := ingest.LabelsOf(map[string]string{"b": "2", "a": "1", "empty": ""})
	if diff := cmp.Diff(ingest.Labels{{Name: "a", Value: "1"}, {Name: "b", Value: "2"}}, ls); diff != "" {
		t.Error(diff)
	}
	for name, want := range map[string]string{"a": "1", "b": "2", "empty": "", "z": "", "": ""} {
		if got := ls.Get(name); got != want {
			t.Errorf("%q is %q", name, got)
		}
	}
}

// The fingerprints of these labels are those that Alertmanager 0.34 sent for them
// (data/alertmanager-0.34/webhook/002-truncated.json).
func TestFingerprintsAreAlertmanagers(t *testing.T) {
	labels := map[string]string{
		"alertname": "HighErrorRate", "cluster": "eu-1", "instance": "10.0.0.0:8080", "job": "node", "service": "checkout", "severity": "page",
	}
	for instance, want := range map[string]string{"10.0.0.0:8080": "58ecc09dbb2b4aa8", "10.0.0.2:8080": "2d6426342ccb6fe6"} {
		labels["instance"] = instance
		if got := ingest.LabelsOf(labels).Fingerprint(); got != want {
			t.Errorf("%s: %s, want %s", instance, got, want)
		}
	}
	// FNV-1a of nothing is its offset basis.
	if got := (ingest.Labels{}).Fingerprint(); got != "cbf29ce484222325" {
		t.Error(got)
	}
}

func TestRecordKindsAreReadAsTheyAreWritten(t *testing.T) {
	for _, k := range []ingest.RecordKind{ingest.KindDelivery, ingest.KindConfiguration, ingest.KindTick, ingest.KindRejected} {
		if got, err := ingest.ParseRecordKind(k.String()); got != k || err != nil {
			t.Errorf("%s: %s, %v", k, got, err)
		}
	}
	if _, err := ingest.ParseRecordKind(ingest.RecordKind(99).String()); err == nil {
		t.Error("unknown is a kind")
	}
}

func TestCountsAreNumbersOfThousandths(t *testing.T) {
	for count, want := range map[ingest.Count]string{0: "0", 12_000: "12", 250: "0.25", 1: "0.001", 1e12 - 1: "999999999.999"} {
		text, err := json.Marshal(count)
		var back ingest.Count
		if err != nil || string(text) != want || json.Unmarshal(text, &back) != nil || back != count {
			t.Errorf("%d: %s, back %d, %v", count, text, back, err)
		}
	}
	var c ingest.Count
	if err := json.Unmarshal([]byte(`"many"`), &c); err == nil {
		t.Error("many is a count")
	}
}

func TestAnEventComesBackFromItsJSON(t *testing.T) {
	labels := ingest.Labels{{Name: "a", Value: "1"}}
	for _, e := range []ingest.Event{
		{Tenant: "t", Source: "s", ReceivedAt: 1, Alert: &ingest.Alert{Fingerprint: "f", Resolved: true, Unknown: true, StartsAt: 1, EndsAt: 2, EndsByTimeout: true, Labels: labels, Annotations: labels, GeneratorURL: "u", Receiver: "r", GroupKey: "g"}},
		{Change: &ingest.Change{ID: "i", Kind: "k", Service: "s", StartedAt: 1, FinishedAt: 2, Outcome: "o", Version: "v", Author: "a", Title: "t", URL: "u"}},
		{Maintenance: &ingest.Maintenance{ID: "i", Service: "s", From: 1, To: 2, Cancelled: true, Reason: "r", Author: "a", URL: "u"}},
		{Sample: &ingest.Sample{Service: "s", SLI: "i", Good: 1500, Total: 2000, At: 1}},
		{Link: &ingest.Link{Kind: ingest.LinkSilenced, At: 1, Alerts: []string{"1"}, Causes: []string{"2"}, Rule: "r", Receiver: "r", GroupKey: "g",
			Silence: ingest.Silence{ID: "i", From: 1, To: 2, Author: "a", Comment: "c", Matchers: []string{"m"}}}},
		{Progress: &ingest.Progress{Stream: "s", ReadTo: 1}},
	} {
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		var back ingest.Event
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(e, back); diff != "" {
			t.Errorf("%s (-want +got)\n%s", text, diff)
		}
	}
}

func TestTenantsThatAreNamedAreBounded(t *testing.T) {
	some := ingest.NewTenants(2)
	for _, name := range []string{"a", "b", "a"} {
		if err := some.Admit(name); err != nil {
			t.Error(err)
		}
	}
	if err := some.Admit("c"); err == nil {
		t.Error("a third tenant was taken")
	}
}
