package rig

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/rig/parts"
)

// Browser is a headless Chromium that runs for one test.
type Browser struct {
	conn *devtools
}

// View is how a page is looked at.
type View struct {
	Width, Height int  // of the window, in CSS pixels; default 1280 by 800
	Dark          bool // prefers-color-scheme: dark, else light
	NoScript      bool // as a browser with scripts turned off
	Print         bool // with the styles for paper
}

// Page is one open page. Its methods end the test where the browser fails.
type Page struct {
	conn    *devtools
	session string

	mu       sync.Mutex
	problems []string
}

// Chromium starts a headless browser with a profile of its own.
func Chromium(t testing.TB) *Browser {
	t.Helper()
	binary := chromiumPath(t)
	cmd := exec.Command(binary,
		"--headless=new", "--remote-debugging-pipe", "--user-data-dir="+t.TempDir(),
		"--no-sandbox", // it refuses to run as root otherwise, and sees only our own pages
		"--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--force-device-scale-factor=1",
		"--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
		"about:blank")
	conn, err := newDevtools(cmd)
	if err != nil {
		t.Fatal(err)
	}
	Start(t, "chromium", cmd, "", "")
	conn.serve()
	t.Cleanup(func() { _ = conn.call("", "Browser.close", nil, nil) }) // runs before the process is stopped
	return &Browser{conn}
}

func chromiumPath(t testing.TB) string {
	t.Helper()
	for _, name := range parts.Chromium {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	Missing(t, "none of %s is on the PATH: run make fetch, or install Chromium", strings.Join(parts.Chromium, ", "))
	return ""
}

// Open loads url, waits until it has loaded with all that belongs to it, and returns the
// page. Where the test fails, a picture of it is kept: see [Page.Keep].
func (b *Browser) Open(t testing.TB, url string, view View) *Page {
	t.Helper()
	p := &Page{conn: b.conn}
	var target struct{ TargetID string }
	p.must(t, "Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	p.must(t, "Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	p.session = attached.SessionID
	p.look(t, view)
	p.load(t, url)
	t.Cleanup(func() {
		if t.Failed() {
			p.Keep(t)
		}
	})
	return p
}

// look sets the page up as view says, and listens for its problems.
func (p *Page) look(t testing.TB, view View) {
	t.Helper()
	p.conn.listen(p.session, p.note)
	for _, domain := range []string{"Page", "Runtime", "Network", "Log"} {
		p.must(t, domain+".enable", nil, nil)
	}
	if view.Width == 0 {
		view.Width, view.Height = 1280, 800
	}
	p.must(t, "Emulation.setDeviceMetricsOverride", map[string]any{
		"width": view.Width, "height": view.Height, "deviceScaleFactor": 1, "mobile": false,
	}, nil)
	scheme, media := "light", ""
	if view.Dark {
		scheme = "dark"
	}
	if view.Print {
		media = "print"
	}
	p.must(t, "Emulation.setEmulatedMedia", map[string]any{
		"media": media, "features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}},
	}, nil)
	p.must(t, "Emulation.setScriptExecutionDisabled", map[string]any{"value": view.NoScript}, nil)
}

func (p *Page) load(t testing.TB, url string) {
	t.Helper()
	loaded := p.conn.expect(p.session, "Page.loadEventFired")
	var nav struct{ ErrorText string }
	p.must(t, "Page.navigate", map[string]any{"url": url}, &nav)
	if nav.ErrorText != "" {
		t.Fatalf("chromium: open %s: %s", url, nav.ErrorText)
	}
	select {
	case <-loaded:
	case <-time.After(readyWithin):
		t.Fatalf("chromium: %s has not loaded after %s", url, readyWithin)
	}
}

// Text returns the text that a person sees on the page, line by line.
func (p *Page) Text(t testing.TB) string {
	t.Helper()
	var text string
	p.Eval(t, "document.body.innerText", &text)
	return text
}

// HTML returns the document as it is now, scripts included in their effect.
func (p *Page) HTML(t testing.TB) string {
	t.Helper()
	var html string
	p.Eval(t, "document.documentElement.outerHTML", &html)
	return html
}

// Eval runs a JavaScript expression in the page, waits for it where it is a
// promise, and decodes its value into result, which may be nil. It needs scripts.
func (p *Page) Eval(t testing.TB, expression string, result any) {
	t.Helper()
	var answer struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct {
			Text      string
			Exception struct{ Description string }
		}
	}
	p.must(t, "Runtime.evaluate", map[string]any{
		"expression": expression, "returnByValue": true, "awaitPromise": true,
	}, &answer)
	if e := answer.ExceptionDetails; e != nil {
		t.Fatalf("chromium: %s: %s %s", expression, e.Text, e.Exception.Description)
	}
	if result == nil {
		return
	}
	if err := json.Unmarshal(answer.Result.Value, result); err != nil {
		t.Fatalf("chromium: %s gives %s: %v", expression, answer.Result.Value, err)
	}
}

// Click clicks the first element that the CSS selector finds, and waits for the page that
// this opens.
func (p *Page) Click(t testing.TB, selector string) {
	t.Helper()
	loaded := p.conn.expect(p.session, "Page.loadEventFired")
	quoted, err := json.Marshal(selector)
	if err != nil {
		t.Fatal(err)
	}
	p.Eval(t, fmt.Sprintf("document.querySelector(%s).click()", quoted), nil)
	select {
	case <-loaded:
	case <-time.After(readyWithin):
		t.Fatalf("chromium: a click on %s opened nothing", selector)
	}
}

// Problems returns what went wrong on the page so far: uncaught exceptions, errors in
// the console, and requests that failed or were answered with 4xx or 5xx.
func (p *Page) Problems() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.problems...)
}

// Screenshot returns a PNG of the whole page, not only of what fits the window.
func (p *Page) Screenshot(t testing.TB) []byte {
	t.Helper()
	return p.bytes(t, "Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": true})
}

// PDF returns the page as printed on A4.
func (p *Page) PDF(t testing.TB) []byte {
	t.Helper()
	return p.bytes(t, "Page.printToPDF", map[string]any{
		"paperWidth": 8.27, "paperHeight": 11.69, "printBackground": true, "preferCSSPageSize": true,
	})
}

// Keep writes a picture of the page to a file that outlives the test, below the system's
// temporary folder or $EVENKEEL_PICTURES, and logs its path.
func (p *Page) Keep(t testing.TB) {
	t.Helper()
	folder := os.Getenv("EVENKEEL_PICTURES")
	if folder == "" {
		folder = filepath.Join(os.TempDir(), "evenkeel-pictures")
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Logf("no picture of the page: %v", err)
		return
	}
	var shot struct{ Data []byte }
	err := p.conn.call(p.session, "Page.captureScreenshot", map[string]any{"captureBeyondViewport": true}, &shot)
	if err != nil {
		t.Logf("no picture of the page: %v", err)
		return
	}
	name := strings.NewReplacer("/", "_", " ", "_").Replace(t.Name())
	f, err := os.CreateTemp(folder, name+"-*.png")
	if err != nil {
		t.Logf("no picture of the page: %v", err)
		return
	}
	defer func() { _ = f.Close() }()
	if _, err := f.Write(shot.Data); err != nil {
		t.Logf("no picture of the page: %v", err)
		return
	}
	t.Logf("picture of the page: %s", f.Name())
}

func (p *Page) bytes(t testing.TB, method string, params map[string]any) []byte {
	t.Helper()
	var answer struct{ Data []byte } // base64 in the message
	p.must(t, method, params, &answer)
	return answer.Data
}

func (p *Page) must(t testing.TB, method string, params map[string]any, result any) {
	t.Helper()
	if err := p.conn.call(p.session, method, params, result); err != nil {
		t.Fatalf("chromium: %v", err)
	}
}

// note keeps the events that tell of a problem.
func (p *Page) note(method string, params json.RawMessage) {
	text := problem(method, params)
	if text == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.problems = append(p.problems, text)
}

// problem puts an event into words, or returns "" where it tells of no problem.
func problem(method string, params json.RawMessage) string {
	var e struct {
		ExceptionDetails struct {
			Text      string
			Exception struct{ Description string }
		}
		Type  string
		Args  []struct{ Value any }
		Entry struct{ Level, Text, URL string }
	}
	if err := json.Unmarshal(params, &e); err != nil {
		return fmt.Sprintf("%s: %v", method, err)
	}
	switch {
	case method == "Runtime.exceptionThrown":
		return "exception: " + e.ExceptionDetails.Text + " " + e.ExceptionDetails.Exception.Description
	case method == "Runtime.consoleAPICalled" && e.Type == "error":
		return fmt.Sprintf("console.error: %v", e.Args)
	case method == "Log.entryAdded" && e.Entry.Level == "error": // failed requests come this way
		return "error: " + e.Entry.Text + " " + e.Entry.URL
	}
	return ""
}
