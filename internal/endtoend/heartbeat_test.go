package endtoend

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/internal/rig"
)

const readWithin = 12 * time.Second

// bridged serves what a stream brings of the source bridge, whose heartbeat the stream is.
func bridged(t *testing.T, k *rig.KafkaCluster) *server {
	t.Helper()
	return serve(t, writeFile(t, "evenkeel.yml", fmt.Sprintf(`
services: [{name: shop}, {name: mail}, {name: elsewhere}]
sources:
  - name: bridge
    heartbeat: {stream: bus, every: %s, services: [mail]}
streams:
  - {name: bus, brokers: [%q], group: evenkeel, topics: [alerts], source: bridge}
`, readWithin, k.Addresses()[0])), t.TempDir())
}

// shopAlert produces an alert of the shop.
func shopAlert(t *testing.T, k *rig.KafkaCluster, starts, ends time.Time) {
	t.Helper()
	status, end := "firing", "0001-01-01T00:00:00Z"
	if !ends.IsZero() {
		status, end = "resolved", ends.UTC().Format(time.RFC3339Nano)
	}
	rig.Kcat(t, fmt.Sprintf(`{"version":"4","receiver":"r","groupKey":"k","status":%q,"alerts":[{"status":%q,"fingerprint":"00000000000000bb",`+
		`"labels":{"alertname":"Down","service":"shop","severity":"critical"},"startsAt":%q,"endsAt":%q}]}`+"\n",
		status, status, starts.UTC().Format(time.RFC3339Nano), end), "-P", "-b", k.Addresses()[0], "-t", "alerts", "-X", "acks=all")
}

// incidentsOf returns the incidents of a kind in a state.
func incidentsOf(t *testing.T, s *server, kind correlate.IncidentKind, state correlate.IncidentState) []correlate.Incident {
	t.Helper()
	var list struct{ Incidents []correlate.Incident }
	s.get(t, "/api/v1/incidents", url.Values{"state": {string(state)}}, &list)
	return slices.DeleteFunc(list.Incidents, func(i correlate.Incident) bool { return (i.Kind == correlate.Silent) != (kind == correlate.Silent) })
}

// A broker goes away and comes back while the shop is down. As long as it is there, a topic with nothing in it is no
// silence. While it is away nothing is known. When it is back, all is as it was told.
func TestASourceIsUnknownWhileItsStreamIsNotRead(t *testing.T) {
	k := rig.Kafka(t)
	k.CreateTopic(t, "alerts", 2)
	s := bridged(t, k)
	if status, err := s.post(t.Context(), ingest.PathProgress, []byte(`{"stream":"bus","read_to":"2026-11-29T08:00:00Z"}`)); err != nil || status != http.StatusNotFound {
		t.Errorf("a sign of life that somebody posts is answered %d, %v", status, err)
	}
	starts := time.Now()
	shopAlert(t, k, starts, time.Time{})
	eventually(t, time.Minute, "the alert is an incident", func() bool { return len(incidentsOf(t, s, "", correlate.IncidentOpen)) == 1 })
	time.Sleep(2 * readWithin)
	if quiet := incidentsOf(t, s, correlate.Silent, correlate.IncidentOpen); len(quiet) > 0 {
		t.Fatalf("a topic with nothing in it is a silence: %+v", quiet)
	}

	k.Kill(0)
	gone := time.Now()
	eventually(t, time.Minute, "monitoring is silent", func() bool { return len(incidentsOf(t, s, correlate.Silent, correlate.IncidentOpen)) == 1 })
	silence := incidentsOf(t, s, correlate.Silent, correlate.IncidentOpen)[0]
	if silence.Title != "monitoring silent: bridge" || !slices.Equal(silence.Services, []string{"mail", "shop"}) {
		t.Errorf("the silence is %+v", silence)
	}
	if before := gone.Sub(silence.OpenedAt.Time()); before < 0 || before > readWithin {
		t.Errorf("it begins %s before the broker went", before)
	}
	if shop := incidentsOf(t, s, "", correlate.IncidentOpen); len(shop) != 1 || shop[0].Unknown != 1 {
		t.Errorf("the shop's alert is known to fire: %+v", shop)
	}

	k.Restart(t, 0)
	back := time.Now()
	eventually(t, 2*time.Minute, "the silence is over", func() bool { return len(incidentsOf(t, s, correlate.Silent, correlate.IncidentResolved)) == 1 })
	if shop := incidentsOf(t, s, "", correlate.IncidentOpen); len(shop) != 1 || shop[0].Firing != 1 || shop[0].Unknown != 0 {
		t.Errorf("the shop's alert is not as it was told: %+v", shop)
	}
	silence = incidentsOf(t, s, correlate.Silent, correlate.IncidentResolved)[0]
	ends := time.Now()
	shopAlert(t, k, starts, ends)
	eventually(t, time.Minute, "the shop is up", func() bool { return len(incidentsOf(t, s, "", correlate.IncidentResolved)) == 1 })
	t.Logf("the broker was away from %s to %s, the silence is from %s to %s", gone, back, silence.OpenedAt, silence.ResolvedAt)

	waitAllStored(t, s)
	stopGracefully(t, s.Process)
	left := openLeftovers(t, s.storage)
	want := []string{
		fmt.Sprintf("mail unknown %s %s", silence.OpenedAt, silence.ResolvedAt),
		fmt.Sprintf("shop down %s %s", ingest.MillisOf(starts), ingest.MillisOf(ends)),
	}
	if diff := cmp.Diff(want, ledgerOf(t, left.db)); diff != "" {
		t.Errorf("the ledger (-want +got):\n%s", diff)
	}
	left.checkReplay(t)
	left.checkReconciled(t)
	left.checkReplayCommand(t)
	left.close()
	checkExported(t, s)
}

// ledgerOf lists what stands in the ledger beside coverage, and was not taken back.
func ledgerOf(t *testing.T, db clickhouse.Querier) []string {
	t.Helper()
	var all []string
	query(t, db, `SELECT service, state, toUnixTimestamp64Milli(starts_at), toUnixTimestamp64Milli(ends_at) FROM service_ledger
WHERE state != 'covered' GROUP BY service, state, starts_at, ends_at HAVING sum(sign) > 0 ORDER BY ALL`, nil, func(rows clickhouse.Rows) error {
		var service, state string
		var from, to int64
		err := rows.Scan(&service, &state, &from, &to)
		all = append(all, fmt.Sprintf("%s %s %s %s", service, state, ingest.Millis(from), ingest.Millis(to)))
		return err
	})
	return all
}

// checkExported replays what `evenkeel export` writes: it has the signs of life, so that it gives the same incidents as the
// service's own journal.
func checkExported(t *testing.T, s *server) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "deliveries.jsonl")
	evenkeel(t, "export", "--config.file="+s.config, "--storage.path="+s.storage, "--output="+file)
	lines := func(args ...string) []string {
		var all []string
		for line := range strings.Lines(evenkeel(t, append([]string{"replay", "--incidents=-"}, args...)...)) {
			var i struct {
				ID, State  string
				OpenedAt   ingest.Millis `json:"opened_at"`
				ResolvedAt ingest.Millis `json:"resolved_at"`
			}
			if err := json.Unmarshal([]byte(line), &i); err != nil {
				t.Fatal(err)
			}
			all = append(all, fmt.Sprintf("%s %s %s %s", i.ID, i.State, i.OpenedAt, i.ResolvedAt))
		}
		slices.Sort(all)
		return all
	}
	if diff := cmp.Diff(lines("--storage.path="+s.storage), lines("--config.file="+s.config, "--deliveries="+file)); diff != "" {
		t.Errorf("what was exported gives other incidents (-journal +export):\n%s", diff)
	}
}

// Two replicas share a stream and a journal in three partitions: what one of them says of the stream is told to all
// partitions, and its silence is one incident.
func TestReplicasTellOfOneSilenceOfTheirStream(t *testing.T) {
	journal, k, dsn := rig.Kafka(t), rig.Kafka(t), rig.Database(t)
	k.CreateTopic(t, "alerts", 4)
	config := clusterConfig(t, journal, dsn, writeFile(t, "catalogue.yml", catalogueOfTwo))
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	text = fmt.Appendf(text, `
sources: [{name: bridge, heartbeat: {stream: bus, every: %s, services: [checkout, cart]}}]
streams: [{name: bus, brokers: [%q], group: evenkeel, topics: [alerts], source: bridge}]
`, readWithin, k.Addresses()[0])
	if err := os.WriteFile(config, text, 0o600); err != nil {
		t.Fatal(err)
	}
	replicas := []*server{serve(t, config, t.TempDir()), serve(t, config, t.TempDir())}
	s := replicas[0]
	count := func(state correlate.IncidentState) int { return len(incidentsOf(t, s, correlate.Silent, state)) }
	eventually(t, time.Minute, "the stream is read", func() bool { return count(correlate.IncidentOpen) == 0 })
	time.Sleep(2 * readWithin)
	if n := count(correlate.IncidentOpen); n > 0 {
		t.Fatalf("%d silences while the broker is there", n)
	}
	k.Kill(0)
	eventually(t, time.Minute, "monitoring is silent", func() bool { return count(correlate.IncidentOpen) > 0 })
	time.Sleep(3 * time.Second) // the other partitions have noticed, too
	open := incidentsOf(t, s, correlate.Silent, correlate.IncidentOpen)
	if len(open) != 1 || !slices.Equal(open[0].Services, []string{"cart", "checkout"}) {
		t.Fatalf("the silence is %+v", open)
	}
	k.Restart(t, 0)
	eventually(t, 2*time.Minute, "the silence is over", func() bool { return count(correlate.IncidentOpen) == 0 })
	for _, one := range replicas {
		stopGracefully(t, one.Process)
	}
	db := connect(t, dsn)
	signs, partitions := map[string]bool{}, map[uint32]int{}
	query(t, db, "SELECT partition, body FROM deliveries WHERE path = '"+ingest.PathProgress+"'", nil, func(rows clickhouse.Rows) error {
		var id uint32
		var body string
		err := rows.Scan(&id, &body)
		signs[body] = true
		partitions[id]++
		return err
	})
	for id := range uint32(clusterPartitions) {
		if n := partitions[id]; n < len(signs)-1 { // the last may not be stored everywhere
			t.Errorf("partition %d was told %d of %d times", id, n, len(signs))
		}
	}
	t.Logf("COUNTED: %d signs of life, by partition %v", len(signs), partitions)
}
