package partition_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/internal/partition"
	"github.com/evenkeel/evenkeel/internal/simulate"
)

// stormRecords returns a storm as a journal holds it: the configuration, then deliveries.
func stormRecords(t testing.TB, o simulate.StormOptions) []ingest.Record {
	t.Helper()
	return stormOf(t, o)
}

// failer is what a test and a property have in common.
type failer interface {
	Helper()
	Fatal(args ...any)
}

func stormOf(t failer, o simulate.StormOptions) []ingest.Record {
	t.Helper()
	story := simulate.Storm(o)
	var records []ingest.Record
	for rec := range story.Records() {
		records = append(records, rec)
	}
	first := configuration(t, story.Catalogue)
	first.ReceivedAt = records[0].ReceivedAt
	records = append([]ingest.Record{first}, records...)
	for i := range records {
		records[i].Position = uint64(i) + 1
	}
	return records
}

func configuration(t failer, catalogue []byte) ingest.Record {
	t.Helper()
	dir, err := os.MkdirTemp("", "catalogue")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "catalogue.yml")
	if err := os.WriteFile(file, catalogue, 0o600); err != nil {
		t.Fatal(err)
	}
	c, _, err := config.Load("", file)
	if err != nil {
		t.Fatal(err)
	}
	rec, err := c.Folding().Record()
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func foldAll(f *partition.Fold, records []ingest.Record) partition.Rows {
	var all partition.Rows
	for _, rec := range records {
		all.Append(f.Apply(rec))
	}
	return all
}

// sameRows compares rows whatever unexported state they carry.
var sameRows = cmp.Options{cmpopts.IgnoreUnexported(partition.Rows{}), cmpopts.EquateEmpty()}

var smallStorm = simulate.StormOptions{Seed: 7, Duration: time.Hour, Services: 12, Faults: 3}

func TestTheSameJournalGivesTheSameRows(t *testing.T) {
	records := stormRecords(t, smallStorm)
	a := foldAll(partition.NewFold(0), records)
	b := foldAll(partition.NewFold(0), records)
	if diff := cmp.Diff(a, b, sameRows); diff != "" {
		t.Errorf("two folds of one journal differ:\n%s", diff)
	}
	if len(a.Incidents) == 0 || len(a.Segments) == 0 || len(a.Ledger) == 0 {
		t.Errorf("the storm made %d incident rows, %d segments, %d ledger rows: the test compares nothing",
			len(a.Incidents), len(a.Segments), len(a.Ledger))
	}
}

func TestAFoldRestoredFromASnapshotGoesOnWithTheSameRows(t *testing.T) {
	records := stormRecords(t, smallStorm)
	for _, share := range []int{0, 1, 3, 7, 9} {
		cut := len(records) * share / 10
		whole := partition.NewFold(0)
		foldAll(whole, records[:cut])
		snapshot, err := whole.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		restored := partition.NewFold(0)
		position, err := restored.Restore(snapshot)
		if err != nil {
			t.Fatal(err)
		}
		if position != uint64(cut) {
			t.Errorf("a snapshot after record %d says it is of position %d", cut, position)
		}
		want, got := foldAll(whole, records[cut:]), foldAll(restored, records[cut:])
		if diff := cmp.Diff(want, got, sameRows); diff != "" {
			t.Fatalf("restored after %d of %d records, the rest differs:\n%s", cut, len(records), diff)
		}
	}
}

// Ticks only make prompt what the next delivery would have made: leaving them out gives the
// same rows but for their addresses.
func TestAJournalWithoutItsTicksGivesTheSameRows(t *testing.T) {
	records := stormRecords(t, smallStorm)
	var ticking []ingest.Record
	for i, rec := range records {
		if i > 0 {
			middle := (records[i-1].ReceivedAt + rec.ReceivedAt) / 2
			ticking = append(ticking, ingest.Record{Kind: ingest.KindTick, ReceivedAt: middle})
		}
		ticking = append(ticking, rec)
	}
	for i := range ticking {
		ticking[i].Position = uint64(i) + 1
	}
	with, without := foldAll(partition.NewFold(0), ticking), foldAll(partition.NewFold(0), records)
	addresses := cmp.Options{
		sameRows, cmpopts.IgnoreTypes(ingest.Address{}),
		cmpopts.IgnoreFields(ingest.Record{}, "Position"),
	}
	if diff := cmp.Diff(without, with, addresses); diff != "" {
		t.Errorf("ticks change the rows:\n%s", diff)
	}
}

// One bad record hurts only itself: what cannot be decoded, also a configuration, is a
// dead letter with its reason, and what follows is folded as if it had not come.
func TestABadRecordHurtsOnlyItself(t *testing.T) {
	records := stormRecords(t, smallStorm)
	at := records[10].ReceivedAt
	bad := []ingest.Record{
		{Kind: ingest.KindDelivery, Path: ingest.PathAlertmanager, Body: []byte(`{"alerts":`), ReceivedAt: at},
		{Kind: ingest.KindConfiguration, Body: []byte(`{"correlation":7}`), ReceivedAt: at},
		{Kind: ingest.KindRejected, Path: ingest.PathAlertmanager, Reason: "line 1, column 1: not JSON", Body: []byte("x"), ReceivedAt: at},
	}
	mixed := append(append(append([]ingest.Record{}, records[:11]...), bad...), records[11:]...)
	for i := range mixed {
		mixed[i].Position = uint64(i) + 1
	}
	good, hurt := partition.NewReplay(0), partition.NewReplay(0)
	for _, rec := range records {
		good.Apply(rec)
	}
	for _, rec := range mixed {
		hurt.Apply(rec)
	}
	if got := len(hurt.DeadLetters()); got != len(bad) {
		t.Errorf("%d dead letters, want %d", got, len(bad))
	}
	for _, d := range hurt.DeadLetters() {
		if d.Reason == "" || len(d.Body) == 0 {
			t.Errorf("a dead letter without reason or body: %+v", d)
		}
	}
	where := cmpopts.IgnoreTypes(ingest.Address{})
	if diff := cmp.Diff(good.Episodes(), hurt.Episodes(), where, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("episodes differ beside bad records:\n%s", diff)
	}
	if diff := cmp.Diff(good.Incidents(), hurt.Incidents(), where, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("incidents differ beside bad records:\n%s", diff)
	}
}

// A flood that ends a file is decided at its end, as a service that lives on decides it a moment later.
func TestAReplayThatIsFinishedHasDecidedEverything(t *testing.T) {
	const flood = 700 // more than are decided at once
	at := func(minute int) ingest.Millis {
		return ingest.MillisOf(time.Date(2026, 3, 2, 10, minute, 40, 0, time.UTC))
	}
	first := configuration(t, []byte("services: [{name: s0, owner: a}, {name: s1, owner: a, depends_on: [s0]}, {name: s2, owner: a, depends_on: [s1]}]\n"))
	first.ReceivedAt = at(0)
	records := []ingest.Record{first}
	for minute, n := range []int{20, flood, flood} {
		var alerts []string
		for i := range n {
			alerts = append(alerts, fmt.Sprintf(`{"status":"firing","labels":{"alertname":"Down%d","service":"s%d"},"startsAt":"2026-03-02T10:%02d:%02dZ","fingerprint":"%d%015x"}`,
				i%5, i%9, minute, i%30, minute, i))
		}
		records = append(records, ingest.Record{
			Kind: ingest.KindDelivery, Path: ingest.PathAlertmanager, ReceivedAt: at(minute),
			Body: []byte(`{"version":"4","alerts":[` + strings.Join(alerts, ",") + `]}`),
		})
	}

	finished, living := partition.NewReplay(0), partition.NewReplay(0)
	for _, rec := range records {
		finished.Apply(rec)
		living.Apply(rec)
	}
	living.Apply(ingest.Record{Kind: ingest.KindTick, ReceivedAt: at(2) + 2*ingest.Minute})
	differs := func() string {
		when := cmp.Options{
			cmpopts.IgnoreTypes(ingest.Address{}), cmpopts.EquateEmpty(),
			cmpopts.IgnoreFields(correlate.Episode{}, "RecordedAt"), cmpopts.IgnoreFields(correlate.Incident{}, "RecordedAt"),
		}
		return cmp.Diff(living.Episodes(), finished.Episodes(), when) + cmp.Diff(living.Incidents(), finished.Incidents(), when)
	}
	if differs() == "" {
		t.Fatal("before its end the replay has decided everything: the test compares nothing")
	}
	finished.Finish()
	if diff := differs(); diff != "" {
		t.Errorf("the replay that is finished (+) is not what a service would say (-):\n%s", diff)
	}
}
