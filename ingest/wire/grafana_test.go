package wire_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
)

// grafana is what Grafana's alerting posts, with the fields of its documentation.
const grafana = `{"receiver":"My\\.Super\\+Webhook","status":"firing","orgId":1,"state":"alerting","title":"[FIRING:1]","message":"long",
	"groupKey":"{}:{}","truncatedAlerts":0,"externalURL":"https://play/","groupLabels":{},"commonLabels":{},"commonAnnotations":{},
	"alerts":[{"status":"firing","labels":{"alertname":"High memory"},"annotations":{"grafana_values":"the rule's own","summary":"s"},
		"startsAt":"2021-10-12T09:51:03.157076+02:00","endsAt":"0001-01-01T00:00:00Z","generatorURL":"https://play/edit","fingerprint":"c6eadffa33fcdf37",
		"silenceURL":"https://play/silence","dashboardURL":"https://play/d","panelURL":null,"imageURL":"",
		"values":{"B": 44.2,"C":1},"valueString":"[ var='B' value=44.2 ]"}],"version":"1"}`

func TestGrafanasAlertsKeepWhatOnlyGrafanaSends(t *testing.T) {
	want := []ingest.Event{{Tenant: "default", Source: "alertmanager", ReceivedAt: 5, Alert: &ingest.Alert{
		Fingerprint: "c6eadffa33fcdf37", StartsAt: 1634025063157, Labels: ingest.Labels{{Name: "alertname", Value: "High memory"}},
		Annotations: ingest.Labels{
			{Name: "grafana_dashboard_url", Value: "https://play/d"}, {Name: "grafana_org_id", Value: "1"},
			{Name: "grafana_silence_url", Value: "https://play/silence"}, {Name: "grafana_value_string", Value: "[ var='B' value=44.2 ]"},
			{Name: "grafana_values", Value: "the rule's own"}, {Name: "summary", Value: "s"},
		},
		GeneratorURL: "https://play/edit", Receiver: "My.Super+Webhook", GroupKey: "{}:{}",
	}}}
	for _, path := range []string{ingest.PathAlertmanager, ingest.PathDetect} {
		d, err := wire.Read(record(path, grafana))
		if err != nil || len(d.Dead)+len(d.Warnings) > 0 {
			t.Fatal(err, d.Dead, d.Warnings)
		}
		if diff := cmp.Diff(want, d.Events); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}

func TestAlertmanagersWebhookKeepsNothingThatLooksLikeGrafanas(t *testing.T) {
	d, err := wire.Read(webhook(`{"status":"firing","labels":{"a":"1"},"startsAt":"2026-01-01T00:00:00Z","dashboardURL":"https://x","values":{}}`))
	if err != nil || len(d.Events) != 1 || len(d.Events[0].Alert.Annotations) > 0 {
		t.Error(err, d)
	}
}

func TestAFieldOfGrafanaThatIsStrangeCostsNoAlert(t *testing.T) {
	d, err := wire.Read(record(ingest.PathAlertmanager, `{"version":"1","orgId":"x","alerts":[{"status":"firing","labels":{"a":"1"},`+
		`"startsAt":"2026-01-01T00:00:00Z","valueString":7,"values":"`+"\xff"+`","dashboardURL":["a"]}]}`))
	want := ingest.Labels{{Name: "grafana_dashboard_url", Value: `["a"]`}, {Name: "grafana_org_id", Value: "x"},
		{Name: "grafana_value_string", Value: "7"}, {Name: "grafana_values", Value: "\uFFFD"}}
	if err != nil || len(d.Dead) > 0 || !cmp.Equal(d.Events[0].Alert.Annotations, want) {
		t.Error(err, d.Dead, d.Events)
	}
}

func TestWhatGrafanaDidNotSeeIsUnknown(t *testing.T) {
	for _, test := range []struct {
		name, status, labels, annotations string
		unknown, byTimeout                bool
	}{
		{"a rule without data", "firing", `"alertname":"DatasourceNoData","rulename":"Up"`, ``, true, false},
		{"a rule that fails", "firing", `"alertname":"DatasourceError","rulename":"Up"`, ``, true, false},
		{"the data is back", "resolved", `"alertname":"DatasourceNoData","rulename":"Up"`, ``, true, false},
		{"somebody's alert of that name", "firing", `"alertname":"DatasourceError"`, ``, false, false},
		{"a rule that is set to fire without data", "firing", `"alertname":"Up"`, `"grafana_state_reason":"NoData"`, false, false},
		{"a series that is gone", "resolved", `"alertname":"Up"`, `"grafana_state_reason":"MissingSeries"`, false, true},
		{"a rule that was paused", "resolved", `"alertname":"Up"`, `"grafana_state_reason":"Paused"`, false, true},
		{"a recovery", "resolved", `"alertname":"Up"`, ``, false, false},
	} {
		body := `{"version":"1","alerts":[{"status":"` + test.status + `","labels":{` + test.labels + `},"annotations":{` + test.annotations +
			`},"startsAt":"2026-01-01T00:00:00Z","endsAt":"2026-01-01T00:01:00Z"}]}`
		for _, body := range []string{body, `{"version":"4"` + body[len(`{"version":"1"`):]} {
			events, _, err := wire.Decode(record(ingest.PathAlertmanager, body))
			if err != nil || events[0].Alert.Unknown != test.unknown || events[0].Alert.EndsByTimeout != test.byTimeout {
				t.Errorf("%s: %v %+v", test.name, err, events)
			}
		}
	}
}
