package endtoend

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/improve"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/api"
	"github.com/evenkeel/evenkeel/internal/rig"
	"github.com/evenkeel/evenkeel/sla"
)

// A reload changes an objective and the zone that months are cut in. Whatever speaks from before
// it, by API, page or command, keeps the old ones; whatever speaks from after it has the new ones.
func TestWhatWasPromisedThenCountsThen(t *testing.T) {
	catalogue := writeFile(t, "catalogue.yml", catalogueOfTwo)
	root := func(zone string) string { return "zone: " + zone + "\ncatalogue: [" + catalogue + "]\n" }
	config := writeFile(t, "evenkeel.yml", root("Europe/Berlin"))
	s := serve(t, config, t.TempDir())
	postOf(t, s, "checkout")
	awaitIncidentOf(t, s, "checkout")
	waitAllStored(t, s)
	before := s.storedTime(t)

	rewrite(t, catalogue, strings.Replace(catalogueOfTwo, "objective: 99.9%", "objective: 12.5%", 1))
	rewrite(t, config, root("Asia/Tokyo"))
	expect(t, s, "/-/reload", nil, http.StatusOK)
	postOf(t, s, "checkout")
	waitAllStored(t, s)
	after := s.storedTime(t)

	browser := rig.Chromium(t)
	month := before.Time().UTC().AddDate(0, 0, -1).Format("2006-01") // in every zone it has begun
	for _, then := range []asOfCase{
		{"before the reload", before, 0.999, "99.9", "Europe/Berlin"},
		{"after the reload", after, 0.125, "12.5", "Asia/Tokyo"},
	} {
		t.Run(then.name, func(t *testing.T) {
			then.checkAPI(t, s, month)
			then.checkPages(t, s, browser)
			then.checkCommands(t, s, month)
		})
	}
}

// asOfCase is what an answer as of an instant is to say.
type asOfCase struct {
	name      string
	asOf      ingest.Millis
	objective float64
	percent   string
	zone      string
}

func (c asOfCase) checkAPI(t *testing.T, s *server, month string) {
	t.Helper()
	var levels api.LevelList
	s.get(t, "/api/v1/availability", url.Values{"service": {"checkout"}, "agreement": {"public"}, "as_of": {c.asOf.String()}}, &levels)
	if len(levels.Levels) != 1 || levels.Levels[0].Objective != c.objective || levels.Window.Zone != c.zone {
		t.Errorf("availability: %+v", levels)
	}
	var services api.ServiceList
	s.get(t, "/api/v1/services/checkout", url.Values{"as_of": {c.asOf.String()}}, &services)
	if services.Month.Zone != c.zone || services.Services[0].Agreements[0].Objective != c.objective {
		t.Errorf("services: month in %s, %+v", services.Month.Zone, services.Services[0].Agreements)
	}
	var report improve.Report
	if err := json.Unmarshal(fetch(t, c.reportURL(s, month)), &report); err != nil {
		t.Fatal(err)
	}
	found := false
	for _, l := range report.Availability.Levels {
		found = found || l.Service == "checkout" && l.Agreement == "public" && l.Measured.Objective == c.objective
	}
	if !found || report.Period.Zone != c.zone {
		t.Errorf("report: cut in %s, %+v", report.Period.Zone, report.Availability.Levels)
	}
}

func (c asOfCase) reportURL(s *server, month string) string {
	return fmt.Sprintf("%s/api/v1/reports/%s?as_of=%s", s.url, month, url.QueryEscape(c.asOf.String()))
}

func (c asOfCase) checkPages(t *testing.T, s *server, browser *rig.Browser) {
	t.Helper()
	for path, want := range map[string]string{"/services": "of " + c.percent, "/services/checkout": c.percent + " % in each month"} {
		page := browser.Open(t, s.url+path+"?as_of="+url.QueryEscape(c.asOf.String()), rig.View{})
		if text := plainSpaces(page.Text(t)); !strings.Contains(text, want) || !strings.Contains(text, c.zone) {
			t.Errorf("%s as of %s does not say %q and %s:\n%s", path, c.asOf, want, c.zone, text)
		}
	}
}

// checkCommands compares what the commands print with what the API answers.
func (c asOfCase) checkCommands(t *testing.T, s *server, month string) {
	t.Helper()
	out := evenkeel(t, "report", "--storage.path="+s.storage, "--format=json", "--period="+month, "--as-of="+c.asOf.String())
	if diff := cmp.Diff(string(fetch(t, c.reportURL(s, month))), out); diff != "" {
		t.Errorf("the report (-API +command):\n%s", diff)
	}
	from, to := c.asOf-ingest.Day, c.asOf
	var printed, served struct {
		Levels []sla.Availability `json:"levels"`
	}
	out = evenkeel(t, "sla", "get", "--storage.path="+s.storage, "--output=json",
		"--from="+from.String(), "--to="+to.String(), "--as-of="+c.asOf.String())
	if err := json.Unmarshal([]byte(out), &printed.Levels); err != nil {
		t.Fatal(err)
	}
	s.get(t, "/api/v1/availability", url.Values{"from": {from.String()}, "to": {to.String()}, "as_of": {c.asOf.String()}}, &served)
	if diff := cmp.Diff(served.Levels, printed.Levels); diff != "" || len(served.Levels) != 3 {
		t.Errorf("%d levels (-API +command):\n%s", len(served.Levels), diff)
	}
}

// storedTime returns the instant that answers speak from now.
func (s *server) storedTime(t *testing.T) ingest.Millis {
	t.Helper()
	var info api.RuntimeInfo
	s.get(t, "/api/v1/status/runtimeinfo", nil, &info)
	return info.StoredTime
}

// plainSpaces makes every kind of space a plain one.
func plainSpaces(s string) string {
	return strings.Join(strings.Fields(strings.NewReplacer("\u202f", " ", "\u00a0", " ").Replace(s)), " ")
}
