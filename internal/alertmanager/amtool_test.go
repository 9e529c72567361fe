package alertmanager_test

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/rig"
)

// The clients that people have: amtool as Debian ships it, and a current one.
var amtools = map[string]func(testing.TB, ...string) (string, error){
	"amtool 0.25": rig.Amtool, "amtool 0.34": rig.AmtoolCurrent,
}

func TestAmtoolLooksAtEvenkeel(t *testing.T) {
	server := httptest.NewServer(handler(small()))
	t.Cleanup(server.Close)
	for version, amtool := range amtools {
		ask := func(t *testing.T, args ...string) string {
			t.Helper()
			out, err := amtool(t, append([]string{"--alertmanager.url=" + server.URL, "--no-version-check"}, args...)...)
			if err != nil {
				t.Fatalf("amtool %q: %v\n%s", args, err, out)
			}
			return out
		}
		t.Run(version, func(t *testing.T) {
			for _, c := range []struct {
				args      []string
				says, not []string
			}{
				{[]string{"alert", "query"}, []string{"Errors of payment", "Latency of checkout"}, []string{"Silent", "Over"}},
				{[]string{"alert", "query", "Errors"}, []string{"Errors of payment"}, []string{"Latency"}},
				{[]string{"alert", "query", `service=~"check.+"`}, []string{"Latency of checkout"}, []string{"Errors"}},
				{[]string{"alert", "query", "--active", "--unprocessed"}, []string{"Silent of search", "Errors"}, []string{"Over"}},
				{[]string{"alert", "query", "--receiver=other"}, nil, []string{"Errors"}},
				{[]string{"alert", "query", "-o", "extended"}, []string{`service="payment"`, "active", "2026-11-22 11:00:00 UTC"}, nil},
				{[]string{"config", "show"}, []string{"receiver: evenkeel", "/api/v1/status/config"}, nil},
				{[]string{"config", "routes", "show"}, []string{"receiver: evenkeel"}, nil},
				{[]string{"silence", "query"}, nil, []string{"error"}},
			} {
				out := ask(t, c.args...)
				for _, want := range c.says {
					if !strings.Contains(out, want) {
						t.Errorf("%q does not say %q:\n%s", c.args, want, out)
					}
				}
				for _, bad := range c.not {
					if strings.Contains(out, bad) {
						t.Errorf("%q says %q:\n%s", c.args, bad, out)
					}
				}
			}
			var alerts []map[string]any
			if out := ask(t, "alert", "query", "-o", "json"); json.Unmarshal([]byte(out), &alerts) != nil || len(alerts) != 2 || alerts[0]["fingerprint"] != "00000000000000aa" {
				t.Errorf("as JSON:\n%s", out)
			}
			if out, err := amtool(t, "--alertmanager.url="+server.URL, "silence", "add", "alertname=Errors", "--comment=x"); err == nil || !strings.Contains(out, "keeps no silences") {
				t.Errorf("a silence: %v\n%s", err, out)
			}
		})
	}
}

// What config show prints is a configuration that Alertmanager itself would take.
func TestTheConfigurationShownIsOneOfAlertmanager(t *testing.T) {
	file := filepath.Join(t.TempDir(), "alertmanager.yml")
	text, err := os.ReadFile("configuration.yml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for version, amtool := range amtools {
		if out, err := amtool(t, "check-config", file); err != nil {
			t.Errorf("%s: %v\n%s", version, err, out)
		}
	}
}
