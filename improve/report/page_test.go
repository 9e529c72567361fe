package report_test

import (
	"bytes"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/improve"
	"github.com/evenkeel/evenkeel/improve/report"
	"github.com/evenkeel/evenkeel/internal/rig"
)

// views of the page: a desk, a phone and a sheet of paper.
var views = map[string]rig.View{
	"wide, light":    {Width: 1280, Height: 900},
	"wide, dark":     {Width: 1280, Height: 900, Dark: true},
	"narrow, light":  {Width: 390, Height: 844},
	"narrow, dark":   {Width: 390, Height: 844, Dark: true},
	"print":          {Width: 794, Height: 1123, Print: true},
	"print at dark":  {Width: 794, Height: 1123, Print: true, Dark: true},
	"without script": {Width: 1280, Height: 900, NoScript: true},
}

// faint returns the texts whose contrast with what lies behind them is below 4.5 (WCAG 2.2,
// 1.4.3), each once.
const faint = `(() => {
  const rgb = c => c.match(/[\d.]+/g).map(Number);
  const light = c => { const [r, g, b] = rgb(c).map(v => { v /= 255; return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4 }); return .2126 * r + .7152 * g + .0722 * b };
  const ground = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return getComputedStyle(e).backgroundColor } return 'rgb(255,255,255)' };
  const found = new Set();
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].filter(n => n.nodeType === 3).map(n => n.data.trim()).join('');
    if (!own || e.closest('title,desc,style')) continue;
    const color = e.closest('svg') ? getComputedStyle(e).fill : getComputedStyle(e).color;
    const [a, b] = [light(color), light(ground(e))];
    const contrast = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (contrast < 4.5) found.add(own.slice(0, 40) + ' ' + contrast.toFixed(2));
  }
  return [...found].join('; ');
})()`

// beyond returns what reaches beyond the window.
const beyond = `[...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll, svg, .unseen, thead') && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.tagName + '.' + e.className + ' ' + e.textContent.trim().slice(0, 40)).join('; ')`

// nameless returns pictures and tables that a screen reader could not name.
const nameless = `[...document.querySelectorAll('svg[role=img]')].filter(e => !e.getAttribute('aria-label') && !(e.getAttribute('aria-labelledby') || '').split(' ').every(id => document.getElementById(id)?.textContent)).length + [...document.querySelectorAll('table')].filter(e => !e.caption?.textContent || !e.querySelector('th[scope=col]') || !e.querySelector('th[scope=row]')).length`

func TestThePageIsReadableEverywhere(t *testing.T) {
	browser := rig.Chromium(t)
	for _, name := range []string{"october", "nothing"} {
		r, _ := stored(t, name)
		file := filepath.Join(t.TempDir(), name+".html")
		if err := os.WriteFile(file, render(t, r, report.FormatHTML), 0o600); err != nil {
			t.Fatal(err)
		}
		address := (&url.URL{Scheme: "file", Path: file}).String()
		for view, v := range views {
			if name == "nothing" && (v.Print || v.NoScript) {
				continue // it has nothing there that October lacks
			}
			t.Run(name+", "+view, func(t *testing.T) {
				page := browser.Open(t, address, v)
				defer page.Keep(t)
				for _, p := range page.Problems() {
					t.Error(p)
				}
				if v.NoScript {
					if text := page.Text(t); !strings.Contains(text, r.Period.Title()) {
						t.Errorf("the page does not say %q: %.200s", r.Period.Title(), text)
					}
					return
				}
				check(t, page, "too faint", faint, "")
				check(t, page, "beyond the window", beyond, "")
				var without int
				if page.Eval(t, nameless, &without); without != 0 {
					t.Errorf("%d pictures or tables have no name", without)
				}
			})
		}
	}
}

func check(t *testing.T, page *rig.Page, what, expression, want string) {
	t.Helper()
	var got string
	if page.Eval(t, expression, &got); got != want {
		t.Errorf("%s: %s", what, got)
	}
}

func TestThePageBringsAllThatItNeeds(t *testing.T) {
	r, _ := stored(t, "october")
	r.LinkBase = ""
	page := string(render(t, r, report.FormatHTML))
	for _, bad := range []string{"<script", "<link", "<img", "@import", "src=", "http://", "https://", "ZgotmplZ"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
}

// Evidence that cannot be opened is none: ids are links where the pages are known, and where
// not, the report says where it stands.
func TestEveryReportSaysHowItsEvidenceIsOpened(t *testing.T) {
	const says = "the page of inc-0104 is /incidents/inc-0104, its JSON /api/v1/incidents/inc-0104"
	for base, link := range map[string]string{
		"https://evenkeel.example/sub/": "https://evenkeel.example/sub/incidents/inc-0104",
		"..":                            "../incidents/inc-0104",
		"../../..":                      "../../../incidents/inc-0104",
		"":                              "",
		"javascript:alert(1)//":         "",
		"../x":                          "",
	} {
		r, _ := stored(t, "october")
		r.LinkBase = base
		r.Findings.List[0].Incidents = []string{"inc-0104"}
		page, text := string(render(t, r, report.FormatHTML)), string(render(t, r, report.FormatMarkdown))
		if strings.Contains(page, says) != (link == "") || strings.Contains(text, says) != (link == "") {
			t.Errorf("base %q: the report does not say how its evidence is opened, or says it beside links", base)
		}
		if link != "" && (!strings.Contains(page, `href="`+link+`"`) || !strings.Contains(text, "](<"+link+">)")) {
			t.Errorf("base %q: no link to %s", base, link)
		}
	}
}

// hostile is a report whose every name tries to be markup.
func hostile(t testing.TB) *improve.Report {
	r, _ := stored(t, "october")
	const evil = "</td><script>alert(1)</script>|`*[x](javascript:alert(1))\n# head"
	r.Tenant, r.LinkBase = evil, "javascript:alert(1)//"
	r.Incidents.Longest[0].Title, r.Incidents.Longest[0].ID = evil, evil
	r.Findings.List[0].Statement, r.Findings.List[0].Incidents = evil, []string{evil}
	r.Availability.Levels[0].Service, r.Availability.Levels[0].Owner = evil, evil
	r.Availability.Lanes[0].Service = evil
	r.Noise.ByName[0].Name = evil
	r.Quality.Caveats[0] = evil
	return r
}

func TestNamesAreNeverMarkup(t *testing.T) {
	r := hostile(t)
	page := render(t, r, report.FormatHTML)
	if bytes.Contains(page, []byte("<script")) || bytes.Contains(page, []byte(`href="javascript:`)) {
		t.Error("a name became markup in the page")
	}
	text := string(render(t, r, report.FormatMarkdown))
	if strings.Contains(text, "<script") || strings.Contains(text, "\n# head") || strings.Contains(text, "(<javascript:") {
		t.Error("a name became markup in the Markdown")
	}
	for i, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, "|") && !strings.HasSuffix(line, "|") {
			t.Errorf("line %d is half a row of a table: %q", i+1, line)
		}
	}
}

func TestAnUnknownFormatIsRefused(t *testing.T) {
	r, _ := stored(t, "nothing")
	if err := report.Render(&bytes.Buffer{}, r, "pdf"); err == nil {
		t.Error("a report was rendered as pdf")
	}
	if _, err := report.ParseFormat("csv"); err == nil {
		t.Error("csv was taken for a format")
	}
	for _, f := range report.Formats() {
		if got, err := report.ParseFormat(string(f)); err != nil || got != f || f.ContentType() == "" {
			t.Errorf("%s is read as %q (%v), media type %q", f, got, err, f.ContentType())
		}
	}
}
