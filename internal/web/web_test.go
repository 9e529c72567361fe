package web_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/net/html"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/api/apitest"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/internal/web"
)

// every is the pages that a site has.
var every = []string{
	"/", "/?state=closed&window=30d", "/incidents/i-01hq8payment", "/services", "/services/postgres", "/services/search?window=90d", "/reports",
}

func get(site *apitest.Site, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	web.New(web.Options{Reads: site.Reads()}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, http.NoBody))
	return w
}

// open asks for a page, which must answer 200, and reads its document.
func open(t *testing.T, site *apitest.Site, target string) document {
	t.Helper()
	w := get(site, target)
	if w.Code != http.StatusOK {
		t.Fatalf("GET %s: %d\n%s", target, w.Code, parse(t, w.Body.String()).text())
	}
	return parse(t, w.Body.String())
}

// document is a parsed page.
type document struct{ root *html.Node }

func parse(t *testing.T, text string) document {
	t.Helper()
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return document{root}
}

// all returns the elements that match: "li.opened", "#open", "a".
func (d document) all(selector string) []document {
	var found []document
	tag, id, class := "", "", ""
	switch name, rest, _ := strings.Cut(selector, "."); {
	case strings.HasPrefix(name, "#"):
		id = name[1:]
	default:
		tag, class = name, rest
	}
	for n := range d.root.Descendants() {
		if n.Type == html.ElementNode && (tag == "" || n.Data == tag) && (id == "" || attr(n, "id") == id) &&
			(class == "" || slices.Contains(strings.Fields(attr(n, "class")), class)) {
			found = append(found, document{n})
		}
	}
	return found
}

// one returns the first element that matches; without any it is empty.
func (d document) one(selector string) document {
	if found := d.all(selector); len(found) > 0 {
		return found[0]
	}
	return document{&html.Node{}}
}

// text is what a reader sees, spaces joined.
func (d document) text() string {
	var out strings.Builder
	for n := range d.root.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "style" && n.Parent.Data != "script" {
			out.WriteString(n.Data + " ")
		}
	}
	return strings.Join(strings.Fields(out.String()), " ")
}

func (d document) attr(name string) string { return attr(d.root, name) }

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func mustSay(t *testing.T, d document, phrases ...string) {
	t.Helper()
	text := strings.ReplaceAll(d.text(), "\u202f", " ")
	for _, phrase := range phrases {
		if !strings.Contains(text, phrase) {
			t.Errorf("%q is not in:\n%s", phrase, text)
		}
	}
}

func TestOpenIncidentsComeFirst(t *testing.T) {
	d := open(t, apitest.Shop(), "/")
	mustSay(t, d.one("#open"),
		"Open n = 2", "critical payment: PaymentErrorsHigh and 11 more open for 2 h 14 min 2026-11-22 10:46:00",
		"cart checkout payment 12 episodes, 3 firing probable cause payment 0.82 · its alerts came first",
		"warning DiskWillFill on search-2 open for 9 h")
	if n := len(d.one("#others").all("article")); n < 50 {
		t.Errorf("%d others on the page", n)
	}
	if text := d.one("#others").text(); strings.Contains(text, "open for") {
		t.Error("an open incident is among the others")
	}
	if got := d.one("time").attr("title"); got != "2026-11-22 12:00:00.000 UTC" {
		t.Errorf("the as_of's title is %q", got)
	}
}

func TestWhatIsNotKnownIsSaid(t *testing.T) {
	site := apitest.Shop()
	opened := apitest.Now - ingest.Hour
	site.Records = append([]correlate.Incident{
		{ID: "i-silent", Kind: correlate.Silent, State: correlate.IncidentOpen, Title: "monitoring silent: am", RecordedAt: apitest.Now, OpenedAt: opened},
		{ID: "i-unsure", Kind: correlate.Fault, State: correlate.IncidentOpen, Title: "shop: 3 alerts", Episodes: 3, Firing: 1, Unknown: 2, RecordedAt: apitest.Now, OpenedAt: opened},
	}, site.Records...)
	mustSay(t, open(t, site, "/").one("#open"), "monitoring silent: am", "no sign of life", "3 episodes, 1 firing, 2 unknown")
	mustSay(t, open(t, site, "/incidents/i-silent").one("#head"), "monitoring silent: am", "no sign of life")
	mustSay(t, open(t, site, "/incidents/i-unsure").one("#head"), "3 episodes, 1 firing, 2 unknown")
}

func TestPagesOfTheListFollowEachOther(t *testing.T) {
	site := apitest.Shop()
	seen, target, pages := map[string]int{}, "/", 0
	for target != "" {
		d := open(t, site, target)
		for _, li := range d.all("li") {
			if id := li.attr("id"); strings.HasPrefix(id, "i-") {
				seen[id]++
			}
		}
		target = ""
		for _, a := range d.all("a") {
			if a.attr("rel") == "next" {
				target = a.attr("href")
			}
		}
		if pages++; pages > 5 {
			t.Fatal("the pages do not end")
		}
	}
	if len(seen) != 142 || pages < 2 {
		t.Errorf("%d incidents on %d pages, not all 142", len(seen), pages)
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("%s is shown %d times", id, n)
		}
	}
}

func TestFiltersOfTheListAreKeptInTheForm(t *testing.T) {
	d := open(t, apitest.Shop(), "/?state=closed&service=search&window=7d")
	var chosen []string
	for _, o := range d.all("option") {
		for _, a := range o.root.Attr {
			if a.Key == "selected" {
				chosen = append(chosen, o.text())
			}
		}
	}
	if want := []string{"closed", "search", "last 7 days"}; !slices.Equal(chosen, want) {
		t.Errorf("selected are %q, not %q", chosen, want)
	}
	mustSay(t, d, "touching the time since 2026-11-15 13:00:00, Europe/Berlin", "Clear")
	mustSay(t, open(t, apitest.Shop(), "/?state=resolved"), "None matches. Clear the filter to see all.")
}

func TestAnIncidentTellsItsStory(t *testing.T) {
	d := open(t, apitest.Shop(), "/incidents/i-01hq8payment")
	mustSay(t, d.one("#head"), "payment: PaymentErrorsHigh and 11 more", "critical open for 2 h 14 min 12 episodes, 3 firing")
	mustSay(t, d.one("#episodes"), "n = 12", "PaymentErrorsHigh cart firing 2026-11-22 10:46:00 · 2 h 14 min",
		"same service as PaymentErrorsHigh", "instance= checkout-1:9100", "2026-11-22 10:47:09 to 11:46:00 · 58 min 51 s")
	mustSay(t, d.one("#causes"), "payment 0.82", "deploy-4711 change 0.61", "node-7 0.20", "not a probability")
	mustSay(t, d.one("#timeline"), "Opened: PaymentErrorsHigh nothing open fits (by evenkeel)", "7 more episodes joined")
	closed := open(t, apitest.Shop(), "/incidents/i-01hp0000")
	mustSay(t, closed.one("#timeline"), "Resolved every episode has ended (by evenkeel)", "Closed resolved for 30 min")
}

func TestAMergedIncidentLeadsToTheOneItLivesOnAs(t *testing.T) {
	w := get(apitest.Shop(), "/incidents/i-01hq8merged")
	where := w.Header().Get("Location")
	if w.Code != http.StatusFound || where != "/incidents/i-01hq8payment?from=i-01hq8merged" {
		t.Fatalf("%d to %q", w.Code, where)
	}
	mustSay(t, open(t, apitest.Shop(), where), "Incident i-01hq8merged was merged: it lives on as this one.")
}

func TestServicesShowThisMonthAndThirtyDaysAgainstTheObjective(t *testing.T) {
	d := open(t, apitest.Shop(), "/services")
	mustSay(t, d, "2026-11, 2026-11-01 00:00:00 to 2026-12-01 00:00:00, Europe/Berlin", "n = 8 services")
	var rows []string
	for _, tr := range d.all("tr")[1:] {
		rows = append(rows, strings.ReplaceAll(tr.text(), "\u202f", " "))
	}
	for i, want := range []string{
		"checkout Checkout team-payments 1 99.806 % of 99.9 % missed 1 outage, coverage 100 % 99.861 % of 99.9 % would be missed",
		"payment Payment team-payments 1 99.806 % of 99.9 % missed",
		"postgres team-data 1 99.307 % of 99.9 % missed 5 outages, coverage 99.02 %",
	} {
		if !strings.HasPrefix(rows[i], want) {
			t.Errorf("row %d\n got %s\nwant %s…", i, rows[i], want)
		}
	}
	mustSay(t, d, "search Search team-shop 3 100.000 % 0 outages, coverage 100 %", "not yet slivers are widened")
	if label := d.one("svg.bar").attr("aria-label"); !strings.HasPrefix(label, "up 21 d") || !strings.Contains(label, "not yet 8 d 11 h") {
		t.Errorf("the bar reads %q", label)
	}
}

func TestAServiceOpensToItsIntervals(t *testing.T) {
	d := open(t, apitest.Shop(), "/services/postgres")
	mustSay(t, d.one("#level-0"), "Agreement gold", "99.307 % of 99.9 % missed", "Outages n = 5",
		"overspent by 2 h 49 min: 3 h 32 min of 42 min 46 s", "Coverage 99.02 %", "itil: maintenance is excluded",
		"7 intervals that were not up", "2026-11-10 13:00:00 2026-11-10 15:00:00 maintenance down 2 h",
		"2026-11-11 13:00:00 2026-11-11 18:00:00 unknown unknown 5 h", "down 3 h 32 min 0.49 %", "out of hours 0 s")
	mustSay(t, d.one("#incidents"), "n = 5, touching 2026-11")
	mustSay(t, d, "Used by catalogue payment", "The service itself, at all hours")
	mustSay(t, open(t, apitest.Shop(), "/services/postgres?window=30d").one("#level-0"), "would be missed", "Budget, were this the agreed window")
	running := open(t, apitest.Shop(), "/services/search?window=today")
	mustSay(t, running.one("#level-0"), "2026-11-22, 2026-11-22 00:00:00 to 2026-11-23 00:00:00, Europe/Berlin")
	for _, window := range []string{"7d", "month", "last-month", "30d", "quarter", "90d", "year"} {
		open(t, apitest.Shop(), "/services/search?window="+window)
	}
	open(t, apitest.Shop(), "/services/search?period=2026-W40")
	open(t, apitest.Shop(), "/services/search?from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00Z")
}

// TestBarsSumToTheirWidth reads every bar and strip: what is drawn fills the window and no more.
func TestBarsSumToTheirWidth(t *testing.T) {
	for _, bar := range open(t, apitest.Shop(), "/services").all("svg.bar") {
		end := 0
		for _, rect := range bar.all("rect") {
			var x, width int
			if _, err := fmt.Sscan(rect.attr("x"), &x); err != nil || x != end {
				t.Fatalf("a part begins at %q, the one before ended at %d", rect.attr("x"), end)
			}
			if _, err := fmt.Sscan(rect.attr("width"), &width); err != nil || width < 1 {
				t.Fatalf("a part is %q wide", rect.attr("width"))
			}
			end = x + width
		}
		if end != 1000 {
			t.Errorf("the bar %q ends at %d of 1000", bar.attr("aria-label"), end)
		}
	}
}

func TestReportsListTheMonths(t *testing.T) {
	d := open(t, apitest.Shop(), "/reports")
	mustSay(t, d, "n = 4 months since the first delivery at 2026-08-24 14:00:00, Europe/Berlin",
		"2026-11", "running: up to now", "2026-08 2026-08-01 00:00:00 to 2026-09-01 00:00:00 complete, begins before the first delivery")
	for _, format := range []string{"html", "md", "json"} {
		w := get(apitest.Shop(), "/reports/2026-10?format="+format)
		if w.Code != http.StatusOK || !strings.Contains(w.Header().Get("Content-Security-Policy"), "style-src 'unsafe-inline'") {
			t.Errorf("%s: %d, %s", format, w.Code, w.Header().Get("Content-Security-Policy"))
		}
	}
	if w := get(apitest.Shop(), "/reports/open?period=2026-Q4"); w.Header().Get("Location") != "/reports/2026-Q4" {
		t.Errorf("the form leads to %q", w.Header().Get("Location"))
	}
}

func TestAnEmptySiteSaysWhatToDoNext(t *testing.T) {
	site := apitest.Empty()
	mustSay(t, open(t, site, "http://keel.example:9095/"), "No incident yet",
		"url: http://keel.example:9095/api/v1/ingest/alertmanager", "curl -s http://keel.example:9095/api/v1/ingest/alertmanager")
	mustSay(t, open(t, site, "/services"), "No service is known yet", "depends_on: [cart, payment]")
	mustSay(t, open(t, site, "/reports"), "Nothing to report on yet")
}

func TestTroubleIsAPageThatSaysWhatItIs(t *testing.T) {
	away, broken, starting := apitest.Shop(), apitest.Shop(), apitest.Shop()
	away.Err, broken.Err, starting.Now = &clickhouse.Error{Op: "query", Err: syscall.ECONNREFUSED, Away: true}, errors.New("code 47: secret"), 0
	for _, c := range []struct {
		name, target, says string
		site               *apitest.Site
		status             int
	}{
		{"a page that is not there", "/nope", "There is no such page", apitest.Shop(), 404},
		{"an incident that is not there", "/incidents/nope", `no such incident: "nope"`, apitest.Shop(), 404},
		{"a service that is not there", "/services/nope", `no such service: "nope"`, apitest.Shop(), 404},
		{"a filter that cannot be", "/?state=broken", `parameter state: "broken" is not one of open, resolved, closed, merged`, apitest.Shop(), 400},
		{"a window that cannot be", "/services/cart?window=3d", `parameter window: "3d" is not one of today, 7d`, apitest.Shop(), 400},
		{"a store that is away", "/", "deliveries are still accepted", away, 503},
		{"a server that has just begun", "/services", "starting: nothing is stored yet", starting, 503},
		{"a defect", "/services", "its log says how", broken, 500},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := get(c.site, c.target)
			if w.Code != c.status {
				t.Errorf("status %d, not %d", w.Code, c.status)
			}
			d := parse(t, w.Body.String())
			mustSay(t, d, c.says)
			if strings.Contains(d.text(), "secret") {
				t.Error("the page shows what only the log may")
			}
			if (w.Header().Get("Refresh") != "") != (c.status == 503) {
				t.Errorf("Refresh %q with %d", w.Header().Get("Refresh"), w.Code)
			}
		})
	}
}

// TestPagesAllowNoScriptButOurs checks headers and documents of every page of every site: no inline
// script, style or handler, no address that is a script.
func TestPagesAllowNoScriptButOurs(t *testing.T) {
	targets := append(slices.Clone(every), "/incidents/i-hostile", "/services/%3C%2Fscript%3E%3Cscript%3Ealert(%22owned%22)%3C%2Fscript%3E%3Cimg%20src=x%20onerror=alert(1)%3E",
		"/services/a%2Fb%3Fc%23d%252e%252e%2F..", "/nope", "/?service=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
	for name, site := range map[string]*apitest.Site{"full": apitest.Shop(), "empty": apitest.Empty(), "hostile": apitest.Hostile()} {
		for _, target := range targets {
			w := get(site, target)
			if csp := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
				t.Errorf("%s %s: policy %q", name, target, csp)
			}
			if w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("X-Frame-Options") != "DENY" {
				t.Errorf("%s %s: headers %v", name, target, w.Header())
			}
			checkInert(t, name+" "+target, parse(t, w.Body.String()))
		}
	}
	if w := get(apitest.Hostile(), "/services/a%2Fb%3Fc%23d%252e%252e%2F.."); w.Code != http.StatusOK {
		t.Errorf("a service with a slash in its name cannot be opened: %d", w.Code)
	}
}

func checkInert(t *testing.T, where string, d document) {
	t.Helper()
	for n := range d.root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if n.Data == "script" && (n.FirstChild != nil || !strings.HasPrefix(attr(n, "src"), "/static/")) || slices.Contains([]string{"style", "img", "iframe", "b"}, n.Data) && attr(n, "onload") != "" {
			t.Errorf("%s: <%s> that is not ours", where, n.Data)
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" {
				t.Errorf("%s: <%s %s=%q>", where, n.Data, a.Key, a.Val)
			}
			if (a.Key == "href" || a.Key == "src" || a.Key == "action") && strings.Contains(strings.ToLower(a.Val), "javascript:") {
				t.Errorf("%s: <%s %s=%q> is a script", where, n.Data, a.Key, a.Val)
			}
		}
	}
}

// TestPagesCanBeUsedByEveryone checks what can be checked of accessibility without eyes.
func TestPagesCanBeUsedByEveryone(t *testing.T) {
	for _, site := range []*apitest.Site{apitest.Shop(), apitest.Hostile()} {
		for _, target := range every {
			w := get(site, target)
			d := parse(t, w.Body.String())
			if d.one("html").attr("lang") != "en" || d.one("title").text() == "" || len(d.all("main")) != 1 || len(d.all("h1")) != 1 {
				t.Errorf("%s: language, title, main or h1 is missing or double", target)
			}
			ids := map[string]bool{}
			level := 1
			for n := range d.root.Descendants() {
				if n.Type != html.ElementNode {
					continue
				}
				e := document{n}
				if id := e.attr("id"); id != "" {
					if ids[id] || strings.ContainsAny(id, " \t\n\"'<>") {
						t.Errorf("%s: id %q is double or no id", target, id)
					}
					ids[id] = true
				}
				switch n.Data {
				case "h1", "h2", "h3":
					next := int(n.Data[1] - '0')
					if next > level+1 {
						t.Errorf("%s: %s %q follows an h%d", target, n.Data, e.text(), level)
					}
					level = next
				case "a", "button":
					if e.text() == "" && e.attr("aria-label") == "" {
						t.Errorf("%s: a %s without words", target, n.Data)
					}
				case "svg":
					if e.attr("aria-hidden") != "true" && (e.attr("role") != "img" || e.attr("aria-label") == "") {
						t.Errorf("%s: a picture without words", target)
					}
				case "th":
					if e.attr("scope") == "" {
						t.Errorf("%s: the header %q has no scope", target, e.text())
					}
				case "select", "input":
					if n.Parent.Data != "label" {
						t.Errorf("%s: the field %q has no label", target, e.attr("name"))
					}
				}
			}
			for n := range d.root.Descendants() {
				if by := attr(n, "aria-labelledby"); by != "" && !ids[by] {
					t.Errorf("%s: labelled by %q, which is not there", target, by)
				}
			}
		}
	}
}

// TestEveryColourIsNamedOnce keeps light and dark complete: a colour outside of the
// two palettes would be the same in both.
func TestEveryColourIsNamedOnce(t *testing.T) {
	css, err := os.ReadFile(path.Join("static", "evenkeel.css"))
	if err != nil {
		t.Fatal(err)
	}
	light, rest, _ := strings.Cut(string(css), "@media (prefers-color-scheme: dark)")
	dark, rules, _ := strings.Cut(rest, "\n}\n")
	names := func(palette string) []string {
		var list []string
		for _, m := range regexp.MustCompile(`(--[a-z-]+):`).FindAllStringSubmatch(palette, -1) {
			list = append(list, m[1])
		}
		return list
	}
	if l, d := names(light), names(dark); !slices.Equal(l, d) {
		t.Errorf("light names %q\ndark names %q", l, d)
	}
	if found := regexp.MustCompile(`#[0-9a-fA-F]{3,8}\b|rgb|hsl`).FindAllString(rules, -1); len(found) > 0 {
		t.Errorf("colours outside of the palettes: %q", found)
	}
	for _, m := range regexp.MustCompile(`var\((--[a-z-]+)\)`).FindAllStringSubmatch(rules, -1) {
		if !slices.Contains(names(light), m[1]) {
			t.Errorf("%s is named nowhere", m[1])
		}
	}
}

func TestAssetsKeepForEver(t *testing.T) {
	d := open(t, apitest.Shop(), "/")
	for _, href := range []string{d.all("link")[0].attr("href"), d.all("link")[1].attr("href"), d.one("script").attr("src")} {
		w := get(apitest.Shop(), href)
		if w.Code != http.StatusOK || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") || w.Header().Get("Content-Type") == "" {
			t.Errorf("%s: %d %v", href, w.Code, w.Header())
		}
		if w := get(apitest.Shop(), "/static/0000000000000000/"+path.Base(href)); w.Code != http.StatusNotFound {
			t.Errorf("an old path answers %d: a stale page would get the wrong version", w.Code)
		}
	}
}
