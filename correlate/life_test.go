package correlate_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
)

// alert builds one sighting of an alert of a service, in seconds after start.
func alert(service, name string, heard, starts int, ends ...int) arrival {
	second := func(n int) ingest.Millis { return start + ingest.Millis(n)*ingest.Second }
	a := &ingest.Alert{
		Fingerprint: service + "/" + name, StartsAt: second(starts),
		Labels: ingest.LabelsOf(map[string]string{"alertname": name, "service": service, "severity": "critical"}),
	}
	if len(ends) > 0 {
		a.Resolved, a.EndsAt = true, second(ends[0])
	}
	return arrival{second(heard), []ingest.Event{{Tenant: "t", Source: "am", ReceivedAt: second(heard), Alert: a}}}
}

// story prints transitions: kind, and the minute at which it happened.
func story(transitions []correlate.Transition) []string {
	var all []string
	for _, tr := range transitions {
		all = append(all, fmt.Sprintf("%s at %d", tr.Kind, (tr.At-start)/ingest.Minute))
	}
	return all
}

func TestTheLifeOfAnIncident(t *testing.T) {
	for name, c := range map[string]struct {
		arrivals []arrival
		until    int // minutes
		want     []string
		state    correlate.IncidentState
	}{
		"it opens with its first alert": {
			[]arrival{said(1, 0)}, 2, []string{"opened at 0", "joined at 0"}, correlate.IncidentOpen},
		"it is resolved when every alert has ended, and closed when that has lasted": {
			[]arrival{said(1, 0), said(6, 0, 5)}, 36,
			[]string{"opened at 0", "joined at 0", "resolved at 5", "closed at 35"}, correlate.IncidentClosed},
		"it is not closed before": {
			[]arrival{said(1, 0), said(6, 0, 5)}, 34, []string{"opened at 0", "joined at 0", "resolved at 5"}, correlate.IncidentResolved},
		"it opens again when its alert comes back": {
			[]arrival{said(1, 0), said(6, 0, 5), said(13, 12), said(21, 12, 20)}, 60,
			[]string{"opened at 0", "joined at 0", "resolved at 5", "reopened at 12", "joined at 12", "resolved at 20", "closed at 50"}, correlate.IncidentClosed},
		"it opens again when an episode does": {
			[]arrival{said(1, 0), said(6, 0, 5), said(25, 0)}, 26,
			[]string{"opened at 0", "joined at 0", "resolved at 5", "reopened at 25"}, correlate.IncidentOpen},
		"it opens again even when it was closed, if an episode of it never ended": {
			[]arrival{said(1, 0), said(6, 0, 5), said(50, 0)}, 51,
			[]string{"opened at 0", "joined at 0", "resolved at 5", "closed at 35", "reopened at 50"}, correlate.IncidentOpen},
		"what is unknown keeps it open": {
			[]arrival{said(1, 0)}, 700, []string{"opened at 0", "joined at 0"}, correlate.IncidentOpen},
		"an alert that comes back much later is another incident": {
			[]arrival{said(1, 0), said(6, 0, 5), said(51, 50)}, 52,
			[]string{"opened at 0", "joined at 0", "resolved at 5", "closed at 35", "opened at 50", "joined at 50"}, correlate.IncidentOpen},
		"news of what is long over is closed at once": {
			[]arrival{said(50, 0, 5)}, 50, []string{"opened at 0", "joined at 0", "resolved at 5", "closed at 35"}, correlate.IncidentClosed},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, chain()).run(c.arrivals...).until(minute(c.until))
			if diff := cmp.Diff(c.want, story(w.transitions)); diff != "" {
				t.Error(diff)
			}
			last := w.transitions[len(w.transitions)-1].Incident
			if got := w.incidents[last].State; got != c.state {
				t.Errorf("state %s, want %s", got, c.state)
			}
		})
	}
}

// outage is a fault of d that b and c, which depend on it, feel.
func outage() []arrival {
	return []arrival{
		alert("d", "Down", 10, 0), alert("d", "Errors", 15, 10), alert("c", "Errors", 50, 40),
		alert("b", "Errors", 60, 50), alert("b", "Slow", 70, 65),
	}
}

func TestWhatDependsOnABrokenServiceIsInItsIncidentAndSaysWhy(t *testing.T) {
	w := newWorld(t, chain()).run(outage()...)
	incidents := map[string]bool{}
	for _, e := range w.episodes {
		incidents[e.Incident] = true
	}
	if len(incidents) != 1 {
		t.Fatalf("%d incidents", len(incidents))
	}
	for _, e := range w.episodes {
		i := w.incidents[e.Incident]
		if got := i.Causes[0]; got.Service != "d" || got.Score < 0.5 {
			t.Errorf("first cause %+v", got)
		}
		if e.Service == "c" {
			want := []string{"depends on d: c → d", "began 40s after the first alert"}
			if diff := cmp.Diff(want, e.Reasons); diff != "" {
				t.Error(diff)
			}
		}
		if e.Service == "d" && e.AlertName == "Down" && e.Reasons[0] != "at the same service: d" {
			t.Errorf("reasons %q", e.Reasons)
		}
		if i.Severity != "critical" || i.Firing != 5 || i.Title != "d: 5 alerts at 3 services" {
			t.Errorf("incident %+v", i)
		}
	}
}

func TestAChangeShortlyBeforeIsAmongTheCauses(t *testing.T) {
	deployed := arrival{start - 2*ingest.Minute, []ingest.Event{{Tenant: "t", Source: "ci", ReceivedAt: start - 2*ingest.Minute, Change: &ingest.Change{
		ID: "v2", Kind: "deployment", Service: "d", StartedAt: start - 2*ingest.Minute,
	}}}}
	w := newWorld(t, chain()).run(append([]arrival{deployed}, outage()...)...)
	for _, i := range w.incidents {
		if i.State == correlate.IncidentMerged {
			continue
		}
		at := slices.IndexFunc(i.Causes, func(c correlate.Cause) bool { return c.Change == "v2" })
		if at < 0 || at > 1 || i.Causes[at].Why != "deployment of d began 2m0s before the first alert" {
			t.Errorf("causes %+v", i.Causes)
		}
	}
}

func TestAMergedIncidentSaysWhereItLivesOn(t *testing.T) {
	arrivals := outage()
	late := arrivals[0] // the first alert of all is heard of last
	late.at += ingest.Minute
	late.events[0].ReceivedAt = late.at
	w := newWorld(t, chain()).run(arrivals[2], arrivals[3]).run(arrivals[4]).run(arrivals[1], late)
	live := map[string]bool{}
	for _, e := range w.episodes {
		live[e.Incident] = true
		if w.incidents[e.FirstIncident].ID == "" {
			t.Errorf("%s was first in %s, which was never shown", e.Fingerprint, e.FirstIncident)
		}
	}
	if len(live) != 1 {
		t.Fatalf("live: %v", live)
	}
	merged := 0
	for id, i := range w.incidents {
		if live[id] {
			continue
		}
		merged++
		if i.State != correlate.IncidentMerged || !live[i.MergedInto] || i.Episodes != 0 {
			t.Errorf("%+v", i)
		}
		if n := count(w.transitions, func(tr correlate.Transition) bool { return tr.Incident == id && tr.Kind == correlate.Merged }); n == 0 {
			t.Errorf("no transition says that %s was merged", id)
		}
	}
	if merged == 0 {
		t.Error("nothing was merged: the test does not test")
	}
}

func count[T any](all []T, is func(T) bool) int {
	n := 0
	for _, one := range all {
		if is(one) {
			n++
		}
	}
	return n
}

func TestTheRowsAndTheStepsAgree(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		arrivals := shuffled(history(rt), correlate.Lateness, random(rt))
		w := newWorld(t, chain()).run(arrivals...).until(end(arrivals) + ingest.Hour)
		members := map[string]int{}
		for _, tr := range w.transitions {
			switch tr.Kind {
			case correlate.Joined:
				members[tr.Incident]++
			case correlate.Left:
				members[tr.Incident]--
			}
			if tr.Reason == "" || tr.Actor != "evenkeel" || tr.At == 0 {
				rt.Fatalf("a step without reason, actor or time: %+v", tr)
			}
		}
		held := map[string]int{}
		for _, e := range w.episodes {
			held[e.Incident]++
			if len(e.Reasons) == 0 || e.FirstIncident == "" {
				rt.Fatalf("an episode without reasons: %+v", e)
			}
		}
		for id, i := range w.incidents {
			if i.Episodes != held[id] || members[id] != held[id] {
				rt.Fatalf("incident %s says %d episodes, its steps %d, its episodes %d", id, i.Episodes, members[id], held[id])
			}
			if merged := i.State == correlate.IncidentMerged; merged != (held[id] == 0) {
				rt.Fatalf("incident %s is %s with %d episodes", id, i.State, held[id])
			}
			for _, c := range i.Causes {
				if c.Score < 0 || c.Score > 1 || c.Why == "" {
					rt.Fatalf("cause %+v", c)
				}
			}
		}
	})
}

func TestNothingCrossesTenants(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		one, two := history(rt), history(rt)
		for i := range two {
			for j := range two[i].events {
				two[i].events[j].Tenant = "u"
			}
		}
		both := slices.Concat(one, two)
		slices.SortStableFunc(both, func(a, b arrival) int { return int(a.at - b.at) })
		last := end(both)
		together := newWorld(t, chain()).run(both...).until(last).final()
		apart := slices.Concat(newWorld(t, chain()).run(one...).until(last).final(), newWorld(t, chain()).run(two...).until(last).final())
		slices.SortFunc(apart, func(a, b final) int { return compareKeys(a.Key, b.Key) })
		if diff := unlike(apart, together); diff != "" {
			rt.Fatal(diff)
		}
	})
}

func TestWhatAFloodPutsOffIsDecidedInTheEnd(t *testing.T) {
	arrivals, c := flood(1500)
	last := end(arrivals) + 5*ingest.Minute
	w := newWorld(t, c).run(arrivals...)
	if _, waits := w.fold.NextTimer(); !waits {
		t.Error("nothing waits: the test does not test")
	}
	want := w.until(last).final()
	got := newWorld(t, c).run(shuffled(arrivals, correlate.Lateness, rand.New(rand.NewPCG(3, 3)))...).until(last).final()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsLongOverIsForgotten(t *testing.T) {
	w := newWorld(t, chain()).run(outage()...)
	for _, a := range outage() {
		e := *a.events[0].Alert
		e.Resolved, e.EndsAt = true, a.at+ingest.Minute
		at := a.at + 2*ingest.Minute
		w.run(arrival{at, []ingest.Event{{Tenant: "t", Source: "am", ReceivedAt: at, Alert: &e}}})
	}
	w.until(start + 30*ingest.Hour)
	// A later alert moves the line on.
	w.run(said(31*60, 31*60)).until(start + 33*ingest.Hour)
	b, err := w.fold.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), `"d/Down"`) {
		t.Error("the alerts of yesterday are still in memory")
	}
}

func TestConfiguringAnewDecidesAnewWhatIsNotFinal(t *testing.T) {
	w := newWorld(t, correlate.Config{}).run(outage()...)
	before := len(slices.Collect(maps.Values(w.incidents)))
	if err := w.fold.Configure(chain()); err != nil {
		t.Fatal(err)
	}
	w.until(start + 2*ingest.Minute)
	if live := count(slices.Collect(maps.Values(w.incidents)), func(i correlate.Incident) bool { return i.State != correlate.IncidentMerged }); live != 1 || before < 2 {
		t.Errorf("%d incidents without a catalogue, %d with one", before, live)
	}
}
