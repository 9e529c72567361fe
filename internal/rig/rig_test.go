package rig_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/rig"
	"github.com/evenkeel/evenkeel/internal/rig/parts"
)

func TestAnAlertTravelsFromPrometheusThroughAlertmanagerToAWebhook(t *testing.T) {
	for name, start := range map[string]func(testing.TB, string, ...string) *rig.Process{
		"the current Alertmanager": rig.Alertmanager,
		"the old Alertmanager":     rig.AlertmanagerOld,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, url := receiver(t)
			am := start(t, fmt.Sprintf(`
route: {receiver: hook, group_wait: 0s, group_interval: 1s}
receivers: [{name: hook, webhook_configs: [{url: %q}]}]
`, url))
			rig.Prometheus(t, fmt.Sprintf(`
global: {evaluation_interval: 500ms}
rule_files: [rules.yml]
alerting: {alertmanagers: [{static_configs: [{targets: [%q]}]}]}
`, strings.TrimPrefix(am.URL, "http://")), `
groups: [{name: g, rules: [{alert: Always, expr: vector(1), labels: {service: checkout}}]}]
`)
			select {
			case labels := <-got:
				if labels["alertname"] != "Always" || labels["service"] != "checkout" {
					t.Errorf("the alert's labels are %v", labels)
				}
			case <-time.After(30 * time.Second):
				t.Error("no alert came in 30 s")
			}
		})
	}
}

// receiver is a webhook that hands on the labels of the first alert it gets.
func receiver(t *testing.T) (labels <-chan map[string]string, url string) {
	t.Helper()
	got := make(chan map[string]string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var body struct {
			Alerts []struct{ Labels map[string]string }
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || len(body.Alerts) == 0 {
			t.Errorf("the webhook got %+v, %v", body, err)
			return
		}
		select {
		case got <- body.Alerts[0].Labels:
		default:
		}
	}))
	t.Cleanup(server.Close)
	return got, server.URL
}

func TestTheToolsRefuseABrokenConfiguration(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "broken.yml")
	if err := os.WriteFile(broken, []byte("nonsense: true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := rig.Amtool(t, "check-config", broken); err == nil || !strings.Contains(out, "nonsense") {
		t.Errorf("amtool: %v\n%s", err, out)
	}
	if out, err := rig.Promtool(t, "check", "config", broken); err == nil || !strings.Contains(out, "nonsense") {
		t.Errorf("promtool: %v\n%s", err, out)
	}
}

func TestAProcessIsStoppedWithItsTest(t *testing.T) {
	var p *rig.Process
	t.Run("inner", func(t *testing.T) {
		p = rig.Start(t, "sleep", exec.Command("sleep", "600"), "", "")
	})
	select {
	case <-p.Done():
	default:
		t.Error("it still runs")
	}
}

func TestAFreePortCanBeListenedOn(t *testing.T) {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", rig.FreePort(t)))
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

func TestAMissingThingSkipsAndIsListedOrFailsWhereAllIsRequired(t *testing.T) {
	if os.Getenv("RIG_TEST_INNER") == "1" {
		rig.Shared(t, "vectors/no-such-file.json")
		return
	}
	for _, c := range []struct{ name, require, want string }{
		{"skips and is listed", "0", "--- SKIP"},
		{"fails", "1", "--- FAIL"},
	} {
		t.Run(c.name, func(t *testing.T) {
			list := filepath.Join(t.TempDir(), "skips")
			cmd := exec.Command(os.Args[0], "-test.v", "-test.run=^TestAMissingThing")
			cmd.Env = append(os.Environ(), "RIG_TEST_INNER=1", "EVENKEEL_SHARED=", "EVENKEEL_SKIPS="+list, "EVENKEEL_REQUIRE="+c.require)
			out, err := cmd.CombinedOutput()
			if !strings.Contains(string(out), c.want) || (err != nil) != (c.require == "1") {
				t.Errorf("%v:\n%s", err, out)
			}
			listed, _ := os.ReadFile(list)
			if want := c.require == "0"; strings.Contains(string(listed), "no-such-file") != want {
				t.Errorf("the list holds %q", listed)
			}
		})
	}
}

// The version stands in Go because a test names it, and in go.mod because Evenkeel uses
// its parsers: they must be the same.
func TestTheAlertmanagerThatIsBuiltIsTheOneInGoMod(t *testing.T) {
	mod, err := os.ReadFile(filepath.Join(rig.Root(t), "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	want := "github.com/prometheus/alertmanager v" + parts.AlertmanagerVersion + "\n"
	if !strings.Contains(string(mod), want) {
		t.Errorf("go.mod has no line %q", want)
	}
}
