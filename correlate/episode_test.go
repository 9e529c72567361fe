package correlate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
)

// said builds the delivery of one sighting of the alert "f": minutes after start.
func said(heard, starts int, ends ...int) arrival {
	alert := &ingest.Alert{Fingerprint: "f", StartsAt: minute(starts), Labels: ingest.LabelsOf(map[string]string{"alertname": "Slow", "service": "a"})}
	if len(ends) > 0 {
		alert.Resolved, alert.EndsAt = true, minute(ends[0])
	}
	return arrival{minute(heard), []ingest.Event{{Tenant: "t", Source: "am", ReceivedAt: minute(heard), Alert: alert}}}
}

// doubtful is a sighting of which the sender says that it does not know.
func doubtful(a arrival) arrival {
	a.events[0].Alert.Unknown = true
	return a
}

// promised is a sighting that holds until a minute, or a resolve because nothing was heard until then.
func promised(a arrival, until int) arrival {
	a.events[0].Alert.EndsByTimeout, a.events[0].Alert.EndsAt = true, minute(until)
	return a
}

// undated is a sighting whose sender gave no start.
func undated(a arrival) arrival {
	a.events[0].Alert.Undated = true
	return a
}

// late is an arrival that is folded at a minute only.
func late(a arrival, at int) arrival {
	a.at = minute(at)
	return a
}

func startless(heard int) arrival {
	a := said(heard, heard)
	a.events[0].Alert.StartsAt = 0
	return a
}

func minute(n int) ingest.Millis { return start + ingest.Millis(n)*ingest.Minute }

// lives prints the episodes of a world in minutes: start to end, state and aliases.
func lives(w *world) []string {
	var all []string
	at := func(m ingest.Millis) int { return int((m - start) / ingest.Minute) }
	for _, f := range w.final() {
		var life strings.Builder
		life.WriteString(fmt.Sprintf("%d to ", at(f.Key.StartsAt)))
		switch f.State {
		case correlate.Firing:
			life.WriteString("now")
		case correlate.Unknown:
			life.WriteString(fmt.Sprintf("unknown since %d", at(f.EndsAt)))
			if f.Until != 0 {
				life.WriteString(fmt.Sprintf(" until %d", at(f.Until)))
			}
		default:
			life.WriteString(fmt.Sprint(at(f.EndsAt)))
		}
		for _, a := range f.Aliases {
			life.WriteString(fmt.Sprintf(", also %d", at(a)))
		}
		all = append(all, life.String())
	}
	return all
}

func TestEpisodesOfOneAlert(t *testing.T) {
	for name, c := range map[string]struct {
		arrivals []arrival
		until    int // minutes; 0 is the last arrival
		want     []string
	}{
		"an alert that fires and ends is one episode": {
			[]arrival{said(1, 0), said(6, 0, 5)}, 0, []string{"0 to 5"}},
		"a repeat is the same episode": {
			[]arrival{said(1, 0), said(60, 0)}, 0, []string{"0 to now"}},
		"a firing with another start belongs to the open episode": {
			[]arrival{said(1, 0), said(4, 3)}, 0, []string{"0 to now, also 3"}},
		"a resolve ends the open episode whatever start it names": {
			[]arrival{said(1, 0), said(5, 0, 4), said(10, 9), said(16, 0, 15)}, 0, []string{"0 to 4", "9 to 15"}},
		"a resolve that names an alias ends the episode": {
			[]arrival{said(1, 0), said(4, 3), said(8, 3, 7)}, 0, []string{"0 to 7, also 3"}},
		"a resolve from before the open episode is a copy": {
			[]arrival{said(1, 0), said(5, 0, 4), said(10, 9), said(11, 0, 4)}, 0, []string{"0 to 4", "9 to now"}},
		"a resolve of a start never seen is an episode that is over": {
			[]arrival{said(6, 0, 5)}, 0, []string{"0 to 5"}},
		"a resolve of an older start never seen leaves the open episode": {
			[]arrival{said(11, 10), said(12, 2, 5)}, 0, []string{"2 to 5", "10 to now"}},
		"a resolve without an end ended when it was heard": {
			[]arrival{said(1, 0), {minute(7), []ingest.Event{{Tenant: "t", Source: "am", ReceivedAt: minute(7), Alert: &ingest.Alert{Fingerprint: "f", Resolved: true, StartsAt: minute(0)}}}}}, 0,
			[]string{"0 to 7"}},
		"an end that lies ahead is when the resolve was received: nobody knows it before": {
			[]arrival{said(1, 0), said(6, 0, 1_000_000)}, 0, []string{"0 to 6"}},
		"an end that lies ahead of a start never seen is when the resolve was received": {
			[]arrival{said(6, 0, 66)}, 0, []string{"0 to 6"}},
		"an end that lies ahead of what its sender did not know is when the resolve was received": {
			[]arrival{doubtful(said(1, 0)), doubtful(said(60, 0, 1_000_000))}, 0, []string{"0 to unknown since 0 until 60"}},
		"an end that lies ahead of what ended as unknown is when the resolve was received": {
			[]arrival{said(1, 0), said(10100, 0, 1_000_000)}, 0, []string{"0 to 10100"}},
		"the right end may be told after one that lay ahead": {
			[]arrival{said(1, 0), said(6, 0, 1_000_000), said(7, 0, 5)}, 0, []string{"0 to 5"}},
		"the right end may be told after one that lay ahead, and after the next one began": {
			[]arrival{said(1, 0), said(6, 0, 1_000_000), said(8, 7), said(9, 0, 5)}, 0, []string{"0 to 5", "7 to now"}},
		"an end that lies ahead and is told again says nothing": {
			[]arrival{said(1, 0), said(6, 0, 1_000_000), said(7, 0, 1_000_000)}, 0, []string{"0 to 6"}},
		"an end that lies ahead and is told again says nothing of what fires now": {
			[]arrival{said(1, 0), said(6, 0, 1_000_000), said(8, 7), said(9, 0, 1_000_000)}, 0, []string{"0 to 6", "7 to now"}},
		"the same end that lies ahead ends what fires again with the same start": {
			[]arrival{said(1, 0), said(6, 0, 1_000_000), said(30, 0), said(40, 0, 1_000_000)}, 0, []string{"0 to 40"}},
		"another end than the one that is known, which did not lie ahead, says nothing": {
			[]arrival{said(1, 0), said(6, 0, 5), said(7, 0, 4)}, 0, []string{"0 to 5"}},
		"what was told before it fired again, of an end that lay ahead, is over": {
			[]arrival{said(1, 0), said(6, 0, 1_000_000), said(30, 0), said(41, 0, 40), said(42, 0, 5)}, 0, []string{"0 to 40"}},
		"an earlier end that is told again does not move one that lay ahead to before what was seen since": {
			[]arrival{said(1, 0), said(6, 0, 5), said(30, 0), said(40, 0, 41), said(41, 0, 5)}, 0, []string{"0 to 40"}},
		"the right end is told once": {
			[]arrival{said(1, 0), said(6, 0, 7), said(7, 0, 5), said(8, 0, 3)}, 0, []string{"0 to 5"}},
		"by a clock that is an hour ahead it lasts as long as it does": {
			[]arrival{said(1, 60), said(6, 60, 65)}, 0, []string{"60 to 65"}},
		"by a clock that is ahead it lasts no longer than it was seen": {
			[]arrival{said(1, 60), said(6, 60, 1_000_000)}, 0, []string{"60 to 65"}},
		"by a clock that is ahead what was seen when it was over only ended as it began": {
			[]arrival{said(6, 60, 65)}, 0, []string{"60 to 60"}},
		"by a clock that is ahead it may fire again and end": {
			[]arrival{said(1, 60), said(6, 60, 65), said(8, 67), said(9, 60, 65), said(16, 67, 75)}, 0, []string{"60 to 65", "67 to 75"}},
		"an end before the start is an end at the start": {
			[]arrival{said(11, 10), said(12, 10, 9)}, 0, []string{"10 to 10"}},
		"a firing heard again within the copy window of the close is a copy": {
			[]arrival{said(1, 0), said(6, 0, 5), said(20, 0)}, 0, []string{"0 to 5"}},
		"a firing heard again later opens the episode again": {
			[]arrival{said(1, 0), said(6, 0, 5), said(22, 0)}, 0, []string{"0 to now"}},
		"an alias heard again later opens its episode again": {
			[]arrival{said(1, 0), said(2, 1), said(6, 0, 5), said(22, 1)}, 0, []string{"0 to now, also 1"}},
		"an ended start that is heard while another is open is a copy": {
			[]arrival{said(1, 0), said(6, 0, 5), said(8, 7), said(30, 0)}, 0, []string{"0 to 5", "7 to now"}},
		"an episode that is not seen for long is unknown since it was last seen": {
			[]arrival{said(1, 0), said(30, 0)}, 600, []string{"0 to unknown since 30"}},
		"what is seen again fires": {
			[]arrival{said(1, 0), said(600, 0)}, 0, []string{"0 to now"}},
		"what was unknown may end": {
			[]arrival{said(1, 0), said(600, 0, 20)}, 0, []string{"0 to 20"}},
		"what began to fire anew while it was unknown is an episode of its own, and nothing is known between": {
			[]arrival{said(1, 0), said(600, 590)}, 0, []string{"0 to unknown since 1 until 590", "590 to now"}},
		"what was unknown and is seen with a start from before that fired all the time": {
			[]arrival{said(30, 0), said(600, 20)}, 0, []string{"0 to now, also 20"}},
		"what was unknown and is seen with an alias fired all the time": {
			[]arrival{said(1, 0), said(4, 3), said(600, 3)}, 0, []string{"0 to now, also 3"}},
		"what began and ended while it was unknown is an episode of its own": {
			[]arrival{said(1, 0), said(600, 590, 595)}, 0, []string{"0 to unknown since 1 until 590", "590 to 595"}},
		"how an unknown episode ended may be told after the next one began": {
			[]arrival{said(1, 0), said(600, 590), said(601, 0, 300)}, 0, []string{"0 to 300", "590 to now"}},
		"what is unknown for too long ends as unknown": {
			[]arrival{said(1, 0)}, 1 + 7*24*60, []string{"0 to unknown since 1 until 10081"}},
		"what ended as unknown may turn out to fire": {
			[]arrival{said(1, 0), said(10100, 0)}, 0, []string{"0 to now"}},
		"what ended as unknown may turn out to have ended": {
			[]arrival{said(1, 0), said(10100, 0, 100)}, 0, []string{"0 to 100"}},
		"what its sender does not know is unknown from the start": {
			[]arrival{doubtful(said(1, 0)), doubtful(said(60, 0))}, 0, []string{"0 to unknown since 0"}},
		"what its sender does not know is never taken for an outage, also when it ended": {
			[]arrival{doubtful(said(1, 0)), doubtful(said(60, 0, 55))}, 0, []string{"0 to unknown since 0 until 55"}},
		"what fired until its sender did not know is unknown from then on": {
			[]arrival{said(1, 0), said(20, 0), doubtful(said(31, 30))}, 0, []string{"0 to unknown since 30, also 30"}},
		"what its sender did not know and begins to fire is an episode of its own": {
			[]arrival{doubtful(said(1, 0)), said(11, 10)}, 0, []string{"0 to unknown since 0 until 10", "10 to now"}},
		"a sender that does not know and ends at once": {
			[]arrival{doubtful(said(6, 0, 5))}, 0, []string{"0 to unknown since 0 until 5"}},
		"a sighting holds as long as it says": {
			[]arrival{promised(said(1, 0), 5)}, 4, []string{"0 to now"}},
		"what was not sent again in time is unknown since it was last seen": {
			[]arrival{promised(said(1, 0), 5), promised(said(2, 0), 6)}, 6, []string{"0 to unknown since 2"}},
		"what is sent again in time fires": {
			[]arrival{promised(said(1, 0), 5), promised(said(4, 0), 8)}, 7, []string{"0 to now"}},
		"what is sent again too late with the same start fired all the time": {
			[]arrival{promised(said(1, 0), 5), promised(said(30, 0), 34)}, 30, []string{"0 to now"}},
		"what is sent again too late with another start is an episode of its own": {
			[]arrival{promised(said(1, 0), 5), promised(said(30, 29), 34)}, 30, []string{"0 to unknown since 1 until 29", "29 to now"}},
		"a promise for years is not believed": {
			[]arrival{promised(said(1, 0), 1_000_000)}, 600, []string{"0 to unknown since 1"}},
		"a resolve by timeout is no end": {
			[]arrival{said(1, 0), promised(said(20, 0, 19), 19)}, 0, []string{"0 to unknown since 19"}},
		"a resolve by timeout of what was never seen is no end": {
			[]arrival{promised(said(20, 0, 19), 19)}, 0, []string{"0 to unknown since 19"}},
		"a resolve by timeout from before the last sighting says nothing": {
			[]arrival{said(1, 0), said(21, 0), promised(said(22, 0, 19), 19)}, 0, []string{"0 to now"}},
		"what timed out is seen again and fires": {
			[]arrival{said(1, 0), promised(said(20, 0, 19), 19), said(40, 0)}, 0, []string{"0 to now"}},
		"a copy that was under way when it timed out says nothing": {
			[]arrival{said(1, 0), promised(said(20, 0, 19), 19), said(35, 0)}, 0, []string{"0 to unknown since 19"}},
		"a copy does not put off until when a firing is a copy of what timed out": {
			[]arrival{said(1, 0), promised(said(20, 0, 19), 19), said(30, 0), said(36, 0)}, 0, []string{"0 to now"}},
		"a firing with a new start is no copy of what timed out": {
			[]arrival{said(1, 0), promised(said(20, 0, 19), 19), said(26, 25)}, 0, []string{"0 to unknown since 19 until 25", "25 to now"}},
		"a resolve at the very end of what was promised is one by timeout": {
			[]arrival{promised(said(1, 0), 5), said(6, 0, 5)}, 0, []string{"0 to unknown since 5"}},
		"a resolve before the end of what was promised is an end": {
			[]arrival{promised(said(1, 0), 5), said(6, 0, 4)}, 0, []string{"0 to 4"}},
		"a firing that promises more than what timed out is no copy of it": {
			[]arrival{promised(said(1, 0), 5), said(6, 0, 5), promised(said(8, 0), 12)}, 0, []string{"0 to now"}},
		"a copy of what timed out promises no more than that": {
			[]arrival{promised(said(1, 0), 5), said(6, 0, 5), promised(said(8, 0), 5)}, 0, []string{"0 to unknown since 5"}},
		"a copy of what timed out, by a clock that is ahead": {
			[]arrival{promised(said(1, 0), 9), said(6, 0, 9), promised(said(7, 0), 9)}, 0, []string{"0 to unknown since 6"}},
		"a promise that had run out when it timed out says nothing": {
			[]arrival{promised(said(10, 0, 5), 5), promised(said(11, 0), 8)}, 0, []string{"0 to unknown since 5"}},
		"a resolve by timeout says nothing while a promise holds": {
			[]arrival{promised(said(4, 0), 9), promised(said(7, 0, 6), 6)}, 8, []string{"0 to now"}},
		"what was promised and was not renewed is unknown since it was last seen": {
			[]arrival{promised(said(4, 0), 9), promised(said(7, 0, 6), 6)}, 10, []string{"0 to unknown since 4"}},
		"the same where the promise comes after the resolve by timeout": {
			[]arrival{promised(said(7, 0, 6), 6), late(promised(said(4, 0), 9), 8)}, 10, []string{"0 to unknown since 4"}},
		"a resolve by timeout of an older episode leaves the open one": {
			[]arrival{said(11, 10), promised(said(12, 2, 5), 5)}, 0, []string{"2 to unknown since 5 until 10", "10 to now"}},
		"a firing that names no start belongs to the open episode, and is no start of its own": {
			[]arrival{undated(said(1, 1)), undated(said(2, 2)), undated(said(3, 3)), undated(said(4, 4))}, 0, []string{"1 to now"}},
		"a firing that names no start shows an episode that has one": {
			[]arrival{said(1, 0), undated(said(500, 500)), undated(said(900, 900))}, 0, []string{"0 to now"}},
		"a firing that names no start holds as long as it says": {
			[]arrival{promised(undated(said(1, 1)), 6), promised(undated(said(4, 4)), 9)}, 10, []string{"1 to unknown since 4"}},
		"a resolve that names no start ends the episode": {
			[]arrival{undated(said(1, 1)), undated(said(2, 2)), undated(said(6, 5, 5))}, 0, []string{"1 to 5"}},
		"a firing that names no start is an episode of its own after a resolve": {
			[]arrival{undated(said(1, 1)), undated(said(6, 5, 5)), undated(said(7, 7))}, 0, []string{"1 to 5", "7 to now"}},
		"a firing that names no start does not say what was in a silence": {
			[]arrival{promised(undated(said(1, 1)), 6), promised(undated(said(20, 20)), 25)}, 0, []string{"1 to unknown since 1 until 20", "20 to now"}},
		"a firing without a start at all is one that names none": {
			[]arrival{startless(1), startless(2), startless(3)}, 0, []string{"1 to now"}},
		"a fire after the end is an episode of its own": {
			[]arrival{said(1, 0), said(6, 0, 5), said(8, 7), said(12, 7, 11)}, 0, []string{"0 to 5", "7 to 11"}},
		"a firing that comes after its own resolve is a copy": {
			[]arrival{said(6, 0, 5), said(7, 0)}, 0, []string{"0 to 5"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, restored := range []bool{false, true} {
				w := newWorld(t, chain())
				for _, a := range c.arrivals {
					if w.run(a); restored {
						w.fold = again(t, w.fold)
					}
				}
				w.until(max(minute(c.until), end(c.arrivals)))
				if diff := cmp.Diff(c.want, lives(w)); diff != "" {
					t.Errorf("restored: %t\n%s", restored, diff)
				}
			}
		})
	}
}

func TestWhatARealAlertmanagerSentGivesItsEpisodes(t *testing.T) {
	w := newWorld(t, correlate.Config{}).run(recordedWebhooks(t)...)
	var got []string
	for _, k := range slices.SortedFunc(keys(w), compareKeys) {
		e := w.episodes[k]
		ends := "open"
		if e.State == correlate.Resolved {
			ends = e.EndsAt.String()[14:19]
		}
		name := e.AlertName
		if name == "HighErrorRate" {
			name = strings.TrimSuffix(e.Labels.Get("instance"), ":8080")[6:]
		}
		got = append(got, fmt.Sprintf("%s %s to %s", name, k.StartsAt.String()[14:19], ends))
	}
	slices.Sort(got)
	// As the senders of these deliveries saw it: 2026-11-22, from 11:54 on.
	want := []string{
		".0 54:21 to 55:02", ".0 55:10 to 55:41", ".1 54:21 to 55:41", ".2 54:21 to open",
		"ClusterDown 54:55 to open", "DiskFull 54:21 to open", "NoEnd 55:17 to 55:32",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A sender that gives another start each time does not make the row ever longer. What it said long ago
// is a copy all the same, and opens the episode again where it is heard long after the end.
func TestTheNewestOfManyAliasesAreListed(t *testing.T) {
	aliases := func(from, to int) string {
		var all strings.Builder
		for n := from; n <= to; n++ {
			fmt.Fprintf(&all, ", also %d", n)
		}
		return all.String()
	}
	w := newWorld(t, correlate.Config{})
	for n := range 300 {
		w.run(said(n, n))
	}
	for i, test := range []struct {
		heard arrival
		rows  int
		want  string
	}{
		{said(300, 5), 0, "0 to now"}, // a copy, while it is open
		{said(301, 299, 301), 1, "0 to 301"},
		{said(302, 5), 0, "0 to 301"}, // and after its end
		{said(303, 5, 6), 0, "0 to 301"},
		{said(340, 5), 1, "0 to now"}, // it fires still
	} {
		before := len(w.outputs)
		w.run(test.heard)
		rows := 0
		for _, out := range w.outputs[before:] {
			rows += len(out.Episodes)
		}
		if diff := cmp.Diff([]string{test.want + aliases(200, 299)}, lives(w)); diff != "" || rows != test.rows {
			t.Errorf("step %d: %d rows, want %d\n%s", i, rows, test.rows, diff)
		}
	}
}

func keys(w *world) func(func(correlate.EpisodeKey) bool) {
	return func(yield func(correlate.EpisodeKey) bool) {
		for k := range w.episodes {
			if !yield(k) {
				return
			}
		}
	}
}

func TestTheServiceOfAnAlert(t *testing.T) {
	c := correlate.Config{Services: []correlate.Service{
		{Name: "shop", Matchers: [][]correlate.Match{
			{{Name: "team", Op: "=", Value: "shop"}, {Name: "severity", Op: "!=", Value: "info"}},
			{{Name: "host", Op: "=~", Value: "shop-[0-9]+"}},
		}},
		{Name: "cart"},
	}}
	for name, c := range map[string]struct {
		config correlate.Config
		labels map[string]string
		want   string
	}{
		"matchers that all match claim it":                                      {c, map[string]string{"team": "shop"}, "shop"},
		"a set of which one does not match claims none":                         {c, map[string]string{"team": "shop", "severity": "info"}, ""},
		"any set is enough":                                                     {c, map[string]string{"host": "shop-7"}, "shop"},
		"an expression matches the whole value":                                 {c, map[string]string{"host": "my-shop-7"}, ""},
		"matchers go before labels":                                             {c, map[string]string{"team": "shop", "service": "cart"}, "shop"},
		"else the label names it":                                               {c, map[string]string{"service": "cart"}, "cart"},
		"a label that names one of the catalogue goes before one that does not": {c, map[string]string{"service": "metrics", "deployment": "cart"}, "cart"},
		"without one in the catalogue the first label does":                     {c, map[string]string{"app": "x", "job": "node"}, "x"},
		"the labels can be chosen":                                              {correlate.Config{ServiceLabels: []string{"component"}}, map[string]string{"component": "api", "service": "cart"}, "api"},
		"nothing names one":                                                     {c, map[string]string{"host": "h"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := said(1, 0)
			a.events[0].Alert.Labels = ingest.LabelsOf(c.labels)
			w := newWorld(t, c.config).run(a)
			for _, e := range w.episodes {
				if e.Service != c.want {
					t.Errorf("got %q, want %q", e.Service, c.want)
				}
			}
		})
	}
}

func TestAConfigurationThatCannotBeUsedChangesNothing(t *testing.T) {
	f := correlate.New(0)
	err := f.Configure(correlate.Config{Services: []correlate.Service{
		{Name: "a", Matchers: [][]correlate.Match{{{Name: "x", Op: "=~", Value: "("}}}},
	}})
	if err == nil || !strings.Contains(err.Error(), `service a: matcher x=~"("`) {
		t.Errorf("got %v", err)
	}
	f.Apply(said(1, 0).events[0])
	if out := f.Flush(); len(out.Episodes) != 1 {
		t.Errorf("the fold does not go on: %+v", out)
	}
}
