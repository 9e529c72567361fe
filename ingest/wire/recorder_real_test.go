package wire_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
	"github.com/evenkeel/evenkeel/internal/rig"
)

// A real Alertmanager posts batches of its recorder: alerts, and which of them inhibits which.
func TestARealAlertmanagerTellsWhatInhibitsWhat(t *testing.T) {
	bodies := make(chan []byte, 1000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, err := io.ReadAll(r.Body); err == nil {
			bodies <- body
		}
	}))
	defer server.Close()
	am := rig.Alertmanager(t, `
route: {receiver: evenkeel, group_wait: 100ms, group_interval: 200ms, repeat_interval: 1s}
receivers: [{name: evenkeel, webhook_configs: [{url: "`+server.URL+`/webhook"}]}]
inhibit_rules:
  - {source_matchers: [alertname="ClusterDown"], target_matchers: [alertname="DiskFull"], equal: [cluster]}
event_recorder:
  webhook_outputs:
    - {url: "`+server.URL+`/recorder", batch: true, batch_flush_interval: 100ms}
`, "--enable-feature=event-recorder")
	for _, name := range []string{"ClusterDown", "DiskFull"} {
		post(t, am.URL+"/api/v2/alerts", `[{"labels":{"alertname":"`+name+`","cluster":"eu"}}]`)
	}
	fingerprint := func(name string) string {
		return ingest.LabelsOf(map[string]string{"alertname": name, "cluster": "eu"}).Fingerprint()
	}
	want := map[string]bool{
		"alert " + fingerprint("ClusterDown"): true, "alert " + fingerprint("DiskFull"): true, "notified " + fingerprint("ClusterDown"): true,
		"inhibited " + fingerprint("DiskFull") + " by " + fingerprint("ClusterDown"): true,
	}
	deadline := time.After(30 * time.Second)
	for len(want) > 0 {
		select {
		case body := <-bodies:
			for _, what := range told(t, body) {
				delete(want, what)
			}
		case <-deadline:
			t.Fatalf("after 30 s nothing was told of %v", want)
		}
	}
}

// told says what the events of a delivery tell. Alertmanager's webhook and its recorder come to the same path.
func told(t *testing.T, body []byte) (all []string) {
	d, err := wire.Read(ingest.Record{Kind: ingest.KindDelivery, Path: ingest.PathAlertmanager, ReceivedAt: 1, Body: body})
	if err != nil || len(d.Dead)+len(d.Warnings) > 0 {
		t.Errorf("%v, %v, %v: %s", err, d.Dead, d.Warnings, body)
	}
	for _, e := range d.Events {
		if e.Alert != nil {
			all = append(all, "alert "+e.Alert.Fingerprint)
			continue
		}
		what := fmt.Sprint(e.Link.Kind, " ", strings.Join(e.Link.Alerts, " "))
		if len(e.Link.Causes) > 0 {
			what += " by " + strings.Join(e.Link.Causes, " ")
		}
		all = append(all, what)
	}
	return all
}

func post(t *testing.T, url, body string) {
	t.Helper()
	answer, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(answer.Body)
		t.Fatalf("%s: %s", answer.Status, text)
	}
}
