package web_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/api"
	"github.com/evenkeel/evenkeel/internal/api/apitest"
	"github.com/evenkeel/evenkeel/internal/rig"
	"github.com/evenkeel/evenkeel/internal/web"
)

func serve(t *testing.T, site *apitest.Site) string {
	mux := http.NewServeMux()
	mux.Handle("/api/v1/", api.New(api.Options{Reads: site.Reads()}))
	mux.Handle("/", web.New(web.Options{Reads: site.Reads()}))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// TestPagesInABrowser opens every page of a full site, narrow and wide, light and dark, with and without
// script, and those of an empty and a hostile one in two ways each.
// Nothing may go wrong, nothing may stick out, and no alert may run. The pictures are
// kept where EVENKEEL_PICTURES names a folder.
func TestPagesInABrowser(t *testing.T) {
	browser := rig.Chromium(t)
	views := map[string]rig.View{
		"wide": {Width: 1440, Height: 900}, "wide dark": {Width: 1440, Height: 900, Dark: true},
		"narrow": {Width: 390, Height: 844}, "narrow dark": {Width: 390, Height: 844, Dark: true},
		"between": {Width: 960, Height: 800}, "tight": {Width: 700, Height: 800},
		"without script": {Width: 1024, Height: 768, NoScript: true},
	}
	sites := map[string]struct {
		site    *apitest.Site
		targets []string
		views   []string
	}{
		"full":    {apitest.Shop(), []string{"/", "/incidents/i-01hq8payment", "/services", "/services/postgres", "/reports"}, slices.Sorted(maps.Keys(views))},
		"empty":   {apitest.Empty(), []string{"/", "/services", "/reports"}, []string{"wide", "narrow dark"}},
		"hostile": {apitest.Hostile(), []string{"/", "/incidents/i-hostile", "/services", "/services/a%2Fb%3Fc%23d%252e%252e%2F.."}, []string{"wide dark", "narrow"}},
	}
	for siteName, s := range sites {
		url := serve(t, s.site)
		for _, target := range s.targets {
			for _, viewName := range s.views {
				view := views[viewName]
				t.Run(strings.Join([]string{siteName, strings.ReplaceAll(target, "/", "-"), viewName}, " "), func(t *testing.T) {
					page := browser.Open(t, url+target, view)
					if os.Getenv("EVENKEEL_PICTURES") != "" {
						page.Keep(t)
					}
					if view.NoScript {
						return // nothing can be asked of it; the picture is what is looked at
					}
					if problems := page.Problems(); len(problems) > 0 {
						t.Errorf("problems: %q", problems)
					}
					var sticksOut int
					page.Eval(t, "document.documentElement.scrollWidth - document.documentElement.clientWidth", &sticksOut)
					if sticksOut > 0 {
						t.Errorf("the page is %d pixels wider than the window", sticksOut)
					}
					var cutOff []string
					if page.Eval(t, cutOffElements, &cutOff); len(cutOff) > 0 {
						t.Errorf("cut off without a way to see the rest: %q", cutOff)
					}
					var broken []string
					if page.Eval(t, brokenWords, &broken); len(broken) > 0 {
						t.Errorf("words broken over lines: %q", broken)
					}
				})
			}
		}
	}
}

// cutOffElements lists what hides a part of its content beyond its side, without the dots that
// say so and without a way to scroll there.
const cutOffElements = `[...document.querySelectorAll("body *")].filter((e) => {
  const style = getComputedStyle(e);
  return style.overflowX === "hidden" && e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 1 &&
    style.textOverflow !== "ellipsis" && style.webkitLineClamp === "none" && !(e instanceof SVGElement);
}).map((e) => e.tagName + "." + e.className + ": " + e.textContent.trim().slice(0, 40))`

// brokenWords lists states, severities, times and numbers that take more than one line.
const brokenWords = `[...document.querySelectorAll(".state, .big, td time, td.num > *")].filter((e) =>
  new Set([...e.getClientRects()].map((r) => Math.round(r.top))).size > 1).map((e) => e.textContent)`

// TestTextCanBeRead measures the contrast of every text against what lies behind it, in both
// schemes: at least 4.5 to 1 (WCAG 2.2, 1.4.3).
func TestTextCanBeRead(t *testing.T) {
	browser := rig.Chromium(t)
	url := serve(t, apitest.Shop())
	for _, target := range []string{"/", "/incidents/i-01hq8payment", "/services", "/services/postgres"} {
		for _, dark := range []bool{false, true} {
			var poor []string
			browser.Open(t, url+target, rig.View{Width: 1440, Height: 900, Dark: dark}).Eval(t, poorContrast, &poor)
			if len(poor) > 0 {
				t.Errorf("%s, dark %t: %q", target, dark, poor)
			}
		}
	}
}

const poorContrast = `(() => {
  const rgba = (text) => { const n = text.match(/[\d.]+/g).map(Number); return n.length > 3 ? n : [...n, 1]; };
  const luminance = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => { for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor); if (c[3] === 1) return c; } return [255, 255, 255, 1]; };
  const poor = new Set();
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let n = walk.nextNode(); n; n = walk.nextNode()) {
    if (!n.data.trim() || !n.parentElement.getClientRects().length) continue;
    const a = luminance(rgba(getComputedStyle(n.parentElement).color)), b = luminance(behind(n.parentElement));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.add(n.data.trim().slice(0, 30) + " " + ratio.toFixed(2));
  }
  return [...poor];
})()`

// TestThePageRefreshesItself lets something happen while the page is open: the list must show it
// without a reload, keep what a reader has opened, and say so when the server is gone.
func TestThePageRefreshesItself(t *testing.T) {
	site := apitest.Shop()
	var mu sync.Mutex
	pages := web.New(web.Options{Reads: site.Reads()})
	down := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if down && !strings.HasPrefix(r.URL.Path, "/static/") {
			http.Error(w, "away", http.StatusServiceUnavailable)
			return
		}
		pages.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	browser := rig.Chromium(t)
	page := browser.Open(t, server.URL+"/incidents/i-01hq8payment", rig.View{})
	page.Eval(t, `document.querySelector("#episodes details").open = true; window.stayed = true`, nil)

	mu.Lock()
	for i := range site.Records {
		if site.Records[i].ID == "i-01hq8payment" {
			site.Records[i].Title = "It has a new title"
		}
	}
	site.Members[len(site.Members)-1].Annotations = nil
	mu.Unlock()
	refresh(t, page)
	waitFor(t, page, `document.querySelector("h1").textContent`, "It has a new title")
	var kept bool
	page.Eval(t, `window.stayed === true && document.querySelector("#episodes details").open`, &kept)
	if !kept {
		t.Error("the page was loaded anew, or closed what was open")
	}

	mu.Lock()
	down = true
	mu.Unlock()
	refresh(t, page)
	waitFor(t, page, `document.querySelector("[data-live-status]").textContent`, "Not refreshed (status 503); trying again in 20 s")
}

// refresh makes the page believe that it was looked at again: it refreshes at once then.
func refresh(t *testing.T, page *rig.Page) {
	t.Helper()
	page.Eval(t, `document.dispatchEvent(new Event("visibilitychange"))`, nil)
}

func waitFor(t *testing.T, page *rig.Page, expression, want string) {
	t.Helper()
	var got string
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if page.Eval(t, expression, &got); got == want {
			return
		}
	}
	t.Errorf("%s is %q, not %q", expression, got, want)
}
