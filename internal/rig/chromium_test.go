package rig_test

import (
	"bytes"
	"fmt"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/rig"
)

const testPage = `<!doctype html><title>rig</title>
<style>
  body { margin: 0; background: #fff; height: 2000px }
  .paper { display: none }
  @media (prefers-color-scheme: dark) { body { background: #000 } }
  @media print { .paper { display: block } }
</style>
<h1>Before</h1><p hidden>Not to be seen</p><p class=paper>On paper</p><a href="/next">next</a>
<script>document.querySelector("h1").textContent = "After"</script>`

func serve(t *testing.T, pages map[string]string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := pages[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestABrowserSeesAPageAsAPersonDoes(t *testing.T) {
	browser := rig.Chromium(t)
	url := serve(t, map[string]string{"/": testPage, "/next": "<h1>Next</h1>", "/favicon.ico": ""})

	for _, c := range []struct {
		name string
		view rig.View
		want string // the visible text
		red  uint32 // of the top left pixel
	}{
		{"in a light scheme", rig.View{}, "After next", 0xffff},
		{"in a dark scheme", rig.View{Dark: true}, "After next", 0},
		{"without scripts", rig.View{NoScript: true}, "Before next", 0xffff},
		{"with the styles for paper", rig.View{Print: true}, "After On paper next", 0xffff},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.view.Width, c.view.Height = 640, 480
			page := browser.Open(t, url, c.view)
			if got := strings.Join(strings.Fields(page.Text(t)), " "); got != c.want {
				t.Errorf("the page reads %q, not %q", got, c.want)
			}
			picture, err := png.Decode(bytes.NewReader(page.Screenshot(t)))
			if err != nil {
				t.Fatal(err)
			}
			if size := picture.Bounds().Size(); size.X != 640 || size.Y < 2000 {
				t.Errorf("the picture has %v pixels: it should show the whole page", size)
			}
			if red, _, _, _ := picture.At(2, 2).RGBA(); red != c.red {
				t.Errorf("the background has red %x, not %x", red, c.red)
			}
			if got := page.Problems(); len(got) > 0 {
				t.Errorf("problems: %q", got)
			}
		})
	}
}

func TestABrowserFollowsALinkAndPrints(t *testing.T) {
	url := serve(t, map[string]string{"/": testPage, "/next": "<h1>Next</h1>"})
	page := rig.Chromium(t).Open(t, url, rig.View{})
	page.Click(t, "a")
	if html := page.HTML(t); !strings.Contains(html, "<h1>Next</h1>") {
		t.Errorf("after the click: %s", html)
	}
	if pdf := page.PDF(t); !bytes.HasPrefix(pdf, []byte("%PDF-")) {
		t.Errorf("not a PDF: %.20q", pdf)
	}
}

func TestABrowserTellsOfProblems(t *testing.T) {
	url := serve(t, map[string]string{
		"/": `<script>console.error("said", 1)</script><script>throw new Error("thrown")</script><img src=/missing.png>`,
	})
	page := rig.Chromium(t).Open(t, url, rig.View{})
	all := strings.Join(page.Problems(), "\n")
	for _, want := range []string{"said", "thrown", "missing.png"} {
		if !strings.Contains(all, want) {
			t.Errorf("nothing about %q in:\n%s", want, all)
		}
	}
}
