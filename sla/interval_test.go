package sla

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/ingest"
)

const ticks = 40

func intervals() *rapid.Generator[[]Interval] {
	one := rapid.Custom(func(t *rapid.T) Interval {
		bound := rapid.IntRange(0, ticks)
		return Interval{ingest.Millis(bound.Draw(t, "from")), ingest.Millis(bound.Draw(t, "to"))}
	})
	return rapid.SliceOfN(one, 0, 8)
}

// in is the naive model: every instant is asked for by itself.
func in(intervals []Interval, t ingest.Millis) bool {
	for _, i := range intervals {
		if i.From <= t && t < i.To {
			return true
		}
	}
	return false
}

func TestSetsAreWhatEveryInstantByItselfSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		as, bs := intervals().Draw(t, "a"), intervals().Draw(t, "b")
		w := Interval{ingest.Millis(rapid.IntRange(0, ticks).Draw(t, "from")), ingest.Millis(rapid.IntRange(0, ticks).Draw(t, "to"))}
		a, b := Union(as...), Union(bs...)
		got := map[string]Set{
			"union": a.Union(b), "intersection": a.Intersect(b), "difference": a.Subtract(b), "clip": a.Clip(w), "a": a,
		}
		want := map[string]func(ingest.Millis) bool{
			"union":        func(x ingest.Millis) bool { return in(as, x) || in(bs, x) },
			"intersection": func(x ingest.Millis) bool { return in(as, x) && in(bs, x) },
			"difference":   func(x ingest.Millis) bool { return in(as, x) && !in(bs, x) },
			"clip":         func(x ingest.Millis) bool { return in(as, x) && w.Contains(x) },
			"a":            func(x ingest.Millis) bool { return in(as, x) },
		}
		for name, set := range got {
			var length int64
			for x := range ingest.Millis(ticks) {
				if want[name](x) != set.Contains(x) {
					t.Fatalf("%s %v: instant %d in it is %v", name, set, x, set.Contains(x))
				}
				if set.Contains(x) {
					length++
				}
			}
			if set.Length() != length {
				t.Fatalf("%s %v: length %d, %d instants", name, set, set.Length(), length)
			}
			for k, i := range set {
				if i.Empty() || k > 0 && set[k-1].To >= i.From {
					t.Fatalf("%s %v: not ascending, disjoint and apart", name, set)
				}
			}
		}
	})
}

func TestCutsOfASetAreTheInstantsAtWhichItChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Union(intervals().Draw(t, "set")...)
		at := ingest.Millis(rapid.IntRange(1, ticks).Draw(t, "at"))
		next, prev := Forever, ingest.Millis(0)
		for x := at + 1; x <= ticks && next == Forever; x++ {
			if s.Contains(x) != s.Contains(x-1) {
				next = x
			}
		}
		for x := at - 1; x > 0 && prev == 0; x-- {
			if s.Contains(x) != s.Contains(x-1) {
				prev = x
			}
		}
		if s.next(at) != next || s.prev(at) != prev {
			t.Fatalf("%v at %d: next %d and prev %d, want %d and %d", s, at, s.next(at), s.prev(at), next, prev)
		}
	})
}

func TestAnIntervalMinusAnotherKeepsTheRest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		two := rapid.SliceOfN(rapid.IntRange(0, ticks), 4, 4).Draw(t, "bounds")
		a, b := Interval{ingest.Millis(two[0]), ingest.Millis(two[1])}, Interval{ingest.Millis(two[2]), ingest.Millis(two[3])}
		want := Union(a).Subtract(Union(b))
		if diff := cmp.Diff([]Interval(want), append([]Interval(nil), a.Minus(b)...)); diff != "" {
			t.Fatalf("%v minus %v: %s", a, b, diff)
		}
	})
}

// The union of the ClickHouse documentation of intervalLengthSum, and a planned day
// within planned days (Centreon 1606), out of vectors/availability.json.
func TestWhatOverlapsCountsOnce(t *testing.T) {
	at := func(clock string) ingest.Millis {
		c, err := time.Parse("2006-01-02 15:04:05", "2026-11-29 "+clock)
		if err != nil {
			t.Fatal(err)
		}
		return ingest.MillisOf(c)
	}
	documented := Union(
		Interval{at("02:05:30"), at("02:50:31")}, Interval{at("01:12:30"), at("02:10:10")}, Interval{at("03:11:22"), at("03:23:31")})
	if got := documented.Length(); got != 6610_000 {
		t.Errorf("union of %d ms, want 6610 s", got)
	}
	first := at("00:00:00")
	plannedTwice := planned([]Maintenance{
		{From: int64(first), To: int64(first + 2*ingest.Day)},
		{From: int64(first + 36*ingest.Hour), To: int64(first + 40*ingest.Hour)},
	})
	if got := plannedTwice.Clip(Interval{first + ingest.Day, first + 2*ingest.Day}).Length(); got != 24*3600_000 {
		t.Errorf("30 November has %d ms planned, want 24 h", got)
	}
}
