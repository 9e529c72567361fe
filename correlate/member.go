package correlate

import (
	"slices"

	"github.com/evenkeel/evenkeel/ingest"
)

// incident is an incident inside the fold.
type incident struct {
	row        Incident
	first      *episode   // names it: its id is this episode's
	members    []*episode // sorted by place and key
	firing     int
	unknown    int
	services   map[string]int
	severities map[string]int
	regrouped  int           // members that came or went since the causes were ranked
	shown      bool          // a row was returned by Flush
	wokenAt    ingest.Millis // when it last got something that fires
	wokenBy    *episode
	dirty      bool
}

// count adds e to the sums of i, or takes it out with sign -1.
func (i *incident) count(e *episode, sign int) {
	switch e.counted {
	case Firing:
		i.firing += sign
	case Unknown:
		i.unknown += sign
	}
}

// add makes e a member.
func (i *incident) add(e *episode) {
	at, _ := slices.BinarySearchFunc(i.members, e, compareEpisodes)
	i.members = slices.Insert(i.members, at, e)
	i.regrouped++
	e.incident, e.counted = i, e.row.State
	i.count(e, 1)
	i.services[e.row.Service]++
	i.severities[e.row.Severity]++
}

// remove takes e out.
func (i *incident) remove(e *episode) {
	if at, found := slices.BinarySearchFunc(i.members, e, compareEpisodes); found {
		i.members = slices.Delete(i.members, at, at+1)
	}
	i.regrouped++
	i.count(e, -1)
	e.incident = nil
	drop(i.services, e.row.Service)
	drop(i.severities, e.row.Severity)
}

// drop counts one less of name.
func drop(counts map[string]int, name string) {
	if counts[name]--; counts[name] == 0 {
		delete(counts, name)
	}
}

// recount takes in that e's state changed.
func (i *incident) recount(e *episode) {
	i.count(e, -1)
	e.counted = e.row.State
	i.count(e, 1)
}

// latestEnd is when the last member ended.
func (i *incident) latestEnd() ingest.Millis {
	var latest ingest.Millis
	for _, e := range i.members {
		latest = max(latest, e.row.EndsAt)
	}
	return latest
}

// over tells whether nothing more happens in i by itself.
func (i *incident) over() bool {
	return i.row.State == IncidentClosed || i.row.State == IncidentMerged
}

// retention is how long an incident that is closed stays in memory, so that late copies
// of its alerts are known.
const retention = 24 * ingest.Hour

// forgetAt is when i is dropped. A merged one goes with the one it lives on as.
func (i *incident) forgetAt() ingest.Millis { return i.row.ResolvedAt + retention }

// assign puts e into the incident that first names.
func (t *tenant) assign(e, first *episode, group *explanation) {
	why := t.reasons(e, first, group)
	if !slices.Equal(why, e.row.Reasons) {
		e.row.Reasons = why
		t.touch(e)
	}
	to := t.incidentOf(first)
	if e.incident == to {
		return
	}
	if from := e.incident; from != nil {
		from.remove(e)
		t.touchIncident(from)
	}
	to.add(e)
	if e.row.State == Firing {
		to.wokenAt, to.wokenBy = max(to.wokenAt, e.row.StartsAt), e
	}
	t.touch(e)
	t.touchIncident(to)
	if own := t.incidents[e.id]; own != nil {
		t.touchIncident(own) // it may be merged into another one now
	}
}

// incidentOf returns the incident that an episode names, new where there is none.
func (t *tenant) incidentOf(first *episode) *incident {
	i := t.incidents[first.id]
	if i == nil {
		i = &incident{first: first, services: map[string]int{}, severities: map[string]int{}}
		i.row = Incident{Tenant: t.name, ID: first.id, OpenedAt: first.row.StartsAt}
		t.incidents[first.id] = i
	}
	return i
}

// forget drops an incident that is long over, its episodes, and what was merged into it.
func (t *tenant) forget(i *incident) {
	delete(t.incidents, i.row.ID)
	for _, e := range i.members {
		if own := t.incidents[e.id]; own != nil && len(own.members) == 0 {
			delete(t.incidents, e.id)
		}
		t.forgetEpisode(e)
	}
}

// forgetEpisode drops an ended episode, and its alert with the last one.
func (t *tenant) forgetEpisode(e *episode) {
	key := alertKey{e.row.Source, e.row.Fingerprint}
	a := t.alerts[key]
	if a == nil {
		return
	}
	a.ended = slices.DeleteFunc(a.ended, func(o *episode) bool { return o == e })
	if a.open == nil && len(a.ended) == 0 {
		delete(t.alerts, key)
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
