package journal

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/ingest"
)

// laid is a block as it lies on the disk, by segment file.
type laid struct {
	name         string
	offset, size int64
	first, end   uint64
	rotten       bool
}

// layout finds every block of an undamaged journal.
func layout(t *rapid.T, dir string) []laid {
	names, err := folder(dir).Names()
	if err != nil {
		t.Fatal(err)
	}
	var all []laid
	for _, name := range slices.Sorted(slices.Values(names)) {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !strings.HasSuffix(name, segmentSuffix) {
			continue
		}
		for at := int64(segmentHeaderBytes); at < int64(len(text)); {
			h, err := parseBlockHeader(text[at:])
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, laid{name, at, h.size(), h.first, h.end(), false})
			at += h.size()
		}
	}
	return all
}

// rot flips bits of one byte, and notes in blocks whose it was.
func rot(t *rapid.T, dir, name string, offset int64, blocks []laid) {
	path := filepath.Join(dir, name)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text[offset] ^= byte(rapid.IntRange(1, 255).Draw(t, "bits"))
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for i, b := range blocks {
		if b.name == name && offset >= b.offset && offset < b.offset+b.size {
			blocks[i].rotten = true
		}
	}
}

func TestWhateverRotsIsReportedAndNothingElseIsLost(t *testing.T) {
	folders := t
	rapid.Check(t, func(t *rapid.T) {
		dir := folders.TempDir()
		o := Options{Dir: dir, SegmentBytes: rapid.SampledFrom([]int64{500, 2000, 1 << 20}).Draw(t, "segment"), MaxBytes: 64 << 20}
		bodies := fill(t, o)
		blocks := layout(t, dir)
		for range rapid.IntRange(1, 4).Draw(t, "places") {
			b := rapid.SampledFrom(blocks).Draw(t, "block")
			switch rapid.IntRange(0, 3).Draw(t, "part") {
			case 0:
				rot(t, dir, b.name, rapid.Int64Range(0, segmentHeaderBytes-1).Draw(t, "segment header"), blocks)
			case 1, 2:
				rot(t, dir, b.name, b.offset+rapid.Int64Range(0, blockHeaderBytes-1).Draw(t, "header"), blocks)
			default:
				rot(t, dir, b.name, b.offset+rapid.Int64Range(blockHeaderBytes, b.size-1).Draw(t, "payload"), blocks)
			}
		}
		var log bytes.Buffer
		o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		j, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = j.Close() }()
		checkRotten(t, j, blocks, bodies, &log)
		if _, err := j.Append(context.Background(), []ingest.Record{{Kind: ingest.KindDelivery, Body: []byte("goes on")}}); err != nil {
			t.Fatal(err)
		}
		checkRotten(t, j, blocks, append(slices.Clone(bodies[:j.Last()-1]), "goes on"), &log)
	})
}

// fill makes a journal with some requests of some records each.
func fill(t *rapid.T, o Options) []string {
	now := int64(1_790_000_000_000)
	o.Clock = func() time.Time { now++; return time.UnixMilli(now) }
	j, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	var bodies []string
	for i := range rapid.IntRange(1, 12).Draw(t, "requests") {
		records := make([]ingest.Record, rapid.IntRange(1, 3).Draw(t, "records"))
		for k := range records {
			body := random(rapid.IntRange(0, 300).Draw(t, "length"), i*10+k)
			if rapid.IntRange(0, 3).Draw(t, "long") == 0 { // packed in another way
				body = strings.Repeat(body, 1+rapid.IntRange(longBlock, 2*longBlock).Draw(t, "long length")/(len(body)+1))
			}
			bodies = append(bodies, fmt.Sprint(i, k)+body)
			records[k] = ingest.Record{Kind: ingest.KindDelivery, Body: []byte(bodies[len(bodies)-1])}
		}
		if _, err := j.Append(context.Background(), records); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return bodies
}

// checkRotten compares what is read with what the damage left.
func checkRotten(t *rapid.T, j *Local, blocks []laid, bodies []string, log *bytes.Buffer) {
	rotten := func(position uint64) bool {
		return slices.ContainsFunc(blocks, func(b laid) bool { return b.rotten && b.first <= position && position < b.end })
	}
	lost := 0
	var before ingest.Millis
	for from := uint64(1); from <= j.Last(); {
		records, err := j.Read(context.Background(), from, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			switch {
			case r.Position != from || r.ReceivedAt < before:
				t.Fatalf("at %d after %s: %+v", from, before, r)
			case r.Kind == ingest.KindRejected:
				lost++
				if !rotten(from) {
					t.Fatalf("%d is said to be lost, and did not rot", from)
				}
			case string(r.Body) != bodies[from-1]:
				t.Fatalf("%d has another body", from)
			}
			from, before = from+1, r.ReceivedAt
		}
	}
	if got := testutil.ToFloat64(j.m.lost); int(got) != lost {
		t.Fatalf("%g counted as lost, %d are", got, lost)
	}
	if lost > 0 && !strings.Contains(log.String(), "first_position") {
		t.Fatalf("nothing is said of it:\n%s", log)
	}
	for _, b := range blocks {
		if b.end > j.Last()+1 && !b.rotten {
			t.Fatalf("%d to %d did not rot, and are cut: the last is %d", b.first, b.end-1, j.Last())
		}
	}
	if n := uint64(len(bodies)); j.Last() < n && testutil.ToFloat64(j.m.cut) == 0 {
		t.Fatalf("%d of %d are there, and nothing was said to be cut", j.Last(), n)
	}
}

// What rotted is found at the start and by each reader, and not always as the same holes.
func TestPositionsThatAreLostAreCountedOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var known losses
		lost := map[uint64]bool{}
		for range rapid.IntRange(1, 12).Draw(t, "holes") {
			first := rapid.Uint64Range(1, 40).Draw(t, "first")
			h := hole{first: first, end: first + rapid.Uint64Range(1, 12).Draw(t, "length")}
			want := uint64(0)
			for position := h.first; position < h.end; position++ {
				if !lost[position] {
					lost[position] = true
					want++
				}
			}
			if got := known.add(h); got != want {
				t.Fatalf("%d to %d: %d are news, want %d", h.first, h.end-1, got, want)
			}
		}
	})
}

func TestADamagedBlockIsKeptAsLostWhereAnotherWasBegunBehindIt(t *testing.T) {
	for _, test := range []struct {
		name   string
		damage []int // blocks whose header rots
		torn   int   // block whose payload is cut, -1 for none
		last   uint64
		lost   string
	}{
		{"a header in the middle", []int{1}, -1, 4, "[2]"},
		{"two headers", []int{0, 2}, -1, 4, "[1 3]"},
		{"the last header, which looks like a torn end", []int{3}, -1, 3, "[]"},
		{"a header before a torn group", []int{2}, 3, 3, "[3]"},
		{"the header of the first block", []int{0}, -1, 4, "[1]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			j := openOn(t, folder(dir), dir, 1<<20)
			var at []int64
			for i := range 4 {
				at = append(at, max(j.Usage().Bytes, segmentHeaderBytes))
				if err := appendOne(j, random(500, i)); err != nil {
					t.Fatal(err)
				}
			}
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			name := filepath.Join(dir, segmentName(1))
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, b := range test.damage {
				text[at[b]+9] ^= 1
			}
			if test.torn >= 0 {
				text = append(text[:at[test.torn]+100], make([]byte, len(text)-int(at[test.torn])-100)...)
			}
			if err := os.WriteFile(name, text, 0o600); err != nil {
				t.Fatal(err)
			}
			for range 2 { // a second start finds the same
				j = openOn(t, folder(dir), dir, 1<<20)
				lost := []uint64{}
				for p := uint64(1); p <= j.Last(); p++ {
					r, err := j.Read(context.Background(), p, 1)
					if err != nil {
						t.Fatal(err)
					}
					if r[0].Kind == ingest.KindRejected {
						lost = append(lost, p)
					} else if string(r[0].Body) != random(500, int(p-1)) {
						t.Errorf("%d has another body", p)
					}
				}
				if j.Last() != test.last || fmt.Sprint(lost) != test.lost {
					t.Errorf("last %d, lost %v", j.Last(), lost)
				}
				if err := j.Close(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
