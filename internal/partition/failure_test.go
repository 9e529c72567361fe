package partition_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/journal"
	"github.com/evenkeel/evenkeel/internal/partition"
)

// failsAt returns a fault at some positions.
func failsAt(positions ...uint64) func(ingest.Record) {
	return func(rec ingest.Record) {
		if slices.Contains(positions, rec.Position) {
			panic("a mistake of ours")
		}
	}
}

func startWith(t *testing.T, o partition.Options) *partition.Runner {
	t.Helper()
	o.BatchRows, o.BatchAge, o.CheckpointEvery = 50, time.Millisecond, 10*time.Millisecond
	if o.TickInterval == 0 {
		o.TickInterval = time.Hour
	}
	r, err := partition.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	r.Ticking(false) // the storm is of another year
	return r
}

// A record that makes the fold fail is kept as a dead letter with the reason, and hurts nothing
// else: not what was folded before it, nor what follows, nor the next start.
func TestARecordThatFailsTheFoldHurtsOnlyItself(t *testing.T) {
	records := stormRecords(t, smallStorm)
	bad := deliveriesWithAlerts(records)
	hurt := []uint64{bad[0], bad[len(bad)/2], bad[len(bad)/2+1]}
	j, dir, store := journalOf(t, withoutPositions(records)), t.TempDir(), &memory{}
	reg := prometheus.NewRegistry()
	opts := partition.Options{Log: j, Store: store, Keep: partition.NewFiles(filepath.Join(dir, "partition")), Metrics: reg}.WithFault(failsAt(hurt...))
	all := func(r *partition.Runner, ctx context.Context) { _ = r.WaitStored(ctx, j.Last()) }
	runUntil(t, startWith(t, opts), all)

	skips, err := partition.ReadSkips(t.Context(), opts.Keep)
	if err != nil {
		t.Fatal(err)
	}
	want := foldAll(partition.NewFoldWithFault(failsAt(hurt...), skips...), records)
	if diff := cmp.Diff(want, store.rows(t), sameRows); diff != "" {
		t.Errorf("what is stored is not what a fold that skips the same records gives:\n%s", diff)
	}
	if len(skips) != len(hurt) || len(want.DeadLetters) != len(hurt) {
		t.Fatalf("%d records are skipped, %d are dead letters, want %d", len(skips), len(want.DeadLetters), len(hurt))
	}
	for i, d := range want.DeadLetters {
		if d.Position != hurt[i] || !strings.Contains(d.Reason, "a mistake of ours") || len(d.Body) == 0 {
			t.Errorf("the dead letter of position %d is %+v", hurt[i], d)
		}
	}
	if got := value(t, reg, "evenkeel_partition_fold_panics_total"); got != float64(len(hurt)) {
		t.Errorf("%v failures are counted", got)
	}

	again := startWith(t, partition.Options{Log: j, Store: store, Keep: opts.Keep}.WithFault(failsAt(hurt...)))
	extra := records[len(records)-1]
	extra.Position = 0
	if _, err := j.Append(t.Context(), []ingest.Record{extra}); err != nil {
		t.Fatal(err)
	}
	runUntil(t, again, all)
	if why := again.Halted(); why != "" {
		t.Errorf("after a restart the fold is halted: %s", why)
	}
}

// deliveriesWithAlerts returns the positions of deliveries of alerts.
func deliveriesWithAlerts(records []ingest.Record) []uint64 {
	var all []uint64
	for _, rec := range records {
		if rec.Kind == ingest.KindDelivery && rec.Path == ingest.PathAlertmanager {
			all = append(all, rec.Position)
		}
	}
	return all
}

func value(t *testing.T, reg prometheus.Gatherer, name string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			m := f.GetMetric()[0]
			return m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}

// A fold that fails at everything is halted: what was folded before is stored, deliveries are
// still taken by the journal, and no record is thrown away for it.
func TestAFoldThatFailsAtEverythingIsHalted(t *testing.T) {
	records := stormRecords(t, smallStorm)
	from := deliveriesWithAlerts(records)[5]
	j, store := journalOf(t, withoutPositions(records)), &memory{}
	r := startWith(t, partition.Options{Log: j, Store: store, Keep: partition.NewFiles(t.TempDir())}.WithFault(func(rec ingest.Record) {
		if rec.Position >= from {
			panic("everything is wrong")
		}
	}))
	runUntil(t, r, func(r *partition.Runner, ctx context.Context) {
		for ctx.Err() == nil && r.Halted() == "" {
			time.Sleep(time.Millisecond)
		}
		_ = r.WaitStored(ctx, r.Folded())
		if _, err := j.Append(ctx, withoutPositions(records[len(records)-1:])); err != nil {
			t.Errorf("the journal does not take deliveries: %v", err)
		}
	})
	if why := r.Halted(); !strings.Contains(why, "position") || !strings.Contains(why, "everything is wrong") {
		t.Errorf("the reason is %q", why)
	}
	if stored, _ := r.Stored(); stored < from {
		t.Errorf("stored up to %d, the first failure is at %d", stored, from)
	}
}

// What was left out once stays left out once the mistake is mended: the rows that are stored were
// made without it.
func TestASkippedRecordStaysSkippedOnceTheMistakeIsMended(t *testing.T) {
	records := stormRecords(t, smallStorm)
	at := deliveriesWithAlerts(records)[3]
	j, dir := journalOf(t, withoutPositions(records[:at])), t.TempDir()
	store := &memory{}
	failing := true
	opts := partition.Options{Log: j, Store: store, Keep: partition.NewFiles(dir)}
	r := startWith(t, opts.WithFault(func(rec ingest.Record) {
		if failing && rec.Position == at {
			panic("once")
		}
	}))
	runUntil(t, r, func(r *partition.Runner, ctx context.Context) { _ = r.WaitStored(ctx, at) })
	failing = false
	if _, err := j.Append(t.Context(), withoutPositions(records[at:])); err != nil {
		t.Fatal(err)
	}
	runUntil(t, startWith(t, opts), func(r *partition.Runner, ctx context.Context) { _ = r.WaitStored(ctx, j.Last()) })
	skips, err := partition.ReadSkips(t.Context(), opts.Keep)
	if err != nil || len(skips) != 1 {
		t.Fatalf("skips are %v (%v)", skips, err)
	}
	want := foldAll(partition.NewFold(0, skips...), records)
	if diff := cmp.Diff(want, store.rows(t), sameRows); diff != "" {
		t.Errorf("what is stored differs:\n%s", diff)
	}
}

// What a batch holds in memory is bounded by bytes, too, and while the store is away the fold
// stops reading.
func TestAWaitingBatchIsBoundedInBytes(t *testing.T) {
	const body, records = 64 << 10, 200
	var all []ingest.Record
	for range records {
		all = append(all, ingest.Record{Kind: ingest.KindRejected, Reason: "not JSON", Body: []byte(strings.Repeat("x", body))})
	}
	j, store, open := journalOf(t, all), &watcher{}, make(chan struct{})
	r, err := partition.New(t.Context(), partition.Options{
		Log: j, Store: gate{store, open}, Keep: partition.NewFiles(t.TempDir()), BatchBytes: 10 * body, BatchAge: time.Hour, TickInterval: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Ticking(false)
	runUntil(t, r, func(r *partition.Runner, ctx context.Context) {
		for ctx.Err() == nil && r.Folded() < 20 {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(300 * time.Millisecond)
		if got := r.Folded(); got > 40 {
			t.Errorf("while the store is away %d records of %d are folded: batches of 10 bodies, of which 5 may wait", got, records)
		}
		close(open)
		for ctx.Err() == nil && r.Folded() < records {
			time.Sleep(time.Millisecond)
		}
	})
	for _, w := range store.writes {
		if n := len(w.Rows.Deliveries); n > 30 {
			t.Errorf("a batch has %d bodies", n)
		}
	}
}

// gate is a store that waits until it is open.
type gate struct {
	partition.Store
	open chan struct{}
}

func (g gate) Write(ctx context.Context, b partition.Batch, recovering bool) error {
	select {
	case <-g.open:
		return g.Store.Write(ctx, b, recovering)
	case <-ctx.Done():
		return ctx.Err()
	}
}

var _ partition.Log = (*journal.Local)(nil)

func TestMetricsOfFailuresAreThereFromTheStart(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	startWith(t, partition.Options{Log: journalOf(t, nil), Store: &memory{}, Keep: partition.NewFiles(t.TempDir()), Metrics: reg})
	if n, err := testutil.GatherAndCount(reg, "evenkeel_partition_fold_panics_total", "evenkeel_partition_fold_halted"); err != nil || n != 2 {
		t.Errorf("%d of 2 metrics (%v)", n, err)
	}
}
