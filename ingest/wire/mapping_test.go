package wire_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
)

// nagios is a mapping of the sort of JSON that a site's own bridge writes.
var nagios = wire.Mapping{
	Event: "alert", Items: "/batch/0/checks", Time: "unix",
	Fields: map[string]wire.Field{
		"status":      {From: "/state", Values: map[string]string{"2": "firing", "CRITICAL": "firing", "0": "resolved", "3": "unknown"}, Default: "firing"},
		"fingerprint": {From: "/uid"}, "starts_at": {From: "/since"}, "ends_at": {From: "/until", Time: "unix_ms"},
		"labels": {From: "/tags"}, "labels.alertname": {From: "/check~1name"}, "labels.severity": {From: "/prio", Values: map[string]string{"P1": "critical"}, Default: "warning"},
		"labels.site": {Constant: "eu"}, "annotations.summary": {From: "/out/0/text"},
	},
}

func mapped(t *testing.T, m wire.Mapping, body string) (ingest.Decoded, error) {
	t.Helper()
	d, err := wire.New(wire.Config{Mappings: map[string]wire.Mapping{"bridge": m}})
	if err != nil {
		t.Fatal(err)
	}
	rec := record(ingest.PathMapped, body)
	rec.Source = "bridge"
	return d.Read(rec)
}

func checks(items string) string { return `{"batch":[{"checks":[` + items + `]}],"x":1}` }

func TestAMappingMakesAlertsOfAnyJSON(t *testing.T) {
	d, err := mapped(t, nagios, checks(`{"uid":77,"state":2,"since":1795348461.5,"check/name":"disk","prio":"P1","tags":{"service":"db","n":5,"ok":true,"no":null,"deep":{}},"out":[{"text":"full"}]},`+
		`{"uid":"b","state":0,"since":1795348461,"until":1795348462123,"check/name":"disk","prio":"P9"},`+
		`{"uid":"c","state":"3","since":"1795348461","until":5,"check/name":"disk","prio":null},`+
		`{"uid":"d","check/name":"disk"}`))
	if err != nil || len(d.Dead) > 0 {
		t.Fatal(err, d.Dead)
	}
	of := func(pairs ...string) (ls ingest.Labels) {
		for i := 0; i < len(pairs); i += 2 {
			ls = append(ls, ingest.Label{Name: pairs[i], Value: pairs[i+1]})
		}
		return ls
	}
	want := []ingest.Event{
		{Alert: &ingest.Alert{Fingerprint: "77", StartsAt: 1795348461500, Annotations: of("summary", "full"),
			Labels: of("alertname", "disk", "n", "5", "ok", "true", "service", "db", "severity", "critical", "site", "eu")}},
		{Alert: &ingest.Alert{Fingerprint: "b", StartsAt: 1795348461000, Resolved: true, EndsAt: 1795348462123, Labels: of("alertname", "disk", "severity", "P9", "site", "eu")}},
		{Alert: &ingest.Alert{Fingerprint: "c", StartsAt: 1795348461000, Unknown: true, Labels: of("alertname", "disk", "severity", "warning", "site", "eu")}},
		{Alert: &ingest.Alert{Fingerprint: "d", StartsAt: 5, Undated: true, Labels: of("alertname", "disk", "severity", "warning", "site", "eu")}},
	}
	for i := range want {
		want[i].Tenant, want[i].Source, want[i].ReceivedAt = "default", "bridge", 5
	}
	if diff := cmp.Diff(want, d.Events); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]string{"items[0].labels.deep: object is no label, ignored"}, d.Warnings); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestAMappingMakesChangesWindowsAndSamples(t *testing.T) {
	of := func(event string, fields ...string) wire.Mapping {
		m := wire.Mapping{Event: event, Fields: map[string]wire.Field{}}
		for i := 0; i < len(fields); i += 2 {
			m.Fields[fields[i]] = wire.Field{From: fields[i+1]}
		}
		return m
	}
	const body = `{"n":"x","svc":"db","a":"2026-09-07T01:00:00Z","b":"2026-09-07T02:00:00Z","off":true,"ok":"9.5","all":10}`
	for _, test := range []struct {
		m    wire.Mapping
		want ingest.Event
	}{
		{of("change", "id", "/n", "service", "/svc", "started_at", "/a", "finished_at", "/b"),
			ingest.Event{Change: &ingest.Change{ID: "x", Kind: "deployment", Service: "db", StartedAt: 1788742800000, FinishedAt: 1788746400000}}},
		{of("maintenance", "id", "/n", "service", "/svc", "from", "/a", "to", "/b", "cancelled", "/off"),
			ingest.Event{Maintenance: &ingest.Maintenance{ID: "x", Service: "db", From: 1788742800000, To: 1788746400000, Cancelled: true}}},
		{of("sample", "service", "/svc", "good", "/ok", "total", "/all", "at", "/a"),
			ingest.Event{Sample: &ingest.Sample{Service: "db", SLI: "availability", Good: 9500, Total: 10_000, At: 1788742800000}}},
	} {
		for _, body := range []string{body, "[" + body + "]"} {
			d, err := mapped(t, test.m, body)
			if err != nil || len(d.Events) != 1 {
				t.Fatal(err, d)
			}
			test.want.Tenant, test.want.Source, test.want.ReceivedAt = "default", "bridge", 5
			if diff := cmp.Diff(test.want, d.Events[0]); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		}
	}
}

func TestOneBadMappedItemIsADeadLetter(t *testing.T) {
	const good = `{"uid":"a","since":1,"check/name":"disk"}`
	for _, test := range []struct{ name, bad, reason string }{
		{"no object", `7`, `items[1]: number is not an object`},
		{"a status that nobody mapped", `{"state":"WEIRD","check/name":"disk"}`, `items[1].status: "WEIRD" at "/state" is none of firing, resolved, unknown, and not among values`},
		{"a status that is a list", `{"state":[2],"check/name":"disk"}`, `items[1].status: array at "/state" is not a text, a number or a boolean`},
		{"a time that is none", `{"since":"soon","check/name":"disk"}`, `items[1].starts_at: "soon" is not a number`},
		{"a time that is hexadecimal", `{"since":"0x10p0","check/name":"disk"}`, `items[1].starts_at: "0x10p0" is not a number`},
		{"a time beyond all ages", `{"since":1e400,"check/name":"disk"}`, `items[1].starts_at: "1e400" is not between 1970 and 2200`},
		{"a time of another age", `{"since":1e99,"check/name":"disk"}`, `items[1].starts_at: "1e99" is not between 1970 and 2200`},
		{"an end before the start", `{"state":0,"since":5,"until":1,"check/name":"disk"}`, `items[1].ends_at: 1970-01-01T00:00:00.001Z lies before starts_at`},
		{"labels that are a text", `{"tags":"x","check/name":"disk"}`, `items[1].labels: string at "/tags" is not an object`},
		{"a name that is no UTF-8", "{\"tags\":{\"a\xff\":\"1\"},\"check/name\":\"disk\"}", "items[1].labels: the name \"a\ufffd\" is not valid UTF-8"},
		{"no UTF-8", "{\"check/name\":\"\xff\"}", `items[1].labels.alertname: not valid UTF-8`},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, err := mapped(t, nagios, checks(good+","+test.bad))
			if err != nil || len(d.Events) != 1 || len(d.Dead) != 1 || d.Dead[0].Reason != test.reason || string(d.Dead[0].Body) != test.bad {
				t.Errorf("%v %v %+v", err, d.Events, d.Dead)
			}
		})
	}
	change := wire.Mapping{Event: "change", Fields: map[string]wire.Field{"id": {From: "/i"}, "service": {From: "/s"}, "started_at": {From: "/t"}}}
	if _, err := mapped(t, change, `[{"i":1,"s":"db"}]`); err == nil || err.Error() != "line 1, column 2 (byte 1): items[0].started_at: missing" {
		t.Error(err)
	}
}

func TestABodyWithoutItemsIsRefused(t *testing.T) {
	for _, test := range []struct{ body, want string }{
		{`{"batch":[]}`, `line 1, column 1 (byte 0): items: nothing at "/batch/0/checks"`},
		{`{"batch":[{"checks":5}]}`, `line 1, column 21 (byte 20): number is neither an item nor an array of items`},
		{`{"batch":`, `line 1, column 10 (byte 9): the text ends where a value should be`},
		{``, `line 1, column 1 (byte 0): the text ends where JSON should be`},
	} {
		if _, err := mapped(t, nagios, test.body); err == nil || err.Error() != test.want {
			t.Errorf("%s: %v", test.body, err)
		}
	}
	if _, err := wire.Read(record(ingest.PathMapped, `{}`)); err == nil || !strings.Contains(err.Error(), `the source "alertmanager" has no mapping`) {
		t.Error(err)
	}
}

func TestJSONOfNoKnownFormatIsReadByTheMappingOfItsSource(t *testing.T) {
	d, err := wire.New(wire.Config{Mappings: map[string]wire.Mapping{"bridge": nagios}})
	if err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]string{checks(`{"uid":"d","check/name":"disk"}`): "a", sample: "s"} {
		rec := record(ingest.PathDetect, body)
		rec.Source = "bridge"
		if got, err := d.Read(rec); err != nil || kinds(got.Events) != want {
			t.Errorf("%s: %v %v", body, err, got.Events)
		}
	}
}

func TestAllThatIsWrongWithAMappingIsSaidAtOnce(t *testing.T) {
	for _, test := range []struct {
		name string
		m    wire.Mapping
		want []string
	}{
		{"an unknown event", wire.Mapping{Event: "alarm"}, []string{`event: "alarm" is none of alert, change, maintenance, sample`}},
		{"nothing", wire.Mapping{Event: "alert"}, []string{"fields.status: missing; every alert needs it", "fields: no labels; an alert needs labels, or at least one labels.NAME"}},
		{"everything", wire.Mapping{Event: "alert", Items: "items", Time: "stardate", Fields: map[string]wire.Field{
			"status": {From: "/s", Values: map[string]string{"1": "down"}, Default: "up"}, "labels": {Constant: "x"}, "labels.a": {}, "labels.": {From: "/x"},
			"starts_at": {From: "/a~2", Time: "unix_us"}, "ends_at": {From: "/e", Default: "now"}, "fingerprint": {From: "/f", Constant: "f", Time: "unix"}, "service": {From: "/s"},
		}}, []string{
			`items: "items" is no JSON Pointer: it does not begin with /`,
			`time: "stardate" is none of rfc3339, unix, unix_ms`,
			`fields.ends_at: "now" is neither RFC 3339 nor received_at`,
			`fields.fingerprint: from and constant; one of the two says where it comes from`,
			`fields.fingerprint.time: the field is no instant`,
			`fields.labels: takes from only, the pointer of an object; labels.NAME takes the rest`,
			`fields.labels.: not a field of an alert`,
			`fields.labels.a: neither from nor constant`,
			`fields.service: not a field of an alert`,
			`fields.starts_at.from: "/a~2" is no JSON Pointer: ~ is written ~0, and a / in a name ~1`,
			`fields.starts_at.time: "unix_us" is none of rfc3339, unix, unix_ms`,
			`fields.status: "down" is none of firing, resolved, unknown`,
			`fields.status: "up" is none of firing, resolved, unknown`,
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, p := range test.m.Check() {
				got = append(got, p.Text)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if _, err := wire.New(wire.Config{Mappings: map[string]wire.Mapping{"s": test.m}}); err == nil || !strings.HasPrefix(err.Error(), `mapping of source "s": `) {
				t.Error(err)
			}
		})
	}
}

func TestAMappedAlertWhoseStartIsWhenItWasReceivedIsUndated(t *testing.T) {
	m := wire.Mapping{Event: "alert", Fields: map[string]wire.Field{
		"status": {From: "/s"}, "labels.alertname": {Constant: "disk"},
		"starts_at": {From: "/t", Default: "received_at"}, "ends_at": {From: "/e", Default: "received_at"},
	}}
	d, err := mapped(t, m, `[{"s":"firing"},{"s":"firing","t":"2026-11-22T11:54:21Z"}]`)
	if err != nil || len(d.Dead) > 0 {
		t.Fatal(err, d.Dead)
	}
	for i, undated := range []bool{true, false} {
		if a := d.Events[i].Alert; a.Undated != undated {
			t.Errorf("%+v", a)
		}
	}
}

// A receiver decodes before the journal gives the time, to refuse what cannot be read.
func TestWhatIsNotStampedYetIsReadAllTheSame(t *testing.T) {
	m := wire.Mapping{Event: "sample", Fields: map[string]wire.Field{
		"service": {Constant: "s"}, "good": {From: "/g"}, "total": {From: "/g"}, "at": {From: "/t", Default: "received_at"},
	}}
	d, err := wire.New(wire.Config{Mappings: map[string]wire.Mapping{"bridge": m}})
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range []ingest.Record{
		{Kind: ingest.KindDelivery, Path: ingest.PathMapped, Source: "bridge", Body: []byte(`{"g":1}`)},
		{Kind: ingest.KindDelivery, Path: ingest.PathAlerts, Body: []byte(`[{"labels":{"a":"1"}}]`)},
	} {
		if got, err := d.Read(rec); err != nil || len(got.Events) != 1 {
			t.Error(err, got)
		}
	}
	stamped, err := d.Read(ingest.Record{Kind: ingest.KindDelivery, Path: ingest.PathMapped, Source: "bridge", ReceivedAt: 77, Body: []byte(`{"g":1}`)})
	if err != nil || stamped.Events[0].Sample.At != 77 {
		t.Error(err, stamped.Events)
	}
}
