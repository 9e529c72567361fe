package correlate

import (
	"slices"

	"github.com/evenkeel/evenkeel/ingest"
)

// Labels whose meaning is Prometheus' own.
const (
	alertNameLabel = "alertname"
	severityLabel  = "severity"
)

// tenant is the state of one tenant.
type tenant struct {
	fold      *Fold
	name      string
	alerts    map[alertKey]*alert
	incidents map[string]*incident
	line      *line

	settleAt ingest.Millis // when decisions that were put off are made; 0 where none are
	waiting  int           // episodes that came since the last decision

	changedEpisodes  []*episode
	changedIncidents []*incident
}

func newTenant(f *Fold, name string) *tenant {
	return &tenant{
		fold: f, name: name,
		alerts: map[alertKey]*alert{}, incidents: map[string]*incident{},
		line: newLine(f.model),
	}
}

// observe applies one sighting of an alert by the rules of episodes:
// an alert has at most one open episode.
func (t *tenant) observe(source string, received ingest.Millis, seen *ingest.Alert) {
	key := alertKey{source, seen.Fingerprint}
	a := t.alerts[key]
	if a == nil {
		a = &alert{}
		t.alerts[key] = a
	}
	if seen.StartsAt == 0 {
		dated := *seen
		dated.StartsAt = received
		seen = &dated
	}
	if seen.Resolved {
		t.resolved(a, source, received, seen)
	} else {
		t.firing(a, source, received, seen)
	}
}

// firing applies an alert seen firing.
func (t *tenant) firing(a *alert, source string, received ingest.Millis, seen *ingest.Alert) {
	known := a.find(seen.StartsAt)
	switch {
	case known != nil && known == a.open:
		t.seen(known, received)
	case known != nil && (a.open != nil || received-known.closedBy <= t.fold.copyWindow()):
		// A copy that was under way while the episode ended.
	case known != nil:
		t.reopen(a, known, received)
	case a.open != nil:
		a.open.addAlias(seen.StartsAt)
		t.touch(a.open)
		t.seen(a.open, received)
	default:
		a.open = t.begin(a, source, received, seen)
		a.open.lastSeen = received
		t.watch(a.open)
	}
}

// resolved applies an alert seen resolved.
func (t *tenant) resolved(a *alert, source string, received ingest.Millis, seen *ingest.Alert) {
	ends := seen.EndsAt
	if ends == 0 {
		ends = received // the sender gave none
	}
	known := a.find(seen.StartsAt)
	if known != nil && known != a.open && known.row.EndsAt == ends {
		return // a copy: that it ended then is known, and says nothing of what fires now
	}
	if a.open != nil && (ends > a.open.row.StartsAt || known == a.open) {
		if known == nil {
			a.open.addAlias(seen.StartsAt)
		}
		t.end(a, max(ends, a.open.row.StartsAt), received)
		return
	}
	if known != nil {
		return // a copy
	}
	open := a.open
	a.open = t.begin(a, source, received, seen)
	t.end(a, max(ends, seen.StartsAt), received)
	a.open = open
}

// begin makes a new episode and puts it on the line.
func (t *tenant) begin(a *alert, source string, received ingest.Millis, seen *ingest.Alert) *episode {
	e := &episode{previous: a.latest()}
	e.row = Episode{
		EpisodeKey:  EpisodeKey{t.name, source, seen.Fingerprint, seen.StartsAt},
		State:       Firing,
		FirstSeenAt: received, Service: t.fold.resolver.service(seen.Labels),
		Severity: seen.Labels.Get(severityLabel), AlertName: seen.Labels.Get(alertNameLabel),
		Labels: seen.Labels, Annotations: seen.Annotations, GeneratorURL: seen.GeneratorURL,
	}
	if e.previous != nil {
		e.resumes = e.previous.lastKnown()
	}
	e.id = t.fold.incidentID(e.row.EpisodeKey)
	e.at = t.line.place(seen.StartsAt, received)
	t.line.insert(e)
	t.waiting++
	t.touch(e)
	return e
}

// latest returns the remembered episode that ended last.
func (a *alert) latest() *episode {
	if len(a.ended) == 0 {
		return nil
	}
	return a.ended[len(a.ended)-1]
}

// lastKnown is when e ended, or the last start that was seen of it.
func (e *episode) lastKnown() ingest.Millis {
	last := max(e.row.StartsAt, e.row.EndsAt)
	if n := len(e.row.Aliases); n > 0 {
		last = max(last, e.row.Aliases[n-1])
	}
	return last
}

// seen notes that an open episode was seen firing.
func (t *tenant) seen(e *episode, received ingest.Millis) {
	e.lastSeen = max(e.lastSeen, received)
	if e.row.State != Unknown {
		return
	}
	if e.lastSeen+t.fold.staleAfter() <= t.fold.now {
		e.row.UnknownSince = e.lastSeen
	} else {
		e.row.State, e.row.UnknownSince = Firing, 0
		t.watch(e)
	}
	t.touch(e)
}

// end closes the open episode.
func (t *tenant) end(a *alert, ends, received ingest.Millis) {
	e := a.open
	a.open = nil
	a.ended = append(a.ended, e)
	e.row.State, e.row.EndsAt, e.row.UnknownSince, e.closedBy = Resolved, ends, 0, received
	t.touch(e)
}

// reopen opens an ended episode again: it fires with the start that is known.
func (t *tenant) reopen(a *alert, e *episode, received ingest.Millis) {
	a.ended = slices.DeleteFunc(a.ended, func(o *episode) bool { return o == e })
	a.open = e
	e.row.State, e.row.EndsAt, e.lastSeen = Firing, 0, received
	if e.incident != nil {
		e.incident.wokenAt, e.incident.wokenBy = received, e
	}
	t.watch(e)
	t.touch(e)
}

// goStale makes an open episode unknown since it was last seen.
func (t *tenant) goStale(e *episode) {
	e.row.State, e.row.UnknownSince = Unknown, e.lastSeen
	t.touch(e)
}

// watch sets the timer of an open episode.
func (t *tenant) watch(e *episode) {
	t.fold.timers.push(timer{
		due: e.lastSeen + t.fold.staleAfter(), kind: timerStale, tenant: t, key: e.id, stale: e,
	})
}

// touch says that e's row changed, and with it its incident's.
func (t *tenant) touch(e *episode) {
	if !e.dirty {
		e.dirty = true
		t.changedEpisodes = append(t.changedEpisodes, e)
	}
	if e.incident != nil {
		t.touchIncident(e.incident)
	}
}

func (t *tenant) touchIncident(i *incident) {
	if !i.dirty {
		i.dirty = true
		t.changedIncidents = append(t.changedIncidents, i)
	}
}

// change takes in a change of a service.
func (t *tenant) change(c ingest.Change) { t.line.insertChange(c, t.fold.now) }

// rename gives e another service, after the configuration changed.
func (t *tenant) rename(e *episode, service string) {
	if e.row.Service == service {
		return
	}
	if i := e.incident; i != nil {
		drop(i.services, e.row.Service)
		i.services[service]++
	}
	e.row.Service = service
	t.touch(e)
}

// setTimers sets the timers of all that waits.
func (t *tenant) setTimers() {
	for _, a := range t.alerts {
		if a.open != nil && a.open.row.State == Firing {
			t.watch(a.open)
		}
	}
	for _, i := range t.incidents {
		t.watchIncident(i)
	}
	if t.settleAt != 0 {
		t.fold.timers.push(timer{due: t.settleAt, kind: timerSettle, tenant: t})
	}
}
