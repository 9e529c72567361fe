package wire_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
)

const sample = `{"service":"cart","sli":"latency","good":99.9985,"total":"100","at":"2026-09-07T00:05:00Z"}`

func TestASampleIsReadWhole(t *testing.T) {
	want := []ingest.Event{{Tenant: "default", Source: "samples", ReceivedAt: 5, Sample: &ingest.Sample{
		Service: "cart", SLI: "latency", Good: 99_999, Total: 100_000, At: 1788739500000,
	}}}
	for _, body := range []string{sample, "[" + sample + "]"} {
		events, dead, err := wire.Decode(record(ingest.PathSamples, body))
		if err != nil || len(dead) > 0 {
			t.Fatal(err, dead)
		}
		if diff := cmp.Diff(want, events); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
	events, _, err := wire.Decode(record(ingest.PathSamples, `{"service":"cart","good":0,"total":0,"at":"2026-09-07T00:05:00Z"}`))
	if err != nil || events[0].Sample.SLI != "availability" {
		t.Error(err, events)
	}
}

func TestOneBadSampleIsADeadLetter(t *testing.T) {
	with := func(rest string) string { return `{"service":"cart","at":"2026-09-07T00:05:00Z",` + rest + `}` }
	for _, test := range []struct{ bad, reason string }{
		{with(`"good":2,"total":1.5`), `samples[1].good: 2 is more than the total of 1.5`},
		{with(`"good":-1,"total":1`), `samples[1].good: -1 is negative`},
		{with(`"good":"NaN","total":1`), `samples[1].good: "NaN" is not a number`},
		{with(`"good":1,"total":"Inf"`), `samples[1].total: Inf is more than 1000000000`},
		{with(`"good":1,"total":1e400`), `samples[1].total: 1e400 is more than 1000000000`},
		{with(`"good":-1e400,"total":1`), `samples[1].good: -1e400 is negative`},
		{with(`"good":"0x10p0","total":20`), `samples[1].good: "0x10p0" is not a number`},
		{with(`"good":1,"total":"0X1P5"`), `samples[1].total: "0X1P5" is not a number`},
		{with(`"good":1`), `samples[1].total: missing`},
		{with(`"good":true,"total":1`), `samples[1].good: boolean is not a string`},
		{`{"good":1,"total":1,"at":"2026-09-07T00:05:00Z"}`, `samples[1].service: missing`},
		{`{"service":"cart","good":1,"total":1}`, `samples[1].at: missing`},
	} {
		d, err := wire.Read(record(ingest.PathSamples, "["+sample+","+test.bad+"]"))
		if err != nil || len(d.Events) != 1 || len(d.Dead) != 1 || d.Dead[0].Reason != test.reason {
			t.Errorf("%s: %v %v %v", test.bad, err, d.Events, d.Dead)
		}
	}
}

const window = `{"kind":"maintenance","id":"m-1","service":"db","from":"2026-09-07T01:00:00Z","to":"2026-09-07T03:00:00Z","reason":"upgrade","author":"ann","url":"https://x/1"}`

func TestAMaintenanceWindowIsToldAmongChanges(t *testing.T) {
	d, err := wire.Read(record(ingest.PathChanges, "["+window+","+change+`,{"kind":"maintenance","id":"m-1","service":"db","from":"2026-09-07T01:00:00Z","to":"2026-09-07T03:00:00Z","cancelled":true}]`))
	if err != nil || len(d.Dead)+len(d.Warnings) > 0 || len(d.Events) != 3 {
		t.Fatal(err, d)
	}
	want := &ingest.Maintenance{ID: "m-1", Service: "db", From: 1788742800000, To: 1788750000000, Reason: "upgrade", Author: "ann", URL: "https://x/1"}
	if diff := cmp.Diff(want, d.Events[0].Maintenance); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if d.Events[1].Change == nil || !d.Events[2].Maintenance.Cancelled {
		t.Error(d.Events)
	}
}

func TestOneBadWindowIsADeadLetter(t *testing.T) {
	for _, test := range []struct{ bad, reason string }{
		{`{"kind":"maintenance","id":"1","service":"db","started_at":"2026-09-07T01:00:00Z"}`, `changes[1].from: missing`},
		{`{"kind":"maintenance","id":"1","service":"db","from":"2026-09-07T01:00:00Z","to":"2026-09-07T01:00:00Z"}`, `changes[1].to: 2026-09-07T01:00:00.000Z does not lie after from`},
		{`{"kind":"maintenance","service":"db","from":"2026-09-07T01:00:00Z","to":"2026-09-07T02:00:00Z"}`, `changes[1].id: missing`},
		{`{"kind":"maintenance","id":"1","service":"db","from":"2026-09-07T01:00:00Z","to":"2026-09-07T02:00:00Z","cancelled":"yes"}`, `changes[1].cancelled: string is not a boolean`},
	} {
		d, err := wire.Read(record(ingest.PathChanges, "["+window+","+test.bad+"]"))
		if err != nil || len(d.Events) != 1 || len(d.Dead) != 1 || d.Dead[0].Reason != test.reason {
			t.Errorf("%s: %v %v %v", test.bad, err, d.Events, d.Dead)
		}
	}
}

func TestFieldsOfAnotherKindAreSaid(t *testing.T) {
	d, err := wire.Read(record(ingest.PathChanges, `[{"id":"1","service":"s","started_at":"2026-09-07T00:04:56Z","to":"x","cancelled":true},`+
		window[:len(window)-1]+`,"title":"t"}]`))
	want := []string{"changes[0].cancelled: not a field of a change, ignored", "changes[0].to: not a field of a change, ignored",
		"changes[1].title: not a field of a maintenance window, ignored"}
	if err != nil || !cmp.Equal(d.Warnings, want) {
		t.Error(err, d.Warnings)
	}
}
