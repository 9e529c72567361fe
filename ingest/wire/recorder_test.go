package wire_test

import (
	"bufio"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/alertmanager/eventrecorder/eventrecorderpb"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
	"github.com/evenkeel/evenkeel/internal/rig"
)

const (
	stamp   = `"@timestamp":"2026-11-22T11:54:51.369Z","instance":"vm"`
	details = `{"fingerprint":"6407708153523948200","name":"Up","labels":{"labels":[{"key":"alertname","value":"Up"},{"key":"empty"}]},` +
		`"annotations":{"labels":[{"key":"summary","value":"s"}]},"startsAt":"2026-11-22T11:54:21.366581Z","endsAt":"2026-11-22T11:59:51Z"}`
	group    = `"groupInfo":{"groupKey":"{}:{a=\"b\"}","receiverName":"team","matchers":[]}`
	silenced = `{"id":"s-1","matchers":[{"type":"TYPE_EQUAL","name":"a","pattern":"b","rendered":"a=\"b\""}],"startsAt":"2026-11-22T11:00:00Z",` +
		`"endsAt":"2026-11-22T13:00:00Z","createdBy":"ann","comment":"known"}`
)

// happenings holds what each event of the recorder means, in the JSON that Alertmanager writes.
var happenings = []struct {
	name, json string
	want       []ingest.Event
}{
	{"an alert created fires; the end that only a timeout would bring is left out",
		`{` + stamp + `,"data":{"alertCreated":{"alert":` + details + `}}}`, []ingest.Event{{Alert: up(false, "", "")}}},
	{"an alert resolved ends", `{` + stamp + `,"data":{"alertResolved":{"alert":{"hash":"1","details":` +
		strings.Replace(details, `"endsAt"`, `"resolved":true,"endsAt"`, 1) + `},` + group + `}}}`,
		[]ingest.Event{{Alert: up(true, "team", `{}:{a="b"}`)}}},
	{"an alert grouped is seen, and linked to its group", `{` + stamp + `,"data":{"alertGrouped":{"alert":{"hash":"1","details":` + details + `},` + group + `}}}`,
		[]ingest.Event{{Alert: up(false, "team", `{}:{a="b"}`)}, {Link: &ingest.Link{
			Kind: ingest.LinkGrouped, At: 1795348491369, Alerts: []string{"58ecc09dbb2b4aa8"}, Receiver: "team", GroupKey: `{}:{a="b"}`,
		}}}},
	{"a notification is seen of all its alerts", `{` + stamp + `,"data":{"notification":{"alerts":[{"hash":"1","details":` + details + `}],"firingAlerts":[{"hash":"1"}],` + group + `,"flushId":"7"}}}`,
		[]ingest.Event{{Alert: up(false, "team", `{}:{a="b"}`)}, {Link: &ingest.Link{
			Kind: ingest.LinkNotified, At: 1795348491369, Alerts: []string{"58ecc09dbb2b4aa8"}, Receiver: "team", GroupKey: `{}:{a="b"}`,
		}}}},
	{"a silence speaks of no alert yet", `{` + stamp + `,"data":{"silenceUpdated":{"silence":` + silenced + `}}}`,
		[]ingest.Event{{Link: &ingest.Link{Kind: ingest.LinkSilence, At: 1795348491369, Silence: silence}}}},
	{"a silenced alert is linked to its silence", `{` + stamp + `,"data":{"silenceMutedAlert":{"silence":` + silenced + `,"mutedAlert":{"fingerprint":"255"}}}}`,
		[]ingest.Event{{Link: &ingest.Link{Kind: ingest.LinkSilenced, At: 1795348491369, Silence: silence, Alerts: []string{"00000000000000ff"}}}}},
	{"an inhibited alert is linked to those that inhibit it",
		`{` + stamp + `,"data":{"inhibitionMutedAlert":{"inhibitRules":[{"equalLabels":["a"],"name":"r"}],"mutedAlert":{"labels":{},"fingerprint":"255"},"inhibitingFingerprints":["1","2"]}}}`,
		[]ingest.Event{{Link: &ingest.Link{Kind: ingest.LinkInhibited, At: 1795348491369, Alerts: []string{"00000000000000ff"},
			Causes: []string{"0000000000000001", "0000000000000002"}, Rule: "r"}}}},
	{"a start of the process says nothing of alerts", `{` + stamp + `,"data":{"alertmanagerStartupEvent":{"version":"0.34"}}}`, nil},
}

var silence = ingest.Silence{ID: "s-1", From: 1795345200000, To: 1795352400000, Author: "ann", Comment: "known", Matchers: []string{`a="b"`}}

func up(resolved bool, receiver, groupKey string) *ingest.Alert {
	a := &ingest.Alert{
		Fingerprint: "58ecc09dbb2b4aa8", Resolved: resolved, StartsAt: 1795348461366,
		Labels: ingest.Labels{{Name: "alertname", Value: "Up"}}, Annotations: ingest.Labels{{Name: "summary", Value: "s"}},
		Receiver: receiver, GroupKey: groupKey,
	}
	if resolved {
		a.EndsAt = 1795348791000
	}
	return a
}

// binary is the same event as Alertmanager publishes it with `format: protobuf`.
func binary(t testing.TB, json string) []byte {
	t.Helper()
	var e eventrecorderpb.Event
	if err := protojson.Unmarshal([]byte(json), &e); err != nil {
		t.Fatal(err)
	}
	b, err := proto.Marshal(&e)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func received(events []ingest.Event) []ingest.Event {
	out := slices.Clone(events)
	for i := range out {
		out[i].Tenant, out[i].Source, out[i].ReceivedAt = "default", "alertmanager", 5
	}
	return out
}

func TestEventsOfTheRecorderMeanTheSameInJSONAndProtobuf(t *testing.T) {
	for _, test := range happenings {
		t.Run(test.name, func(t *testing.T) {
			one := binary(t, test.json)
			for name, rec := range map[string]ingest.Record{
				"one":                 record(ingest.PathAlertmanager, test.json),
				"a batch":             record(ingest.PathAlertmanager, "["+test.json+"]"),
				"detected":            record(ingest.PathDetect, test.json),
				"protobuf":            record(ingest.PathDetect, string(one)),
				"protobuf, delimited": record(ingest.PathDetect, string(protowire.AppendBytes(nil, one))),
			} {
				d, err := wire.Read(rec)
				if err != nil || len(d.Dead) > 0 || len(d.Warnings) > 0 {
					t.Fatal(name, err, d.Dead, d.Warnings)
				}
				if diff := cmp.Diff(received(test.want), d.Events); diff != "" && len(d.Events)+len(test.want) > 0 {
					t.Errorf("%s (-want +got)\n%s", name, diff)
				}
			}
		})
	}
}

func TestOneBadEventOfTheRecorderIsADeadLetter(t *testing.T) {
	good := happenings[0].json
	for _, test := range []struct{ bad, reason string }{
		{`7`, `events[1]: number is not an object`},
		{`{"data":{"alertCreated":{"alert":` + details + `}}}`, `events[1].@timestamp: missing`},
		{`{` + stamp + `,"data":{"alertCreated":{"alert":{"fingerprint":"1"}}}}`, `events[1].alert.labels: none`},
		{`{` + stamp + `,"data":{"alertCreated":{"alert":{"labels":{"labels":[{"key":"a","value":"b"}]}}}}}`, `events[1].alert.startsAt: missing`},
		{`{` + stamp + `,"data":{"alertCreated":{"alert":{"fingerprint":"f"}}}}`, `events[1].alert.fingerprint: "f" is not a fingerprint`},
		{`{` + stamp + `,"data":{"inhibitionMutedAlert":{"mutedAlert":{"fingerprint":"1"}}}}`, `events[1].inhibitingFingerprints: none`},
		{`{` + stamp + `,"data":{"inhibitionMutedAlert":{"mutedAlert":{"fingerprint":"1"},"inhibitingFingerprints":["2",null]}}}`, `events[1].inhibitingFingerprints[1]: missing`},
		{`{` + stamp + `,"data":{"inhibitionMutedAlert":{"mutedAlert":{"fingerprint":"1"},"inhibitingFingerprints":["f"]}}}`, `events[1].inhibitingFingerprints: "f" is not a fingerprint`},
		{`{` + stamp + `,"data":{"silenceMutedAlert":{"mutedAlert":{"fingerprint":"1"}}}}`, `events[1].silence.id: missing`},
		{`{` + stamp + `,"data":{"alertCreated":{}}}`, `events[1].alert: missing`},
		{`{` + stamp + `,"data":{"alertCreated":{"alert":{}}}}`, `events[1].alert.labels: none`},
		{`{` + stamp + `,"data":[]}`, `events[1].data: array is not an object`},
	} {
		d, err := wire.Read(record(ingest.PathAlertmanager, "["+good+","+test.bad+"]"))
		if err != nil || len(d.Events) != 1 || len(d.Dead) != 1 || d.Dead[0].Reason != test.reason {
			t.Errorf("%s: %v %v %v", test.bad, err, d.Events, d.Dead)
		}
	}
}

func TestOneBadAlertOfANotificationDoesNotCostTheOthers(t *testing.T) {
	body := `{` + stamp + `,"data":{"notification":{"alerts":[{"details":{"fingerprint":"1"}},{"details":` + details + `}],` + group + `}}}`
	for _, body := range []string{body, string(binary(t, body))} {
		d, err := wire.Read(record(ingest.PathDetect, body))
		if err != nil || len(d.Events) != 2 || len(d.Dead) != 1 || d.Dead[0].Reason != "event.alerts[0].labels: none" {
			t.Errorf("%v %v %+v", err, d.Events, d.Dead)
		}
	}
}

func TestAMereReferenceToAnAlertIsSaid(t *testing.T) {
	body := `{` + stamp + `,"data":{"notification":{"alerts":[{"hash":"2"},{"hash":"1","details":` + details + `}],` + group + `}}}`
	for _, body := range []string{body, string(binary(t, body))} {
		d, err := wire.Read(record(ingest.PathDetect, body))
		if err != nil || kinds(d.Events) != "al" || !cmp.Equal(d.Warnings, []string{"event.alerts[0]: a reference without details, ignored"}) {
			t.Error(err, kinds(d.Events), d.Warnings)
		}
	}
}

func TestAnEventThatANewerAlertmanagerSendsIsSaid(t *testing.T) {
	d, err := wire.Read(record(ingest.PathDetect, `{`+stamp+`,"data":{"routeChanged":{}}}`))
	if err != nil || len(d.Events)+len(d.Dead) > 0 || !cmp.Equal(d.Warnings, []string{"event.data.routeChanged: not a known event, ignored"}) {
		t.Error(err, d)
	}
}

// The stream that a real Alertmanager 0.34 recorded beside its webhooks.
func TestARealRecordedStreamIsUnderstoodWhole(t *testing.T) {
	f, err := os.Open(rig.Shared(t, "data/alertmanager-0.34/event-recorder.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	webhooks := map[string]bool{}
	for _, rec := range deliveries(t) {
		events, _, err := wire.Decode(rec)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			webhooks[e.Alert.Fingerprint+" "+e.Alert.StartsAt.String()] = true
		}
	}
	links, seen := map[ingest.LinkKind]int{}, map[string]bool{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		d, err := wire.Read(record(ingest.PathDetect, lines.Text()))
		if err != nil || len(d.Dead)+len(d.Warnings) > 0 {
			t.Fatal(err, d.Dead, d.Warnings, lines.Text())
		}
		again, err := wire.Read(record(ingest.PathDetect, string(binary(t, lines.Text()))))
		if diff := cmp.Diff(d, again); diff != "" || err != nil {
			t.Errorf("protobuf says otherwise, %v (-JSON +protobuf)\n%s", err, diff)
		}
		for _, e := range d.Events {
			if e.Alert != nil {
				seen[e.Alert.Fingerprint+" "+e.Alert.StartsAt.String()] = true
				if own := e.Alert.Labels.Fingerprint(); own != e.Alert.Fingerprint {
					t.Errorf("%v: computed %s, recorded %s", e.Alert.Labels, own, e.Alert.Fingerprint)
				}
				continue
			}
			links[e.Link.Kind]++
			if e.Link.Kind == ingest.LinkInhibited && e.Link.Causes[0] != ingest.FormatFingerprint(10850218728871207572) {
				t.Errorf("inhibited by %v", e.Link.Causes)
			}
		}
	}
	for alert := range webhooks {
		if !seen[alert] {
			t.Errorf("the webhook told of %s, the recorder did not", alert)
		}
	}
	if links[ingest.LinkGrouped] == 0 || links[ingest.LinkNotified] == 0 || links[ingest.LinkInhibited] == 0 {
		t.Error(links)
	}
	t.Log(len(seen), "alerts,", links)
}
