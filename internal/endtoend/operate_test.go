package endtoend

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/rig"
)

// SIGTERM under load: the service ends in time with success, all that was accepted is in
// ClickHouse, and the next start takes seconds.
func TestAStopUnderLoadLosesNothing(t *testing.T) {
	config, storage, port := loadConfig(t), t.TempDir(), rig.FreePort(t)
	s := serveOn(t, config, storage, port)
	l := startLoad(t, s.url)
	time.Sleep(3 * time.Second)
	stopGracefully(t, s.Process)
	l.end()
	left := openLeftovers(t, storage)
	left.checkLoad(t, l)
	left.checkReplay(t)
	left.close()

	began := time.Now()
	stopGracefully(t, serveOn(t, config, storage, port).Process)
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("the second start and its stop took %s", took)
	} else {
		t.Logf("the second start and its stop took %s", took.Round(time.Millisecond))
	}
}

// A journal that is full is a 503, of which Alertmanager tries again: what was accepted before
// stays, what was refused leaves nothing, and a start that can trim the journal takes deliveries again.
func TestAFullJournalRefusesAndLosesNothing(t *testing.T) {
	catalogue := writeFile(t, "catalogue.yml", catalogueOfTwo)
	config := writeFile(t, "evenkeel.yml", "journal: {max_bytes: 1MiB}\ncatalogue: ["+catalogue+"]\n")
	storage, port := t.TempDir(), rig.FreePort(t)
	s := serveOn(t, config, storage, port)
	dice := newDice(t)
	accepted, status := 0, http.StatusOK
	for n := 0; status == http.StatusOK && n < 200; n++ {
		status = postLarge(t, s, dice, fmt.Sprintf("large-%d", n))
		if status == http.StatusOK {
			accepted++
		}
	}
	if status != http.StatusServiceUnavailable {
		t.Fatalf("after %d deliveries of 40 kB the answer is %d, want 503", accepted, status)
	}
	if status := postLarge(t, s, dice, "refused"); status != http.StatusServiceUnavailable {
		t.Errorf("the delivery after the first that was refused gets %d", status)
	}
	if text := metrics(t, s.url); !strings.Contains(text, `evenkeel_journal_append_failures_total{reason="full"} 2`) {
		t.Errorf("the metrics do not count 2 refused for lack of room:\n%s", lines(text, "evenkeel_journal"))
	}
	stopGracefully(t, s.Process)

	s = serveOn(t, config, storage, port)
	if status := postLarge(t, s, dice, "later"); status != http.StatusOK {
		t.Errorf("after a start that could trim the journal the answer is %d", status)
	}
	stopGracefully(t, s.Process)
	left := openLeftovers(t, storage)
	rows := count(t, left.db, "SELECT count() FROM events")
	tests := count(t, left.db, "SELECT uniqExact(labels['test']) FROM events WHERE labels['test'] != 'refused'")
	if want := uint64(accepted + 1); rows != want || tests != want {
		t.Errorf("%d deliveries were accepted; events has %d rows of %d of them", want, rows, tests)
	}
	t.Logf("%d deliveries accepted until the journal was full, %d rows", accepted, rows)
}

// postLarge posts one alert with an annotation that cannot be compressed much.
func postLarge(t *testing.T, s *server, dice *rand.Rand, test string) int {
	t.Helper()
	noise := make([]byte, 40<<10)
	for i := range noise {
		noise[i] = ' ' + 1 + byte(dice.IntN(94))
	}
	alert := newAlerts(dice, test)[0]
	alert.Labels["test"], alert.Annotations["description"] = test, string(noise)
	status, err := postOnce(t.Context(), s.url+ingest.PathAlertmanager, webhookBody(0, []loadAlert{alert}))
	if err != nil {
		t.Fatal(err)
	}
	return status
}

// A storage folder whose journal is gone is refused: what would be written to a new one
// would be taken for stored.
func TestAStartWithoutItsJournalIsRefused(t *testing.T) {
	config, storage, port := loadConfig(t), t.TempDir(), rig.FreePort(t)
	s := serveOn(t, config, storage, port)
	waitAllStored(t, s)
	stopGracefully(t, s.Process)
	if err := os.RemoveAll(filepath.Join(storage, "journal")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, rig.Binary(t), "serve", "--config.file="+config, "--storage.path="+storage,
		fmt.Sprintf("--web.listen-address=127.0.0.1:%d", port)).CombinedOutput()
	if err == nil || ctx.Err() != nil || !strings.Contains(string(out), "the journal is missing records") {
		t.Errorf("the service was not refused its start: %v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// SIGHUP with a wrong file keeps the old configuration, and says so; with a right one the
// new catalogue counts from then on.
func TestHangupReloadsTheConfiguration(t *testing.T) {
	catalogue := writeFile(t, "catalogue.yml", catalogueOfTwo)
	s := serve(t, writeFile(t, "evenkeel.yml", "catalogue: ["+catalogue+"]\n"), t.TempDir())
	const success = "evenkeel_config_last_reload_successful "

	rewrite(t, catalogue, "services:\n  - name: [not, a, name]\n")
	s.Signal(t, syscall.SIGHUP)
	eventually(t, 10*time.Second, "the metric says that the reload failed", func() bool {
		return strings.Contains(metrics(t, s.url), success+"0")
	})
	eventually(t, 10*time.Second, "the log says where", func() bool {
		return strings.Contains(s.Log(), "The configuration was not loaded") && strings.Contains(s.Log(), "catalogue.yml:2")
	})
	postOf(t, s, "checkout")
	awaitIncidentOf(t, s, "checkout")

	rewrite(t, catalogue, catalogueOfTwo+"  - name: billing\n    owner: team-billing\n    matchers: [service=\"invoices\"]\n")
	postOf(t, s, "invoices")
	waitAllStored(t, s)
	if hasIncidentOf(t, s, "billing") {
		t.Error("the new catalogue counts before it was loaded")
	}
	s.Signal(t, syscall.SIGHUP)
	eventually(t, 10*time.Second, "the metric says that the reload succeeded", func() bool {
		return strings.Contains(metrics(t, s.url), success+"1")
	})
	postOf(t, s, "invoices")
	awaitIncidentOf(t, s, "billing")
	waitAllStored(t, s)
	stopGracefully(t, s.Process)
	openLeftovers(t, s.storage).checkReplay(t)
}

func rewrite(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// postOf posts a new alert of the service.
func postOf(t *testing.T, s *server, service string) {
	t.Helper()
	alert := newAlerts(rand.New(rand.NewPCG(1, 1)), fmt.Sprintf("%s-%d", service, time.Now().UnixNano()))[0]
	alert.Labels["service"], alert.Labels["severity"] = service, "critical"
	expect(t, s, ingest.PathAlertmanager, webhookBody(0, []loadAlert{alert}), http.StatusOK)
}

func awaitIncidentOf(t *testing.T, s *server, service string) {
	t.Helper()
	eventually(t, 20*time.Second, "an incident of "+service, func() bool { return hasIncidentOf(t, s, service) })
}

func hasIncidentOf(t *testing.T, s *server, service string) bool {
	t.Helper()
	var open incidentList
	s.get(t, "/api/v1/incidents", url.Values{"state": {"open"}}, &open)
	for _, i := range open.Incidents {
		if slices.Contains(i.Services, service) {
			return true
		}
	}
	return false
}

// metrics reads /metrics.
func metrics(t *testing.T, url string) string {
	t.Helper()
	return string(fetch(t, url+"/metrics"))
}

// lines returns those that contain what.
func lines(text, what string) string {
	var some []string
	for line := range strings.Lines(text) {
		if strings.Contains(line, what) {
			some = append(some, line)
		}
	}
	return strings.Join(some, "")
}
