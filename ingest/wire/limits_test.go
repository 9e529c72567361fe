package wire_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
)

var tight = wire.Limits{EventsPerDelivery: 3, LabelsPerAlert: 2, LabelNameBytes: 10, LabelValueBytes: 20, AnnotationValueBytes: 30}

func limited(t *testing.T, l wire.Limits) *wire.Decoder {
	t.Helper()
	d, err := wire.New(wire.Config{Limits: l, Mappings: map[string]wire.Mapping{"own": {
		Event:  wire.MappedAlert,
		Fields: map[string]wire.Field{"labels": {From: "/labels"}, "annotations": {From: "/annotations"}, "status": {Constant: "firing"}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestAnAlertBeyondALimitIsADeadLetterAndItsNeighboursCount(t *testing.T) {
	for _, test := range []struct{ name, labels, annotations, reason string }{
		{"labels", `{"a":"1","b":"2","c":"3"}`, `{}`, "labels: 3 of them, at most 2"},
		{"a label's name", `{"abcdefghijk":"1"}`, `{}`, "labels.abcdefghijk: the name has 11 bytes, at most 10"},
		{"a label's value", `{"a":"123456789012345678901"}`, `{}`, "labels.a: 21 bytes, at most 20"},
		{"an annotation", `{"a":"1"}`, `{"s":"` + strings.Repeat("x", 31) + `"}`, "annotations.s: 31 bytes, at most 30"},
	} {
		body := func(label, annotation string) string {
			return fmt.Sprintf(`{"labels":%s,"annotations":%s,"startsAt":"2026-11-22T11:54:21Z"`, label, annotation)
		}
		bad, good := body(test.labels, test.annotations), body(`{"a":"12345678901234567890","abcdefghij":"1"}`, `{"s":"`+strings.Repeat("x", 30)+`"}`)
		for path, format := range map[string]string{
			ingest.PathAlertmanager: `{"version":"4","alerts":[%[1]s,"status":"firing"},%[2]s,"status":"firing"}]}`,
			ingest.PathAlerts:       `[%s},%s}]`,
			ingest.PathMapped:       `[%s},%s}]`,
		} {
			t.Run(test.name+" "+path, func(t *testing.T) {
				rec := ingest.Record{Kind: ingest.KindDelivery, Source: "own", Path: path, ReceivedAt: 1_790_000_000_000, Body: fmt.Appendf(nil, format, bad, good)}
				d, err := limited(t, tight).Read(rec)
				if err != nil || len(d.Events) != 1 || len(d.Dead) != 1 {
					t.Fatalf("%v, %d events, %v", err, len(d.Events), d.Dead)
				}
				if !strings.HasSuffix(d.Dead[0].Reason, "[0]."+test.reason) {
					t.Errorf("%q does not say %q", d.Dead[0].Reason, test.reason)
				}
				d, err = limited(t, wire.Limits{}).Read(rec)
				if err != nil || len(d.Events) != 2 {
					t.Errorf("by default: %v, %v", err, d.Dead)
				}
			})
		}
	}
}

func TestADeliveryOfTooManyEventsIsRefusedWhole(t *testing.T) {
	d := limited(t, tight)
	if got, err := d.Read(webhook(strings.Repeat(resolved+",", 2) + resolved)); err != nil || len(got.Events) != 3 {
		t.Errorf("%v %v", got, err)
	}
	got, err := d.Read(webhook(strings.Repeat(resolved+",", 3) + resolved))
	if err == nil || !strings.Contains(err.Error(), "holds more than 3 events") {
		t.Error(err)
	}
	if diff := cmp.Diff(ingest.Decoded{}, got); diff != "" {
		t.Error(diff)
	}
}

func TestADeliveryOfTooManyBadItemsIsRefusedBeforeItIsReadToItsEnd(t *testing.T) {
	const inner = `{"specversion":"1.0","id":"1","source":"s","type":"evenkeel.changes","data":[1,{"id":"1","service":"s","started_at":"2026-09-07T00:04:56Z"}]}`
	d := limited(t, tight)
	for _, test := range []struct{ path, body string }{
		{ingest.PathAlerts, `[1,1,1,1,this is not reached`},
		{ingest.PathChanges, `[1,1,1,1,this is not reached`},
		{ingest.PathSamples, `[1,1,1,1,this is not reached`},
		{ingest.PathAlertmanager, `{"version":"4","alerts":[1,1,1,1,this is not reached`},
		{ingest.PathAlertmanager, `[1,1,1,1,this is not reached`},
		{ingest.PathMapped, `[1,1,1,1]`},
		{ingest.PathCloudEvents, `[1,1,1,1,this is not reached`},
		{ingest.PathCloudEvents, `[` + inner + `,1,1,this is not reached`},
		{ingest.PathCloudEvents, `[` + inner + `,` + inner + `,` + inner + `]`},
		{ingest.PathCloudEvents, strings.Replace(inner, `[1,`, `[1,1,1,1,`, 1)},
		{ingest.PathDetect, `[` + inner + `,` + inner + `,1]`},
	} {
		rec := record(test.path, test.body)
		rec.Source = "own"
		got, err := d.Read(rec)
		if err == nil || err.Error() != "line 1, column 1 (byte 0): the delivery holds more than 3 events; send less at once" {
			t.Errorf("%s %s: %v", test.path, test.body, err)
		}
		if diff := cmp.Diff(ingest.Decoded{}, got); diff != "" {
			t.Error(diff)
		}
	}
	if got, err := d.Read(record(ingest.PathCloudEvents, `[`+inner+`,1]`)); err != nil || len(got.Events) != 1 || len(got.Dead) != 2 {
		t.Errorf("as many as may be: %v %+v", err, got)
	}
}

func TestABodyOfMillionsOfBadItemsCostsNoMoreThanTheLimit(t *testing.T) {
	rec := record(ingest.PathAlerts, "["+strings.Repeat("1,", 8<<20-1)+"1]")
	result := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := wire.Read(rec); err == nil {
				t.Fatal("millions of dead letters")
			}
		}
	})
	if got := result.AllocedBytesPerOp(); got > 128<<20 {
		t.Errorf("%d MiB are allocated", got>>20)
	}
}

func TestWarningsAreBoundedAndThoseLeftOutAreCounted(t *testing.T) {
	change := func(more int) string {
		return `{"id":"1","service":"s","started_at":"2026-09-07T00:04:56Z"` + strings.Repeat(`,"odd":1`, more) + `}`
	}
	for _, test := range []struct {
		path, body     string
		warned, unsaid int
	}{
		{ingest.PathChanges, change(100), 100, 0},
		{ingest.PathChanges, change(130), 100, 30},
		{ingest.PathCloudEvents, `[` + cloudChange(change(70)) + `,` + cloudChange(change(170)) + `]`, 100, 140},
	} {
		got, err := wire.Read(record(test.path, test.body))
		if err != nil || len(got.Warnings) != test.warned || got.Unsaid != test.unsaid {
			t.Errorf("%v: %d warnings and %d unsaid, want %d and %d", err, len(got.Warnings), got.Unsaid, test.warned, test.unsaid)
		}
	}
}

func cloudChange(data string) string {
	return `{"specversion":"1.0","id":"1","source":"s","type":"evenkeel.changes","data":` + data + `}`
}

func TestALimitBelowNothingIsRefused(t *testing.T) {
	_, err := wire.New(wire.Config{Limits: wire.Limits{LabelsPerAlert: -1, LabelNameBytes: -2}})
	if err == nil || err.Error() != "limits.labels_per_alert: -1 is negative\nlimits.label_name_bytes: -2 is negative" {
		t.Error(err)
	}
}

func TestNamesOfOtherEventsAreBoundedToo(t *testing.T) {
	d, err := wire.New(wire.Config{Limits: wire.Limits{LabelValueBytes: 10, AnnotationValueBytes: 20}})
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", 21)
	for _, test := range []struct{ path, good, bad, reason string }{
		{ingest.PathChanges, `{"id":"1","service":"s","started_at":"2026-09-07T00:04:56Z"}`, `{"id":"1","service":"` + long + `","started_at":"2026-09-07T00:04:56Z"}`, "changes[1].service: 21 bytes, at most 10"},
		{ingest.PathChanges, `{"id":"1","service":"s","started_at":"2026-09-07T00:04:56Z"}`, `{"id":"1","service":"s","started_at":"2026-09-07T00:04:56Z","title":"` + long + `"}`, "changes[1].title: 21 bytes, at most 20"},
		{ingest.PathChanges, `{"kind":"maintenance","id":"1","service":"db","from":"2026-09-07T01:00:00Z","to":"2026-09-07T02:00:00Z"}`,
			`{"kind":"maintenance","id":"1","service":"db","from":"2026-09-07T01:00:00Z","to":"2026-09-07T02:00:00Z","reason":"` + long + `"}`, "changes[1].reason: 21 bytes, at most 20"},
		{ingest.PathSamples, `{"service":"s","sli":"l","good":1,"total":1,"at":"2026-09-07T00:04:56Z"}`, `{"service":"s","sli":"` + long + `","good":1,"total":1,"at":"2026-09-07T00:04:56Z"}`, "samples[1].sli: 21 bytes, at most 10"},
	} {
		got, err := d.Read(record(test.path, "["+test.good+","+test.bad+"]"))
		if err != nil || len(got.Events) != 1 || len(got.Dead) != 1 || got.Dead[0].Reason != test.reason {
			t.Errorf("%s: %v %v %+v", test.bad, err, got.Events, got.Dead)
		}
	}
}

func TestWhatIsTooLongOfGrafanaIsLeftOutAndSaid(t *testing.T) {
	d, err := wire.New(wire.Config{Limits: wire.Limits{AnnotationValueBytes: 20, LabelValueBytes: 20}})
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", 21)
	got, err := d.Read(record(ingest.PathAlertmanager, `{"version":"1","alerts":[`+
		`{"status":"firing","labels":{"a":"`+long+`"},"startsAt":"2026-01-01T00:00:00Z","fingerprint":"1","panelURL":"p"},`+
		`{"status":"firing","labels":{"a":"1"},"startsAt":"2026-01-01T00:00:00Z","fingerprint":"2","valueString":"`+long+`","dashboardURL":"d"}]}`))
	if err != nil || len(got.Events) != 1 || len(got.Dead) != 1 {
		t.Fatal(err, got)
	}
	if diff := cmp.Diff(ingest.Labels{{Name: "grafana_dashboard_url", Value: "d"}}, got.Events[0].Alert.Annotations); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]string{"alert 2.grafana_value_string: 21 bytes, at most 20; left out"}, got.Warnings); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestAnAlertOfANotificationBeyondALimitDoesNotCostTheOthers(t *testing.T) {
	d, err := wire.New(wire.Config{Limits: wire.Limits{LabelValueBytes: 10}})
	if err != nil {
		t.Fatal(err)
	}
	body := `{` + stamp + `,"data":{"notification":{"alerts":[{"details":` + strings.Replace(details, `"value":"Up"`, `"value":"UpUpUpUpUpUp"`, 1) + `},{"details":` + details + `}],` + group + `}}}`
	got, err := d.Read(record(ingest.PathDetect, body))
	if err != nil || kinds(got.Events) != "al" || len(got.Dead) != 1 || got.Dead[0].Reason != "event.alerts[0].labels.alertname: 12 bytes, at most 10" {
		t.Errorf("%v %q %+v", err, kinds(got.Events), got.Dead)
	}
}
