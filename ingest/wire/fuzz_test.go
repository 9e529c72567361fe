package wire_test

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
)

// FuzzDecode checks what must hold for any bytes: no panic, and either an error that
// points into them, or events that the fold can rely on.
func FuzzDecode(f *testing.F) {
	for _, body := range []string{
		string(webhook(firing + "," + resolved).Body),
		string(webhook(`{"status":"resolved","labels":{"a":"\ud83d\ude00\ud800"},"startsAt":"2026-01-01T00:00:00Z","endsAt":""},7`).Body),
		`{"version":"4","alerts":null,"truncatedAlerts":-1.5e+7}`, `{"version":"4"`, `[`, ``, "\xff", `{"a":"\u12"}`,
	} {
		f.Add([]byte(body), false)
	}
	for _, body := range []string{change, "[" + change + ",{},null]", `{"id":`, `[[[[`} {
		f.Add([]byte(body), true)
	}
	if os.Getenv("EVENKEEL_SHARED") != "" {
		for _, rec := range deliveries(f) {
			f.Add(rec.Body, false)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, changes bool) {
		path := ingest.PathAlertmanager
		if changes {
			path = ingest.PathChanges
		}
		events, dead, err := wire.Decode(record(path, string(body)))
		if err != nil {
			checkError(t, body, events, dead, err)
			return
		}
		if !json.Valid(body) {
			t.Fatalf("accepted what is no JSON: %q", body)
		}
		for _, e := range events {
			checkEvent(t, e)
		}
		for _, d := range dead {
			if d.Reason == "" || len(d.Body) > ingest.MaxDeadLetterBytes || d.Tenant == "" {
				t.Errorf("dead letter %+v", d)
			}
		}
	})
}

func checkError(t *testing.T, body []byte, events []ingest.Event, dead []ingest.DeadLetter, err error) {
	var e *wire.Error
	if !errors.As(err, &e) || e.Offset < 0 || e.Offset > len(body) || e.Line < 1 || e.Column < 1 || e.Reason == "" {
		t.Errorf("error %#v for %d bytes", err, len(body))
	}
	if len(events)+len(dead) > 0 {
		t.Errorf("events or dead letters beside an error: %v %v", events, dead)
	}
}

func checkEvent(t *testing.T, e ingest.Event) {
	if (e.Alert == nil) == (e.Change == nil) || e.Tenant == "" || e.Source == "" {
		t.Fatalf("event %+v", e)
	}
	if c := e.Change; c != nil {
		if c.ID == "" || c.Service == "" || c.Kind == "" || c.StartedAt <= 0 || c.FinishedAt != 0 && c.FinishedAt < c.StartedAt {
			t.Errorf("change %+v", c)
		}
		return
	}
	a := e.Alert
	if a.Fingerprint == "" || a.StartsAt <= 0 || a.EndsAt < 0 || !a.Resolved && a.EndsAt != 0 || len(a.Labels) == 0 {
		t.Errorf("alert %+v", a)
	}
	for _, ls := range []ingest.Labels{a.Labels, a.Annotations} {
		strictly := slices.IsSortedFunc(ls, func(x, y ingest.Label) int {
			if c := strings.Compare(x.Name, y.Name); c != 0 {
				return c
			}
			return -1 // the same name twice is not sorted either
		})
		if !strictly || slices.ContainsFunc(ls, func(l ingest.Label) bool { return l.Name == "" || l.Value == "" }) {
			t.Errorf("labels %+v", ls)
		}
	}
}

// FuzzTextIsReadAsEncodingJSONReadsIt compares the scanner with the standard library, which is
// slower and says less, but was read by many.
func FuzzTextIsReadAsEncodingJSONReadsIt(f *testing.F) {
	for _, text := range []string{`"a"`, `"\u00e9\n\"\\\/\b\f\r\t"`, `"\ud83d\ude00"`, `"\ud800x"`, `"\ud800\u0041"`, `"é"`, `{"a":"b","a":"c"}`, `{"é\u0000":"x"}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		body := `{"version":"4","alerts":[{"status":"firing","startsAt":"2026-01-01T00:00:00Z","labels":{"l":"x"},"annotations":{"a":` + string(value) + `}}]}`
		var std struct {
			Alerts []struct{ Annotations map[string]string }
		}
		events, dead, err := wire.Decode(record(ingest.PathAlertmanager, body))
		if json.Valid([]byte(body)) != (err == nil) {
			t.Fatalf("valid for encoding/json: %v, here: %v: %q", json.Valid([]byte(body)), err, body)
		}
		if err != nil || len(dead) > 0 || len(events) != 1 || json.Unmarshal([]byte(body), &std) != nil {
			return
		}
		if got, want := events[0].Alert.Annotations.Get("a"), std.Alerts[0].Annotations["a"]; got != want {
			t.Errorf("%q, encoding/json reads %q, from %q", got, want, value)
		}
	})
}
