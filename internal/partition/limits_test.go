package partition_test

import (
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/partition"
)

func TestAnAlertTooManyIsADeadLetterAndItsNeighboursAreRows(t *testing.T) {
	c, err := partition.Configuration{Correlation: correlate.Config{Limits: correlate.Limits{AlertsPerSource: 2}}}.Record()
	if err != nil {
		t.Fatal(err)
	}
	c.Position, c.ReceivedAt = 1, 1_790_000_000_000
	f := partition.NewFold(0)
	f.Apply(c)
	rows := f.Apply(ingest.Record{
		Position: 2, ReceivedAt: 1_790_000_000_000, Kind: ingest.KindDelivery, Path: ingest.PathAlerts,
		Body: []byte(`[{"labels":{"alertname":"a"}},{"labels":{"alertname":"b"}},{"labels":{"alertname":"c"}},{"labels":{"alertname":"a"}}]`),
	})
	if len(rows.Events) != 2 || len(rows.Episodes) != 2 || len(rows.DeadLetters) != 1 {
		t.Fatalf("%d events, %d episodes, %d dead letters", len(rows.Events), len(rows.Episodes), len(rows.DeadLetters))
	}
	if d := rows.DeadLetters[0]; !strings.Contains(d.Reason, "alerts_per_source allows 2") || !strings.Contains(string(d.Body), `"c"`) {
		t.Errorf("%s: %s", d.Reason, d.Body)
	}
	if d := rows.Deliveries[0]; d.Alerts != 3 || d.Repeats != 1 || d.DeadLetters != 1 {
		t.Errorf("the delivery counts %d alerts, %d repeats and %d dead letters", d.Alerts, d.Repeats, d.DeadLetters)
	}
}
