package endtoend

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/improve"
	"github.com/evenkeel/evenkeel/internal/rig"
)

const catalogueOfTwo = `services:
  - name: checkout
    owner: team-payments
    tier: 1
    depends_on: [cart]
    agreements:
      - name: public
        objective: 99.9%
        zone: Europe/Berlin
  - name: cart
    owner: team-cart
    tier: 2
`

// An alert that Prometheus fires goes through Alertmanager into an incident, and
// from there into availability, the report and the page; and so does its end.
func TestAnAlertTravelsFromPrometheusToTheReport(t *testing.T) {
	for _, version := range []struct {
		name  string
		start func(testing.TB, string, ...string) *rig.Process
	}{
		{"Alertmanager 0.34", rig.Alertmanager},
		{"Alertmanager 0.25", rig.AlertmanagerOld},
	} {
		t.Run(version.name, func(t *testing.T) { travel(t, version.start) })
	}
}

func travel(t *testing.T, alertmanager func(testing.TB, string, ...string) *rig.Process) {
	config := writeFile(t, "evenkeel.yml", "zone: Europe/Berlin\ncatalogue: ["+writeFile(t, "catalogue.yml", catalogueOfTwo)+"]\n")
	s := serve(t, config, t.TempDir())
	checkout := newExporter(t)
	seen := newWitness(t)
	am := alertmanager(t, fmt.Sprintf(alertmanagerConfig, s.url, seen.url))
	rig.Prometheus(t, fmt.Sprintf(prometheusConfig, strings.TrimPrefix(checkout.url, "http://"), strings.TrimPrefix(am.URL, "http://")), prometheusRules)

	checkout.up.Store(false)
	var open incidentList
	eventually(t, time.Minute, "the incident opens", func() bool {
		s.get(t, "/api/v1/incidents", url.Values{"state": {"open"}}, &open)
		return len(open.Incidents) == 1
	})
	incident := open.Incidents[0]
	if !slices.Equal(incident.Services, []string{"checkout"}) {
		t.Errorf("the incident has the services %q, want checkout", incident.Services)
	}

	time.Sleep(3 * time.Second) // an outage of some length
	checkout.up.Store(true)
	eventually(t, time.Minute, "the incident resolves", func() bool {
		var resolved incidentList
		s.get(t, "/api/v1/incidents", url.Values{"state": {"resolved"}}, &resolved)
		return len(resolved.Incidents) == 1 && resolved.Incidents[0].ID == incident.ID
	})

	want := seen.outage(t)
	checkAvailability(t, s, want)
	checkReport(t, s, want)
	checkPages(t, s, incident.ID, want)
}

type incidentList struct {
	Incidents []struct {
		ID       string   `json:"id"`
		Services []string `json:"services"`
	} `json:"incidents"`
}

// checkAvailability compares the month's downtime with what Alertmanager reported.
func checkAvailability(t *testing.T, s *server, outage time.Duration) {
	t.Helper()
	var month struct {
		Levels []struct {
			Agreement string `json:"agreement"`
			From      time.Time
			To        time.Time
			Buckets   map[string]any `json:"buckets"`
			Downtime  int64          `json:"downtime_ms"`
			Ratio     *float64       `json:"ratio"`
		} `json:"levels"`
	}
	s.get(t, "/api/v1/availability", url.Values{"service": {"checkout"}}, &month)
	if len(month.Levels) != 2 {
		t.Fatalf("checkout has %d levels, want the service's own and the agreement's", len(month.Levels))
	}
	for _, level := range month.Levels {
		if got := time.Duration(level.Downtime) * time.Millisecond; got != outage {
			t.Errorf("agreement %q: the month has %s of downtime, Alertmanager reported %s", level.Agreement, got, outage)
		}
		if level.Ratio == nil || *level.Ratio >= 1 {
			t.Errorf("agreement %q: the month's availability is %v, want less than 1", level.Agreement, level.Ratio)
		}
	}
}

// checkReport runs the report of this month as a user does, and looks for the outage.
func checkReport(t *testing.T, s *server, outage time.Duration) {
	t.Helper()
	out := evenkeel(t, "report", "--storage.path="+s.storage, "--format=json", "--period="+thisMonth(t))
	var report struct {
		Availability struct {
			Levels []struct {
				Service  string `json:"service"`
				Measured struct {
					Downtime int64 `json:"downtime_ms"`
				} `json:"measured"`
			} `json:"levels"`
		} `json:"availability"`
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatal(err)
	}
	found := false
	for _, level := range report.Availability.Levels {
		found = found || level.Service == "checkout" && time.Duration(level.Measured.Downtime)*time.Millisecond == outage
	}
	if !found {
		t.Errorf("the report does not show checkout's outage of %s:\n%s", outage, out)
	}
}

// checkPages goes the way of a reader in a browser: from the report to the incident behind the
// outage, and to the service. Each must show the outage. A picture of each is kept where one does not.
func checkPages(t *testing.T, s *server, id string, outage time.Duration) {
	t.Helper()
	lasted := improve.Length(outage.Milliseconds()).String()
	browser := rig.Chromium(t)

	report := browser.Open(t, s.url+"/reports/"+thisMonth(t), rig.View{})
	says(t, report, "incidents 1 all resolved", "checkout down "+lasted, "checkout / public", lasted+" "+id, "CheckoutDown")
	report.Click(t, "a[href$='/incidents/"+id+"']")
	says(t, report, "CheckoutDown", "checkout", "resolved", lasted, "Nobody can pay")

	service := browser.Open(t, s.url+"/services/checkout", rig.View{})
	says(t, service, "checkout", "n = 1", "Downtime that counts "+lasted, "CheckoutDown", "2 intervals that were not up", "down down "+lasted)
	var exact []string
	service.Eval(t, `[...document.querySelectorAll("dd span[title], td span[title]")].map((e) => e.title.replace(/\s/g, ""))`, &exact)
	if want := fmt.Sprintf("%dms", outage.Milliseconds()); !slices.Contains(exact, want) {
		t.Errorf("no length on the service's page is %s: %q", want, exact)
	}
}

// says looks for words in what a person sees on the page.
func says(t *testing.T, page *rig.Page, words ...string) {
	t.Helper()
	text := strings.ToLower(plainSpaces(page.Text(t)))
	for _, want := range words {
		if !strings.Contains(text, strings.ToLower(want)) {
			t.Errorf("the page does not say %q:\n%s", want, text)
		}
	}
}

// thisMonth names the month that it is in Berlin.
func thisMonth(t *testing.T) string {
	t.Helper()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return time.Now().In(berlin).Format("2006-01")
}

// exporter is a service that Prometheus watches: it says whether it is up.
type exporter struct {
	url string
	up  atomic.Bool
}

func newExporter(t *testing.T) *exporter {
	t.Helper()
	e := &exporter{}
	e.up.Store(true)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		value := 0
		if e.up.Load() {
			value = 1
		}
		fmt.Fprintf(w, "checkout_up %d\n", value)
	}))
	t.Cleanup(srv.Close)
	e.url = srv.URL
	return e
}

// witness is a second receiver of the same Alertmanager: it remembers what was said.
type witness struct {
	url string
	mu  sync.Mutex
	// start and end of the last alert seen resolved.
	start, end time.Time
	bodies     map[string][]byte // the last one of each status
}

func newWitness(t *testing.T) *witness {
	t.Helper()
	w := &witness{bodies: map[string][]byte{}}
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var body struct {
			Alerts []struct {
				Status           string
				StartsAt, EndsAt time.Time
			}
		}
		text, err := io.ReadAll(r.Body)
		if err := errors.Join(err, json.Unmarshal(text, &body)); err != nil {
			t.Errorf("the witness did not understand Alertmanager: %v", err)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, a := range body.Alerts {
			w.bodies[a.Status] = text
			if a.Status == "resolved" {
				w.start, w.end = a.StartsAt, a.EndsAt
			}
		}
	}))
	t.Cleanup(srv.Close)
	w.url = srv.URL
	return w
}

// body returns the last delivery that told of an alert in that status, nil before there is one.
func (w *witness) body(status string) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.bodies[status]
}

// outage returns how long Alertmanager says that the alert fired, in whole milliseconds at both ends.
func (w *witness) outage(t *testing.T) time.Duration {
	t.Helper()
	eventually(t, 20*time.Second, "the witness sees the alert resolved", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return !w.end.IsZero()
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Duration(w.end.UnixMilli()-w.start.UnixMilli()) * time.Millisecond
}

const alertmanagerConfig = `
route:
  receiver: evenkeel
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 1h
receivers:
- name: evenkeel
  webhook_configs:
  - url: %s/api/v1/ingest/alertmanager
  - url: %s
`

const prometheusConfig = `
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [rules.yml]
scrape_configs:
- job_name: checkout
  static_configs: [{targets: [%s]}]
alerting:
  alertmanagers: [{static_configs: [{targets: [%s]}]}]
`

const prometheusRules = `
groups:
- name: checkout
  rules:
  - alert: CheckoutDown
    expr: checkout_up == 0
    labels: {severity: critical, service: checkout}
    annotations: {summary: Nobody can pay}
`
