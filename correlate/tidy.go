package correlate

import (
	"cmp"
	"maps"
	"slices"

	"github.com/evenkeel/evenkeel/ingest"
)

// What is long over leaves memory in three ways: an incident is forgotten a day after its end,
// the old members of one that does not end are retired, and once a day
// a tenant drops what is left, and itself with the last of it.

// retiredFrom is how many of an incident's members are always kept: its causes are ranked by them.
const retiredFrom = causeSample

// retireAnew is after how many more members they are looked at again.
const retireAnew = 256

// retired sums up the members of an incident that are in memory no more.
type retired struct {
	N          int
	Lost       int           // of them, ended as unknown
	End        ingest.Millis // of the last
	Services   map[string]int
	Severities map[string]int
}

// retire sums up the members of i that ended long ago and are decided for good. An alert that comes
// and goes for weeks is one incident: it must not grow without bound. Its rows stay as they are.
func (t *tenant) retire(i *incident) {
	if len(i.members) < max(i.retireAt, retiredFrom+retireAnew) {
		return
	}
	rest := slices.DeleteFunc(i.members[retiredFrom:], func(e *episode) bool { return t.retires(i, e) })
	i.members = i.members[:retiredFrom+len(rest)]
	i.retireAt = len(i.members) + max(retireAnew, len(i.members)-retiredFrom)
}

// retires sums e up where it may leave.
func (t *tenant) retires(i *incident, e *episode) bool {
	final := len(t.line.stages) > 0 && t.line.cellOf(e) < freeFrom(t.line.stages[0].cell)
	if !final || !e.row.Over() || e == i.first || e == i.wokenBy || max(e.row.EndsAt, e.closedBy)+retention > t.fold.now {
		return false
	}
	r := &i.retired
	if r.N == 0 {
		r.Services, r.Severities = map[string]int{}, map[string]int{}
	}
	r.N++
	if e.standing() == lost {
		r.Lost++
	}
	r.End = max(r.End, e.row.End())
	r.Services[e.row.Service]++
	r.Severities[e.row.Severity]++
	t.forgetMember(e)
	e.incident = nil
	return true
}

// forget drops an incident that is long over, its episodes, and what was merged into it.
func (t *tenant) forget(i *incident) {
	delete(t.incidents, i.row.ID)
	for _, e := range i.members {
		t.forgetMember(e)
	}
}

// forgetMember drops an episode and the incident that it once named.
func (t *tenant) forgetMember(e *episode) {
	if own := t.incidents[e.id]; own != nil && len(own.members) == 0 {
		delete(t.incidents, e.id)
	}
	t.forgetEpisode(e)
}

// forgetEpisode drops an ended episode, and its alert with the last one. Its names stay known.
func (t *tenant) forgetEpisode(e *episode) {
	for _, startsAt := range append([]ingest.Millis{e.row.StartsAt}, e.row.Aliases...) {
		key := e.row.EpisodeKey
		key.StartsAt = startsAt
		t.past.add(t.fold.episodeName(key), t.fold.now)
	}
	key := alertKey{e.row.Source, e.row.Fingerprint}
	a := t.alerts[key]
	if a == nil {
		return
	}
	a.ended = slices.DeleteFunc(a.ended, func(o *episode) bool { return o == e })
	if a.open == nil && len(a.ended) == 0 {
		t.drop(key)
	}
	if a.open != nil && a.open.previous == e {
		a.open.previous = nil
	}
	for _, o := range a.ended {
		if o.previous == e {
			o.previous = nil
		}
	}
}

// knew tells whether a starts_at names an episode that was forgotten.
func (t *tenant) knew(source string, seen *ingest.Alert) bool {
	return len(t.past) > 0 && t.past.has(t.fold.episodeName(EpisodeKey{t.name, source, seen.Fingerprint, seen.StartsAt}))
}

// tidy drops what is of no use any more, once a day. A tenant of whom nothing is left is
// dropped with what its labels told: of one that has been silent for a month that is no loss.
func (t *tenant) tidy() {
	t.line.expireChanges(t.fold.now)
	t.past.expire(t.fold.now)
	t.forgetSources()
	declared := func(s *source) bool { return s.beat != nil }
	if len(t.alerts)+len(t.incidents)+len(t.line.changes)+len(t.past) == 0 && !slices.ContainsFunc(slices.Collect(maps.Values(t.sources)), declared) {
		delete(t.fold.tenants, t.name)
		return
	}
	t.tidyAt = t.fold.now + ingest.Day
	t.watchTidy()
}

// mostSources is how many sources of a tenant are remembered of which nothing but the services is known that
// they have sent alerts of.
const mostSources = 1000

// forgetSources drops sources that were only named in what was sent: which services they have sent alerts of is of
// use only if a heartbeat of theirs is declared one day. Those go that have sent nothing for a month, and of
// too many those that were silent longest.
func (t *tenant) forgetSources() {
	var idle []*source
	for _, s := range t.sources {
		if s.beat == nil && t.kept[s.name] == 0 {
			idle = append(idle, s)
		}
	}
	slices.SortFunc(idle, func(a, b *source) int { return cmp.Or(cmp.Compare(b.seen, a.seen), cmp.Compare(a.name, b.name)) })
	for i, s := range idle {
		if i >= mostSources || s.seen < t.fold.now-pastDays*ingest.Day {
			delete(t.sources, s.name)
		}
	}
}

func (t *tenant) watchTidy() { t.fold.timers.push(timer{due: t.tidyAt, kind: timerTidy, tenant: t}) }

// expireChanges drops the changes that are too old to be causes.
func (l *line) expireChanges(now ingest.Millis) {
	for service, known := range l.changes {
		known = slices.DeleteFunc(known, func(c ingest.Change) bool { return c.StartedAt < now-retention })
		if len(known) == 0 {
			delete(l.changes, service)
		} else {
			l.changes[service] = known
		}
	}
}

// compareTenants orders tenants by name.
func compareTenants(a, b *tenant) int { return cmp.Compare(a.name, b.name) }
