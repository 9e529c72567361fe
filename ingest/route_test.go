package ingest_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/ingest"
)

func genEvent() *rapid.Generator[ingest.Event] {
	return rapid.Custom(func(t *rapid.T) ingest.Event {
		e := ingest.Event{Tenant: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "tenant")}
		switch rapid.IntRange(0, 12).Draw(t, "kind") {
		case 0:
			e.Change = &ingest.Change{Service: "s"}
			return e
		case 1:
			e.Sample = &ingest.Sample{Service: "s"}
			return e
		case 2:
			e.Progress = &ingest.Progress{Stream: "s", ReadTo: 1}
			return e
		}
		e.Alert = &ingest.Alert{Labels: ingest.Labels{{Name: "cluster", Value: rapid.StringN(0, 3, -1).Draw(t, "cluster")}}}
		return e
	})
}

func TestEveryEventIsFoldedByTheCopiesOfItsRecordOnceOrEverywhere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		of := rapid.Uint32Range(1, 9).Draw(t, "partitions")
		label := rapid.SampledFrom([]string{"cluster", "", "missing"}).Draw(t, "label")
		routed := rapid.SliceOf(genEvent()).Draw(t, "events when it was routed")
		r := ingest.NewRoute(label, of, "a", routed)
		// A reader of another version may find other events in the same body.
		for _, e := range append(routed, rapid.SliceOf(genEvent()).Draw(t, "events when it is read")...) {
			var by []uint32
			for _, p := range r.Among {
				if r.Folds(p, e) {
					by = append(by, p)
				}
			}
			domain, everywhere := ingest.DomainOf(e, label)
			switch owner := ingest.PartitionOf(domain, of); {
			case everywhere:
				if !slices.Equal(by, r.Among) {
					t.Fatalf("a change is folded by %v of %v", by, r.Among)
				}
			case len(by) != 1:
				t.Fatalf("%v is folded by %v", e, by)
			case slices.Contains(r.Among, owner) && by[0] != owner:
				t.Fatalf("%v of partition %d is folded by %d", e, owner, by[0])
			}
		}
		if n := len(slices.DeleteFunc(slices.Clone(r.Among), func(p uint32) bool { return !r.Counts(p) })); n != 1 {
			t.Fatalf("%d copies count the record", n)
		}
	})
}

func TestARouteReachesThePartitionsOfItsEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		of := rapid.Uint32Range(1, 9).Draw(t, "partitions")
		events := rapid.SliceOf(genEvent()).Draw(t, "events")
		r := ingest.NewRoute("cluster", of, "a", events)
		want := map[uint32]bool{}
		for _, e := range events {
			domain, everywhere := ingest.DomainOf(e, "cluster")
			for p := range of {
				if everywhere || ingest.PartitionOf(domain, of) == p {
					want[p] = true
				}
			}
		}
		if len(want) == 0 && len(r.Among) != 1 || len(want) > 0 && len(r.Among) != len(want) {
			t.Fatalf("among %v, want %v", r.Among, want)
		}
		for _, p := range r.Among {
			if len(want) > 0 && !want[p] {
				t.Fatalf("among %v, want %v", r.Among, want)
			}
		}
	})
}

// These are on disk in every journal: where they change, a domain's history is cut in two.
func TestThePartitionOfADomainNeverChanges(t *testing.T) {
	got := map[string]uint32{}
	for _, domain := range []string{"default\x00", "default\x00eu-1", "default\x00eu-2", "a\x00eu-1"} {
		got[domain] = ingest.PartitionOf(domain, 8)
	}
	want := map[string]uint32{"default\x00": 7, "default\x00eu-1": 5, "default\x00eu-2": 0, "a\x00eu-1": 0}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestDomainsSpreadOverPartitions(t *testing.T) {
	const of, domains = 8, 4000
	var held [of]int
	for i := range domains {
		held[ingest.PartitionOf("default\x00cluster-"+string(rune('a'+i%26))+string(rune(0x400+i)), of)]++
	}
	for p, n := range held {
		if n < domains/of/2 || n > domains/of*2 {
			t.Errorf("partition %d has %d of %d domains", p, n, domains)
		}
	}
}

func TestARouteIsTheSameAfterText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		of := rapid.Uint32Range(1, 9).Draw(t, "partitions")
		label := rapid.String().Draw(t, "label")
		r := ingest.NewRoute(label, of, "a", rapid.SliceOf(genEvent()).Draw(t, "events"))
		text, err := r.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var back ingest.Route
		if err := back.UnmarshalText(text); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r, back); diff != "" {
			t.Fatalf("%s (-want +got)\n%s", text, diff)
		}
	})
}

func TestTextThatIsNoRoute(t *testing.T) {
	for _, text := range []string{"", "8", "8:", "8::l", "8:8:l", "8:1,1:l", "8:2,1:l", "x:1:l", "8:-1:l", "4294967296:1:l"} {
		var r ingest.Route
		if err := r.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q: %v", text, r)
		}
	}
}

func TestARecordWithoutARouteIsForItsPartition(t *testing.T) {
	var none *ingest.Route
	if !none.Folds(3, ingest.Event{Alert: &ingest.Alert{}}) || !none.Counts(3) {
		t.Error("not folded")
	}
}
