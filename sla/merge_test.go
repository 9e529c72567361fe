package sla

import (
	"hash/fnv"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
)

// What several ledgers say, each of its own alerts, comes to what one says that has all of them.
func TestMergedLedgersOfPartitionsAreTheLedgerOfAllAlerts(t *testing.T) {
	const partitions = 3
	rapid.Check(t, func(t *rapid.T) {
		h := configuredBefore(t, histories().Draw(t, "history"))
		whole := run(t, h, nil)
		parts := make([]Output, partitions)
		for p := range parts {
			parts[p] = runShare(t, h, Share{uint32(p), partitions})
		}
		for _, service := range []string{"shop", "cart"} {
			for _, agreement := range []string{"", "gold", "basic"} {
				var told [][]Segment
				for _, part := range parts {
					told = append(told, netSegments(part, service, agreement))
				}
				want, got := MergeSegments(netSegments(whole, service, agreement)), MergeSegments(told...)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("%s, %q (-one ledger +merged):\n%s", service, agreement, diff)
				}
			}
			var told [][]Stretch
			for _, part := range parts {
				told = append(told, netStretches(part, service))
			}
			if diff := cmp.Diff(MergeStretches(netStretches(whole, service)), MergeStretches(told...)); diff != "" {
				t.Fatalf("%s (-one ledger +merged):\n%s", service, diff)
			}
		}
	})
}

func TestEveryServiceIsInTheShareOfOneLedger(t *testing.T) {
	for _, service := range []string{"shop", "cart", "", "it's"} {
		n := 0
		for p := range uint32(5) {
			if (Share{p, 5}).Has(service) {
				n++
			}
		}
		if n != 1 || !(Share{}).Has(service) {
			t.Errorf("%q is in %d shares of five", service, n)
		}
	}
}

func TestTheWorstOfWhatLedgersSayCounts(t *testing.T) {
	at := func(from, to ingest.Millis, s State) Segment {
		return Segment{Service: "shop", Bucket: bucketOf(s), State: s, From: from, To: to}
	}
	closed := func(from, to ingest.Millis, s State) Segment {
		one := at(from, to, s)
		one.Bucket = MaintenanceBucket
		return one
	}
	got := MergeSegments(
		[]Segment{at(0, 10, Up), at(10, 20, Down), at(20, 40, Unknown), closed(40, 50, Up)},
		nil,
		[]Segment{at(5, 15, Degraded), at(15, 25, Unknown), at(25, 30, Down), closed(40, 50, Down)},
	)
	want := []Segment{
		at(0, 5, Up), at(5, 10, Degraded), at(10, 20, Down), at(20, 25, Unknown), at(25, 30, Down), at(30, 40, Unknown), closed(40, 50, Down),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// configuredBefore makes both services configured before anything else: what is seen of a
// service before that is evidence in the ledger that saw it only.
func configuredBefore(t *rapid.T, h history) history {
	begin := configuration(t, h)
	levels := begin.Services[0]
	begin.Services = nil
	for _, name := range []string{"cart", "shop"} {
		levels.Name = name
		begin.Services = append(begin.Services, levels)
	}
	h.acts = slices.Insert(slices.Clone(h.acts), 0, act{at: h.begin - 3*ingest.Day, configure: &begin})
	return h
}

// runShare folds the part of a history that a partition sees: every configuration, and
// the alerts that are its own.
func runShare(t *rapid.T, h history, share Share) Output {
	l := NewSharedLedger(share)
	var all Output
	for _, a := range append(slices.Clone(h.acts), act{at: h.end}) {
		l.Advance(a.at)
		if a.configure != nil {
			if err := l.Configure(a.at, *a.configure); err != nil {
				t.Fatal(err)
			}
		}
		for _, w := range a.windows { // as are maintenance windows
			l.Maintain(w)
		}
		l.Silence(a.silences) // signs of life are told to all
		for _, e := range a.episodes {
			if partitionOf(e, share.Of) == share.Index {
				l.Apply([]correlate.Episode{e})
			}
		}
		out := l.Flush()
		all.Ledger, all.Segments = append(all.Ledger, out.Ledger...), append(all.Segments, out.Segments...)
	}
	return all
}

func partitionOf(e correlate.Episode, n uint32) uint32 {
	h := fnv.New32a()
	h.Write([]byte(e.Fingerprint))
	return h.Sum32() % n
}

// netSegments returns what rows leave of one service under an agreement, in order of time.
func netSegments(out Output, service, agreement string) []Segment {
	net := make(map[Segment]int8)
	for _, row := range out.Segments {
		if row.Service == service && row.Agreement == agreement {
			net[Segment{Service: service, Agreement: agreement, Bucket: row.Bucket, State: row.State, From: row.From, To: row.To}] += row.Sign
		}
	}
	return inTime(net, func(s Segment) ingest.Millis { return s.From })
}

func netStretches(out Output, service string) []Stretch {
	net := make(map[Stretch]int8)
	for _, row := range out.Ledger {
		if row.Service == service {
			net[Stretch{Service: service, State: row.State, From: row.From, To: row.To}] += row.Sign
		}
	}
	return inTime(net, func(s Stretch) ingest.Millis { return s.From })
}

func inTime[S comparable](net map[S]int8, from func(S) ingest.Millis) []S {
	var left []S
	for s, n := range net {
		if n != 0 {
			left = append(left, s)
		}
	}
	slices.SortFunc(left, func(a, b S) int { return int(from(a) - from(b)) })
	return left
}
