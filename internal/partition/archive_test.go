package partition_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/internal/journal"
	"github.com/evenkeel/evenkeel/internal/partition"
	"github.com/evenkeel/evenkeel/internal/rig"
)

// ticking puts a tick between any two records.
func ticking(records []ingest.Record) []ingest.Record {
	var all []ingest.Record
	for i, rec := range records {
		if i > 0 {
			all = append(all, ingest.Record{Kind: ingest.KindTick, ReceivedAt: (records[i-1].ReceivedAt + rec.ReceivedAt) / 2})
		}
		all = append(all, rec)
	}
	for i := range all {
		all[i].Position = uint64(i) + 1
	}
	return all
}

// A fold that has no checkpoint to go on from, of its version or at all, reads from ClickHouse what
// the journal has trimmed, and goes on with the rows of a fold that has seen everything.
func TestWhatTheJournalHasTrimmedIsFoldedFromTheStore(t *testing.T) {
	records := ticking(stormRecords(t, smallStorm))
	cut := 3 * len(records) / 4
	for _, test := range []struct {
		name string
		lost []string // files of the partition
	}{
		{"the checkpoint is lost", []string{"checkpoint"}},
		{"the checkpoint and the state are lost", []string{"checkpoint", "state.json"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			db := rig.ClickHouse(t)
			j, dir, store := trimmedJournal(t, db, records[:cut])
			for _, name := range test.lost {
				if err := os.Remove(filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
			}
			first := j.First()
			r := startWith(t, partition.Options{Log: j, Store: store, Keep: partition.NewFiles(dir), Past: partition.NewArchive(db)})
			if _, err := j.Append(t.Context(), withoutPositions(records[cut:])); err != nil {
				t.Fatal(err)
			}
			runUntil(t, r, func(r *partition.Runner, ctx context.Context) { _ = r.WaitStored(ctx, j.Last()) })
			want := foldAll(partition.NewFold(0), records)
			compareCounts(t, db, &want)
			t.Logf("of %d records the journal had the last %d", len(records), uint64(len(records))-first+1)
		})
	}
}

// trimmedJournal returns a journal whose records are stored, and of which it has forgotten
// the oldest, with the partition's folder and store.
func trimmedJournal(t *testing.T, db *clickhouse.Conn, records []ingest.Record) (*journal.Local, string, partition.Store) {
	t.Helper()
	j, err := journal.Open(journal.Options{Dir: t.TempDir(), SegmentBytes: 8 << 10})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	store, dir := storeIn(t, db), t.TempDir()
	for _, rec := range withoutPositions(records) { // one by one: a segment ends between two appends
		if _, err := j.Append(t.Context(), []ingest.Record{rec}); err != nil {
			t.Fatal(err)
		}
	}
	r := startWith(t, partition.Options{Log: j, Store: store, Keep: partition.NewFiles(dir)})
	runUntil(t, r, func(r *partition.Runner, ctx context.Context) { _ = r.WaitStored(ctx, j.Last()) })
	if j.First() < 3 {
		t.Fatalf("the journal begins at %d: nothing was trimmed", j.First())
	}
	return j, dir, store
}

// compareCounts compares how many rows each table has with what the fold made: each address once.
func compareCounts(t *testing.T, db clickhouse.Querier, want *partition.Rows) {
	t.Helper()
	for table, n := range map[string]int{
		"deliveries": len(want.Deliveries), "events": len(want.Events), "changes": len(want.Changes), "dead_letters": len(want.DeadLetters),
		"episodes": len(want.Episodes), "transitions": len(want.Transitions), "incidents": len(want.Incidents),
		"service_ledger": len(want.Ledger), "sla_segments": len(want.Segments),
		"samples": len(want.Samples), "links": len(want.Links), "maintenance": len(want.Maintenance),
	} {
		var rows, addresses uint64
		scan(t, db, "SELECT count(), uniqExact(partition, position, ordinal) FROM "+table, &rows, &addresses)
		if int(rows) != n || int(addresses) != n {
			t.Errorf("%s has %d rows at %d addresses, the fold made %d", table, rows, addresses, n)
		}
	}
}

// Without what it was stored in, a trimmed journal is no whole: that is said, rather than that the
// rest is folded as if it were all.
func TestATrimmedJournalWithoutItsStoreIsRefused(t *testing.T) {
	db := rig.ClickHouse(t)
	j, dir, store := trimmedJournal(t, db, stormRecords(t, smallStorm))
	if err := os.Remove(filepath.Join(dir, "checkpoint")); err != nil {
		t.Fatal(err)
	}
	for name, past := range map[string]partition.Past{"no store": nil, "another store": partition.NewArchive(rig.ClickHouse(t))} {
		r := startWith(t, partition.Options{Log: j, Store: store, Keep: partition.NewFiles(dir), Past: past})
		if err := r.Run(t.Context()); !errors.Is(err, partition.ErrForgotten) {
			t.Errorf("with %s the fold ends with %v", name, err)
		}
	}
}
