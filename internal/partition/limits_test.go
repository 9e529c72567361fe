package partition_test

import (
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/partition"
	"github.com/evenkeel/evenkeel/sla"
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

func TestAnAlertThatBeginsInYearsIsADeadLetterAndItsNeighboursAreRows(t *testing.T) {
	rows := partition.NewFold(0).Apply(ingest.Record{
		Position: 1, ReceivedAt: 1_790_000_000_000, Kind: ingest.KindDelivery, Path: ingest.PathAlertmanager,
		Body: []byte(`{"version":"4","alerts":[{"status":"firing","labels":{"alertname":"far"},"startsAt":"2199-01-01T00:00:00Z"},` +
			`{"status":"firing","labels":{"alertname":"near"},"startsAt":"2026-09-21T14:00:00Z"}]}`),
	})
	if len(rows.Events) != 1 || len(rows.Episodes) != 1 || rows.Episodes[0].AlertName != "near" || len(rows.DeadLetters) != 1 {
		t.Fatalf("%d events, %d episodes, %d dead letters", len(rows.Events), len(rows.Episodes), len(rows.DeadLetters))
	}
	if d := rows.DeadLetters[0]; !strings.Contains(d.Reason, "its start 2199-01-01T00:00:00.000Z lies more than 366 days after it was received") || !strings.Contains(string(d.Body), `"far"`) {
		t.Errorf("%s: %s", d.Reason, d.Body)
	}
}

// A change concerns every partition, and its dead letter is seen once.
func TestAChangeThatBeginsInYearsIsADeadLetter(t *testing.T) {
	rec := ingest.Record{
		Position: 1, ReceivedAt: 1_790_000_000_000, Kind: ingest.KindDelivery, Path: ingest.PathChanges, Route: &ingest.Route{Of: 2, Among: []uint32{0, 1}},
		Body: []byte(`[{"id":"far","service":"s","started_at":"2199-01-01T00:00:00Z"},{"id":"planned","service":"s","started_at":"2027-01-01T00:00:00Z"}]`),
	}
	for index, dead := range []int{1, 0} {
		rows := partition.NewFoldOf(sla.Share{Index: uint32(index), Of: 2}).Apply(rec)
		if len(rows.DeadLetters) != dead || len(rows.Changes) != dead || rows.Deliveries[0].Changes != uint32(dead) || rows.Deliveries[0].DeadLetters != uint32(dead) {
			t.Errorf("partition %d: %d changes, %d dead letters, %+v", index, len(rows.Changes), len(rows.DeadLetters), rows.Deliveries[0])
		}
		for _, d := range rows.DeadLetters {
			if !strings.Contains(d.Reason, "started_at 2199-01-01T00:00:00.000Z lies more than 366 days after it was received") || !strings.Contains(string(d.Body), `"far"`) {
				t.Errorf("%s: %s", d.Reason, d.Body)
			}
		}
		for _, c := range rows.Changes {
			if c.ID != "planned" {
				t.Errorf("%+v", c)
			}
		}
	}
}
