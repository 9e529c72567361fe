package wire_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
)

const posted = `{"labels":{"alertname":"Up"},"annotations":{"summary":"s"},"startsAt":"2026-11-22T11:54:21.366Z","endsAt":"2026-11-22T11:58:21.366Z","generatorURL":"http://p/"}`

func at(ms ingest.Millis, path, body string) ingest.Record {
	rec := record(path, body)
	rec.ReceivedAt = ms
	return rec
}

func TestAnAlertPostedFiresUntilItsEndHasCome(t *testing.T) {
	const start, end = ingest.Millis(1795348461366), ingest.Millis(1795348701366)
	whole := ingest.Alert{
		Fingerprint: ingest.LabelsOf(map[string]string{"alertname": "Up"}).Fingerprint(),
		Labels:      ingest.Labels{{Name: "alertname", Value: "Up"}}, Annotations: ingest.Labels{{Name: "summary", Value: "s"}},
		GeneratorURL: "http://p/", StartsAt: start, EndsAt: end,
	}
	bare := ingest.Alert{Fingerprint: whole.Fingerprint, Labels: whole.Labels}
	for _, test := range []struct {
		name     string
		received ingest.Millis
		body     string
		want     func(a *ingest.Alert)
		of       ingest.Alert
	}{
		{"an end to come is when the sender's word ends", start + 5, posted, func(a *ingest.Alert) { a.EndsByTimeout = true }, whole},
		{"an end a moment away, too", end - 1, posted, func(a *ingest.Alert) { a.EndsByTimeout = true }, whole},
		{"an end that is now was seen", end, posted, func(a *ingest.Alert) { a.Resolved = true }, whole},
		{"an end that is past was seen", end + 5, posted, func(a *ingest.Alert) { a.Resolved = true }, whole},
		{"without an end there is the timeout", start + 5, `{"labels":{"alertname":"Up"},"startsAt":"2026-11-22T11:54:21.366Z"}`,
			func(a *ingest.Alert) {
				a.StartsAt, a.EndsAt, a.EndsByTimeout = start, start+5+5*ingest.Minute, true
			}, bare},
		{"without both it starts now", start + 5, `{"labels":{"alertname":"Up"}}`,
			func(a *ingest.Alert) {
				a.StartsAt, a.Undated, a.EndsAt, a.EndsByTimeout = start+5, true, start+5+5*ingest.Minute, true
			}, bare},
		{"year 1 is no instant", start + 5, `{"labels":{"alertname":"Up"},"startsAt":"0001-01-01T00:00:00Z","endsAt":"0001-01-01T00:00:00Z"}`,
			func(a *ingest.Alert) {
				a.StartsAt, a.Undated, a.EndsAt, a.EndsByTimeout = start+5, true, start+5+5*ingest.Minute, true
			}, bare},
		{"an end alone is a start, too", end + 5, `{"labels":{"alertname":"Up"},"endsAt":"2026-11-22T11:58:21.366Z"}`,
			func(a *ingest.Alert) { a.StartsAt, a.Undated, a.EndsAt, a.Resolved = end, true, end, true }, bare},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.want(&test.of)
			want := []ingest.Event{{Tenant: "default", Source: "alertmanager", ReceivedAt: test.received, Alert: &test.of}}
			for _, body := range []string{test.body, "[" + test.body + "]"} {
				events, dead, err := wire.Decode(at(test.received, ingest.PathAlerts, body))
				if err != nil || len(dead) > 0 {
					t.Fatal(err, dead)
				}
				if diff := cmp.Diff(want, events); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			}
		})
	}
}

func TestAnAlertThatIsReadLateFromAStreamFiresUntilTheEndThatWasToCome(t *testing.T) {
	const start, end = ingest.Millis(1795348461366), ingest.Millis(1795348701366)
	for name, test := range map[string]struct {
		sent, received ingest.Millis
		resolved       bool
	}{
		"an end that was to come when it was sent was not seen": {start + 5, end + ingest.Day, false},
		"an end that had come when it was sent was seen":        {end + 5, end + ingest.Day, true},
		"a clock that is ahead does not count":                  {end + ingest.Day, end - 5, false},
		"a record without a time was sent when it was received": {0, end + 5, true},
	} {
		t.Run(name, func(t *testing.T) {
			rec := at(test.received, ingest.PathAlerts, posted)
			rec.Origin = &ingest.Origin{Stream: "s", Topic: "t", At: test.sent}
			events, dead, err := wire.Decode(rec)
			if err != nil || len(dead) > 0 || len(events) != 1 {
				t.Fatal(err, dead, events)
			}
			if a := events[0].Alert; a.Resolved != test.resolved || a.EndsByTimeout == test.resolved || a.EndsAt != end {
				t.Errorf("got %+v", a)
			}
		})
	}
}

func TestTheResolveTimeoutIsConfigured(t *testing.T) {
	d, err := wire.New(wire.Config{ResolveTimeout: ingest.Minute})
	if err != nil {
		t.Fatal(err)
	}
	got, err := d.Read(at(1000, ingest.PathAlerts, `[{"labels":{"a":"1"}}]`))
	if err != nil || got.Events[0].Alert.EndsAt != 1000+ingest.Minute {
		t.Error(err, got.Events)
	}
	if _, err := wire.New(wire.Config{ResolveTimeout: -1}); err == nil {
		t.Error("a negative timeout is accepted")
	}
}

func TestOneBadAlertPostedIsADeadLetter(t *testing.T) {
	for _, test := range []struct{ bad, reason string }{
		{`{"labels":{}}`, `alerts[1].labels: none`},
		{`{"labels":{"a":"1"},"startsAt":"2026-01-01T00:00:01Z","endsAt":"2026-01-01T00:00:00Z"}`, `alerts[1].endsAt: 2026-01-01T00:00:00Z lies before startsAt`},
		{`{"labels":{"a":"1"},"startsAt":"soon"}`, `alerts[1].startsAt: "soon" is not RFC 3339`},
		{`null`, `alerts[1]: null is not an object`},
	} {
		d, err := wire.Read(record(ingest.PathAlerts, "["+posted+","+test.bad+"]"))
		if err != nil || len(d.Events) != 1 || len(d.Dead) != 1 || d.Dead[0].Reason != test.reason {
			t.Errorf("%s: %v %v %v", test.bad, err, d.Events, d.Dead)
		}
		if _, err := wire.Read(record(ingest.PathAlerts, "["+test.bad+"]")); err == nil {
			t.Errorf("%s alone is accepted", test.bad)
		}
	}
}
