package correlate_test

import (
	"fmt"
	"testing"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
)

func TestAnAlertRepeatsWhatItSaidLately(t *testing.T) {
	const minute = ingest.Minute
	alert := func(change func(*ingest.Alert)) *ingest.Alert {
		a := &ingest.Alert{
			Fingerprint: "f", StartsAt: start, Labels: ingest.Labels{{Name: "alertname", Value: "A"}},
			Annotations: ingest.Labels{{Name: "summary", Value: "s"}}, GeneratorURL: "u", Receiver: "r", GroupKey: "g",
		}
		change(a)
		return a
	}
	firing := alert(func(*ingest.Alert) {})
	resolved := alert(func(a *ingest.Alert) { a.Resolved, a.EndsAt = true, start+minute })
	promise := func(minutes int) *ingest.Alert {
		return alert(func(a *ingest.Alert) { a.EndsAt, a.EndsByTimeout = start+ingest.Millis(minutes)*minute, true })
	}
	undated := func(at int) *ingest.Alert {
		return alert(func(a *ingest.Alert) { a.StartsAt, a.Undated = start+ingest.Millis(at)*minute, true })
	}
	receiver := func(name string) *ingest.Alert { return alert(func(a *ingest.Alert) { a.Receiver = name }) }
	type sighting struct {
		at      int // minute of its receipt
		alert   *ingest.Alert
		repeats bool
	}
	for name, sightings := range map[string][]sighting{
		"it still fires":                    {{0, firing, false}, {4, firing, true}, {8, firing, true}},
		"its end is put off":                {{0, promise(4), false}, {1, promise(5), true}},
		"it ends, and a copy says so again": {{0, firing, false}, {2, resolved, false}, {3, resolved, true}, {4, firing, true}},
		"it fires again with the old start": {{0, firing, false}, {2, resolved, false}, {30, firing, false}},
		"a promise that ran out is renewed": {{0, promise(4), false}, {9, promise(13), false}},
		"it names no start":                 {{0, undated(0), false}, {1, undated(1), true}},
		"two pairs of receivers take turns": {
			{0, receiver("a"), false}, {0, receiver("b"), false}, {1, receiver("a"), true}, {1, receiver("b"), true},
		},
		"five take turns: the first is forgotten": {
			{0, receiver("a"), false}, {0, receiver("b"), false}, {0, receiver("c"), false}, {0, receiver("d"), false}, {0, receiver("e"), false},
			{1, receiver("a"), false},
		},
		"another annotation":                {{0, firing, false}, {1, alert(func(a *ingest.Alert) { a.Annotations = nil }), false}},
		"another label":                     {{0, firing, false}, {1, alert(func(a *ingest.Alert) { a.Labels = append(a.Labels, ingest.Label{Name: "b", Value: "c"}) }), false}},
		"another link":                      {{0, firing, false}, {1, alert(func(a *ingest.Alert) { a.GeneratorURL = "" }), false}},
		"its sender cannot see it any more": {{0, firing, false}, {1, alert(func(a *ingest.Alert) { a.Unknown = true }), false}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, restored := range []bool{false, true} {
				f := correlate.New(0)
				for i, s := range sightings {
					now := start + ingest.Millis(s.at)*minute
					f.Advance(now)
					got := f.Apply(ingest.Event{Source: "am", ReceivedAt: now, Alert: s.alert})
					f.Flush()
					if got.Repeats != s.repeats || got.Refused != "" {
						t.Errorf("restored: %t, sighting %d: %+v", restored, i, got)
					}
					if restored {
						f = again(t, f)
					}
				}
			}
		})
	}
}

// What an alert says again may be believed now: then it is no repeat.
func TestAnEndThatIsBelievedWhenItIsToldAgainIsNoRepeat(t *testing.T) {
	f := correlate.New(0)
	beat := correlate.Heartbeat{Source: "am", Matchers: []correlate.Match{{Name: "alertname", Op: "=", Value: "Watchdog"}}, Every: int64(5 * ingest.Minute)}
	if err := f.Configure(correlate.Config{Heartbeats: []correlate.Heartbeat{beat}}); err != nil {
		t.Fatal(err)
	}
	apply := func(minute int, a *ingest.Alert) (correlate.Outcome, []correlate.Episode) {
		now := start + ingest.Millis(minute)*ingest.Minute
		f.Advance(now)
		return f.Apply(ingest.Event{Source: "am", ReceivedAt: now, Alert: a}), f.Flush().Episodes
	}
	alert := func(name string, from, to int) *ingest.Alert {
		a := &ingest.Alert{Fingerprint: name, StartsAt: start + ingest.Millis(from)*ingest.Minute, Labels: ingest.Labels{{Name: "alertname", Value: name}}}
		if to > 0 {
			a.Resolved, a.EndsAt = true, start+ingest.Millis(to)*ingest.Minute
		}
		return a
	}
	apply(0, alert("Watchdog", 0, 0))
	apply(0, alert("A", 0, 0))
	apply(11, alert("A", 0, 10)) // nobody may have seen it end
	apply(20, alert("A", 15, 0)) // it fires anew
	came, changed := apply(21, alert("A", 0, 10))
	if came.Repeats || len(changed) != 1 || changed[0].State != correlate.Resolved {
		t.Errorf("%+v, changed: %+v", came, changed)
	}
	if came, changed = apply(22, alert("A", 0, 10)); !came.Repeats || len(changed) != 0 {
		t.Errorf("told a third time: %+v, changed: %+v", came, changed)
	}
}

// again is the fold after a restart.
func again(t *testing.T, f *correlate.Fold) *correlate.Fold {
	t.Helper()
	saved, err := f.Snapshot()
	next := correlate.New(0)
	if err == nil {
		err = next.Restore(saved)
	}
	if err != nil {
		t.Fatal(fmt.Errorf("restart: %w", err))
	}
	return next
}
