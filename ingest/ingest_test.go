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
