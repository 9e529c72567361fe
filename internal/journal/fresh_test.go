package journal_test

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/journal"
)

// readAll reads a journal from a position to its end, so many records at once.
func readAll(t *testing.T, j journal.Journal, from uint64, limit int) []ingest.Record {
	t.Helper()
	var all []ingest.Record
	for from <= j.Last() {
		records, err := j.Read(t.Context(), from, limit)
		if err != nil || len(records) == 0 {
			t.Fatalf("read %d of %d: %d records, %v", from, j.Last(), len(records), err)
		}
		all = append(all, records...)
		from = records[len(records)-1].Position + 1
	}
	return all
}

// What is read out of memory is what stands on the disk, whoever else appended at the same time.
func TestRecordsThatWereJustWrittenAreThoseOnTheDisk(t *testing.T) {
	dir := t.TempDir()
	j := open(t, journal.Options{Dir: dir})
	reading := &ingest.Reading{By: "somebody"}
	var senders sync.WaitGroup
	for sender := range 4 {
		senders.Go(func() {
			for n := range 50 {
				records := make([]ingest.Record, 1+n%3)
				for i := range records {
					records[i] = ingest.Record{
						Kind: ingest.KindDelivery, Tenant: fmt.Sprint("t", sender), Source: "s", Path: "/p",
						Body: []byte(strings.Repeat(fmt.Sprintf("%d-%d-%d,", sender, n, i), 1+n*40)), Reading: reading,
					}
				}
				if _, err := j.Append(t.Context(), records); err != nil {
					t.Error(err)
				}
			}
		})
	}
	senders.Wait()
	fresh := readAll(t, j, 1, 7)
	for i := range fresh {
		if fresh[i].Reading != reading {
			t.Fatalf("record %d does not come with what it was decoded to", i+1)
		}
		fresh[i].Reading = nil
	}
	again := readAll(t, j, 1, 64) // each is fresh once
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	opened := readAll(t, open(t, journal.Options{Dir: dir}), 1, 64)
	for name, other := range map[string][]ingest.Record{"read again": again, "opened again": opened} {
		if !reflect.DeepEqual(fresh, other) { // it is faster than cmp
			t.Errorf("%s it is something else (-fresh +now)\n%s", name, cmp.Diff(fresh, other))
		}
	}
}

// Who does not follow closely reads what was written first from the disk, and the rest out of memory; nothing is missing.
func TestWhatDoesNotFitInMemoryIsReadFromTheDisk(t *testing.T) {
	j := open(t, journal.Options{})
	const records = 30
	decoded := &ingest.Reading{Decoded: ingest.Decoded{Events: make([]ingest.Event, 10_000)}} // about 5 MiB each
	for n := range records {
		if _, err := j.Append(t.Context(), []ingest.Record{{Kind: ingest.KindDelivery, Body: fmt.Append(nil, n), Reading: decoded}}); err != nil {
			t.Fatal(err)
		}
	}
	fromDisk := 0
	for n, rec := range readAll(t, j, 1, 4) {
		if rec.Position != uint64(n)+1 || string(rec.Body) != fmt.Sprint(n) {
			t.Errorf("record %d at position %d is %q", n, rec.Position, rec.Body)
		}
		if rec.Reading == nil {
			fromDisk++
		}
	}
	if fromDisk == 0 || fromDisk == records {
		t.Errorf("%d of %d records are read from the disk: the test compares nothing", fromDisk, records)
	}
}
