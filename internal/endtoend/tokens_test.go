package endtoend

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/rig"
)

// A token rolls over without a gap, as the page on ingest says: both count, then the new one alone.
func TestAlertmanagerSendsWithATokenThatIsRolledOver(t *testing.T) {
	folder := t.TempDir()
	put := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	tokens, shown := put("evenkeel.tokens", "old\n"), put("alertmanager.token", "old")
	s := serve(t, put("evenkeel.yml", "sources: [{name: eu, tenant: shop, bearer_token_file: evenkeel.tokens}]\n"), t.TempDir())
	am := rig.Alertmanager(t, fmt.Sprintf(`
route: {receiver: evenkeel, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}
receivers:
- name: evenkeel
  webhook_configs:
  - url: %s/api/v1/ingest/alertmanager
    http_config: {authorization: {credentials_file: %s}}
`, s.url, shown))
	arrives := func(name string) {
		t.Helper()
		before := events(t, s, ingest.PathAlertmanager)
		if out, err := rig.AmtoolCurrent(t, "--alertmanager.url="+am.URL, "alert", "add", "alertname="+name); err != nil {
			t.Fatal(err, out)
		}
		eventually(t, 30*time.Second, name+" arrives", func() bool { return events(t, s, ingest.PathAlertmanager) > before })
	}
	reload := func(want int) {
		t.Helper()
		resp, err := http.Post(s.url+"/-/reload", "", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Fatalf("reload answers %d, want %d", resp.StatusCode, want)
		}
	}
	arrives("WithTheOldToken")
	put("evenkeel.tokens", "old\nnew\n")
	reload(http.StatusOK)
	put("alertmanager.token", "new")
	arrives("WithTheNewToken")
	put("evenkeel.tokens", "new\n")
	reload(http.StatusOK)
	arrives("WithTheNewTokenAlone")

	// What cannot be read changes nothing.
	if err := os.Remove(tokens); err != nil {
		t.Fatal(err)
	}
	reload(http.StatusInternalServerError)
	arrives("AfterAReloadThatFailed")

	resp, err := http.Post(s.url+ingest.PathAlertmanager, "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a token the answer is %d", resp.StatusCode)
	}
}
