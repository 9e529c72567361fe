// Package journaltest holds the tests that every journal passes, whatever it is
// made of: the contract of [journal.Journal] as code.
package journaltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/journal"
)

// Fixture is one journal under test.
type Fixture struct {
	// Open opens the journal; after Close it opens the same one again.
	Open func() (journal.Journal, error)
	// SetClock sets the wall clock that the journal sees.
	SetClock func(time.Time)
}

// Run runs every test on a journal of its own, which fixture makes, empty.
func Run(t *testing.T, fixture func(t *testing.T) Fixture) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, *world)
	}{
		{"an empty journal has no records", empty},
		{"records come back as they were appended", roundTrip},
		{"positions are consecutive from 1 across restarts", positions},
		{"the journal gives received_at and it never goes back", monotonic},
		{"a record keeps the received_at that it brings", ownTime},
		{"a received_at that would go back is refused and nothing is written", backwards},
		{"concurrent appends each get their own positions", concurrent},
		{"a read returns at most the limit and goes on where it ended", paging},
		{"a position behind the end is told from the end", ahead},
		{"a wait ends when the position is there", wait},
		{"a wait ends with its context", waitContext},
		{"a commit keeps everything behind it", commit},
		{"a context that ended appends nothing", ended},
		{"an append of nothing is an error", nothing},
		{"a closed journal says so", closed},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := &world{T: t, f: fixture(t)}
			w.f.SetClock(start)
			w.open()
			defer func() { _ = w.j.Close() }()
			test.run(t, w)
		})
	}
}

var start = time.Date(2026, 10, 5, 8, 0, 0, 0, time.UTC)

type world struct {
	*testing.T
	f Fixture
	j journal.Journal
}

func (w *world) open() {
	w.Helper()
	j, err := w.f.Open()
	if err != nil {
		w.Fatal(err)
	}
	w.j = j
}

func (w *world) reopen() {
	w.Helper()
	if err := w.j.Close(); err != nil {
		w.Fatal(err)
	}
	w.open()
}

func (w *world) append(records ...ingest.Record) uint64 {
	w.Helper()
	first, err := w.j.Append(context.Background(), records)
	if err != nil {
		w.Fatal(err)
	}
	return first
}

func (w *world) read(from uint64, limit int) []ingest.Record {
	w.Helper()
	records, err := w.j.Read(context.Background(), from, limit)
	if err != nil {
		w.Fatal(err)
	}
	return records
}

// All reads everything that a journal holds.
func All(t testing.TB, j journal.Journal) []ingest.Record {
	t.Helper()
	var all []ingest.Record
	for from := j.First(); from <= j.Last(); {
		records, err := j.Read(context.Background(), from, 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(records) == 0 {
			t.Fatalf("nothing at %d although the last is %d", from, j.Last())
		}
		all = append(all, records...)
		from += uint64(len(records))
	}
	return all
}

func delivery(body string) ingest.Record {
	return ingest.Record{Kind: ingest.KindDelivery, Tenant: "t", Source: "s", Path: "/p", Body: []byte(body)}
}

func equal(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.Comparer(bytes.Equal)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func is(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}

func empty(t *testing.T, w *world) {
	equal(t, []any{w.j.First(), w.j.Last(), w.j.LastReceivedAt()}, []any{uint64(1), uint64(0), ingest.Millis(0)})
	equal(t, len(w.read(1, 10)), 0)
}

func roundTrip(t *testing.T, w *world) {
	records := []ingest.Record{
		{Kind: ingest.KindConfiguration, Body: []byte(`{"services":[]}`)},
		{Kind: ingest.KindDelivery, Tenant: "t", Source: "s", Path: "/p", Body: bytes.Repeat([]byte("ab\x00\xff"), 50_000)},
		{Kind: ingest.KindTick},
		{Kind: ingest.KindRejected, Tenant: "t", Source: "s", Path: "/p", Reason: "not JSON", Body: []byte("\xff{")},
	}
	w.append(records...)
	for i := range records {
		records[i].Position, records[i].ReceivedAt = uint64(i+1), ingest.MillisOf(start)
	}
	equal(t, w.read(1, 10), records)
	w.reopen()
	equal(t, w.read(1, 10), records)
}

func positions(t *testing.T, w *world) {
	equal(t, w.append(delivery("1")), uint64(1))
	equal(t, w.append(delivery("2"), delivery("3")), uint64(2))
	w.reopen()
	equal(t, w.append(delivery("4")), uint64(4))
	var bodies []string
	for i, r := range All(t, w.j) {
		equal(t, r.Position, uint64(i+1))
		bodies = append(bodies, string(r.Body))
	}
	equal(t, bodies, []string{"1", "2", "3", "4"})
}

func monotonic(t *testing.T, w *world) {
	w.append(delivery("1"))
	w.f.SetClock(start.Add(-time.Hour))
	w.append(delivery("2"))
	w.reopen()
	equal(t, w.j.LastReceivedAt(), ingest.MillisOf(start))
	w.append(delivery("3"))
	w.f.SetClock(start.Add(time.Second))
	w.append(delivery("4"))
	at := ingest.MillisOf(start)
	var got []ingest.Millis
	for _, r := range All(t, w.j) {
		got = append(got, r.ReceivedAt)
	}
	equal(t, got, []ingest.Millis{at, at, at, at + ingest.Second})
}

func ownTime(t *testing.T, w *world) {
	own := ingest.MillisOf(start) - ingest.Day
	a, b, c := delivery("a"), delivery("b"), delivery("c")
	a.ReceivedAt, b.ReceivedAt = own, own+5
	w.append(a, b)
	equal(t, w.j.LastReceivedAt(), own+5)
	c.ReceivedAt = ingest.MillisOf(start) + ingest.Hour
	w.append(c, delivery("d"))
	var got []ingest.Millis
	for _, r := range All(t, w.j) {
		got = append(got, r.ReceivedAt)
	}
	equal(t, got, []ingest.Millis{own, own + 5, c.ReceivedAt, c.ReceivedAt})
}

func backwards(t *testing.T, w *world) {
	w.append(delivery("a"))
	good, late := delivery("b"), delivery("c")
	late.ReceivedAt = ingest.MillisOf(start) - 1
	_, err := w.j.Append(context.Background(), []ingest.Record{good, late})
	is(t, err, journal.ErrBackwards)
	equal(t, w.j.Last(), uint64(1))
	equal(t, w.append(delivery("d")), uint64(2))
}

func concurrent(t *testing.T, w *world) {
	const callers, each = 16, 25
	var wg sync.WaitGroup
	var mu sync.Mutex
	at := map[uint64]string{}
	for c := range callers {
		wg.Go(func() {
			for i := range each {
				a, b := fmt.Sprintf("%d/%d/a", c, i), fmt.Sprintf("%d/%d/b", c, i)
				first, err := w.j.Append(context.Background(), []ingest.Record{delivery(a), delivery(b)})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				at[first], at[first+1] = a, b
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	got := map[uint64]string{}
	for _, r := range All(t, w.j) {
		got[r.Position] = string(r.Body)
	}
	equal(t, len(got), 2*callers*each)
	equal(t, got, at)
}

func paging(t *testing.T, w *world) {
	for i := range 10 {
		w.append(delivery(fmt.Sprint(i, "a")), delivery(fmt.Sprint(i, "b")))
	}
	for _, from := range []uint64{1, 4, 7, 2, 20, 13, 14, 15} {
		got := w.read(from, 3)
		if len(got) == 0 || len(got) > 3 {
			t.Fatalf("%d records from %d with limit 3", len(got), from)
		}
		for i, r := range got {
			equal(t, r.Position, from+uint64(i))
			equal(t, string(r.Body), fmt.Sprint((r.Position-1)/2, string("ab"[(r.Position-1)%2])))
		}
	}
}

func ahead(t *testing.T, w *world) {
	w.append(delivery("a"))
	equal(t, len(w.read(2, 1)), 0)
	_, err := w.j.Read(context.Background(), 3, 1)
	is(t, err, journal.ErrAhead)
	is(t, w.j.Commit(2), journal.ErrAhead)
}

func wait(t *testing.T, w *world) {
	done := make(chan error, 1)
	go func() { done <- w.j.Wait(context.Background(), 2) }()
	w.append(delivery("a"))
	select {
	case err := <-done:
		t.Fatalf("the wait for 2 ended at 1: %v", err)
	case <-time.After(10 * time.Millisecond):
	}
	w.append(delivery("b"))
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := w.j.Wait(context.Background(), 1); err != nil {
		t.Error(err)
	}
}

func waitContext(t *testing.T, w *world) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	is(t, w.j.Wait(ctx, 1), context.DeadlineExceeded)
}

func commit(t *testing.T, w *world) {
	for i := range 20 {
		w.append(delivery(fmt.Sprint(i + 1)))
	}
	if err := w.j.Commit(12); err != nil {
		t.Fatal(err)
	}
	check := func() {
		t.Helper()
		if first := w.j.First(); first > 13 {
			t.Fatalf("13 was not committed, but the first is %d", first)
		}
		for i, r := range w.read(13, 100) {
			equal(t, string(r.Body), fmt.Sprint(13+i))
		}
	}
	check()
	w.reopen()
	check()
	equal(t, w.append(delivery("21")), uint64(21))
	if err := w.j.Commit(21); err != nil {
		t.Fatal(err)
	}
	w.reopen()
	equal(t, w.append(delivery("22")), uint64(22))
	if first := w.j.First(); first > 1 {
		_, err := w.j.Read(context.Background(), first-1, 1)
		is(t, err, journal.ErrTrimmed)
	}
}

func ended(t *testing.T, w *world) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := w.j.Append(ctx, []ingest.Record{delivery("a")})
	is(t, err, context.Canceled)
	is(t, err, journal.ErrUnavailable)
}

func nothing(t *testing.T, w *world) {
	if _, err := w.j.Append(context.Background(), nil); err == nil {
		t.Error("no error")
	}
}

func closed(t *testing.T, w *world) {
	w.append(delivery("a"))
	equal(t, w.j.Health() == nil, true)
	waiting := make(chan error, 1)
	go func() { waiting <- w.j.Wait(context.Background(), 5) }()
	if err := w.j.Close(); err != nil {
		t.Fatal(err)
	}
	is(t, <-waiting, journal.ErrClosed)
	_, err := w.j.Append(context.Background(), []ingest.Record{delivery("b")})
	is(t, err, journal.ErrClosed)
	_, err = w.j.Read(context.Background(), 1, 1)
	is(t, err, journal.ErrClosed)
	is(t, w.j.Commit(1), journal.ErrClosed)
	is(t, w.j.Health(), journal.ErrClosed)
	if err := w.j.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
}
