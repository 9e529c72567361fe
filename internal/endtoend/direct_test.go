package endtoend

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/api"
	"github.com/evenkeel/evenkeel/internal/rig"
)

// Prometheus lists Evenkeel beside its Alertmanager, Alertmanager posts its webhook, and what it posted
// comes once more through Kafka. Each way alone would do; together they tell of one alert.
func TestAnAlertThatComesByEveryWayIsOneEpisode(t *testing.T) {
	broker := rig.Kafka(t)
	broker.CreateTopic(t, "alerts", 1)
	config := writeFile(t, "evenkeel.yml", fmt.Sprintf("catalogue: [%s]\nstreams: [{name: alerts, brokers: [%q], topics: [alerts], group: evenkeel}]\n",
		writeFile(t, "catalogue.yml", catalogueOfTwo), broker.Addresses()[0]))
	s := serve(t, config, t.TempDir())
	checkout := newExporter(t)
	seen := newWitness(t)
	am := rig.Alertmanager(t, fmt.Sprintf(alertmanagerConfig, s.url, seen.url))
	targets := strings.TrimPrefix(am.URL, "http://") + ", " + strings.TrimPrefix(s.url, "http://")
	rig.Prometheus(t, fmt.Sprintf(prometheusConfig, strings.TrimPrefix(checkout.url, "http://"), targets), prometheusRules)

	checkout.up.Store(false)
	byEveryWay(t, s, broker, seen, "firing")
	checkout.up.Store(true)
	byEveryWay(t, s, broker, seen, "resolved")
	waitAllStored(t, s)

	var alerts api.AlertList
	s.get(t, "/api/v1/alerts", url.Values{"from": {"1"}}, &alerts)
	if len(alerts.Episodes) != 1 {
		t.Fatalf("%d episodes: %+v", len(alerts.Episodes), alerts.Episodes)
	}
	e := alerts.Episodes[0]
	outage := seen.outage(t)
	if e.State != "resolved" || e.EndsAt.Time().Sub(e.StartsAt.Time()) != outage || e.Annotations.Get("summary") != "Nobody can pay" {
		t.Errorf("the episode is %s from %s to %s with %v, Alertmanager reported %s", e.State, e.StartsAt, e.EndsAt, e.Annotations, outage)
	}
	checkAvailability(t, s, outage)

	stopGracefully(t, s.Process)
	left := openLeftovers(t, s.storage)
	for _, path := range []string{ingest.PathAlertmanager, ingest.PathAlerts, ingest.PathDetect} {
		n := count(t, left.db, "SELECT count() FROM deliveries WHERE kind = 'delivery' AND path = '"+path+"'")
		t.Logf("%d deliveries by %s", n, path)
		if n < 2 {
			t.Errorf("%d deliveries came by %s, and were to tell of the begin and the end", n, path)
		}
	}
	left.checkReplay(t)
}

// A site without an Alertmanager: Prometheus sends to Evenkeel alone.
func TestPrometheusNeedsNoAlertmanagerBetween(t *testing.T) {
	s := serve(t, writeFile(t, "evenkeel.yml", "catalogue: ["+writeFile(t, "catalogue.yml", catalogueOfTwo)+"]\n"), t.TempDir())
	checkout := newExporter(t)
	rig.Prometheus(t, fmt.Sprintf(prometheusConfig, strings.TrimPrefix(checkout.url, "http://"), strings.TrimPrefix(s.url, "http://")), prometheusRules)

	checkout.up.Store(false)
	awaitIncidentOf(t, s, "checkout")
	out, err := rig.AmtoolCurrent(t, "--alertmanager.url="+s.url, "--no-version-check", "alert", "query", "service=checkout")
	if err != nil || !strings.Contains(out, "Nobody can pay") {
		t.Errorf("amtool does not see it: %v\n%s", err, out)
	}
	checkout.up.Store(true)
	eventually(t, time.Minute, "the incident resolves", func() bool {
		var resolved incidentList
		s.get(t, "/api/v1/incidents", url.Values{"state": {"resolved"}, "service": {"checkout"}}, &resolved)
		return len(resolved.Incidents) == 1
	})
	out, err = rig.AmtoolCurrent(t, "--alertmanager.url="+s.url, "--no-version-check", "alert", "query")
	if err != nil || strings.Contains(out, "Nobody can pay") {
		t.Errorf("amtool still sees it: %v\n%s", err, out)
	}
}

// byEveryWay waits until the alert is known in that state by webhook, by API and by Kafka, into which it
// puts what Alertmanager posted.
func byEveryWay(t *testing.T, s *server, broker *rig.KafkaCluster, seen *witness, status string) {
	t.Helper()
	var body []byte
	eventually(t, time.Minute, "Alertmanager posts that the alert is "+status, func() bool {
		body = seen.body(status)
		return body != nil
	})
	rig.Kcat(t, string(body), "-P", "-b", broker.Addresses()[0], "-t", "alerts")
	for _, path := range []string{ingest.PathAlertmanager, ingest.PathAlerts} {
		before := 0
		if path == ingest.PathAlerts { // Prometheus sends again every second
			before = events(t, s, path)
		}
		eventually(t, time.Minute, "the alert is "+status+" by "+path, func() bool { return events(t, s, path) > before })
	}
	eventually(t, time.Minute, "the record is received from Kafka", func() bool {
		return slices.Equal(broker.Committed(t, "evenkeel", "alerts"), broker.Ends(t, "alerts"))
	})
}

// events returns how many events were accepted on a path.
func events(t *testing.T, s *server, path string) int {
	t.Helper()
	var n int
	line := strings.TrimSpace(lines(metrics(t, s.url), `evenkeel_ingest_events_total{path="`+path+`"}`))
	if _, err := fmt.Sscan(line[strings.LastIndexByte(line, ' ')+1:], &n); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return n
}

var amtoolCommand = regexp.MustCompile(`(?m)^\$ amtool (.*)$`)

// The commands of the page, run as they stand there by both amtools against a service.
func TestTheAmtoolCommandsOfThePageWork(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(rig.Root(t), "docs", "alertmanager-api.md"))
	if err != nil {
		t.Fatal(err)
	}
	commands := amtoolCommand.FindAllSubmatch(page, -1)
	if len(commands) < 5 {
		t.Fatalf("%d commands were found", len(commands))
	}
	for version, amtool := range map[string]func(testing.TB, ...string) (string, error){
		"amtool 0.25": rig.Amtool, "amtool 0.34": rig.AmtoolCurrent,
	} {
		t.Run(version, func(t *testing.T) {
			s := serve(t, writeFile(t, "evenkeel.yml", "catalogue: ["+writeFile(t, "catalogue.yml", catalogueOfTwo)+"]\n"), t.TempDir())
			for _, c := range commands {
				command := strings.ReplaceAll(string(c[1]), "http://127.0.0.1:9095", s.url)
				shows := ""
				if strings.Contains(command, "alert query") {
					shows = "Nobody can pay"
					if strings.Contains(command, "extended") {
						shows = `service="checkout"`
					}
				}
				eventually(t, 20*time.Second, command, func() bool {
					out, err := amtool(t, words(t, command)...)
					if err != nil {
						t.Fatalf("amtool %s: %v\n%s", command, err, out)
					}
					return strings.Contains(out, shows)
				})
			}
			awaitIncidentOf(t, s, "checkout")
		})
	}
}

// words splits a command as a shell does.
func words(t *testing.T, command string) []string {
	t.Helper()
	out, err := exec.Command("sh", "-c", `printf '%s\n' `+command).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}
