package correlate_test

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
)

// size is how large the whole state is.
func (w *world) size(t testing.TB) int {
	t.Helper()
	b, err := w.fold.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return len(b)
}

func TestWhatIsDeliveredAgainAfterItWasForgottenChangesNothing(t *testing.T) {
	const later = 3 * 24 * 60 // minutes
	for name, old := range map[string][]arrival{
		"an alert":             {said(1, 0), said(6, 0, 5)},
		"one with an alias":    {said(1, 0), said(3, 2), said(6, 0, 5)},
		"one that was unknown": {doubtful(said(1, 0)), doubtful(said(6, 0, 5))},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, chain()).run(old...).until(minute(later))
			before := len(w.outputs)
			for _, a := range old {
				if e := *a.events[0].Alert; e.Resolved {
					for _, starts := range []int{0, 2} {
						if starts != 0 && name != "one with an alias" {
							continue
						}
						again := said(later, starts, 5)
						again.events[0].Alert.Unknown = e.Unknown
						w.run(again)
					}
				}
			}
			for _, out := range w.outputs[before:] {
				if diff := cmp.Diff(correlate.Output{}, out); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func TestAForgottenStartBelongsToTheEpisodeThatIsOpen(t *testing.T) {
	const later = 3 * 24 * 60 // minutes
	for name, c := range map[string]struct {
		then []arrival
		want string
	}{
		"a resolve with an end after its start ends it": {
			[]arrival{said(later+9, 0, later+8)}, fmt.Sprintf("%d to %d, also 0", later, later+8)},
		"a resolve with an end before its start is a copy": {
			[]arrival{said(later+9, 0, 5)}, fmt.Sprintf("%d to now", later)},
		"a firing shows it": {
			[]arrival{said(later+500, 0), said(later+900, 0)}, fmt.Sprintf("%d to now, also 0", later)},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, chain()).run(said(1, 0), said(6, 0, 5)).until(minute(later))
			w.run(said(later+1, later)).run(c.then...)
			if diff := cmp.Diff([]string{"0 to 5", c.want}, lives(w)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatFiresAgainAfterItWasForgottenIsANewIncident(t *testing.T) {
	w := newWorld(t, chain()).run(said(1, 0), said(6, 0, 5)).until(minute(3 * 24 * 60)).run(said(3*24*60, 0))
	open := count(incidentsOf(w), func(i correlate.Incident) bool { return i.State == correlate.IncidentOpen && i.Episodes == 1 })
	if len(w.incidents) != 2 || open != 1 {
		t.Errorf("%+v", w.incidents)
	}
	if diff := cmp.Diff([]string{"0 to now"}, lives(w)); diff != "" {
		t.Error(diff)
	}
}

func incidentsOf(w *world) []correlate.Incident {
	var all []correlate.Incident
	for _, i := range w.incidents {
		all = append(all, i)
	}
	return all
}

func TestAnEpisodeThatIsUnknownForTooLongIsForgotten(t *testing.T) {
	w := newWorld(t, chain())
	for pod := range 300 { // each fires once and is never heard of again
		a := said(10*pod+1, 10*pod)
		a.events[0].Alert.Fingerprint = fmt.Sprint("gone-", pod)
		w.run(a)
	}
	full := w.size(t)
	w.until(minute(12 * 24 * 60))
	// A later alert moves the line on.
	w.run(said(12*24*60, 12*24*60)).until(minute(13 * 24 * 60))
	if got := w.size(t); got > full/10 || strings.Contains(snapshotOf(t, w), "gone-7") {
		t.Errorf("%d bytes remain of %d", got, full)
	}
	for _, i := range w.incidents {
		if i.State == correlate.IncidentOpen && i.OpenedAt < minute(12*24*60) {
			t.Fatalf("still open: %+v", i)
		}
		if i.State == correlate.IncidentClosed && i.Unknown != i.Episodes {
			t.Fatalf("ended as if that were known: %+v", i)
		}
	}
	closed := count(w.transitions, func(tr correlate.Transition) bool {
		return tr.Kind == correlate.Settled && strings.HasSuffix(tr.Reason, "ended is not known")
	})
	if closed == 0 {
		t.Error("no step says that the end is not known")
	}
}

func snapshotOf(t testing.TB, w *world) string {
	t.Helper()
	b, err := w.fold.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAnAlertThatComesAndGoesForWeeksIsOneIncidentOfBoundedSize(t *testing.T) {
	const every = 5 // minutes
	w := newWorld(t, chain())
	sizes := map[int]int{}
	flaps := 0
	for day := 1; day <= 12; day++ {
		for ; flaps*every < day*24*60; flaps++ {
			at := flaps * every
			w.run(said(at+1, at), said(at+3, at, at+2))
		}
		sizes[day] = w.size(t)
	}
	if sizes[12] > sizes[4]*11/10 {
		t.Errorf("%d bytes after 4 days, %d after 12", sizes[4], sizes[12])
	}
	for _, i := range incidentsOf(w) {
		if i.State != correlate.IncidentMerged && (i.Episodes != flaps || i.Severity != "" || len(i.Services) != 1) {
			t.Errorf("%d episodes, the incident says %+v", flaps, i)
		}
	}
	// What has left memory is still known.
	before := len(w.outputs)
	w.run(said(flaps*every, 20*every, 20*every+2), said(flaps*every, 300*every), said(flaps*every, 300*every, 300*every+2))
	for _, out := range w.outputs[before:] {
		if len(out.Episodes)+len(out.Incidents)+len(out.Transitions) > 0 {
			t.Errorf("a copy changed %+v", out)
		}
	}
	last := flaps*every + 60
	w.until(minute(last))
	for _, i := range incidentsOf(w) {
		if i.State != correlate.IncidentMerged && i.State != correlate.IncidentClosed {
			t.Errorf("not closed: %+v", i)
		}
	}
	w.until(minute(last + 3*24*60)).run(said(last+3*24*60, last+3*24*60))
	if got := w.size(t); got > sizes[1] {
		t.Errorf("%d bytes remain, %d after the first day", got, sizes[1])
	}
}

func TestChangesThatAreOldAreForgotten(t *testing.T) {
	w := newWorld(t, chain())
	for n := range 500 {
		at := start + ingest.Millis(n)*ingest.Minute
		w.run(arrival{at, []ingest.Event{{Tenant: "t", Source: "ci", ReceivedAt: at, Change: &ingest.Change{
			ID: fmt.Sprint("change-", n), Kind: "deployment", Service: fmt.Sprint("once-", n), StartedAt: at,
		}}}})
	}
	if !strings.Contains(snapshotOf(t, w), "once-7") {
		t.Fatal("nothing is remembered: the test does not test")
	}
	if w.until(start + 3*ingest.Day); strings.Contains(snapshotOf(t, w), "once-") {
		t.Error("changes of days ago are still in memory")
	}
}

func TestSourcesThatWereOnlyNamedAreForgotten(t *testing.T) {
	w := newWorld(t, watched())
	brief := func(source string, at int) {
		w.run(from(source, said(at+1, at)), from(source, said(at+2, at, at+1)))
	}
	brief("am", 0)
	for n := range 1500 {
		brief(fmt.Sprintf("run-%04d", n), n)
	}
	remembered := func() []string {
		return slices.DeleteFunc(w.fold.SourceNames(), func(name string) bool { return !strings.HasPrefix(name, "run-") })
	}
	if n := len(remembered()); n != 1500 {
		t.Fatalf("%d sources are remembered before the first day is over: the test does not test", n)
	}
	w.until(start + 4*ingest.Day)
	if names := remembered(); len(names) != 1000 || names[0] != "run-0500" {
		t.Errorf("%d sources are remembered after days, run-0500 first and 1000 in all is expected", len(names))
	}
	for day := range 40 { // an alert that goes on
		w.run(from("steady", said((day+4)*24*60, 4*24*60)))
	}
	for source, want := range map[string]bool{"run-": false, "steady": true, "am": true} {
		names := w.fold.SourceNames()
		if got := slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, source) }); got != want {
			t.Errorf("%s is remembered after a month: %t", source, got)
		}
	}
}

func TestATenantOfWhomNothingIsLeftIsForgotten(t *testing.T) {
	w := newWorld(t, chain())
	empty := w.size(t)
	for n := range 50 {
		for _, a := range []arrival{said(n+1, n), said(n+6, n, n+5)} {
			a.events[0].Tenant = fmt.Sprint("passing-", n)
			w.run(a)
		}
	}
	full := w.size(t)
	w.until(start + 40*ingest.Day)
	if got := w.size(t); got-empty > (full-empty)/20 || strings.Contains(snapshotOf(t, w), "passing") {
		t.Errorf("%d bytes remain of %d, %d are of nothing", got, full, empty)
	}
	if due, waits := w.fold.NextTimer(); waits {
		t.Errorf("something waits for %s", due)
	}
}

func TestASnapshotOfAnotherVersionSaysSo(t *testing.T) {
	f := correlate.New(0)
	encoded := func(values ...any) []byte {
		var b bytes.Buffer
		e := gob.NewEncoder(&b)
		for _, v := range values {
			if err := e.Encode(v); err != nil {
				t.Fatal(err)
			}
		}
		return b.Bytes()
	}
	for name, snapshot := range map[string][]byte{
		"of the time when it was JSON": []byte(`{"format":1,"partition":0,"config":{},"now":null,"tenants":null}`),
		"of a later time":              encoded(999, "whatever it will be"),
	} {
		if err := f.Restore(snapshot); !errors.Is(err, correlate.ErrSnapshotFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ours, err := f.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Restore(ours); err != nil {
		t.Errorf("ours: %v", err)
	}
	elsewhere, err := correlate.New(7).Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	for name, broken := range map[string][]byte{"empty": nil, "cut": ours[:len(ours)/2], "of another partition": elsewhere} {
		if err := f.Restore(broken); err == nil || errors.Is(err, correlate.ErrSnapshotFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
