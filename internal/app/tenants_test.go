package app

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/improve"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/api"
	"github.com/evenkeel/evenkeel/internal/rig"
)

// sends is what a tenant sends: the same as every other but for what people wrote, which names it,
// for how long its payment was down, and how often it repeats itself.
func sends(tenant string, now time.Time, minutes, extra int) map[string][]string {
	at := func(ago int) string { return now.Add(-time.Duration(ago) * time.Minute).Format(time.RFC3339) }
	alert := func(name, service string, from int, ends string) string {
		return fmt.Sprintf(`{"status": "firing", "fingerprint": "00000000000000a1", "startsAt": %q, "endsAt": %q,
			"labels": {"alertname": %q, "service": %q, "severity": "critical"}, "annotations": {"summary": "%s"}}`,
			at(from), ends, name, service, word(tenant))
	}
	over := strings.Replace(alert("Broken", "payment", 300, at(300-minutes)), "firing", "resolved", 1)
	open := strings.Replace(alert("StillBroken", "cart", 30, "0001-01-01T00:00:00Z"), "a1", "b2", 1)
	group := func(alerts string) string {
		return `{"version": "4", "status": "firing", "receiver": "evenkeel", "alerts": [` + alerts + `]}`
	}
	out := map[string][]string{
		ingest.PathAlertmanager: {
			group(strings.Replace(over, "resolved", "firing", 1)), group(over), group(open),
			group(`{"status": "firing", "labels": {"alertname": "` + word(tenant) + `"}, "startsAt": "` + word(tenant) + `"}`),
		},
		ingest.PathChanges: {fmt.Sprintf(`{"id": "deploy-1", "kind": "deployment", "service": "payment", "started_at": %q, "finished_at": %q,
			"outcome": "succeeded", "title": "%s"}`, at(310), at(305), word(tenant))},
	}
	for range extra {
		out[ingest.PathAlertmanager] = append(out[ingest.PathAlertmanager], group(open))
	}
	return out
}

// asTenant asks a for a path as a tenant; "" names none.
func asTenant(a *App, method, tenant, path, body string) (int, string) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if tenant != "" {
		r.Header.Set(api.TenantHeader, tenant)
	}
	w := httptest.NewRecorder()
	a.handler().ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// reads decodes the data of a read of the API.
func reads[T any](t *testing.T, a *App, tenant, path string) T {
	t.Helper()
	code, text := asTenant(a, http.MethodGet, tenant, path, "")
	var answer struct{ Data T }
	if err := json.Unmarshal([]byte(text), &answer); err != nil || code != http.StatusOK {
		t.Fatalf("%s as %q: %d %v %.500s", path, tenant, code, err, text)
	}
	return answer.Data
}

// tenants are how long payment of each was down, in minutes, and how often it repeated itself. "" is
// the default one.
var tenants = map[string]struct{ minutes, extra int }{"": {10, 0}, "shop": {25, 3}, "bank": {40, 7}}

// word is what the people of a tenant write.
func word(tenant string) string { return "word-of-" + cmp.Or(tenant, "nobody-named") }

// Tenants whose sources, fingerprints, services, changes and times are the same see their own alone,
// whatever they ask.
func TestTenantsSeeTheirOwnEverywhere(t *testing.T) {
	now := time.Date(time.Now().Year(), time.Now().Month()-1, 15, 12, 0, 0, 0, time.UTC) // kept, and within one month
	a := appAt(t, now)
	for tenant, of := range tenants {
		for path, bodies := range sends(tenant, now, of.minutes, of.extra) {
			for _, body := range bodies {
				if code, text := asTenant(a, http.MethodPost, tenant, path, body); code/100 != 2 {
					t.Fatalf("%s as %q: %d %s", path, tenant, code, text)
				}
			}
		}
	}
	time.Sleep(5 * time.Millisecond) // what is received at as_of itself is in no window that ends there
	if code, text := asTenant(a, http.MethodPost, "last", ingest.PathAlertmanager, `{"version": "4", "alerts": []}`); code/100 != 2 {
		t.Fatalf("the last delivery: %d %s", code, text)
	}
	if err := a.awaitStore(t.Context()); err != nil {
		t.Fatal(err)
	}
	ids := map[string][]string{}
	for tenant := range tenants {
		for _, i := range reads[api.IncidentList](t, a, tenant, "/api/v1/incidents").Incidents {
			ids[tenant] = append(ids[tenant], i.ID)
		}
		if len(ids[tenant]) != 2 {
			t.Fatalf("%q has the incidents %q", tenant, ids[tenant])
		}
	}
	month := now.Format("2006-01")
	for tenant, of := range tenants {
		t.Run(word(tenant), func(t *testing.T) {
			for _, path := range everyRead(month, ids[tenant]) {
				seesOnly(t, a, tenant, path, ids)
			}
			findsNoOther(t, a, tenant, ids)
			counts(t, a, tenant, month, of.minutes, of.extra)
		})
	}
	t.Run("who sent nothing", func(t *testing.T) {
		for _, path := range everyRead(month, nil) {
			seesOnly(t, a, "nobody", path, ids)
		}
		findsNoOther(t, a, "nobody", ids)
		if list := reads[api.ReportList](t, a, "nobody", "/api/v1/reports"); len(list.Reports) > 0 || list.HistoryFrom != 0 {
			t.Errorf("has reports: %+v", list)
		}
	})
}

// everyRead is every path that shows data of a tenant.
func everyRead(month string, incidents []string) []string {
	paths := []string{
		"/api/v1/incidents", "/api/v1/incidents?service=payment", "/api/v1/alerts", "/api/v1/alerts?from=1", "/api/v1/services",
		"/api/v1/services/payment", "/api/v1/availability?intervals=true", "/api/v1/changes", "/api/v1/dead-letters", "/api/v1/reports",
		"/api/v1/reports/" + month + "?format=json", "/api/v1/reports/" + month + "?format=md", "/api/v1/reports/" + month + "?format=html",
		"/api/v2/alerts", "/api/v2/alerts/groups",
		"/", "/?state=open", "/services", "/services/payment", "/services/cart?window=7d", "/reports", "/reports/" + month,
	}
	for _, id := range incidents {
		paths = append(paths, "/api/v1/incidents/"+id, "/api/v1/alerts?from=1&incident="+id, "/incidents/"+id)
	}
	return paths
}

// shows says whether a path shows what people wrote.
func shows(path string) bool {
	for _, begin := range []string{"/api/v1/alerts", "/api/v1/changes", "/api/v1/dead-letters", "/api/v1/incidents/", "/api/v2/", "/incidents/"} {
		if strings.HasPrefix(path, begin) {
			return true
		}
	}
	return false
}

// seesOnly asks for a path as a tenant: what is its own is there, what is another's is not.
func seesOnly(t *testing.T, a *App, tenant, path string, ids map[string][]string) {
	t.Helper()
	code, text := asTenant(a, http.MethodGet, tenant, path, "")
	if code != http.StatusOK {
		t.Errorf("%s: %d %.300s", path, code, text)
	}
	if _, sent := ids[tenant]; sent && shows(path) && !strings.Contains(text, word(tenant)) {
		t.Errorf("%s does not show what is its own: %.1000s", path, text)
	}
	for other, incidents := range ids {
		if other == tenant {
			continue
		}
		if strings.Contains(text, word(other)) {
			t.Errorf("%s shows a %s", path, word(other))
		}
		for _, id := range incidents {
			if strings.Contains(text, id) {
				t.Errorf("%s names the incident %s of %q", path, id, other)
			}
		}
	}
}

// findsNoOther asks for the incidents of others: to a tenant they do not exist.
func findsNoOther(t *testing.T, a *App, tenant string, ids map[string][]string) {
	t.Helper()
	for other, incidents := range ids {
		for _, id := range incidents {
			for _, path := range []string{"/api/v1/incidents/" + id, "/incidents/" + id} {
				if code, _ := asTenant(a, http.MethodGet, tenant, path, ""); other != tenant && code != http.StatusNotFound {
					t.Errorf("%s, of %q: %d", path, other, code)
				}
			}
		}
	}
}

// counts compares what is counted and measured with what the tenant sent.
func counts(t *testing.T, a *App, tenant, month string, minutes, extra int) {
	t.Helper()
	down := int64(minutes) * int64(ingest.Minute)
	name := cmp.Or(tenant, ingest.DefaultTenant)
	levels := reads[api.LevelList](t, a, tenant, "/api/v1/availability?service=payment").Levels
	if len(levels) != 1 || levels[0].Tenant != name || levels[0].Downtime != down || levels[0].Outages != 1 {
		t.Errorf("payment is measured as %+v, want %d ms down", levels, down)
	}
	if n := len(reads[api.DeadLetterList](t, a, tenant, "/api/v1/dead-letters").DeadLetters); n != 1 {
		t.Errorf("%d dead letters, not one", n)
	}
	if n := len(reads[api.ChangeList](t, a, tenant, "/api/v1/changes").Changes); n != 1 {
		t.Errorf("%d changes, not one", n)
	}
	_, text := asTenant(a, http.MethodGet, tenant, "/api/v1/reports/"+month, "")
	var made improve.Report
	if err := json.Unmarshal([]byte(text), &made); err != nil {
		t.Fatal(err)
	}
	q := made.Quality
	got := []int{q.Deliveries, q.Events, q.Copies, q.DeadLetters, q.Rejected}
	if want := []int{5 + extra, 4 + extra, extra, 1, 0}; made.Tenant != name || !slices.Equal(got, want) {
		t.Errorf("the report of %q counts %v, want %v", made.Tenant, got, want)
	}
}

// appAt returns a service that runs, and that began at an instant.
func appAt(t *testing.T, at time.Time) *App {
	t.Helper()
	settings, _ := cableTo(t, rig.Database(t))
	file := filepath.Join(t.TempDir(), "evenkeel.yml")
	if err := os.WriteFile(file, []byte("services: [{name: cart, owner: team-cart}, {name: payment, owner: team-money}]\n"+settings), 0o600); err != nil {
		t.Fatal(err)
	}
	none, no, began := "", false, time.Now()
	a, err := New(t.Context(), Options{
		ConfigFile: file, Storage: t.TempDir(), Logger: quiet, Web: webFlags("127.0.0.1:0", &none, &no),
		Clock: func() time.Time { return at.Add(time.Since(began)) },
	})
	if err != nil {
		t.Fatal(err)
	}
	runApp(t, a)
	eventually(t, a, ready, http.StatusOK, "ready")
	return a
}
