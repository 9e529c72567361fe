package alertmanager_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/alertmanager"
	"github.com/evenkeel/evenkeel/internal/api/apitest"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
)

func handler(site *apitest.Site) http.Handler {
	return alertmanager.New(alertmanager.Options{Reads: site.Reads(), StartTime: time.Unix(1_700_000_000, 0)})
}

func get(t *testing.T, h http.Handler, target string, into any) *http.Response {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/v2"+target, http.NoBody))
	if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
		t.Fatalf("GET %s: %d %v\n%s", target, w.Code, err, w.Body)
	}
	return w.Result()
}

// alertNames asks for alerts and returns their names with their states, in the order in which they came.
func alertNames(t *testing.T, h http.Handler, query string) []string {
	t.Helper()
	var alerts []alertmanager.Alert
	if res := get(t, h, "/alerts?"+query, &alerts); res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", query, res.Status)
	}
	names := []string{}
	for _, a := range alerts {
		names = append(names, a.Labels.Get("alertname")+" "+a.Status.State)
	}
	return names
}

// small is a site of four episodes: two fire, one is unknown, one is over.
func small() *apitest.Site {
	site := apitest.Empty()
	episode := func(fingerprint, name, service, incident string, state correlate.EpisodeState) {
		e := correlate.Episode{
			RecordedAt: apitest.Now - ingest.Minute, State: state, Incident: incident, AlertName: name,
			EpisodeKey: correlate.EpisodeKey{
				Tenant: ingest.DefaultTenant, Source: "alertmanager", Fingerprint: fingerprint, StartsAt: apitest.Now - ingest.Hour,
			},
			Labels:      ingest.LabelsOf(map[string]string{"alertname": name, "service": service}),
			Annotations: ingest.LabelsOf(map[string]string{"summary": name + " of " + service}),
		}
		switch state {
		case correlate.Resolved:
			e.EndsAt = apitest.Now // at this very instant
		case correlate.Unknown:
			e.UnknownSince = apitest.Now - 30*ingest.Minute
		}
		site.Members = append(site.Members, e)
	}
	episode("00000000000000bb", "Latency", "checkout", "i-1", correlate.Firing)
	episode("00000000000000aa", "Errors", "payment", "i-1", correlate.Firing)
	episode("00000000000000dd", "Silent", "search", "i-2", correlate.Unknown)
	episode("00000000000000cc", "Over", "cart", "i-3", correlate.Resolved)
	return site
}

func TestOpenEpisodesAreAlerts(t *testing.T) {
	var alerts []alertmanager.Alert
	get(t, handler(small()), "/alerts", &alerts)
	want := alertmanager.Alert{
		Fingerprint: "00000000000000aa", StartsAt: apitest.Now - ingest.Hour, EndsAt: apitest.Now + 5*ingest.Minute,
		UpdatedAt:   apitest.Now - ingest.Minute,
		Labels:      ingest.LabelsOf(map[string]string{"alertname": "Errors", "service": "payment"}),
		Annotations: ingest.LabelsOf(map[string]string{"summary": "Errors of payment"}),
		Receivers:   []alertmanager.ReceiverReference{{Name: "evenkeel"}},
		Status:      alertmanager.Status{State: "active", SilencedBy: []string{}, InhibitedBy: []string{}, MutedBy: []string{}},
	}
	if len(alerts) != 3 {
		t.Fatalf("%d alerts: %+v", len(alerts), alerts)
	}
	if diff := cmp.Diff(want, alerts[0]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if silent := alerts[2]; silent.Status.State != "unprocessed" || silent.EndsAt != apitest.Now-30*ingest.Minute {
		t.Errorf("what nobody knows of is %s until %s", silent.Status.State, silent.EndsAt)
	}
}

func TestParametersChooseAlertsAsInAlertmanager(t *testing.T) {
	h := handler(small())
	const errors, latency, silent = "Errors active", "Latency active", "Silent unprocessed"
	for query, want := range map[string][]string{
		"":                               {errors, latency, silent},
		"active=false":                   {silent},
		"unprocessed=false":              {errors, latency},
		"active=false&unprocessed=false": {},
		"silenced=false&inhibited=false": {errors, latency, silent},
		"receiver=":                      {errors, latency, silent},
		"receiver=even.*":                {errors, latency, silent},
		"receiver=even":                  {},
		"receiver_matchers=" + url.QueryEscape(`owner="web"`):                                       {},
		"receiver_matchers=" + url.QueryEscape(`owner!="web"`):                                      {errors, latency, silent},
		"filter=" + url.QueryEscape(`alertname="Errors"`):                                           {errors},
		"filter=" + url.QueryEscape(`alertname=Errors`):                                             {errors},
		"filter=" + url.QueryEscape(`service=~"check.*|pay.*"`):                                     {errors, latency},
		"filter=" + url.QueryEscape(`service=~"check"`):                                             {}, // anchored
		"filter=" + url.QueryEscape(`service!~"check.*"`):                                           {errors, silent},
		"filter=" + url.QueryEscape(`team=""`) + "&filter=" + url.QueryEscape(`service!="payment"`): {latency, silent},
		"filter=" + url.QueryEscape(`{alertname="Errors",service="checkout"}`):                      {},
		"a_parameter_of_tomorrow=1":                                                                 {errors, latency, silent},
	} {
		if diff := cmp.Diff(want, alertNames(t, h, query)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", query, diff)
		}
	}
}

func TestAParameterThatIsWrongIsSaidSo(t *testing.T) {
	h := handler(small())
	for _, path := range []string{"/alerts", "/alerts/groups"} {
		for query, want := range map[string]string{
			"active=perhaps":                         `active: "perhaps" is neither true nor false`,
			"silenced=2":                             `silenced: "2" is neither true nor false`,
			"receiver=(":                             "receiver: error parsing regexp",
			"filter=" + url.QueryEscape(`alertname`): "filter: ",
			"receiver_matchers=" + url.QueryEscape(`a=~"(b"`): "receiver_matchers: ",
		} {
			var said string
			if res := get(t, h, path+"?"+query, &said); res.StatusCode != http.StatusBadRequest || !strings.HasPrefix(said, want) {
				t.Errorf("%s?%s: %s %q, want %q", path, query, res.Status, said, want)
			}
		}
	}
}

func TestGroupsAreTheIncidents(t *testing.T) {
	var groups []alertmanager.Group
	get(t, handler(small()), "/alerts/groups", &groups)
	var got []string
	for _, g := range groups {
		for _, a := range g.Alerts {
			got = append(got, g.Labels.Get("incident")+" "+a.Labels.Get("alertname"))
		}
	}
	if want := []string{"i-1 Errors", "i-1 Latency", "i-2 Silent"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	get(t, handler(small()), "/alerts/groups?filter=alertname%3DLatency", &groups)
	if len(groups) != 1 || len(groups[0].Alerts) != 1 {
		t.Errorf("a filter leaves %+v", groups)
	}
}

// Somebody who silences an alert must not believe that it is silenced.
func TestSilencesAreRefusedAndNotForgotten(t *testing.T) {
	h := handler(small())
	for _, c := range []struct {
		method, path string
		status       int
		says         string
	}{
		{http.MethodGet, "/api/v2/silences", http.StatusOK, "[]"},
		{http.MethodPost, "/api/v2/silences", http.StatusBadRequest, "keeps no silences"},
		{http.MethodGet, "/api/v2/silence/4711", http.StatusNotFound, "no such silence"},
		{http.MethodDelete, "/api/v2/silence/4711", http.StatusNotFound, "no such silence"},
		{http.MethodGet, "/api/v2/nothing", http.StatusNotFound, "is not served here"},
		{http.MethodPost, "/api/v2/status", http.StatusNotFound, "is not served here"},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(c.method, c.path, http.NoBody))
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s %s: %d %s", c.method, c.path, w.Code, w.Body)
		}
	}
}

// An empty list would say that nothing fires.
func TestAStoreThatIsAwayIs503(t *testing.T) {
	for name, site := range map[string]*apitest.Site{
		"away":     {Now: apitest.Now, Err: clickhouse.ErrAway},
		"starting": {},
	} {
		for _, path := range []string{"/alerts", "/alerts/groups"} {
			var said string
			res := get(t, handler(site), path, &said)
			if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" || said == "" {
				t.Errorf("%s: %s: %s %q", name, path, res.Status, said)
			}
		}
	}
	var said string
	if res := get(t, handler(&apitest.Site{Now: 1, Err: syscall.EIO}), "/alerts", &said); res.StatusCode != http.StatusInternalServerError || strings.Contains(said, "input/output") {
		t.Errorf("a defect: %s %q", res.Status, said)
	}
}

// Tenants see their own. The site in memory knows only one, so the query is what is looked at.
func TestATenantIsTakenFromTheHeader(t *testing.T) {
	site := small()
	for header, want := range map[string]string{"": ingest.DefaultTenant, "team-a": "team-a"} {
		reads := site.Reads()
		asked := &recording{Site: site}
		reads.Incidents = asked
		h := alertmanager.New(alertmanager.Options{Reads: reads})
		r := httptest.NewRequest(http.MethodGet, "/api/v2/alerts", http.NoBody)
		if header != "" {
			r.Header.Set("X-Scope-OrgID", header)
		}
		h.ServeHTTP(httptest.NewRecorder(), r)
		if asked.tenant != want {
			t.Errorf("with %q the tenant %q is asked for, want %q", header, asked.tenant, want)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/api/v2/alerts", http.NoBody)
	r.Header.Set("X-Scope-OrgID", "a|b")
	w := httptest.NewRecorder()
	handler(site).ServeHTTP(w, r)
	if w.Code != http.StatusBadRequest {
		t.Errorf("a name that is none: %d %s", w.Code, w.Body)
	}
}

// FuzzQuery asks with any query at all: the answer is a list, or a 400 that says why.
func FuzzQuery(f *testing.F) {
	for _, query := range []string{
		"", "active=false&unprocessed=0", "filter=alertname%3D%22Errors%22", "filter=%7B%7D", "filter=", "filter=a%3D~%28", "filter=a!~b&filter=c%3Dd",
		"receiver=%28", "receiver_matchers=a%3Db", "filter=%22a%20b%22%3D%22%5Cu0041%22", "%zz", "filter=%ff%00", "silenced=x",
	} {
		f.Add(query)
	}
	h := handler(small())
	f.Fuzz(func(t *testing.T, query string) {
		for _, path := range []string{"alerts", "alerts/groups", "receivers"} {
			r := httptest.NewRequest(http.MethodGet, "/api/v2/"+path, http.NoBody)
			r.URL.RawQuery = query
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if code := w.Code; code != http.StatusOK && code != http.StatusBadRequest || !json.Valid(w.Body.Bytes()) {
				t.Errorf("%s?%s: %d %s", path, query, code, w.Body)
			}
		}
	})
}
