package journal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/journal"
	"github.com/evenkeel/evenkeel/internal/journal/journaltest"
)

func TestMain(m *testing.M) {
	if runChild() {
		return
	}
	goleak.VerifyTestMain(m)
}

func fixture(segmentBytes int64) func(*testing.T) journaltest.Fixture {
	return func(t *testing.T) journaltest.Fixture {
		dir, reg := t.TempDir(), prometheus.NewRegistry()
		var now atomic.Pointer[time.Time]
		return journaltest.Fixture{
			Open: func() (journal.Journal, error) {
				return journal.Open(journal.Options{
					Dir: dir, SegmentBytes: segmentBytes, Registerer: reg,
					Clock: func() time.Time { return *now.Load() },
				})
			},
			SetClock: func(at time.Time) { now.Store(&at) },
		}
	}
}

func TestLocalIsAJournal(t *testing.T) { journaltest.Run(t, fixture(0)) }

func TestLocalIsAJournalWithManySmallSegments(t *testing.T) { journaltest.Run(t, fixture(200)) }

func open(t testing.TB, o journal.Options) *journal.Local {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	j, err := journal.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func put(t testing.TB, j journal.Journal, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		if _, err := j.Append(context.Background(), []ingest.Record{{Kind: ingest.KindDelivery, Body: []byte(body)}}); err != nil {
			t.Fatal(err)
		}
	}
}

// noise is text that does not compress.
func noise(n int, seed byte) string {
	b := make([]byte, n)
	x := uint32(seed) + 1
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return string(b)
}

func TestAFolderHasOneOwner(t *testing.T) {
	dir := t.TempDir()
	j := open(t, journal.Options{Dir: dir})
	_, err := journal.Open(journal.Options{Dir: dir})
	if !errors.Is(err, journal.ErrLocked) || !strings.Contains(err.Error(), dir) {
		t.Error(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, journal.Options{Dir: dir})
}

func TestOptionsThatCannotWork(t *testing.T) {
	for _, o := range []journal.Options{
		{}, {Dir: "x", MaxBytes: 1000}, {Dir: "x", SegmentBytes: 1 << 20, MaxBytes: 2 << 20}, {Dir: "x", SegmentBytes: -1},
	} {
		if _, err := journal.Open(o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
	if _, err := os.Stat("x"); err == nil {
		t.Error("a folder was made")
	}
}

func TestAFullJournalTakesNoDeliveriesButTheConfiguration(t *testing.T) {
	reg := prometheus.NewRegistry()
	j := open(t, journal.Options{MaxBytes: 1 << 20, SegmentBytes: 64 << 10, Registerer: reg})
	var err error
	n := 0
	for ; err == nil && n < 1000; n++ {
		_, err = j.Append(context.Background(), []ingest.Record{{Kind: ingest.KindDelivery, Body: []byte(noise(10_000, byte(n)))}})
	}
	if !errors.Is(err, journal.ErrFull) || !strings.Contains(err.Error(), "max_bytes 1048576") {
		t.Fatalf("after %d: %v", n, err)
	}
	if u := j.Usage(); u.Bytes > u.MaxBytes || u.Bytes < 900_000 {
		t.Errorf("usage %+v", u)
	}
	if _, err := j.Append(context.Background(), []ingest.Record{{Kind: ingest.KindConfiguration, Body: []byte(noise(30_000, 7))}}); err != nil {
		t.Errorf("configuration: %v", err)
	}
	if _, err := j.Append(context.Background(), []ingest.Record{{Kind: ingest.KindTick}}); err != nil {
		t.Errorf("tick: %v", err)
	}
	if err := j.Commit(j.Last() / 2); err != nil {
		t.Fatal(err)
	}
	put(t, j, noise(10_000, 1))
	if n := testutil.CollectAndCount(reg, "evenkeel_journal_append_failures_total"); n != 7 {
		t.Errorf("%d reasons", n)
	}
}

func TestALongBatchIsManyBlocksAndComesBackWhole(t *testing.T) {
	j := open(t, journal.Options{})
	batch := make([]ingest.Record, 3000)
	for i := range batch {
		batch[i] = ingest.Record{Kind: ingest.KindDelivery, ReceivedAt: ingest.Millis(1000 + i), Body: []byte(noise(1000, byte(i)))}
	}
	if _, err := j.Append(context.Background(), batch); err != nil {
		t.Fatal(err)
	}
	for i := range batch {
		batch[i].Position = uint64(i + 1)
	}
	if diff := cmp.Diff(batch, journaltest.All(t, j), cmp.Comparer(bytes.Equal)); diff != "" {
		t.Error(diff)
	}
}

func TestARecordBeyondTheLimitIsRefused(t *testing.T) {
	j := open(t, journal.Options{})
	_, err := j.Append(context.Background(), []ingest.Record{{Kind: ingest.KindDelivery, Body: make([]byte, journal.MaxRecordBytes+1)}})
	if !errors.Is(err, journal.ErrTooLarge) {
		t.Error(err)
	}
	put(t, j, string(make([]byte, journal.MaxRecordBytes)))
	if got := journaltest.All(t, j); len(got) != 1 || len(got[0].Body) != journal.MaxRecordBytes {
		t.Error("the largest record did not come back")
	}
}

func segments(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// damage flips a byte.
func damage(t *testing.T, name string, offset int) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text[offset] ^= 0xff
	if err := os.WriteFile(name, text, 0o640); err != nil {
		t.Fatal(err)
	}
}

func TestABlockThatRotsCostsItsOwnRecordsOnly(t *testing.T) {
	const header, block = 32, 56
	for _, test := range []struct {
		name   string
		offset int
		lost   []uint64
	}{
		{"in a payload", header + block + 5, []uint64{1}},
		{"in the payload of a later block", header + 2*block + 300 + 50, []uint64{2}},
		{"in a block's header", header + 20, []uint64{1}},
		{"in the segment's header", 3, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			clock := time.UnixMilli(5_000_000)
			o := journal.Options{Dir: dir, SegmentBytes: 900, Clock: func() time.Time { return clock }}
			j := open(t, o)
			for i := range 7 { // three blocks of some 360 bytes in a segment
				put(t, j, noise(300, byte(i)))
			}
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			damage(t, segments(t, dir)[0], test.offset)
			reg := prometheus.NewRegistry()
			o.Registerer = reg
			j = open(t, o)
			var lost []uint64
			for i, r := range journaltest.All(t, j) {
				if r.Position != uint64(i+1) || r.ReceivedAt != 5_000_000 {
					t.Errorf("record %+v at %d", r, i)
				}
				if r.Kind == ingest.KindRejected && strings.Contains(r.Reason, "lost this record") && r.Source == "journal" {
					lost = append(lost, r.Position)
				} else if string(r.Body) != noise(300, byte(i)) {
					t.Errorf("record %d has another body", r.Position)
				}
			}
			if diff := cmp.Diff(test.lost, lost); diff != "" {
				t.Errorf("lost (-want +got)\n%s", diff)
			}
			// Read alone, each lost record says the same.
			for _, p := range lost {
				got, err := j.Read(context.Background(), p, 1)
				if err != nil || got[0].Kind != ingest.KindRejected || got[0].Position != p || got[0].ReceivedAt != 5_000_000 {
					t.Errorf("%+v %v", got, err)
				}
			}
			put(t, j, "goes on")
			if j.Last() != 8 {
				t.Errorf("last %d", j.Last())
			}
		})
	}
}

func TestRotInTheLastSegmentIsNotTakenForATornEnd(t *testing.T) {
	dir := t.TempDir()
	j := open(t, journal.Options{Dir: dir})
	put(t, j, "one", "two", "three")
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	damage(t, segments(t, dir)[0], 32+56+2) // in the first block; two later groups follow
	j = open(t, journal.Options{Dir: dir})
	got := journaltest.All(t, j)
	if len(got) != 3 || got[0].Kind != ingest.KindRejected || string(got[1].Body) != "two" || string(got[2].Body) != "three" {
		t.Errorf("%+v", got)
	}
}

func TestATornEndIsCutWhereverItTears(t *testing.T) {
	dir := t.TempDir()
	j := open(t, journal.Options{Dir: dir})
	put(t, j, "one")
	whole := j.Usage().Bytes
	put(t, j, strings.Repeat("two ", 20))
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	name := segments(t, dir)[0]
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for size := len(text) - 1; size >= 0; size-- {
		if err := os.WriteFile(name, text[:size], 0o640); err != nil {
			t.Fatal(err)
		}
		want := 1
		if int64(size) < whole {
			want = 0
		}
		j := open(t, journal.Options{Dir: dir})
		if got := journaltest.All(t, j); len(got) != want {
			t.Fatalf("cut at %d: %d records, want %d", size, len(got), want)
		}
		put(t, j, "next")
		if got := journaltest.All(t, j); len(got) != want+1 || string(got[want].Body) != "next" {
			t.Fatalf("cut at %d: %+v", size, got)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMetricsAreWellNamedAndTellTheState(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	j := open(t, journal.Options{Registerer: reg})
	put(t, j, "a", "b")
	problems, err := testutil.GatherAndLint(reg)
	if err != nil || len(problems) > 0 {
		t.Error(problems, err)
	}
	err = testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP evenkeel_journal_first_position Oldest position that is kept.
# TYPE evenkeel_journal_first_position gauge
evenkeel_journal_first_position 1
# HELP evenkeel_journal_last_position Newest position; one less than the first while the journal is empty.
# TYPE evenkeel_journal_last_position gauge
evenkeel_journal_last_position 2
# HELP evenkeel_journal_records_total Records made durable.
# TYPE evenkeel_journal_records_total counter
evenkeel_journal_records_total 2
`), "evenkeel_journal_first_position", "evenkeel_journal_last_position", "evenkeel_journal_records_total")
	if err != nil {
		t.Error(err)
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, size := range []struct {
		name   string
		alerts int
	}{{"4KB", 5}, {"60KB", 82}} {
		body := webhook(size.alerts)
		for _, callers := range []int{1, 8, 64} {
			b.Run(fmt.Sprintf("%s/%d", size.name, callers), func(b *testing.B) {
				j := open(b, journal.Options{})
				b.SetBytes(int64(len(body)))
				b.SetParallelism(callers / 2) // of two cores
				if callers == 1 {
					b.SetParallelism(1)
				}
				var turn atomic.Int64
				b.ResetTimer()
				run := func(next func() bool) {
					for next() {
						own := bytes.Replace(body, []byte("10.0.0.1"), fmt.Appendf(nil, "10.0.%d", turn.Add(1)), 3)
						if _, err := j.Append(context.Background(), []ingest.Record{{Kind: ingest.KindDelivery, Path: ingest.PathAlertmanager, Body: own}}); err != nil {
							b.Fatal(err)
						}
					}
				}
				if callers == 1 {
					run(b.Loop)
				} else {
					b.RunParallel(func(pb *testing.PB) { run(pb.Next) })
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
				b.ReportMetric(float64(j.Usage().Bytes)/float64(b.N), "disk-B/op")
			})
		}
	}
}

func BenchmarkRead(b *testing.B) {
	j := open(b, journal.Options{})
	batch := make([]ingest.Record, 5000)
	for i := range batch {
		batch[i] = ingest.Record{Kind: ingest.KindDelivery, Path: ingest.PathAlertmanager, Body: webhook(5)}
	}
	if _, err := j.Append(context.Background(), batch); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for from := uint64(1); from <= 5000; {
			got, err := j.Read(context.Background(), from, 500)
			if err != nil {
				b.Fatal(err)
			}
			from += uint64(len(got))
		}
	}
	b.ReportMetric(float64(b.N)*5000/b.Elapsed().Seconds(), "records/s")
}

// webhook is a delivery with alerts of some 700 bytes.
func webhook(alerts int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"receiver":"evenkeel","status":"firing","alerts":[`)
	for i := range alerts {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"status":"firing","labels":{"alertname":"HighErrorRate","cluster":"prod-eu-1","instance":"10.0.%d.1:9100","namespace":"shop","pod":"cart-%x-%x","service":"cart","severity":"critical","team":"payments"},`+
			`"annotations":{"description":"Error rate of cart on %x is above 5 percent since ten minutes, now at %d.%d percent","runbook_url":"https://runbooks.example.org/HighErrorRate","summary":"High error rate"},`+
			`"startsAt":"2026-11-22T11:%02d:21.366581Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://prometheus.example.org:9090/graph?g0.expr=rate%%28errors%%5B5m%%5D%%29&g0.tab=1","fingerprint":"%s"}`,
			i, i*7919, i*104729, i*31337, i%90, i%10, i%60, fmt.Sprintf("%016x", uint64(i+1)*0x9e3779b97f4a7c15))
	}
	b.WriteString(`],"groupLabels":{"alertname":"HighErrorRate"},"commonLabels":{"alertname":"HighErrorRate"},"commonAnnotations":{},"externalURL":"http://alertmanager.example.org:9093","version":"4","groupKey":"{}:{alertname=\"HighErrorRate\"}","truncatedAlerts":0}`)
	return b.Bytes()
}
