package correlate

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/evenkeel/evenkeel/ingest"
)

// actor is who takes the steps that no person took.
const actor = "evenkeel"

// flush appends the rows and steps of what changed.
func (t *tenant) flush(out *Output) {
	slices.SortFunc(t.changedEpisodes, func(a, b *episode) int { return compareKeys(&a.row.EpisodeKey, &b.row.EpisodeKey) })
	out.Episodes = slices.Grow(out.Episodes, len(t.changedEpisodes))
	steps := make([]Transition, 0, len(t.changedEpisodes))
	for _, e := range t.changedEpisodes {
		if e.incident != nil && e.counted != e.standing() {
			e.incident.recount(e)
		}
		steps = t.moved(steps, e)
		e.dirty = false
		out.Episodes = append(out.Episodes, e.row)
	}
	slices.SortFunc(t.changedIncidents, func(a, b *incident) int { return cmp.Compare(a.row.ID, b.row.ID) })
	var growing []*incident
	for _, i := range t.changedIncidents {
		if t.growing(i) {
			growing = append(growing, i)
			continue
		}
		i.dirty = false
		var show bool
		if steps, show = t.live(steps, i); show {
			i.shownAt = t.fold.now
			out.Incidents = append(out.Incidents, i.row)
		}
	}
	t.flushBeats(out)
	for _, i := range t.changedIncidents {
		if !i.dirty {
			t.retire(i)
		}
	}
	t.changedEpisodes, t.changedIncidents = t.changedEpisodes[:0], append(t.changedIncidents[:0], growing...)
	out.addSteps(steps)
}

// addSteps adds the steps that one record made incidents take, by incident and rank, and else in their order.
func (out *Output) addSteps(steps []Transition) {
	order := make([]int, len(steps)) // a step is large to move
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		a, b := &steps[i], &steps[j]
		if a.Incident != b.Incident {
			return cmp.Compare(a.Incident, b.Incident)
		}
		return cmp.Or(cmp.Compare(rank(a.Kind), rank(b.Kind)), cmp.Compare(i, j))
	})
	out.Transitions = slices.Grow(out.Transitions, len(steps))
	for _, i := range order {
		out.Transitions = append(out.Transitions, steps[i])
	}
}

// growingShown is how often the row of an incident is given anew in a flood.
const growingShown = ingest.Second

// growing tells whether i only grows, in a flood of which not all is decided yet: its row is given anew now and
// then, and when all is decided, not for every delivery.
func (t *tenant) growing(i *incident) bool {
	return t.settleAt != 0 && i.shown && i.row.State == IncidentOpen && len(i.members) > 0 && i.firing+i.unknown > 0 &&
		t.fold.now < i.shownAt+growingShown
}

// ranks order the steps that one record makes an incident take.
var ranks = []TransitionKind{Opened, Reopened, Joined, Left, Merged, Settled, Closed}

func rank(k TransitionKind) int { return slices.Index(ranks, k) }

// moved adds the steps of an episode that is in another incident than was last shown.
func (t *tenant) moved(steps []Transition, e *episode) []Transition {
	from, to := e.row.Incident, e.incident.row.ID
	if from == to {
		return steps
	}
	key := e.row.EpisodeKey
	step := Transition{Tenant: t.name, At: e.row.StartsAt, Episode: &key, Actor: actor, Reason: e.why()}
	if from != "" {
		left := step
		left.Incident, left.Kind, left.Other = from, Left, to
		steps = append(steps, left)
	}
	step.Incident, step.Kind, step.Other = to, Joined, from
	e.row.Incident = to
	e.row.FirstIncident = cmp.Or(e.row.FirstIncident, to)
	return append(steps, step)
}

// why is the first reason of e.
func (e *episode) why() string {
	if len(e.row.Reasons) == 0 {
		return ""
	}
	return e.row.Reasons[0]
}

// live brings i's row up to date and adds the steps that it took. It returns
// false where there is nothing to show.
func (t *tenant) live(steps []Transition, i *incident) ([]Transition, bool) {
	if len(i.members) == 0 {
		return t.merge(steps, i)
	}
	before := i.row.State
	t.summarise(i)
	step := func(kind TransitionKind, at ingest.Millis, reason string) {
		steps = append(steps, Transition{Tenant: t.name, Incident: i.row.ID, Kind: kind, At: at, Actor: actor, Reason: reason})
	}
	if !i.shown {
		i.shown = true
		step(Opened, i.row.OpenedAt, "first alert: "+i.first.describe())
		before = IncidentOpen
	}
	i.row.MergedInto = ""
	i.row.ResolvedAt, i.row.State = 0, IncidentOpen
	if i.firing+i.unknown == 0 {
		i.row.ResolvedAt, i.row.State = i.latestEnd(), IncidentResolved
		if i.row.ResolvedAt+t.fold.reopenWindow() <= t.fold.now {
			i.row.State = IncidentClosed
		}
	}
	if before != IncidentOpen && i.row.State != before && i.row.State != IncidentClosed {
		at, reason := i.woken(before)
		step(Reopened, at, reason)
		before = IncidentOpen
	}
	if before == IncidentMerged && i.row.State == IncidentClosed {
		at, reason := i.woken(before)
		step(Reopened, at, reason)
		before = IncidentOpen
	}
	if before == IncidentOpen && i.row.State != IncidentOpen {
		step(Settled, i.row.ResolvedAt, i.settled())
		before, i.overAt = IncidentResolved, t.fold.now
	}
	if before == IncidentResolved && i.row.State == IncidentClosed {
		step(Closed, i.row.ResolvedAt+t.fold.reopenWindow(), closedReason(t.fold.reopenWindow()))
	}
	t.watchIncident(i)
	return steps, true
}

// settled says why i is resolved.
func (i *incident) settled() string {
	if i.row.Unknown == 0 {
		return "every alert has ended"
	}
	return fmt.Sprintf("nothing of it fires any more; how %d of %d alerts ended is not known", i.row.Unknown, i.row.Episodes)
}

// woken says when and why i is open again.
func (i *incident) woken(before IncidentState) (ingest.Millis, string) {
	if before == IncidentMerged || i.wokenBy == nil {
		return i.row.OpenedAt, "its alerts stand apart again"
	}
	if i.wokenBy.row.State == Unknown {
		return i.wokenAt, "not known to have ended: " + i.wokenBy.describe() + "; " + i.wokenBy.row.Source + " is silent"
	}
	return i.wokenAt, "fires again: " + i.wokenBy.describe()
}

func closedReason(window ingest.Millis) string {
	return fmt.Sprintf("resolved for %s", window.Duration())
}

// merge brings the row of an incident without members up to date: it lives on
// where the episode is that named it. One that was never shown is dropped.
func (t *tenant) merge(steps []Transition, i *incident) ([]Transition, bool) {
	if !i.shown {
		delete(t.incidents, i.row.ID)
		return steps, false
	}
	into := i.first.incident.row.ID
	if i.row.State == IncidentMerged && i.row.MergedInto == into {
		return steps, false
	}
	i.row.State, i.row.MergedInto = IncidentMerged, into
	i.row.Episodes, i.row.Firing, i.row.Unknown, i.row.ResolvedAt, i.row.Causes = 0, 0, 0, 0, nil
	return append(steps, Transition{
		Tenant: t.name, Incident: i.row.ID, Kind: Merged, At: i.row.OpenedAt, Other: into, Actor: actor,
		Reason: i.first.why(),
	}), true
}

// watchIncident sets the timer of what i waits for.
func (t *tenant) watchIncident(i *incident) {
	one := timer{tenant: t, key: i.row.ID, over: i}
	switch i.row.State {
	case IncidentResolved:
		one.kind, one.due = timerClose, i.row.ResolvedAt+t.fold.reopenWindow()
	case IncidentClosed:
		one.kind, one.due = timerForget, i.forgetAt()
	default:
		return
	}
	t.fold.timers.push(one)
}

// close closes a resolved incident.
func (t *tenant) close(i *incident) {
	at := i.row.ResolvedAt + t.fold.reopenWindow()
	i.row.State = IncidentClosed
	t.fold.steps = append(t.fold.steps, Transition{
		Tenant: t.name, Incident: i.row.ID, Kind: Closed, At: at, Actor: actor, Reason: closedReason(t.fold.reopenWindow()),
	})
	t.watchIncident(i)
	t.touchIncident(i)
}

// incidentID is the id of the incident that an episode begins: "5f3a…", or "2-5f3a…" in partition 2. One
// that was forgotten and came again, at an instant that is not 0, begins another.
func (f *Fold) incidentID(k EpisodeKey, again ingest.Millis) string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], f.episodeName(k))
	if again != 0 {
		h := sha256.New()
		h.Write(b[:])
		binary.BigEndian.PutUint64(b[:], uint64(again))
		h.Write(b[:])
		copy(b[:], h.Sum(nil))
	}
	id := hex.EncodeToString(b[:])
	if f.partition != 0 {
		return fmt.Sprintf("%d-%s", f.partition, id)
	}
	return id
}

// episodeName is a number that names an episode among those of all partitions.
func (f *Fold) episodeName(k EpisodeKey) uint64 {
	h := sha256.New()
	var b [8]byte
	number := func(n uint64) {
		binary.BigEndian.PutUint64(b[:], n)
		h.Write(b[:])
	}
	number(uint64(f.partition))
	for _, s := range []string{k.Tenant, k.Source, k.Fingerprint} {
		number(uint64(len(s)))
		h.Write([]byte(s))
	}
	number(uint64(k.StartsAt))
	return binary.BigEndian.Uint64(h.Sum(nil))
}
