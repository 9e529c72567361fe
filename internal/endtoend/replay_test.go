package endtoend

import (
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
	"github.com/evenkeel/evenkeel/internal/rig"
	"github.com/evenkeel/evenkeel/internal/simulate"
)

// What a running service stores is what a replay of its journal makes, row for row and
// column for column, ticks and things that nobody can read included.
func TestLiveEqualsReplay(t *testing.T) {
	t.Run("a generated storm", func(t *testing.T) {
		story := simulate.Storm(simulate.StormOptions{
			Seed: 11, Start: ingest.MillisOf(time.Now().Add(-3 * time.Hour)), Duration: 3 * time.Hour, Services: 30, Faults: 8,
		})
		var records []ingest.Record
		for rec := range story.Records() {
			records = append(records, rec)
		}
		checkLiveEqualsReplay(t, writeFile(t, "catalogue.yml", string(story.Catalogue)), records)
	})
	t.Run("the beginning of a recorded storm", func(t *testing.T) {
		checkLiveEqualsReplay(t, rig.Shared(t, "data/storms/calm/catalogue.yml"), recorded(t, "data/storms/calm/deliveries.jsonl.gz")[:250])
	})
}

func recorded(t *testing.T, name string) []ingest.Record {
	t.Helper()
	file, err := os.Open(rig.Shared(t, name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var records []ingest.Record
	for rec, err := range wire.Recorded(file) {
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, rec)
	}
	return records
}

func checkLiveEqualsReplay(t *testing.T, catalogue string, records []ingest.Record) {
	t.Helper()
	s := serve(t, writeFile(t, "evenkeel.yml", "catalogue: ["+catalogue+"]\n"), t.TempDir())
	for i, rec := range records {
		expect(t, s, rec.Path, rec.Body, http.StatusOK)
		if i%50 == 7 {
			expect(t, s, ingest.PathAlertmanager, []byte(`{"version":"4","alerts":[{"status":`), http.StatusBadRequest)
			expect(t, s, ingest.PathAlertmanager, []byte(oneBadAlert), http.StatusOK)
		}
	}
	waitAllStored(t, s)
	stopGracefully(t, s.Process)
	left := openLeftovers(t, s.storage)
	left.checkReplay(t)
	left.checkReconciled(t)
	left.checkReplayCommand(t)
	for _, table := range []string{"changes", "dead_letters", "transitions"} {
		if count(t, left.db, "SELECT count() FROM "+table) == 0 {
			t.Errorf("%s has no rows: nothing was compared", table)
		}
	}
}

// oneBadAlert is a delivery of two alerts of which one says nothing of when it began.
const oneBadAlert = `{"version":"4","status":"firing","receiver":"evenkeel","groupKey":"{}","alerts":[
{"status":"firing","labels":{"alertname":"Odd"},"annotations":{},"startsAt":"soon","endsAt":"0001-01-01T00:00:00Z","fingerprint":"0dd"},
{"status":"firing","labels":{"alertname":"Even"},"annotations":{},"startsAt":"2026-11-22T10:00:00Z","endsAt":"0001-01-01T00:00:00Z","fingerprint":"e4e"}]}`

// expect posts body and ends t where the answer is another.
func expect(t *testing.T, s *server, path string, body []byte, want int) {
	t.Helper()
	status, err := s.post(t.Context(), path, body)
	if err != nil || status != want {
		t.Fatalf("POST %s: status %d, %v, want %d", path, status, err, want)
	}
}
