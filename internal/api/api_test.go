package api_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/improve"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/api"
	"github.com/evenkeel/evenkeel/internal/api/apitest"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/sla"
)

// envelope is an answer as a client reads it.
type envelope struct {
	Status    string          `json:"status"`
	Data      json.RawMessage `json:"data"`
	Warnings  []string        `json:"warnings"`
	ErrorType string          `json:"errorType"`
	Error     string          `json:"error"`
}

func handler(site *apitest.Site) http.Handler {
	return api.New(api.Options{Reads: site.Reads(), StartTime: time.Unix(1, 0), ConfigYAML: func() string { return "zone: UTC\n" }})
}

func get(t *testing.T, h http.Handler, target string) (*http.Response, envelope) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, http.NoBody))
	res := w.Result()
	var e envelope
	if body := w.Body.Bytes(); json.Valid(body) {
		if err := json.Unmarshal(body, &e); err != nil {
			t.Fatalf("GET %s: %v in %s", target, err, body)
		}
	}
	return res, e
}

// data asks for target, which must answer 200, and decodes its data.
func data[T any](t *testing.T, h http.Handler, target string) (T, []string) {
	t.Helper()
	var d T
	res, e := get(t, h, target)
	if res.StatusCode != http.StatusOK || e.Status != "success" {
		t.Fatalf("GET %s: %d %s %s", target, res.StatusCode, e.ErrorType, e.Error)
	}
	if err := json.Unmarshal(e.Data, &d); err != nil {
		t.Fatalf("GET %s: %v", target, err)
	}
	return d, e.Warnings
}

func TestABadParameterIsNamedWithItsValue(t *testing.T) {
	h := handler(apitest.Shop())
	for _, c := range []struct{ name, target, want string }{
		{"a misspelt filter", "/api/v1/incidents?servce=cart", `parameter servce: "cart" is not a parameter here; there are state, service, from, to, as_of, limit, cursor`},
		{"a filter given twice", "/api/v1/incidents?service=a&service=b", `parameter service: "b" is a second value; give one`},
		{"a state that does not exist", "/api/v1/incidents?state=broken", `parameter state: "broken" is not one of open, resolved, closed, merged`},
		{"an instant in words", "/api/v1/incidents?from=yesterday", `parameter from: "yesterday" is neither RFC 3339 (2026-11-22T12:00:00Z) nor Unix seconds`},
		{"an instant that is no number", "/api/v1/incidents?from=NaN", `parameter from: "NaN" lies outside the years 1970 to 9999`},
		{"an instant before 1970", "/api/v1/alerts?from=1969-01-01T00:00:00Z", `parameter from: "1969-01-01T00:00:00Z" lies outside the years 1970 to 9999`},
		{"an instant in milliseconds", "/api/v1/alerts?from=1795348800000", `parameter from: "1795348800000" lies outside the years 1970 to 9999`},
		{"an empty window", "/api/v1/incidents?from=200&to=200", "the window is empty: from 1970-01-01T00:03:20.000Z is not before to 1970-01-01T00:03:20.000Z"},
		{"no limit at all", "/api/v1/incidents?limit=0", `parameter limit: "0" is not a whole number from 1 to 1000`},
		{"a limit beyond all", "/api/v1/incidents?limit=1001", `parameter limit: "1001" is not a whole number from 1 to 1000`},
		{"a cursor of one's own", "/api/v1/incidents?cursor=abc", `parameter cursor: "abc" is not a cursor that this server gave for this tenant`},
		{"an as_of of nothing", "/api/v1/services?as_of=0", `parameter as_of: "0" is the beginning of 1970: nothing was known then`},
		{"a period that is none", "/api/v1/availability?period=2026-13", `parameter period: "2026-13" is none of 2026, 2026-Q4, 2026-10, 2026-W43, 2026-10-05`},
		{"a period beside from", "/api/v1/availability?period=2026-10&from=5", `parameter period: "2026-10" stands beside from or to: give one or the other`},
		{"a window without a beginning", "/api/v1/availability?to=5", `parameter to: "5" needs a from: a window without a beginning has no availability`},
		{"a period that nobody can know of", "/api/v1/availability?period=2040", `parameter period: "2040" lies in the future: nothing of it can be known`},
		{"a window that nobody can know of", "/api/v1/availability?from=2026-11-01T00:00:00Z&to=2041-01-01T00:00:00Z",
			`parameter to: "2041-01-01T00:00:00Z" lies more than two years after 2026-11-22T12:00:00.000Z: nothing of it can be known`},
		{"a flag that is none", "/api/v1/availability?intervals=yes", `parameter intervals: "yes" is neither true nor false`},
		{"a report's format", "/api/v1/reports/2026-10?format=pdf", `parameter format: "pdf" is not one of html, md, json`},
		{"a report's period", "/api/v1/reports/october", `parameter period: "october" is none of 2026, 2026-Q4, 2026-10, 2026-W43, 2026-10-05`},
		{"two mistakes at once", "/api/v1/incidents?state=x&limit=y",
			`parameter state: "x" is not one of open, resolved, closed, merged; parameter limit: "y" is not a whole number from 1 to 1000`},
	} {
		t.Run(c.name, func(t *testing.T) {
			res, e := get(t, h, c.target)
			if res.StatusCode != http.StatusBadRequest || e.Status != "error" || e.ErrorType != "bad_data" || e.Error != c.want {
				t.Errorf("%d %s %s\n got %s\nwant %s", res.StatusCode, e.Status, e.ErrorType, e.Error, c.want)
			}
		})
	}
}

func TestInstantsAreTakenAsPrometheusTakesThem(t *testing.T) {
	for value, want := range map[string]string{
		"2026-11-22T13:00:00+01:00": "2026-11-22T12:00:00.000Z",
		"2026-11-22T12:00:00.25Z":   "2026-11-22T12:00:00.250Z",
		"1795348800":                "2026-11-22T12:00:00.000Z",
		"1795348800.25":             "2026-11-22T12:00:00.250Z",
		"1.7953488e9":               "2026-11-22T12:00:00.000Z",
	} {
		if got, err := api.ParseTime(value); err != nil || got.String() != want {
			t.Errorf("%s is %s, %v; want %s", value, got, err, want)
		}
	}
}

func TestWhatIsNotThereIs404(t *testing.T) {
	h := handler(apitest.Shop())
	for target, want := range map[string]string{
		"/api/v1/incidents/i-nope":                "no such incident",
		"/api/v1/services/nope":                   "no such service",
		"/api/v1/availability?service=nope":       "no such service",
		"/api/v1/availability?agreement=platinum": "no such agreement",
		"/api/v1/reports/2027-01":                 "no such report",
		"/api/v1/reports/2040-12":                 "no such report",
		"/api/v1/nope":                            "no such path",
	} {
		res, e := get(t, h, target)
		if res.StatusCode != http.StatusNotFound || e.ErrorType != "not_found" || !strings.HasPrefix(e.Error, want) {
			t.Errorf("GET %s: %d %s %q, want %q", target, res.StatusCode, e.ErrorType, e.Error, want)
		}
	}
}

func TestAnotherMethodIs405(t *testing.T) {
	w := httptest.NewRecorder()
	handler(apitest.Shop()).ServeHTTP(w, httptest.NewRequest(http.MethodDelete, "/api/v1/incidents", http.NoBody))
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET" {
		t.Errorf("%d, Allow %q: %s", w.Code, w.Header().Get("Allow"), w.Body)
	}
}

func TestAStoreThatIsAwayIs503AndNeverAnEmptyList(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		status int
		kind   string
	}{
		"refused":            {fmt.Errorf("incidents: %w", &clickhouse.Error{Op: "query", Err: syscall.ECONNREFUSED, Away: true}), 503, "unavailable"},
		"too slow":           {fmt.Errorf("incidents: %w", contextDeadline()), 503, "timeout"},
		"a defect in us":     {errors.New("code: 47, unknown identifier password=hunter2"), 500, "internal"},
		"nothing stored yet": {nil, 503, "unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			site := apitest.Shop()
			site.Err = c.err
			if c.err == nil {
				site.Now = 0
			}
			h := handler(site)
			for _, path := range []string{"incidents", "incidents/i-01hq8payment", "alerts", "services", "services/cart",
				"availability", "changes", "dead-letters", "reports", "reports/2026-10"} {
				res, e := get(t, h, "/api/v1/"+path)
				if res.StatusCode != c.status || e.ErrorType != c.kind || len(e.Data) > 0 || e.Error == "" {
					t.Errorf("%s: %d %s %q with data %.40s", path, res.StatusCode, e.ErrorType, e.Error, e.Data)
				}
				if strings.Contains(e.Error, "hunter2") {
					t.Errorf("%s: the answer shows what only the log may: %s", path, e.Error)
				}
				if (res.Header.Get("Retry-After") != "") != (c.status == 503) {
					t.Errorf("%s: Retry-After %q with %d", path, res.Header.Get("Retry-After"), c.status)
				}
			}
		})
	}
}

func TestPagesOfIncidentsAreOneSnapshot(t *testing.T) {
	site := apitest.Shop()
	h := handler(site)
	all, _ := data[api.IncidentList](t, h, "/api/v1/incidents?limit=1000")
	var walked []string
	target := "/api/v1/incidents?limit=50"
	for pages := 1; ; pages++ {
		page, _ := data[api.IncidentList](t, h, target)
		for _, i := range page.Incidents {
			walked = append(walked, i.ID)
		}
		if page.AsOf != all.AsOf {
			t.Errorf("page %d speaks as of %s, the first as of %s", pages, page.AsOf, all.AsOf)
		}
		if page.Next == "" {
			break
		}
		// What comes in meanwhile must not move the pages.
		site.Now += ingest.Minute
		site.Records = append([]correlate.Incident{{ID: fmt.Sprint("new", pages), State: correlate.IncidentOpen, RecordedAt: site.Now, OpenedAt: site.Now}}, site.Records...)
		target = "/api/v1/incidents?limit=50&cursor=" + url.QueryEscape(page.Next)
		if pages > 10 {
			t.Fatal("the pages do not end")
		}
	}
	var want []string
	for _, i := range all.Incidents {
		want = append(want, i.ID)
	}
	if diff := cmp.Diff(want, walked); diff != "" {
		t.Errorf("the pages are not the list (-list +pages):\n%s", diff)
	}
	first, _ := data[api.IncidentList](t, h, "/api/v1/incidents?limit=50")
	res, e := get(t, h, "/api/v1/incidents?as_of=100&cursor="+url.QueryEscape(first.Next))
	if res.StatusCode != http.StatusBadRequest || !strings.Contains(e.Error, "differs from the") {
		t.Errorf("a cursor of another as_of: %d %s", res.StatusCode, e.Error)
	}
}

func TestFiltersOfIncidents(t *testing.T) {
	h := handler(apitest.Shop())
	for _, c := range []struct {
		target string
		want   []string
	}{
		{"state=open", []string{"i-01hq8payment", "i-01hq8disk"}},
		{"state=open&service=search", []string{"i-01hq8disk"}},
		{"state=merged", []string{"i-01hq8merged"}},
		{"from=2026-11-22T08:00:00Z", []string{"i-01hq8payment", "i-01hq8disk"}},
		{"from=2026-11-22T01:00:00Z&to=2026-11-22T08:00:00Z", []string{"i-01hq8disk"}},
	} {
		list, _ := data[api.IncidentList](t, h, "/api/v1/incidents?"+c.target)
		var got []string
		for _, i := range list.Incidents {
			got = append(got, i.ID)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.target, diff)
		}
	}
}

func TestAMergedIncidentIsAnsweredByTheOneItLivesOnAs(t *testing.T) {
	got, warnings := data[api.Incident](t, handler(apitest.Shop()), "/api/v1/incidents/i-01hq8merged")
	if got.ID != "i-01hq8payment" || got.RedirectedFrom != "i-01hq8merged" {
		t.Errorf("%s, redirected from %q", got.ID, got.RedirectedFrom)
	}
	if len(got.Members) != 12 || len(got.Transitions) != 12 {
		t.Errorf("%d episodes and %d transitions", len(got.Members), len(got.Transitions))
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], "i-01hq8merged was merged") {
		t.Errorf("warnings %q", warnings)
	}
}

func TestAlertsAreThoseThatFireUnlessAWindowIsAskedFor(t *testing.T) {
	h := handler(apitest.Shop())
	firing, _ := data[api.AlertList](t, h, "/api/v1/alerts")
	if len(firing.Episodes) != 4 {
		t.Errorf("%d firing, not 4", len(firing.Episodes))
	}
	for _, e := range firing.Episodes {
		if e.State != correlate.Firing {
			t.Errorf("%s is %s", e.AlertName, e.State)
		}
	}
	window, _ := data[api.AlertList](t, h, "/api/v1/alerts?incident=i-01hq8payment&from=1")
	resolved, _ := data[api.AlertList](t, h, "/api/v1/alerts?incident=i-01hq8payment&from=1&state=resolved")
	if len(window.Episodes) != 12 || len(resolved.Episodes) != 9 {
		t.Errorf("%d in the window, %d of them resolved", len(window.Episodes), len(resolved.Episodes))
	}
	cut, warnings := data[api.AlertList](t, h, "/api/v1/alerts?from=1&limit=5")
	if len(cut.Episodes) != 5 || len(warnings) != 1 || !strings.Contains(warnings[0], "more than the 5 listed") {
		t.Errorf("%d episodes, warnings %q", len(cut.Episodes), warnings)
	}
}

func TestIntervalsAreWhatTheBucketsSumUp(t *testing.T) {
	h := handler(apitest.Shop())
	list, _ := data[api.LevelList](t, h, "/api/v1/availability?service=postgres&intervals=true&period=2026-11")
	if len(list.Levels) != 2 {
		t.Fatalf("%d levels, not the service itself and its agreement", len(list.Levels))
	}
	for _, l := range list.Levels {
		sums := map[sla.Bucket]int64{sla.DownBucket: 0, sla.DegradedBucket: 0, sla.MaintenanceBucket: 0, sla.UnknownBucket: 0}
		for _, i := range l.Intervals {
			sums[i.Bucket] += int64(i.To - i.From)
		}
		want := map[sla.Bucket]int64{
			sla.DownBucket: l.Matrix.Down, sla.DegradedBucket: l.Matrix.Degraded,
			sla.MaintenanceBucket: l.Matrix.Maintenance, sla.UnknownBucket: l.Matrix.Unknown,
		}
		if diff := cmp.Diff(want, sums); diff != "" {
			t.Errorf("agreement %q (-buckets +intervals):\n%s", l.Agreement, diff)
		}
		if sum := l.Matrix.Sum(); sum != int64(list.Window.To-list.Window.From) {
			t.Errorf("agreement %q: the buckets sum to %d of %d", l.Agreement, sum, list.Window.To-list.Window.From)
		}
		if l.Matrix.Unknown != int64(5*ingest.Hour) || l.Matrix.Maintenance != int64(2*ingest.Hour) || l.Outages == 0 {
			t.Errorf("agreement %q: %+v, %d outages: the site has other times", l.Agreement, l.Matrix.Buckets, l.Outages)
		}
	}
}

// No row tells of the time before the first configuration, and one tells that the hours after it are
// unknown: to a reader that is one stretch.
func TestUnknownTimeIsOneIntervalWhoeverTellsOfIt(t *testing.T) {
	site := apitest.Empty()
	told := apitest.Now - ingest.Hour
	site.Levels = []sla.Segment{
		{Service: "legacy", Bucket: sla.UnknownBucket, State: sla.Unknown, From: told, To: told + 10*ingest.Minute, StatedAt: told},
		{Service: "legacy", Bucket: sla.DownBucket, State: sla.Down, From: told + 10*ingest.Minute, To: told + 20*ingest.Minute, StatedAt: told},
	}
	list, _ := data[api.LevelList](t, handler(site), "/api/v1/availability?service=legacy&intervals=true&from="+(told-ingest.Day).String())
	var got []string
	for _, i := range list.Levels[0].Intervals {
		got = append(got, fmt.Sprintf("%s %d %d %t", i.Bucket, i.From-told, i.To-told, i.Open))
	}
	want := []string{"unknown -86400000 600000 false", "down 600000 1200000 false", "unknown 1200000 3600000 true"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTheDefaultWindowIsTheMonthOfAsOfInTheRootZone(t *testing.T) {
	h := handler(apitest.Shop())
	list, _ := data[api.LevelList](t, h, "/api/v1/availability?service=cart&as_of=2026-10-31T23:30:00Z")
	want := api.Window{
		From: at(t, "2026-10-31T23:00:00Z"), To: at(t, "2026-11-30T23:00:00Z"), Zone: "Europe/Berlin", Name: "2026-11",
	}
	if diff := cmp.Diff(want, list.Window); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if notYet := list.Levels[0].Matrix.NotYet; notYet != int64(want.To-want.From-30*ingest.Minute) {
		t.Errorf("not yet %d ms", notYet)
	}
	list, _ = data[api.LevelList](t, h, "/api/v1/availability?service=cart&from=2026-11-22T00:00:00Z")
	if list.Window.To != apitest.Now || list.Levels[0].Matrix.NotYet != 0 {
		t.Errorf("with from alone the window ends at %s", list.Window.To)
	}
}

func TestAnAsOfAfterTheStoredTimeIsAnsweredAsOfThatWithAWarning(t *testing.T) {
	list, warnings := data[api.ServiceList](t, handler(apitest.Shop()), "/api/v1/services?as_of=2030-01-01T00:00:00Z")
	if list.AsOf != apitest.Now || len(warnings) != 1 || !strings.Contains(warnings[0], "lies after the stored fold time") {
		t.Errorf("as of %s, warnings %q", list.AsOf, warnings)
	}
}

// What is promised, who is in the catalogue and where a month begins change with a reload. An answer
// as of an earlier instant counts by what was in force then.
func TestAnAnswerCountsByTheConfigurationOfItsAsOf(t *testing.T) {
	site := apitest.Shop()
	site.Changed = apitest.Now - ingest.Hour
	site.Before = api.Catalogue{Levels: sla.Config{Zone: "America/New_York", Services: []sla.ServiceLevels{
		{Name: "payment", Agreements: []sla.Agreement{{Name: "gold", Objective: 0.9, Window: sla.WindowMonth}}},
	}}}
	site.Before.Correlation.Services = []correlate.Service{{Name: "payment", Owner: "team-old", Tier: 2}}
	h := handler(site)
	for _, c := range []struct {
		name, asOf, owner, zone string
		objective               float64
	}{
		{"just before the change", (site.Changed - 1).String(), "team-old", "America/New_York", 0.9},
		{"at the change", site.Changed.String(), "team-payments", "Europe/Berlin", 0.999},
		{"now", site.Now.String(), "team-payments", "Europe/Berlin", 0.999},
	} {
		t.Run(c.name, func(t *testing.T) {
			query := "?as_of=" + url.QueryEscape(c.asOf)
			levels, _ := data[api.LevelList](t, h, "/api/v1/availability"+query+"&service=payment&agreement=gold&period=2026-10")
			if got := levels.Levels[0].Objective; got != c.objective || levels.Window.Zone != c.zone {
				t.Errorf("availability: objective %v in %s", got, levels.Window.Zone)
			}
			list, _ := data[api.ServiceList](t, h, "/api/v1/services/payment"+query)
			if s := list.Services[0]; s.Owner != c.owner || s.Agreements[0].Objective != c.objective || list.Month.Zone != c.zone {
				t.Errorf("service: owner %s, objective %v, month in %s", s.Owner, s.Agreements[0].Objective, list.Month.Zone)
			}
			reports, _ := data[api.ReportList](t, h, "/api/v1/reports"+query)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/v1/reports/2026-10"+query, http.NoBody))
			var made improve.Report
			if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil {
				t.Fatal(err)
			}
			if reports.Zone != c.zone || made.Period.Zone != c.zone {
				t.Errorf("months are cut in %s, the report in %s", reports.Zone, made.Period.Zone)
			}
		})
	}
}

func TestServicesComeByTierWithWhoUsesThem(t *testing.T) {
	list, _ := data[api.ServiceList](t, handler(apitest.Shop()), "/api/v1/services")
	var order []string
	byName := map[string]api.Service{}
	for _, s := range list.Services {
		order, byName[s.Name] = append(order, s.Name), s
	}
	want := []string{"checkout", "payment", "postgres", "cart", "catalogue", "redis", "email", "search"}
	if diff := cmp.Diff(want, order); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"catalogue", "payment"}, byName["postgres"].UsedBy); diff != "" {
		t.Errorf("who uses postgres (-want +got):\n%s", diff)
	}
	if byName["payment"].OpenIncidents != 1 || byName["email"].OpenIncidents != 0 {
		t.Errorf("open incidents: payment %d, email %d", byName["payment"].OpenIncidents, byName["email"].OpenIncidents)
	}
	if n := len(byName["payment"].Month); n != 2 {
		t.Errorf("payment has %d levels this month, not itself and gold", n)
	}
}

func TestAServiceThatOnlyAlertsNameIsThereAndSaysSo(t *testing.T) {
	site := apitest.Empty()
	site.Levels = []sla.Segment{{Service: "legacy", Bucket: sla.DownBucket, State: sla.Down, From: apitest.Now - ingest.Hour, To: apitest.Now}}
	list, _ := data[api.ServiceList](t, handler(site), "/api/v1/services/legacy")
	if len(list.Services) != 1 || list.Services[0].Catalogued || len(list.Services[0].Month) != 1 {
		t.Errorf("%+v", list.Services)
	}
}

func TestABodyThatIsNoTextIsBase64(t *testing.T) {
	list, _ := data[api.DeadLetterList](t, handler(apitest.Shop()), "/api/v1/dead-letters")
	if len(list.DeadLetters) != 2 {
		t.Fatalf("%d dead letters", len(list.DeadLetters))
	}
	if d := list.DeadLetters[0]; d.Encoding != "text" || d.Body != `{"startsAt":"yesterday"}` {
		t.Errorf("%+v", d)
	}
	if d := list.DeadLetters[1]; d.Encoding != "base64" || d.Body != "//4A" {
		t.Errorf("%+v", d)
	}
}

func TestReportsAreTheMonthsOfTheHistory(t *testing.T) {
	list, _ := data[api.ReportList](t, handler(apitest.Shop()), "/api/v1/reports")
	var got []string
	for _, r := range list.Reports {
		got = append(got, fmt.Sprint(r.Period, " complete=", r.Complete, " partial=", r.Partial))
	}
	want := []string{
		"2026-11 complete=false partial=false", "2026-10 complete=true partial=false",
		"2026-09 complete=true partial=false", "2026-08 complete=true partial=true",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	none, _ := data[api.ReportList](t, handler(apitest.Empty()), "/api/v1/reports")
	if len(none.Reports) != 0 || none.HistoryFrom != 0 {
		t.Errorf("without history: %+v", none)
	}
}

func TestAReportIsAFileThatCannotRunScript(t *testing.T) {
	h := handler(apitest.Shop())
	for format, want := range map[string]string{"html": "text/html; charset=utf-8", "md": "text/markdown; charset=utf-8", "json": "application/json"} {
		res, _ := get(t, h, "/api/v1/reports/2026-10?format="+format)
		if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != want {
			t.Errorf("%s: %d %s", format, res.StatusCode, res.Header.Get("Content-Type"))
		}
		if csp := res.Header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") || strings.Contains(csp, "script") {
			t.Errorf("%s: policy %q", format, csp)
		}
	}
}

// FuzzQuery asks for lists with any query at all: the answer is a list or a 400 that says why, never a defect.
func FuzzQuery(f *testing.F) {
	for _, query := range []string{
		"", "state=open&limit=1", "from=1&to=2", "from=NaN", "cursor=e30", "cursor=eyJhIjoxLCJuIjoiMSJ9", "as_of=1e300", "limit=99999999999999999999",
		"from=2026-11-22T12:00:00%2B25:00", "%zz", "a=b&a=c", "period=2026-W53", "period=0000", "service=%00%ff", "intervals=1&from=1&to=253402300799",
	} {
		f.Add(query)
	}
	site := apitest.Shop()
	site.Records, site.Levels = site.Records[:9], site.Levels[:9]
	h := handler(site)
	f.Fuzz(func(t *testing.T, query string) {
		for _, path := range []string{"incidents", "alerts", "availability", "changes"} {
			r := httptest.NewRequest(http.MethodGet, "/api/v1/"+path, http.NoBody)
			r.URL.RawQuery = query
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if code := w.Code; code != http.StatusOK && code != http.StatusBadRequest && code != http.StatusNotFound || !json.Valid(w.Body.Bytes()) {
				t.Errorf("%s?%s: %d %s", path, query, code, w.Body)
			}
		}
	})
}

func at(t *testing.T, text string) ingest.Millis {
	t.Helper()
	ms, err := api.ParseTime(text)
	if err != nil {
		t.Fatal(err)
	}
	return ms
}
