package wire_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
)

func webhook(alerts string) ingest.Record {
	return record(ingest.PathAlertmanager, `{"version":"4","receiver":"team\\.a\\+web","groupKey":"{}:{a=\"b\"}","status":"resolved","alerts":[`+alerts+`]}`)
}

func record(path, body string) ingest.Record {
	return ingest.Record{Position: 7, Kind: ingest.KindDelivery, Path: path, ReceivedAt: 5, Body: []byte(body)}
}

const (
	firing = `{"status":"firing","labels":{"b":"2","a":"1","empty":""},"annotations":{"summary":"s"},
		"startsAt":"2026-11-22T12:54:21.366999+01:00","endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://p/","fingerprint":"58ECC09DBB2B4AA8","new":{"x":[1,null]}}`
	resolved = `{"status":"resolved","labels":{"a":"1"},"startsAt":"2026-11-22T11:54:21Z","endsAt":"2026-11-22T11:55:02.373005Z","fingerprint":"f"}`
)

func TestAnAlertIsReadWhole(t *testing.T) {
	events, dead, err := wire.Decode(webhook(firing + "," + resolved))
	if err != nil || len(dead) > 0 {
		t.Fatal(err, dead)
	}
	start := ingest.Millis(1795348461366)
	want := []ingest.Event{
		{Tenant: "default", Source: "alertmanager", ReceivedAt: 5, Alert: &ingest.Alert{
			Fingerprint: "58ecc09dbb2b4aa8", StartsAt: start,
			Labels: ingest.Labels{{Name: "a", Value: "1"}, {Name: "b", Value: "2"}}, Annotations: ingest.Labels{{Name: "summary", Value: "s"}},
			GeneratorURL: "http://p/", Receiver: "team.a+web", GroupKey: `{}:{a="b"}`,
		}},
		{Tenant: "default", Source: "alertmanager", ReceivedAt: 5, Alert: &ingest.Alert{
			Fingerprint: "f", Resolved: true, StartsAt: start - 366, EndsAt: start - 366 + 41*ingest.Second + 7,
			Labels: ingest.Labels{{Name: "a", Value: "1"}}, Receiver: "team.a+web", GroupKey: `{}:{a="b"}`,
		}},
	}
	want[1].Alert.EndsAt = 1795348502373
	if diff := cmp.Diff(want, events); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestOneBadAlertIsADeadLetterAndItsNeighboursCount(t *testing.T) {
	for _, test := range []struct{ name, alert, reason string }{
		{"it is not an object", `17`, `alerts[1]: number is not an object`},
		{"its start is no time", `{"status":"firing","labels":{"a":"1"},"startsAt":"yesterday"}`, `alerts[1].startsAt: "yesterday" is not RFC 3339`},
		{"its start is missing", `{"status":"firing","labels":{"a":"1"}}`, `alerts[1].startsAt: missing`},
		{"its start is Go's zero time", `{"status":"firing","labels":{"a":"1"},"startsAt":"0001-01-01T00:00:00Z"}`, `alerts[1].startsAt: missing`},
		{"its start is a number", `{"status":"firing","labels":{"a":"1"},"startsAt":1e999}`, `alerts[1].startsAt: number is not a string`},
		{"its start is before 1970", `{"status":"firing","labels":{"a":"1"},"startsAt":"1969-12-31T23:59:59Z"}`, `alerts[1].startsAt: "1969-12-31T23:59:59Z" is not between 1970 and 2200`},
		{"its end lies in the year 9999", `{"status":"resolved","labels":{"a":"1"},"startsAt":"2026-01-01T00:00:00Z","endsAt":"9999-01-01T00:00:00Z"}`, `alerts[1].endsAt: "9999-01-01T00:00:00Z" is not between 1970 and 2200`},
		{"its status is not known", `{"status":"pending","labels":{"a":"1"},"startsAt":"2026-01-01T00:00:00Z"}`, `alerts[1].status: "pending" is neither "firing" nor "resolved"`},
		{"its status is missing", `{"labels":{"a":"1"},"startsAt":"2026-01-01T00:00:00Z"}`, `alerts[1].status: missing`},
		{"it has no labels", `{"status":"firing","labels":{},"startsAt":"2026-01-01T00:00:00Z"}`, `alerts[1].labels: none`},
		{"its labels are empty", `{"status":"firing","labels":{"a":""},"startsAt":"2026-01-01T00:00:00Z"}`, `alerts[1].labels: none`},
		{"its labels are an array", `{"status":"firing","labels":["a"],"startsAt":"2026-01-01T00:00:00Z"}`, `alerts[1].labels: array is not an object`},
		{"a label is a number", `{"status":"firing","labels":{"a":5},"startsAt":"2026-01-01T00:00:00Z"}`, `alerts[1].labels.a: number is not a string`},
		{"a label is null", `{"status":"firing","labels":{"a":null},"startsAt":"2026-01-01T00:00:00Z"}`, `alerts[1].labels.a: null is not a string`},
		{"a label has no name", `{"status":"firing","labels":{"":"x"},"startsAt":"2026-01-01T00:00:00Z"}`, `alerts[1].labels: a name is empty`},
		{"a label is not UTF-8", "{\"status\":\"firing\",\"labels\":{\"a\":\"\xff\"},\"startsAt\":\"2026-01-01T00:00:00Z\"}", `alerts[1].labels.a: not valid UTF-8`},
		{"the name of a label is not UTF-8", "{\"status\":\"firing\",\"labels\":{\"a\xff\":\"1\"},\"startsAt\":\"2026-01-01T00:00:00Z\"}", "alerts[1].labels: the name \"a\ufffd\" is not valid UTF-8"},
		{"the name of an annotation is not UTF-8", "{\"status\":\"firing\",\"labels\":{\"a\":\"1\"},\"annotations\":{\"\xff\":\"1\"},\"startsAt\":\"2026-01-01T00:00:00Z\"}", "alerts[1].annotations: the name \"\ufffd\" is not valid UTF-8"},
		{"an annotation is an object", `{"status":"firing","labels":{"a":"1"},"annotations":{"s":{}},"startsAt":"2026-01-01T00:00:00Z"}`, `alerts[1].annotations.s: object is not a string`},
		{"its fingerprint is a number", `{"status":"firing","labels":{"a":"1"},"startsAt":"2026-01-01T00:00:00Z","fingerprint":6407708153523948200}`, `alerts[1].fingerprint: number is not a string`},
		{"its fingerprint is a novel", `{"status":"firing","labels":{"a":"1"},"startsAt":"2026-01-01T00:00:00Z","fingerprint":"` + strings.Repeat("x", 257) + `"}`, `alerts[1].fingerprint: 257 bytes, at most 256`},
	} {
		t.Run(test.name, func(t *testing.T) {
			events, dead, err := wire.Decode(webhook(firing + "," + test.alert + "," + resolved))
			if err != nil {
				t.Fatal(err)
			}
			if len(events) != 2 || len(dead) != 1 {
				t.Fatalf("%d events, dead letters %v", len(events), dead)
			}
			want := ingest.DeadLetter{Tenant: "default", Source: "alertmanager", Path: ingest.PathAlertmanager, ReceivedAt: 5,
				Reason: test.reason, Body: []byte(test.alert)}
			if diff := cmp.Diff(want, dead[0]); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestWhatOnlySurroundsTheAlertsDoesNotCostThem(t *testing.T) {
	body := `{"truncatedAlerts":1e99,"receiver":5,"groupKey":"` + "\xff" + `","alerts":[` + firing + `],"version":"4","extra":{"deep":[[[{}]]]}}`
	d, err := wire.Read(record(ingest.PathAlertmanager, body))
	if err != nil || len(d.Events) != 1 || len(d.Dead) != 0 {
		t.Fatal(err, d)
	}
	want := []string{"truncatedAlerts: 1e99 is not a count", "receiver: number is not a string", "groupKey: not valid UTF-8"}
	if diff := cmp.Diff(want, d.Warnings); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestADeliveryWithAnEmptyListOfAlertsIsFine(t *testing.T) {
	for _, body := range []string{`{"version":"4","alerts":[]}`, `{"version":"4","alerts":null}`, ` {"version":"1","alerts":[]} `} {
		events, dead, err := wire.Decode(record(ingest.PathAlertmanager, body))
		if err != nil || len(events)+len(dead) > 0 {
			t.Error(body, events, dead, err)
		}
	}
}

func TestAMissingFingerprintIsComputed(t *testing.T) {
	for _, sent := range []string{``, `,"fingerprint":null`, `,"fingerprint":""`, `,"fingerprint":" \t"`} {
		events, _, err := wire.Decode(webhook(`{"status":"firing","labels":{"a":"1","z":""},"startsAt":"2026-01-01T00:00:00Z"` + sent + `}`))
		if err != nil {
			t.Fatal(err)
		}
		// FNV-1a of "a", 255, "1", 255, by other means.
		if got, want := events[0].Alert.Fingerprint, "d3b971819376d835"; got != want {
			t.Errorf("%s: %q, want %s", sent, got, want)
		}
	}
}

func TestTheSameAlertTwiceInOneDeliveryIsTwoEvents(t *testing.T) {
	events, _, err := wire.Decode(webhook(firing + "," + firing))
	if err != nil || len(events) != 2 {
		t.Error(err, events)
	}
}

func TestALabelSentTwiceHasItsLastValue(t *testing.T) {
	events, _, err := wire.Decode(webhook(`{"status":"firing","labels":{"a":"1","b":"x","a":"2"},"startsAt":"2026-01-01T00:00:00Z"}`))
	want := ingest.Labels{{Name: "a", Value: "2"}, {Name: "b", Value: "x"}}
	if err != nil || !cmp.Equal(events[0].Alert.Labels, want) {
		t.Error(err, events)
	}
}

func TestWhatIsNoWebhookIsAnErrorWithItsPlace(t *testing.T) {
	for _, test := range []struct{ name, body, want string }{
		{"nothing", ``, `line 1, column 1 (byte 0): the text ends where an Alertmanager webhook should be`},
		{"no JSON", `<html>`, `line 1, column 1 (byte 0): '<' where an Alertmanager webhook should be`},
		{"a text", ` "x"`, `line 1, column 2 (byte 1): not an Alertmanager webhook: string is not an object`},
		{"an array of numbers", ` [7]`, `line 1, column 3 (byte 2): events[0]: number is not an object`},
		{"alerts of API v2", `[{"labels":{"a":"1"},"startsAt":"2026-01-01T00:00:00Z"}]`, `line 1, column 1 (byte 0): neither a webhook nor events of the event recorder: ` +
			`alerts without them belong to /api/v2/alerts, and what is to be told by content to /api/v1/ingest`},
		{"cut short", "{\"alerts\":\n[{\"status\":", `line 2, column 12 (byte 22): the text ends where a value should be`},
		{"a stray comma", "{\"alerts\":[],\n  }", `line 2, column 3 (byte 16): '}' where a name in quotes should be`},
		{"two bodies", `{"version":"4"} {}`, `line 1, column 17 (byte 16): '{' where the end should be`},
		{"a line break in a string", "{\"a\":\"x\ny\"}", `line 1, column 8 (byte 7): control character 0x0a in a string`},
		{"no version", `{"alerts":[]}`, `line 1, column 14 (byte 13): version: missing; a webhook says "version": "4" (Alertmanager) or "1" (Grafana)`},
		{"another version", `{"version":"2","alerts":[]}`, `line 1, column 12 (byte 11): version: "2" is not supported; webhooks are read of "version": "4" (Alertmanager) and "1" (Grafana)`},
		{"a number as version", `{"version":4}`, `line 1, column 12 (byte 11): version: the number 4 is not supported; webhooks are read of "version": "4" (Alertmanager) and "1" (Grafana)`},
		{"no list of alerts", ` {"version":"4","Alerts":[]} `, `line 1, column 30 (byte 29): alerts: missing; a webhook always has the list, [] where it is empty`},
		{"no list of Grafana's alerts", `{"version":"1"}`, `line 1, column 16 (byte 15): alerts: missing; a webhook always has the list, [] where it is empty`},
		{"alerts that are no list", `{"version":"4","alerts":{}}`, `line 1, column 25 (byte 24): alerts: object is not an array`},
		{"a bottomless pit", strings.Repeat(`{"a":`, 1000), `line 1, column 2502 (byte 2501): nested deeper than 500`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := wire.Decode(record(ingest.PathAlertmanager, test.body))
			var e *wire.Error
			if !errors.As(err, &e) {
				t.Fatalf("%T %v", err, err)
			}
			if e.Error() != test.want {
				t.Errorf("got  %s\nwant %s", e, test.want)
			}
		})
	}
}

func TestAnUnknownPathIsAnError(t *testing.T) {
	if _, _, err := wire.Decode(record("/nowhere", `{}`)); err == nil || !strings.Contains(err.Error(), `"/nowhere"`) {
		t.Error(err)
	}
}

func TestRecordsThatAreNoDeliveriesHoldNoEvents(t *testing.T) {
	for _, kind := range []ingest.RecordKind{ingest.KindConfiguration, ingest.KindTick} {
		events, dead, err := wire.Decode(ingest.Record{Kind: kind, Body: []byte("x")})
		if err != nil || len(events)+len(dead) > 0 {
			t.Error(kind, events, dead, err)
		}
	}
}

func TestARejectedDeliveryIsADeadLetter(t *testing.T) {
	rec := record(ingest.PathAlertmanager, strings.Repeat("x", 100<<10))
	_, _, err := wire.Decode(rec)
	rejected := wire.Reject(rec, err)
	if rejected.Kind != ingest.KindRejected || len(rejected.Body) != 64<<10 {
		t.Errorf("%v, %d bytes", rejected.Kind, len(rejected.Body))
	}
	events, dead, err := wire.Decode(rejected)
	if err != nil || len(events) > 0 || len(dead) != 1 {
		t.Fatal(events, dead, err)
	}
	if !strings.Contains(dead[0].Reason, "byte 0") || dead[0].Tenant != "default" || dead[0].Source != "alertmanager" {
		t.Errorf("%+v", dead[0])
	}
}

const change = `{"id":"d-1","kind":"deployment","service":"cart","started_at":"2026-09-07T00:04:56.374Z","finished_at":"2026-09-07T00:05:56Z",
	"outcome":"succeeded","version":"v2","author":"ci","title":"t","url":"https://x/1"}`

func TestAChangeIsReadWhole(t *testing.T) {
	want := ingest.Event{Tenant: "default", Source: "changes", ReceivedAt: 5, Change: &ingest.Change{
		ID: "d-1", Kind: "deployment", Service: "cart", StartedAt: 1788739496374, FinishedAt: 1788739556000,
		Outcome: "succeeded", Version: "v2", Author: "ci", Title: "t", URL: "https://x/1",
	}}
	for _, body := range []string{change, "[" + change + "]"} {
		events, dead, err := wire.Decode(record(ingest.PathChanges, body))
		if err != nil || len(dead) > 0 {
			t.Fatal(err, dead)
		}
		if diff := cmp.Diff([]ingest.Event{want}, events); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}

func TestAChangeThatRunsHasNoEndAndIsADeploymentByDefault(t *testing.T) {
	events, _, err := wire.Decode(record(ingest.PathChanges, `{"id":"1","service":"s","started_at":"2026-09-07T00:04:56Z","finished_at":null}`))
	if err != nil || events[0].Change.FinishedAt != 0 || events[0].Change.Kind != "deployment" {
		t.Error(err, events)
	}
}

func TestOneBadChangeInAnArrayIsADeadLetter(t *testing.T) {
	for _, test := range []struct{ bad, reason string }{
		{`{"service":"s","started_at":"2026-09-07T00:04:56Z"}`, `changes[1].id: missing`},
		{`{"id":"1","started_at":"2026-09-07T00:04:56Z"}`, `changes[1].service: missing`},
		{`{"id":"1","service":"s"}`, `changes[1].started_at: missing`},
		{`{"id":1,"service":"s"}`, `changes[1].id: number is not a string`},
		{`{"id":"1","service":"s","started_at":"2026-09-07T00:04:56Z","finished_at":"2026-09-07T00:04:55Z"}`,
			`changes[1].finished_at: 2026-09-07T00:04:55.000Z lies before started_at`},
		{`"x"`, `changes[1]: string is not an object`},
	} {
		events, dead, err := wire.Decode(record(ingest.PathChanges, "["+change+","+test.bad+"]"))
		if err != nil || len(events) != 1 || len(dead) != 1 || dead[0].Reason != test.reason || dead[0].Source != "changes" {
			t.Errorf("%s: %v %v %v", test.bad, events, dead, err)
		}
	}
}

func TestChangesOfWhichNoneCanBeUsedAreRefused(t *testing.T) {
	for _, test := range []struct{ body, want string }{
		{`{"id":"1"}`, `line 1, column 1 (byte 0): change.service: missing`},
		{` [{"id":"1"},2]`, `line 1, column 3 (byte 2): changes[0].service: missing`},
		{`"x"`, `line 1, column 1 (byte 0): string is neither a change nor an array of changes`},
		{``, `line 1, column 1 (byte 0): the text ends where a change or an array of changes should be`},
	} {
		if _, _, err := wire.Decode(record(ingest.PathChanges, test.body)); err == nil || err.Error() != test.want {
			t.Errorf("%s: %v", test.body, err)
		}
	}
	if events, _, err := wire.Decode(record(ingest.PathChanges, `[]`)); err != nil || len(events) > 0 {
		t.Error(events, err)
	}
}

func TestAMisspelledFieldOfAChangeIsSaid(t *testing.T) {
	d, err := wire.Read(record(ingest.PathChanges, `{"id":"1","service":"s","started_at":"2026-09-07T00:04:56Z","finishedAt":"x"}`))
	if err != nil || !cmp.Equal(d.Warnings, []string{"change.finishedAt: not a field of a change, ignored"}) {
		t.Error(err, d.Warnings)
	}
}

func ExampleDecode() {
	_, dead, _ := wire.Decode(ingest.Record{Kind: ingest.KindDelivery, Path: ingest.PathAlertmanager,
		Body: []byte(`{"version":"4","alerts":[{"status":"firing","labels":{"alertname":"Up"},"startsAt":"now"}]}`)})
	fmt.Println(dead[0].Reason)
	// Output: alerts[0].startsAt: "now" is not RFC 3339
}
