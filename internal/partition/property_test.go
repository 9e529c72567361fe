package partition_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
	"github.com/evenkeel/evenkeel/internal/partition"
	"github.com/evenkeel/evenkeel/internal/simulate"
	"github.com/evenkeel/evenkeel/sla"
)

// final is what stands at the end, however it came to be: everything that law 3 promises.
type final struct {
	Incidents []correlate.Incident
	Episodes  []correlate.Episode
	Ledger    map[sla.LedgerRow]int
	Segments  map[sla.SegmentRow]int
}

// settled is how long after the first delivery one looks: every incident that is over is closed,
// and nothing that fires is stale.
const settled = 4 * ingest.Hour

// finalOf folds records of an hour and returns what stands a while after the last one.
func finalOf(records []ingest.Record) final {
	replay := partition.NewReplay(0)
	f := final{Ledger: map[sla.LedgerRow]int{}, Segments: map[sla.SegmentRow]int{}}
	add := func(rows partition.Rows) {
		for _, l := range rows.Ledger {
			sign := l.Sign
			l.Address, l.RecordedAt, l.Sign = ingest.Address{}, 0, 0
			sum(f.Ledger, l, sign)
		}
		for _, s := range rows.Segments {
			sign := s.Sign
			s.Address, s.RecordedAt, s.Sign = ingest.Address{}, 0, 0
			sum(f.Segments, s, sign)
		}
	}
	for _, rec := range records {
		add(replay.Apply(rec))
	}
	add(replay.Apply(ingest.Record{Kind: ingest.KindTick, ReceivedAt: records[0].ReceivedAt + settled}))
	f.Incidents, f.Episodes = replay.Incidents(), replay.Episodes()
	f.Incidents = slices.DeleteFunc(f.Incidents, func(i correlate.Incident) bool { return i.State == correlate.IncidentMerged })
	return f
}

// sum adds a sign to a row, and forgets a row that is taken back.
func sum[Row comparable](rows map[Row]int, row Row, sign int8) {
	if rows[row] += int(sign); rows[row] == 0 {
		delete(rows, row)
	}
}

// onTheWay are the columns that say how something came to be known, not what.
var onTheWay = gocmp.Options{
	cmpopts.IgnoreTypes(ingest.Address{}),
	cmpopts.IgnoreFields(correlate.Episode{}, "RecordedAt", "FirstSeenAt", "FirstIncident"),
	cmpopts.IgnoreFields(correlate.Incident{}, "RecordedAt"),
	cmpopts.EquateEmpty(),
}

// lateness is how late a delivery may come.
const lateness = 5 * ingest.Minute

// shaken returns the records with some of them delivered twice, and all of them late by so much that
// their order changes, but not that of the deliveries of one alert.
func shaken(dice *rand.Rand, records []ingest.Record) []ingest.Record {
	late := func() ingest.Millis { return ingest.Millis(dice.Int64N(int64(lateness))) }
	newest := map[string]ingest.Millis{} // by alert: when its last delivery came
	all := []ingest.Record{records[0]}   // the configuration
	for _, rec := range records[1:] {
		copied := rec
		rec.ReceivedAt += late()
		alerts := subjects(rec)
		for _, a := range alerts {
			rec.ReceivedAt = max(rec.ReceivedAt, newest[a])
		}
		for _, a := range alerts {
			newest[a] = rec.ReceivedAt
		}
		all = append(all, rec)
		if dice.IntN(3) == 0 {
			copied.ReceivedAt = rec.ReceivedAt + late()
			all = append(all, copied)
		}
	}
	slices.SortStableFunc(all, func(a, b ingest.Record) int { return cmp.Compare(a.ReceivedAt, b.ReceivedAt) })
	for i := range all {
		all[i].Position = uint64(i) + 1
	}
	return all
}

// subjects are the alerts, changes and windows that a record speaks of.
func subjects(rec ingest.Record) []string {
	events, _, err := wire.Decode(rec)
	if err != nil {
		panic(err)
	}
	var all []string
	for _, e := range events {
		switch {
		case e.Alert != nil:
			all = append(all, e.Source+"/"+e.Alert.Fingerprint)
		case e.Change != nil:
			all = append(all, "change/"+e.Change.ID)
		case e.Maintenance != nil:
			all = append(all, "maintenance/"+e.Maintenance.ID)
		}
	}
	return all
}

// maintained returns the records with windows of each service among them, some of which are moved or cancelled.
func maintained(t *rapid.T, records []ingest.Record) []ingest.Record {
	c, err := partition.ParseConfiguration(records[0].Body)
	if err != nil {
		t.Fatal(err)
	}
	first, last := records[0].ReceivedAt, records[len(records)-1].ReceivedAt
	all := slices.Clone(records)
	instant := func(label string) ingest.Millis {
		return ingest.Millis(rapid.Int64Range(int64(first), int64(last)).Draw(t, label))
	}
	for k, s := range c.Levels.Services {
		for n := range rapid.IntRange(0, 3).Draw(t, "tellings") {
			m := ingest.Maintenance{ID: fmt.Sprint(k % 3), Service: s.Name, From: instant("from"), Cancelled: rapid.Bool().Draw(t, "cancelled")}
			m.To, m.Reason = m.From+ingest.Hour, fmt.Sprint(s.Name, n) // each telling is another
			body := fmt.Sprintf(`{"kind":"maintenance","id":%q,"service":%q,"from":%q,"to":%q,"cancelled":%t,"reason":%q}`,
				m.ID, m.Service, m.From, m.To, m.Cancelled, m.Reason)
			all = append(all, ingest.Record{Kind: ingest.KindDelivery, Path: ingest.PathChanges, ReceivedAt: instant("told at"), Body: []byte(body)})
		}
	}
	slices.SortStableFunc(all, func(a, b ingest.Record) int { return cmp.Compare(a.ReceivedAt, b.ReceivedAt) })
	for i := range all {
		all[i].Position = uint64(i) + 1
	}
	return all
}

// Delivering twice within the copy window, and in any order within the allowed lateness that keeps
// each alert's and each window's own, changes no final row: not the incidents, not who is in them, not the episodes,
// not one millisecond of the ledger or of an agreement.
func TestCopiesAndLatenessChangeNoFinalRow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64Range(1, 1000).Draw(t, "storm")
		order := rapid.Uint64().Draw(t, "order")
		records := stormOf(t, simulate.StormOptions{Seed: seed, Duration: time.Hour, Services: 10, Faults: 2, Noise: 4, Flaps: 1})
		records = maintained(t, records)
		want, got := finalOf(records), finalOf(shaken(rand.New(rand.NewPCG(order, 1)), records))
		if len(want.Incidents) == 0 || len(want.Ledger) == 0 || len(want.Segments) == 0 {
			t.Fatalf("the storm has %d incidents, %d rows of the ledger, %d segments: nothing is compared",
				len(want.Incidents), len(want.Ledger), len(want.Segments))
		}
		if diff := gocmp.Diff(want, got, onTheWay); diff != "" {
			t.Fatalf("as it came (-) and in another order (+):\n%s", diff)
		}
	})
}
