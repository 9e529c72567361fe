package correlate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
)

// watched is the chain whose alerts come from a source that shows every five minutes that it is alive.
func watched() correlate.Config {
	c := chain()
	c.Heartbeats = []correlate.Heartbeat{{
		Tenant: "t", Source: "am", Every: int64(5 * ingest.Minute), Services: []string{"e", "nobody knows it"},
		Matchers: []correlate.Match{{Name: "alertname", Op: "=", Value: "Watchdog"}},
	}}
	return c
}

// sign is a sighting of the alert that always fires.
func sign(heard int) arrival { return signAt(minute(heard)) }

func signAt(at ingest.Millis) arrival {
	return arrival{at, []ingest.Event{{Tenant: "t", Source: "am", ReceivedAt: at, Alert: &ingest.Alert{
		Fingerprint: "w", StartsAt: start - ingest.Day, Labels: ingest.LabelsOf(map[string]string{"alertname": "Watchdog"}),
	}}}}
}

// signEnds is the resolve of that alert.
func signEnds(heard, ends int) arrival {
	a := sign(heard)
	a.events[0].Alert.Resolved, a.events[0].Alert.EndsAt = true, minute(ends)
	return a
}

// from gives an arrival another source.
func from(source string, a arrival) arrival {
	a.events[0].Source = source
	return a
}

func TestEpisodesOfASourceThatFallsSilent(t *testing.T) {
	for name, c := range map[string]struct {
		arrivals []arrival
		until    int // minutes
		want     []string
	}{
		"as long as it gives signs of life, what fires is known to": {
			[]arrival{sign(1), said(2, 0), sign(5), sign(9)}, 13, []string{"0 to now"}},
		"what fired is unknown since the last sign": {
			[]arrival{sign(1), said(2, 0), sign(4)}, 20, []string{"0 to unknown since 4"}},
		"what began after the last sign is unknown since it was seen": {
			[]arrival{sign(1), said(3, 2)}, 20, []string{"2 to unknown since 3"}},
		"what begins while it is silent is known as long as it is seen": {
			[]arrival{sign(1), said(21, 20), said(23, 20)}, 23, []string{"20 to unknown since 23"}},
		"what is sent again while it is silent may come from memory": {
			[]arrival{sign(1), said(1, 0), said(20, 0)}, 20, []string{"0 to unknown since 1"}},
		"what was unknown before stays so since then": {
			[]arrival{sign(1), said(1, 0), doubtful(said(3, 0)), sign(4)}, 20, []string{"0 to unknown since 1"}},
		"a resolve while it is silent is no end": {
			[]arrival{sign(1), said(2, 0), sign(4), said(20, 0, 9)}, 30, []string{"0 to unknown since 4"}},
		"a resolve after the last sign is taken back": {
			[]arrival{sign(1), said(2, 0), sign(4), said(6, 0, 6)}, 30, []string{"0 to unknown since 4"}},
		"it is believed before the source is known to be silent": {
			[]arrival{sign(1), said(2, 0), sign(4), said(6, 0, 6)}, 8, []string{"0 to 6"}},
		"an end from before the last sign is believed": {
			[]arrival{sign(1), said(2, 0), sign(4), said(20, 0, 3)}, 30, []string{"0 to 3"}},
		"a resolve of what was never seen is no end while it is silent": {
			[]arrival{sign(4), said(20, 0, 9)}, 30, []string{"0 to unknown since 4"}},
		"when it is heard of again, what was unknown remains so": {
			[]arrival{sign(1), said(2, 0), sign(4), sign(30), sign(34)}, 36, []string{"0 to unknown since 4"}},
		"what is seen again then with the same start fired all the time": {
			[]arrival{sign(1), said(2, 0), sign(4), sign(30), said(33, 0), sign(34)}, 36, []string{"0 to now"}},
		"what is seen in the delivery of the sign, too": {
			[]arrival{sign(1), said(2, 0), sign(4), said(30, 0), sign(30)}, 33, []string{"0 to now"}},
		"what is seen a moment before the sign, too": {
			[]arrival{sign(1), said(2, 0), sign(4), said(28, 0), sign(30)}, 33, []string{"0 to now"}},
		"what is seen again with another start is another episode": {
			[]arrival{sign(1), said(2, 0), sign(4), sign(30), said(33, 28), sign(34)}, 36, []string{"0 to unknown since 4 until 28", "28 to now"}},
		"what ended a moment before the sign ended": {
			[]arrival{sign(1), said(2, 0), sign(4), said(28, 0, 27), sign(30)}, 33, []string{"0 to 27"}},
		"what ends after the sign ended": {
			[]arrival{sign(1), said(2, 0), sign(4), sign(30), said(31, 0, 20), sign(34)}, 36, []string{"0 to 20"}},
		"what is not seen again ends as unknown where the source was heard of again": {
			slices.Concat([]arrival{sign(1), said(2, 0), sign(4)}, signs(30, 600)), 600, []string{"0 to unknown since 4 until 30"}},
		"when it falls silent again it is unknown since the first time": {
			[]arrival{sign(1), said(2, 0), sign(4), sign(30)}, 60, []string{"0 to unknown since 4"}},
		"the end of what always fires says that it is silent": {
			[]arrival{sign(1), said(1, 0), sign(2), signEnds(3, 3)}, 3, []string{"0 to unknown since 2"}},
		"an old end of it says nothing": {
			[]arrival{sign(1), said(1, 0), sign(2), signEnds(3, 1)}, 3, []string{"0 to now"}},
		"another source is not concerned": {
			[]arrival{sign(1), from("other", said(2, 0))}, 60, []string{"0 to now"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, watched()).run(c.arrivals...).until(minute(c.until))
			if diff := cmp.Diff(c.want, lives(w)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// signs are signs of life from a minute to another.
func signs(from, to int) []arrival {
	var all []arrival
	for at := from; at <= to; at += 4 {
		all = append(all, sign(at))
	}
	return all
}

func TestWithoutMatchersWhateverASourceSendsIsASignOfLife(t *testing.T) {
	c := watched()
	c.Heartbeats[0].Matchers = nil
	w := newWorld(t, c).run(said(1, 0), from("ci", said(4, 3))).until(minute(20))
	if diff := cmp.Diff([]string{"0 to unknown since 1", "3 to now"}, lives(w)); diff != "" {
		t.Error(diff)
	}
	w.run(said(30, 0))
	if diff := cmp.Diff([]string{"0 to now", "3 to now"}, lives(w)); diff != "" {
		t.Error(diff)
	}
}

func TestASignOfLifeIsNoEpisode(t *testing.T) {
	w := newWorld(t, chain()).run(sign(1))
	if len(w.episodes) != 1 {
		t.Fatal("without a declaration it is one: the test does not test")
	}
	if err := w.fold.Configure(watched()); err != nil {
		t.Fatal(err)
	}
	w.run(sign(2), sign(3))
	if diff := cmp.Diff([]string{"-1440 to 1"}, lives(w)); diff != "" {
		t.Error(diff)
	}
}

// silences tells the life of the incidents of silent sources.
func silences(w *world) []string {
	var steps []correlate.Transition
	for _, tr := range w.transitions {
		if w.incidents[tr.Incident].Kind == correlate.Silent {
			steps = append(steps, tr)
		}
	}
	return story(steps)
}

func TestASilenceIsAnIncidentOfItsOwn(t *testing.T) {
	for name, c := range map[string]struct {
		arrivals []arrival
		until    int
		want     []string
		state    correlate.IncidentState
	}{
		"it opens at the last sign of life": {
			[]arrival{sign(1), sign(4)}, 20, []string{"opened at 4"}, correlate.IncidentOpen},
		"it is resolved by the next one, and closed after a while": {
			slices.Concat([]arrival{sign(1)}, signs(30, 90)), 90, []string{"opened at 1", "resolved at 30", "closed at 60"}, correlate.IncidentClosed},
		"it opens again when the source soon falls silent again": {
			[]arrival{sign(1), sign(30), sign(34)}, 60, []string{"opened at 1", "resolved at 30", "reopened at 34"}, correlate.IncidentOpen},
		"a source that never gave a sign is not waited for": {
			[]arrival{from("other", said(1, 0))}, 60, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, watched()).run(c.arrivals...).until(minute(c.until))
			if diff := cmp.Diff(c.want, silences(w)); diff != "" {
				t.Error(diff)
			}
			for _, i := range incidentsOf(w) {
				if i.Kind == correlate.Silent && (i.State != c.state || i.Title != "monitoring silent: am" || i.Episodes != 0) {
					t.Errorf("%+v", i)
				}
			}
		})
	}
}

func TestASourceThatIsDeclaredWhileTimeRunsIsWaitedForFromThenOn(t *testing.T) {
	w := newWorld(t, chain()).run(from("other", said(1, 0)))
	if err := w.fold.Configure(watched()); err != nil {
		t.Fatal(err)
	}
	w.until(minute(10))
	if diff := cmp.Diff([]string{"opened at 1"}, silences(w)); diff != "" {
		t.Error(diff)
	}
	if err := w.fold.Configure(chain()); err != nil {
		t.Fatal(err)
	}
	w.until(minute(11))
	if diff := cmp.Diff([]string{"opened at 1", "resolved at 10", "closed at 10"}, silences(w)); diff != "" {
		t.Error(diff)
	}
}

func TestASilenceNamesTheServicesThatItsSourceWatches(t *testing.T) {
	w := newWorld(t, watched()).run(sign(1), said(2, 0)).until(minute(10))
	late := said(12, 11)
	late.events[0].Alert.Fingerprint, late.events[0].Alert.Labels = "late", ingest.LabelsOf(map[string]string{"service": "d"})
	w.run(late, sign(30))
	var got []correlate.Silence
	for _, out := range w.outputs {
		got = append(got, out.Silences...)
	}
	of := func(to ingest.Millis, services ...string) correlate.Silence {
		return correlate.Silence{Tenant: "t", Source: "am", Services: services, From: minute(1), To: to}
	}
	if diff := cmp.Diff([]correlate.Silence{of(0, "a", "e"), of(0, "a", "d", "e"), of(minute(30), "a", "d", "e")}, got); diff != "" {
		t.Error(diff)
	}
}

func TestNothingIsResolvedBySilence(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) { silenceResolvesNothing(t, rt, watched(), signAt(start)) })
}

// silenceResolvesNothing checks that after the one sign of life nothing is resolved but by a resolve, and nothing is said to fire.
func silenceResolvesNothing(t *testing.T, rt *rapid.T, c correlate.Config, sign arrival) {
	t.Helper()
	arrivals := history(rt)
	w := newWorld(t, c).run(sign).run(arrivals...)
	before := w.final()
	w.until(end(arrivals) + 6*ingest.Hour)
	for k, f := range w.final() {
		if before[k].State != correlate.Resolved && f.State == correlate.Resolved {
			rt.Fatalf("was %+v, is %+v", before[k], f)
		}
		if f.Key.Source == "am" && f.State == correlate.Firing {
			rt.Fatalf("nothing is heard of its source, and it is said to fire: %+v", f)
		}
	}
}

func TestSignsOfLifeThatComeInTimeChangeNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) { isAsWithoutSigns(t, rt, watched(), 5*ingest.Minute, signAt) })
}

// isAsWithoutSigns checks that a history ends as it does where nobody listens for signs of life, if there is always one in time.
func isAsWithoutSigns(t *testing.T, rt *rapid.T, listening correlate.Config, every ingest.Millis, sign func(at ingest.Millis) arrival) {
	t.Helper()
	arrivals := twice(history(rt), 15*ingest.Minute, random(rt))
	last := end(arrivals) + ingest.Hour
	listened := slices.Clone(arrivals)
	for at := start - ingest.Hour; at <= last; at += every {
		listened = append(listened, sign(at))
	}
	slices.SortStableFunc(listened, func(a, b arrival) int { return int(a.at - b.at) })
	want := newWorld(t, chain()).run(arrivals...).until(last).final()
	got := newWorld(t, listening).run(listened...).until(last).final()
	if diff := unlike(want, got); diff != "" {
		rt.Fatal(diff)
	}
}

// inStretches adds signs of life to a history: stretches with one a minute, and silence between.
func inStretches(t *rapid.T, arrivals []arrival, sign func(at ingest.Millis) arrival) []arrival {
	all := slices.Clone(arrivals)
	at := start
	for range rapid.IntRange(1, 5).Draw(t, "stretches") {
		for range rapid.IntRange(1, 40).Draw(t, "signs") {
			all = append(all, sign(at))
			at += ingest.Minute
		}
		at += ingest.Millis(rapid.Int64Range(int64(ingest.Minute), int64(40*ingest.Minute)).Draw(t, "silent"))
	}
	slices.SortStableFunc(all, func(a, b arrival) int { return int(a.at - b.at) })
	return all
}

func TestAFoldThatListensForSignsOfLifeGoesOnWhereItWasRestored(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) { goesOnRestored(t, rt, watched(), inStretches(rt, history(rt), signAt)) })
}

func TestTicksChangeNothingWhereSourcesFallSilent(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) { ticksChangeNothing(t, rt, watched(), inStretches(rt, history(rt), signAt)) })
}

func TestAHeartbeatThatCannotBeUsedIsAnError(t *testing.T) {
	for want, beats := range map[string][]correlate.Heartbeat{
		"names no source":        {{Every: 1}},
		"every is 0 ms":          {{Source: "am"}},
		"tenant default has two": {{Source: "am", Every: 1}, {Tenant: "default", Source: "am", Every: 2}},
		"either a stream or":     {{Source: "am", Every: 1, Stream: "s", Matchers: []correlate.Match{{Name: "a", Op: "=", Value: "b"}}}},
		`matcher a=~"("`:         {{Source: "am", Every: 1, Matchers: []correlate.Match{{Name: "a", Op: "=~", Value: "("}}}},
	} {
		err := correlate.New(0).Configure(correlate.Config{Heartbeats: beats})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", fmt.Sprint(beats), err)
		}
	}
}
