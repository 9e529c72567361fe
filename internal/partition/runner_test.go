package partition_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/internal/journal"
	"github.com/evenkeel/evenkeel/internal/partition"
	"github.com/evenkeel/evenkeel/internal/rig"
)

// memory is a Store that keeps rows by batch and refuses when it is told to.
type memory struct {
	mu      sync.Mutex
	batches []partition.Batch
	refuse  func() error
}

func (m *memory) Write(_ context.Context, b partition.Batch, recovering bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refuse != nil {
		if err := m.refuse(); err != nil {
			return err
		}
	}
	if recovering {
		m.batches = slices.DeleteFunc(m.batches, func(old partition.Batch) bool { return old.First == b.First && old.Last == b.Last })
	}
	var kept partition.Rows // the batch's own are used again
	kept.Append(b.Rows)
	b.Rows = kept
	m.batches = append(m.batches, b)
	return nil
}

// rows returns everything in the order of positions; a position that is there twice is an error.
func (m *memory) rows(t *testing.T) partition.Rows {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	slices.SortFunc(m.batches, func(a, b partition.Batch) int { return int(a.First) - int(b.First) })
	var all partition.Rows
	next := uint64(0)
	for _, b := range m.batches {
		if b.First <= next {
			t.Fatalf("batch %d to %d comes after position %d was stored", b.First, b.Last, next)
		}
		next = b.Last
		all.Append(b.Rows)
	}
	return all
}

func openJournal(t *testing.T, dir string) *journal.Local {
	t.Helper()
	j, err := journal.Open(journal.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func withoutPositions(records []ingest.Record) []ingest.Record {
	fresh := slices.Clone(records)
	for i := range fresh {
		fresh[i].Position = 0
	}
	return fresh
}

// A partition that is stopped anywhere, again and again, with a store that fails now and then,
// stores what one undisturbed fold makes.
func TestStoppedAndFailingAPartitionStoresWhatAFoldMakes(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	records := stormRecords(t, smallStorm)
	dice := rand.New(rand.NewPCG(1, 2))
	dir := t.TempDir()
	store := &memory{refuse: func() error {
		if dice.IntN(4) == 0 {
			return errors.New("the store is shaken")
		}
		return nil
	}}
	j := openJournal(t, filepath.Join(dir, "journal"))
	defer j.Close()
	for chunk := range slices.Chunk(withoutPositions(records), len(records)/8+1) {
		if _, err := j.Append(t.Context(), chunk); err != nil {
			t.Fatal(err)
		}
		r := newRunner(t, j, store, dir)
		ctx, stop := context.WithTimeout(t.Context(), time.Duration(dice.IntN(60))*time.Millisecond)
		if err := r.Run(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		stop()
	}
	r := newRunner(t, j, store, dir)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- r.Run(ctx) }()
	if err := r.WaitStored(t.Context(), j.Last()); err != nil {
		t.Fatal(err)
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	want := foldAll(partition.NewFold(0), records)
	if diff := cmp.Diff(want, store.rows(t), sameRows); diff != "" {
		t.Errorf("what is stored differs from the fold:\n%s", diff)
	}
}

func newRunner(t *testing.T, j partition.Log, store partition.Store, dir string) *partition.Runner {
	t.Helper()
	r, err := partition.New(t.Context(), partition.Options{
		Log: j, Store: store, Keep: partition.NewFiles(filepath.Join(dir, "partition")),
		BatchRows: 50, BatchAge: time.Millisecond, CheckpointEvery: 10 * time.Millisecond, TickInterval: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Ticking(false) // the storm is of another year
	return r
}

// The rows of a real storm, stored in a real ClickHouse, are those of a replay: every table
// holds each address once.
func TestClickHouseHoldsTheRowsOfTheFold(t *testing.T) {
	db := rig.ClickHouse(t)
	store := storeIn(t, db)
	records := stormRecords(t, smallStorm)
	records = append(records, refusedConfiguration(records[len(records)-1]))
	dir := t.TempDir()
	j := openJournal(t, filepath.Join(dir, "journal"))
	defer j.Close()
	if _, err := j.Append(t.Context(), withoutPositions(records)); err != nil {
		t.Fatal(err)
	}
	r := newRunner(t, j, store, dir)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- r.Run(ctx) }()
	if err := r.WaitStored(t.Context(), j.Last()); err != nil {
		t.Fatal(err)
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	want := foldAll(partition.NewFold(0), records)
	compareCounts(t, db, &want)
	if err := clickhouse.Check(t.Context(), db, partition.Positions); err != nil {
		t.Error(err)
	}
	last := records[len(records)-1]
	if now, err := partition.NewestStored(t.Context(), db); err != nil || now != last.ReceivedAt {
		t.Errorf("all is stored up to %s, ClickHouse says %s (%v)", last.ReceivedAt, now, err)
	}
	got, err := partition.ConfigurationAt(t.Context(), db, last.ReceivedAt)
	if err != nil {
		t.Fatal(err)
	}
	rec, err := got.Record()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(rec.Body, records[0].Body) {
		t.Errorf("the configuration read back is %s", rec.Body)
	}
}

// storeIn stores in db.
func storeIn(t *testing.T, db *clickhouse.Conn) *partition.ClickHouse {
	t.Helper()
	w, err := clickhouse.NewWriter(db, clickhouse.WriterOptions{Registerer: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	store := &partition.ClickHouse{}
	store.Use(w)
	return store
}

// Whoever changes a table stops what is stored, and starts it again by changing it back: nothing is lost, and
// nobody has to start the service again.
func TestRowsWaitForATableThatWasChanged(t *testing.T) {
	db := rig.ClickHouse(t)
	store := refusing{ClickHouse: storeIn(t, db), refused: make(chan error, 1)}
	alter := func(sql string) {
		t.Helper()
		if err := db.Exec(t.Context(), sql, nil); err != nil {
			t.Fatal(err)
		}
	}
	alter("ALTER TABLE episodes MODIFY COLUMN severity String")
	records := stormRecords(t, smallStorm)
	dir := t.TempDir()
	j := openJournal(t, filepath.Join(dir, "journal"))
	defer j.Close()
	if _, err := j.Append(t.Context(), withoutPositions(records)); err != nil {
		t.Fatal(err)
	}
	runUntil(t, newRunner(t, j, store, dir), func(r *partition.Runner, ctx context.Context) {
		select {
		case err := <-store.refused:
			if !strings.Contains(err.Error(), "column severity of table episodes is of type String") {
				t.Errorf("it is refused by %v", err)
			}
		case <-ctx.Done():
			return
		}
		if err := partition.CheckInserts(t.Context(), db); err == nil {
			t.Error("the tables are said to take the rows")
		}
		alter("ALTER TABLE episodes MODIFY COLUMN severity LowCardinality(String)")
		if err := partition.CheckInserts(t.Context(), db); err != nil {
			t.Error(err)
		}
		if err := r.WaitStored(ctx, j.Last()); err != nil {
			t.Error(err)
		}
	})
	want := foldAll(partition.NewFold(0), records)
	compareCounts(t, db, &want)
}

// refusing tells of what is not taken.
type refusing struct {
	*partition.ClickHouse
	refused chan error
}

func (s refusing) Write(ctx context.Context, b partition.Batch, recovering bool) error {
	err := s.ClickHouse.Write(ctx, b, recovering)
	if err != nil {
		select {
		case s.refused <- err:
		default:
		}
	}
	return err
}

// refusedConfiguration is a configuration, behind the last record, that no ledger takes.
func refusedConfiguration(last ingest.Record) ingest.Record {
	return ingest.Record{
		Position: last.Position + 1, ReceivedAt: last.ReceivedAt, Kind: ingest.KindConfiguration,
		Body: []byte(`{"correlation":{"services":[{"name":"other"}]},"levels":{"zone":"Nowhere/At_All"}}`),
	}
}

// scan reads the only row of a query. An engine that dies meanwhile is waited for: it is started
// again, and has lost nothing.
func scan(t *testing.T, db clickhouse.Querier, sql string, into ...any) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		err := scanOnce(t.Context(), db, sql, into...)
		if err == nil {
			return
		}
		if !errors.Is(err, clickhouse.ErrAway) || time.Now().After(deadline) {
			t.Fatalf("%s: %v", sql, err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func scanOnce(ctx context.Context, db clickhouse.Querier, sql string, into ...any) error {
	rows, err := db.Query(ctx, sql, nil)
	if err != nil {
		return err
	}
	if !rows.Next() {
		return errors.Join(errors.New("no row"), rows.Err(), rows.Close())
	}
	return errors.Join(rows.Scan(into...), rows.Close())
}

// What is stored names positions: with another journal, or an older copy of it, new records
// would be taken for stored ones and their rows never be written.
func TestAPartitionRefusesAJournalThatEndsBeforeWhatIsStored(t *testing.T) {
	records := withoutPositions(stormRecords(t, smallStorm))
	for _, test := range []struct {
		name string
		have int  // records of the journal at the second start
		ok   bool // it starts
		stop bool // the first run ends in order, and leaves a checkpoint
	}{
		{"the same journal after an ordered stop", 20, true, true},
		{"no journal", 0, false, true},
		{"a journal one record short", 19, false, true},
		{"a longer journal", 21, true, true},
		{"the same journal after a crash in the middle of a batch", 20, true, false},
		{"no journal after a crash in the middle of a batch", 0, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			store := &memory{}
			if !test.stop {
				store.refuse = func() error { return errors.New("the store is away") }
			}
			j := journalOf(t, records[:20])
			runUntil(t, newRunner(t, j, store, dir), func(r *partition.Runner, ctx context.Context) {
				if test.stop {
					_ = r.WaitStored(ctx, 20)
					return
				}
				waitForFile(ctx, filepath.Join(dir, "partition", "state.json"))
			})
			_, err := partition.New(t.Context(), partition.Options{
				Log: journalOf(t, records[:test.have]), Store: store, Keep: partition.NewFiles(filepath.Join(dir, "partition")),
			})
			if test.ok != (err == nil) || err != nil && !errors.Is(err, partition.ErrLogBehind) {
				t.Errorf("with %d records of 20 the start gives: %v", test.have, err)
			}
		})
	}
}

// Where the state is lost, everything is folded again; what an earlier run may have stored
// is only added where it is missing.
func TestAPartitionWithoutItsStateStoresNothingTwice(t *testing.T) {
	records := withoutPositions(stormRecords(t, smallStorm))
	const before = 20
	j := journalOf(t, records[:before])
	wait := func(r *partition.Runner, ctx context.Context) { _ = r.WaitStored(ctx, j.Last()) }
	runUntil(t, newRunner(t, j, &memory{}, t.TempDir()), wait)

	store := &watcher{}
	r := newRunner(t, j, store, t.TempDir())
	if _, err := j.Append(t.Context(), records[before:]); err != nil {
		t.Fatal(err)
	}
	runUntil(t, r, wait)
	fresh := 0
	for _, w := range store.writes {
		if old := w.First <= before; old != w.recovering {
			t.Errorf("positions %d to %d, of which %d were there at the start, are stored with recovering %t", w.First, w.Last, before, w.recovering)
		}
		if !w.recovering {
			fresh++
		}
	}
	if fresh == 0 || fresh == len(store.writes) {
		t.Errorf("%d of %d batches are new ones: the test compares nothing", fresh, len(store.writes))
	}
}

// watcher is a Store that only notes how it is written to.
type watcher struct {
	writes []watched
}

type watched struct {
	partition.Batch
	recovering bool
}

func (w *watcher) Write(_ context.Context, b partition.Batch, recovering bool) error {
	w.writes = append(w.writes, watched{b, recovering})
	return nil
}

// journalOf returns a new journal with the given records.
func journalOf(t *testing.T, records []ingest.Record) *journal.Local {
	t.Helper()
	j := openJournal(t, t.TempDir())
	t.Cleanup(func() { _ = j.Close() })
	if len(records) > 0 {
		if _, err := j.Append(t.Context(), records); err != nil {
			t.Fatal(err)
		}
	}
	return j
}

// runUntil runs r until wait returns, and then to its end.
func runUntil(t *testing.T, r *partition.Runner, wait func(*partition.Runner, context.Context)) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	done := make(chan error)
	go func() { done <- r.Run(ctx) }()
	wait(r, ctx)
	if ctx.Err() != nil {
		t.Error("what was waited for did not come")
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func waitForFile(ctx context.Context, name string) {
	for ctx.Err() == nil {
		if _, err := os.Stat(name); err == nil {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func TestMetricsOfAPartitionAreWellFormed(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	j := openJournal(t, t.TempDir())
	defer j.Close()
	if _, err := partition.New(t.Context(), partition.Options{Log: j, Store: &memory{}, Keep: partition.NewFiles(t.TempDir()), Metrics: reg}); err != nil {
		t.Fatal(err)
	}
	problems, err := testutil.GatherAndLint(reg)
	if err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
}

// While the fold lags behind what is stored, nothing is sent again; a tick brings time when
// nothing else arrives.
func TestATickCarriesTimeWhenNothingArrives(t *testing.T) {
	j := openJournal(t, t.TempDir())
	defer j.Close()
	store := &memory{}
	r, err := partition.New(t.Context(), partition.Options{
		Log: j, Store: store, Keep: partition.NewFiles(t.TempDir()), BatchAge: time.Millisecond, TickInterval: 50 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Configure(t.Context(), partition.Configuration{}, 0); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	done := make(chan error)
	go func() { done <- r.Run(ctx) }()
	if err := r.WaitStored(ctx, 3); err != nil {
		t.Fatalf("no ticks came: the journal ends at %d: %v", j.Last(), err)
	}
	position, at := r.Stored()
	if at == 0 || position < 3 {
		t.Errorf("stored fold time is %s at %d", at, position)
	}
	stop()
	<-done
}

// A checkpoint of another version is no reason not to start: the journal has everything.
func TestACheckpointOfAnotherVersionIsFoldedAnew(t *testing.T) {
	records := withoutPositions(stormRecords(t, smallStorm))[:30]
	j := journalOf(t, records)
	dir, store := t.TempDir(), &memory{}
	wait := func(r *partition.Runner, ctx context.Context) { _ = r.WaitStored(ctx, j.Last()) }
	runUntil(t, newRunner(t, j, store, dir), wait)
	var packed bytes.Buffer
	enc, err := zstd.NewWriter(&packed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := enc.Write([]byte(`{"version":0,"position":30}`)); err != nil {
		t.Fatal(err)
	}
	if err := enc.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "partition", "checkpoint"), packed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	want := store.rows(t)
	r := newRunner(t, j, store, dir)
	if r.FoldTime() != 0 {
		t.Error("the checkpoint of another version was used")
	}
	runUntil(t, r, func(r *partition.Runner, ctx context.Context) {
		for ctx.Err() == nil && r.FoldTime() < records[len(records)-1].ReceivedAt {
			time.Sleep(time.Millisecond)
		}
	})
	if diff := cmp.Diff(want, store.rows(t), sameRows); diff != "" {
		t.Errorf("what is stored changed:\n%s", diff)
	}
}
