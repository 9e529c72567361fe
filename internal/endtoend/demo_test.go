package endtoend

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/rig"
)

// demoWithin is what somebody waits for who tries Evenkeel for the first time, on two cores.
const demoWithin = 90 * time.Second

// The demo ends by itself and soon, leaves the report in three formats, and the same seed and end of
// history give the same bytes whenever it runs.
func TestTheDemoGivesTheSameReportTwice(t *testing.T) {
	var first map[string][]byte
	for range 2 {
		out := t.TempDir()
		began := time.Now()
		evenkeel(t, "demo", "--once", "--output="+out, "--seed=3", "--now=2026-11-01T00:00:00Z",
			fmt.Sprintf("--web.listen-address=127.0.0.1:%d", rig.FreePort(t)))
		if took := time.Since(began); took > demoWithin {
			t.Errorf("the demo took %s, more than %s", took.Round(time.Second), demoWithin)
		} else {
			t.Logf("the demo took %s", took.Round(time.Second))
		}
		reports := map[string][]byte{}
		for _, name := range []string{"report.html", "report.md", "report.json"} {
			b, err := os.ReadFile(filepath.Join(out, name))
			if err != nil {
				t.Fatal(err)
			}
			if len(b) < 1000 {
				t.Errorf("%s has %d bytes: there is nothing in it", name, len(b))
			}
			reports[name] = b
		}
		if first == nil {
			first = reports
			continue
		}
		for name, b := range reports {
			if !bytes.Equal(b, first[name]) {
				t.Errorf("%s differs between two runs of the same demo", name)
			}
		}
	}
}

// A demo that is started again finds its history: it serves within seconds, and what was there as of
// the first run is there unchanged, storm included.
func TestASecondDemoGoesOnWhereTheFirstEnded(t *testing.T) {
	cache := demoCache(t)
	first := startDemo(t, cache)
	eventually(t, demoWithin, "the first demo has sent its storm", func() bool { return strings.Contains(first.Log(), "storm    has been received") })
	waitAllStored(t, first)
	asOf := first.storedTime(t)
	incidents := first.incidentsAsOf(t, asOf)
	if n := bytes.Count(incidents, []byte(`"opened_at"`)); n < 50 {
		t.Fatalf("the demo has only %d incidents:\n%.2000s", n, incidents)
	}
	stopGracefully(t, first.Process)

	began := time.Now()
	second := startDemo(t, cache)
	eventually(t, demoWithin, "the second demo serves", func() bool { return strings.Contains(second.Log(), "pages    http://") })
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("the second demo served after %s", took.Round(time.Second))
	} else {
		t.Logf("the second demo served after %s", took.Round(time.Millisecond))
	}
	if !strings.Contains(second.Log(), "history  is there already") {
		t.Errorf("the second demo told its history again:\n%s", second.Log())
	}
	if again := second.incidentsAsOf(t, asOf); !bytes.Equal(incidents, again) {
		t.Errorf("as of %s the second demo has other incidents than the first had:\n%.3000s\n%.3000s", asOf, incidents, again)
	}
}

// demoCache is a cache folder of the test's own, in which the engine is found.
func demoCache(t *testing.T) string {
	t.Helper()
	library := strings.TrimSpace(evenkeel(t, "engine", "path"))
	cache := t.TempDir()
	folder := filepath.Join(cache, "evenkeel")
	err := errors.Join(os.Mkdir(folder, 0o755), os.Symlink(filepath.Dir(filepath.Dir(library)), filepath.Join(folder, "engine")))
	if err != nil {
		t.Fatal(err)
	}
	return cache
}

// startDemo starts a demo that stays up and returns when it answers.
func startDemo(t *testing.T, cache string) *server {
	t.Helper()
	port := rig.FreePort(t)
	s := &server{url: fmt.Sprintf("http://127.0.0.1:%d", port)}
	cmd := exec.Command(rig.Binary(t), "demo", "--seed=3", "--now=2026-11-01T00:00:00Z", fmt.Sprintf("--web.listen-address=127.0.0.1:%d", port))
	cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+cache)
	s.Process = rig.Start(t, "evenkeel demo", cmd, s.url, "/-/healthy")
	return s
}

// incidentsAsOf returns the newest incidents as they were known at an instant, as they are answered.
func (s *server) incidentsAsOf(t *testing.T, asOf ingest.Millis) []byte {
	t.Helper()
	return fetch(t, s.url+"/api/v1/incidents?"+url.Values{"as_of": {asOf.String()}, "limit": {"1000"}}.Encode())
}
