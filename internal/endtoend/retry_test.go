package endtoend

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/internal/rig"
)

const retryingAlertmanager = `
route: {receiver: evenkeel, group_by: [service], group_wait: 200ms, group_interval: 2s, repeat_interval: 1h}
receivers:
  - name: evenkeel
    webhook_configs: [{url: %s, send_resolved: true}]
`

// A journal that takes nothing for half a minute is answered 503. A real Alertmanager then tries again
// and again, and afterwards nothing is missing: not what fired meanwhile, nor what ended.
func TestAlertmanagerRetriesUntilTheJournalTakesIt(t *testing.T) {
	database := rig.Database(t)
	settings, _ := newCable(t, database)
	storage, fill := smallDisk(t, 24)
	s := serve(t, loadConfigWith(t, settings), storage)
	am := rig.Alertmanager(t, fmt.Sprintf(retryingAlertmanager, s.url+ingest.PathAlertmanager))
	sender := &alertSender{url: am.URL + "/api/v2/alerts", sent: map[sighting]bool{}}

	for n := range 10 {
		sender.fire(t, fmt.Sprintf("before-%d", n))
	}
	eventually(t, 20*time.Second, "what fired before is stored", func() bool { return len(stored(t, database)) >= 10 })

	free := fill()
	refusedFor := chaos(12*time.Second, 30*time.Second)
	until := time.Now().Add(refusedFor)
	for n := 0; time.Now().Before(until); n++ {
		sender.fire(t, fmt.Sprintf("meanwhile-%d", n))
		if n < 5 {
			sender.resolve(t, fmt.Sprintf("before-%d", n))
		}
		time.Sleep(500 * time.Millisecond)
	}
	refused := s.metric(t, "evenkeel_ingest_requests_total", `outcome="unavailable"`)
	free()
	for n := range 5 {
		sender.fire(t, fmt.Sprintf("after-%d", n))
	}
	want := sender.sent
	eventually(t, time.Minute, "nothing is missing", func() bool { return missing(want, stored(t, database)) == 0 })
	t.Logf("the journal took nothing for %s: Alertmanager was answered 503 %.0f times; of %d sightings %d are missing",
		refusedFor, refused, len(want), missing(want, stored(t, database)))
	if refused == 0 {
		t.Error("Alertmanager was never refused: the test shows nothing")
	}
	waitAllStored(t, s)
	stopGracefully(t, s.Process)
}

// alertSender posts alerts to an Alertmanager.
type alertSender struct {
	url  string
	sent map[sighting]bool
}

func (a *alertSender) fire(t *testing.T, test string) { a.post(t, test, "firing", time.Hour) }

func (a *alertSender) resolve(t *testing.T, test string) { a.post(t, test, "resolved", 0) }

func (a *alertSender) post(t *testing.T, test, status string, ends time.Duration) {
	t.Helper()
	body, err := json.Marshal([]map[string]any{{
		"labels":   map[string]string{"alertname": "ErrorsHigh", "service": "service-1", "test": test},
		"startsAt": time.Now().Add(-time.Minute).UTC(), "endsAt": time.Now().Add(ends).UTC(),
	}})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Post(a.url, "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("Alertmanager answers %s (%v)", resp.Status, err)
	}
	a.sent[sighting{test, status}] = true
}

// stored returns what is in events.
func stored(t *testing.T, dsn string) map[sighting]bool {
	t.Helper()
	db, err := clickhouse.Open(clickhouse.Options{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	there := map[sighting]bool{}
	query(t, db, "SELECT DISTINCT labels['test'], status FROM events ORDER BY ALL", nil, func(rows clickhouse.Rows) error {
		var one sighting
		err := rows.Scan(&one.test, &one.status)
		there[one] = true
		return err
	})
	return there
}

func missing(want, there map[sighting]bool) int {
	n := 0
	for one := range want {
		if !there[one] {
			n++
		}
	}
	return n
}
