package correlate_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
)

// start is when generated histories begin.
const start = ingest.Millis(1_790_000_000_000)

// chain is a small catalogue: four services that depend on one another, and two apart.
func chain() correlate.Config {
	return correlate.Config{Services: []correlate.Service{
		{Name: "a", DependsOn: []string{"b"}}, {Name: "b", DependsOn: []string{"c", "d"}},
		{Name: "c", DependsOn: []string{"d"}}, {Name: "d"}, {Name: "e"}, {Name: "f", DependsOn: []string{"e"}},
	}}
}

// history draws deliveries: alerts that fire, repeat, flap and resolve, bunched so
// that they have something to do with one another.
func history(t *rapid.T) []arrival {
	var all []arrival
	pods := 0
	for range rapid.IntRange(1, 12).Draw(t, "bunches") {
		from := start + ingest.Millis(rapid.Int64Range(0, int64(3*ingest.Hour)).Draw(t, "from"))
		for range rapid.IntRange(1, 8).Draw(t, "alerts") {
			pods++
			all = append(all, firings(t, from, pods)...)
		}
		if rapid.Bool().Draw(t, "changed") {
			at := from - ingest.Millis(rapid.Int64Range(0, int64(20*ingest.Minute)).Draw(t, "before"))
			service := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "changed service")
			all = append(all, arrival{at, []ingest.Event{{Tenant: "t", Source: "ci", ReceivedAt: at, Change: &ingest.Change{
				ID: fmt.Sprint("change-", at), Kind: "deployment", Service: service, StartedAt: at,
			}}}})
		}
	}
	slices.SortStableFunc(all, func(a, b arrival) int { return int(a.at - b.at) })
	return all
}

// firings draws the deliveries of one alert that begins near an instant, one pod's. The clock of a peer may be
// ahead, but it does not name the very millisecond at which the alert fires next: then nothing tells the two apart.
func firings(t *rapid.T, from ingest.Millis, pod int) []arrival {
	service := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", ""}).Draw(t, "service")
	name := rapid.SampledFrom([]string{"Slow", "Errors", "Down"}).Draw(t, "name")
	host := rapid.SampledFrom([]string{"h1", "h2", "h3"}).Draw(t, "host")
	labels := ingest.LabelsOf(map[string]string{
		"alertname": name, "service": service, "host": host, "site": "one", "pod": fmt.Sprint("pod-", pod),
		"severity": rapid.SampledFrom([]string{"critical", "warning"}).Draw(t, "severity"),
	})
	fingerprint := fmt.Sprintf("%016x", pod)
	at := from + ingest.Millis(rapid.Int64Range(0, int64(6*ingest.Minute)).Draw(t, "start"))
	var all []arrival
	for range rapid.IntRange(1, 3).Draw(t, "firings") {
		heard := at + ingest.Millis(rapid.Int64Range(0, int64(6*ingest.Minute)).Draw(t, "delay"))
		tell := func(alert ingest.Alert) {
			alert.Fingerprint, alert.Labels = fingerprint, labels
			all = append(all, arrival{heard, []ingest.Event{{Tenant: "t", Source: "am", ReceivedAt: heard, Alert: &alert}}})
		}
		tell(ingest.Alert{StartsAt: at})
		if rapid.Bool().Draw(t, "repeats") {
			heard += ingest.Millis(rapid.Int64Range(1, int64(5*ingest.Minute)).Draw(t, "repeat"))
			tell(ingest.Alert{StartsAt: at})
		}
		named, latest := at, at // by the resolve, and of all
		if rapid.IntRange(0, 3).Draw(t, "another start") == 0 {
			heard += ingest.Millis(rapid.Int64Range(1, int64(ingest.Minute)).Draw(t, "heard again"))
			other := at + ingest.Millis(rapid.Int64Range(1, int64(ingest.Minute)).Draw(t, "start of a peer"))
			tell(ingest.Alert{StartsAt: other})
			named, latest = rapid.SampledFrom([]ingest.Millis{at, other}).Draw(t, "named"), other
		}
		ends := at + ingest.Millis(rapid.Int64Range(1, int64(10*ingest.Minute)).Draw(t, "length"))
		heard = max(heard, ends) + ingest.Millis(rapid.Int64Range(0, int64(ingest.Minute)).Draw(t, "heard"))
		if rapid.IntRange(0, 9).Draw(t, "resolve lost") > 0 {
			tell(ingest.Alert{StartsAt: named, EndsAt: ends, Resolved: true})
		}
		at = max(heard, ends, latest) + ingest.Millis(rapid.Int64Range(1, int64(20*ingest.Minute)).Draw(t, "gap"))
	}
	return all
}

func random(t *rapid.T) *rand.Rand { return rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1)) }

func TestOrderWithinTheLatenessChangesNothingInTheEnd(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		arrivals := history(rt)
		last := end(arrivals)
		want := newWorld(t, chain()).run(arrivals...).until(last).final()
		got := newWorld(t, chain()).run(shuffled(arrivals, correlate.Lateness, random(rt))...).until(last).final()
		if diff := unlike(want, got); diff != "" {
			rt.Fatal(diff)
		}
	})
}

func TestCopiesWithinTheCopyWindowChangeNothingInTheEnd(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		arrivals := history(rt)
		last := end(arrivals) + 15*ingest.Minute
		want := newWorld(t, chain()).run(arrivals...).until(last).final()
		got := newWorld(t, chain()).run(twice(arrivals, 15*ingest.Minute, random(rt))...).until(last).final()
		if diff := unlike(want, got); diff != "" {
			rt.Fatal(diff)
		}
	})
}

func TestTheSameRunTwiceGivesTheSameOutputs(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		arrivals := history(rt)
		one, two := newWorld(t, chain()).run(arrivals...), newWorld(t, chain()).run(arrivals...)
		if diff := unlike(one.outputs, two.outputs); diff != "" {
			rt.Fatal(diff)
		}
	})
}

func TestTicksChangeNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		arrivals := history(rt)
		last := end(arrivals) + 2*ingest.Hour
		plain, with := newWorld(t, chain()).run(arrivals...).until(last), ticked(t, chain(), arrivals, last)
		if diff := unlike(plain.final(), with.final()); diff != "" {
			rt.Fatal(diff)
		}
		if diff := unlike(plain.transitions, with.transitions); diff != "" {
			rt.Fatal("transitions", diff)
		}
	})
}

// goesOnRestored restores a fold in the middle of a history, and compares what it gives from there on, and its state at the
// end, with those of one that went on.
func goesOnRestored(t *testing.T, rt *rapid.T, c correlate.Config, arrivals []arrival) {
	cut := rapid.IntRange(0, len(arrivals)).Draw(rt, "cut")
	last := end(arrivals) + 26*ingest.Hour
	whole := newWorld(t, c).run(arrivals[:cut]...)
	saved := snapshot(rt, whole.fold)
	whole.outputs = nil
	rest := newWorld(t, correlate.Config{})
	if err := rest.fold.Restore([]byte(saved)); err != nil {
		rt.Fatal(err)
	}
	whole.run(arrivals[cut:]...).until(last)
	rest.run(arrivals[cut:]...).until(last)
	if diff := unlike(whole.outputs, rest.outputs); diff != "" {
		rt.Fatal(diff)
	}
	if snapshot(rt, whole.fold) != snapshot(rt, rest.fold) {
		rt.Fatal("the states differ at the end")
	}
}

// ticked runs a history with a tick at every timer that is due between its deliveries.
func ticked(t *testing.T, c correlate.Config, arrivals []arrival, last ingest.Millis) *world {
	w := newWorld(t, c)
	for i, a := range arrivals {
		w.run(a)
		next := last
		if i+1 < len(arrivals) {
			next = arrivals[i+1].at
		}
		for due, waits := w.fold.NextTimer(); waits && due < next; due, waits = w.fold.NextTimer() {
			w.until(due)
		}
	}
	return w.until(last)
}

// ticksChangeNothing compares where a history ends, and what was silent, with and without ticks.
func ticksChangeNothing(t *testing.T, rt *rapid.T, c correlate.Config, arrivals []arrival) {
	last := end(arrivals) + 12*ingest.Hour
	plain, with := newWorld(t, c).run(arrivals...).until(last), ticked(t, c, arrivals, last)
	if diff := unlike(plain.final(), with.final()); diff != "" {
		rt.Fatal(diff)
	}
	if diff := unlike(silences(plain), silences(with)); diff != "" {
		rt.Fatal(diff)
	}
}

func TestAFoldRestoredAnywhereGoesOnAsIfNothingHadHappened(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		goesOnRestored(t, rt, chain(), shuffled(history(rt), correlate.Lateness, random(rt)))
	})
}

// In a flood deciding is put off, and so are rows: after a restart, for as long as without.
func TestAFoldRestoredInAFloodGoesOnAsIfNothingHadHappened(t *testing.T) {
	all, c := flood(1500)
	var arrivals []arrival
	for _, a := range all {
		for _, e := range a.events {
			at := (e.ReceivedAt - start) / 20
			at = start + at/2000*2000 + at%2000/1000*500 // two deliveries within a second, each two seconds
			e.ReceivedAt, e.Alert.StartsAt = at, start
			if n := len(arrivals); n == 0 || arrivals[n-1].at != at {
				arrivals = append(arrivals, arrival{at: at})
			}
			last := &arrivals[len(arrivals)-1]
			last.events = append(last.events, e)
		}
	}
	for i := 1; i < len(arrivals); i += 3 { // and then another tenant's
		other, at := *arrivals[i].events[0].Alert, arrivals[i].at/2000*2000+1800
		arrivals = slices.Insert(arrivals, i+1, arrival{at: at, events: []ingest.Event{{Tenant: "u", Source: "am", ReceivedAt: at, Alert: &other}}})
	}
	slices.SortStableFunc(arrivals, func(a, b arrival) int { return int(a.at - b.at) })
	last := end(arrivals) + ingest.Hour
	cuts := 0
	for cut := 1; cut < len(arrivals); cut++ {
		whole := newWorld(t, c).run(arrivals[:cut]...)
		if _, waits := whole.fold.Undecided(); !waits {
			continue
		}
		cuts++
		saved, err := whole.fold.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		whole.outputs = nil
		rest := newWorld(t, correlate.Config{})
		if err := rest.fold.Restore(saved); err != nil {
			t.Fatal(err)
		}
		whole.run(arrivals[cut:]...).until(last)
		rest.run(arrivals[cut:]...).until(last)
		if diff := unlike(whole.outputs, rest.outputs); diff != "" {
			t.Fatalf("restored after %d of %d deliveries:\n%s", cut, len(arrivals), diff)
		}
	}
	if cuts < 3 {
		t.Fatalf("deciding is put off at %d cuts only: the test does not test", cuts)
	}
}

func snapshot(t *rapid.T, f *correlate.Fold) string {
	b, err := f.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestRecordedDeliveriesInAnyOrderAndTwiceEndInTheSameIncidents(t *testing.T) {
	cases := map[string]func(testing.TB) ([]arrival, correlate.Config){
		"alertmanager": func(t testing.TB) ([]arrival, correlate.Config) { return recordedWebhooks(t), correlate.Config{} },
		"calm":         func(t testing.TB) ([]arrival, correlate.Config) { return recordedStorm(t, "calm") },
		"busy":         func(t testing.TB) ([]arrival, correlate.Config) { return recordedStorm(t, "busy") },
		"dense":        func(t testing.TB) ([]arrival, correlate.Config) { return recordedStorm(t, "dense") },
	}
	for name, read := range cases {
		t.Run(name, func(t *testing.T) {
			arrivals, c := read(t)
			last := end(arrivals) + 15*ingest.Minute
			want := newWorld(t, c).run(arrivals...).until(last).final()
			random := rand.New(rand.NewPCG(7, 7))
			again := newWorld(t, c).run(twice(arrivals, 15*ingest.Minute, random)...).until(last).final()
			if diff := unlike(want, again); diff != "" {
				t.Error("twice", diff)
			}
			for range 2 {
				late := newWorld(t, c).run(shuffled(arrivals, correlate.Lateness, random)...).until(last).final()
				if diff := unlike(want, late); diff != "" {
					t.Error("in another order", diff)
				}
			}
		})
	}
}
