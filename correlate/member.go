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
	unknown    int // open
	lost       int // ended as unknown
	services   map[string]int
	severities map[string]int
	retired    retired       // members that are not in memory any more
	retireAt   int           // so many members before more of them are
	rank       bool          // what its causes are ranked by has changed
	overAt     ingest.Millis // fold time when it was last seen to be resolved
	shown      bool          // a row was returned by Flush
	shownAt    ingest.Millis // fold time of the last one
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
	case lost:
		i.lost += sign
	}
}

// add makes e a member.
func (i *incident) add(e *episode) {
	at, _ := slices.BinarySearchFunc(i.members, e, compareEpisodes)
	i.members = slices.Insert(i.members, at, e)
	i.rank = i.rank || i.rankedBy(e, at)
	e.incident, e.counted = i, e.standing()
	i.count(e, 1)
	i.services[e.row.Service]++
	i.severities[e.row.Severity]++
}

// rankedBy tells whether the causes of i are ranked by e, its member at that place. What comes after
// half a day says nothing of them: by then what labels told when i began is summed up.
func (i *incident) rankedBy(e *episode, at int) bool {
	return at < causeSample && e.at-i.first.at < rememberedCells/2
}

// remove takes e out.
func (i *incident) remove(e *episode) {
	if at, found := slices.BinarySearchFunc(i.members, e, compareEpisodes); found {
		i.members = slices.Delete(i.members, at, at+1)
		i.rank = i.rank || i.rankedBy(e, at)
	}
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
	e.counted = e.standing()
	i.count(e, 1)
}

// latestEnd is when the last member ended, or was last known.
func (i *incident) latestEnd() ingest.Millis {
	latest := i.retired.End
	for _, e := range i.members {
		latest = max(latest, e.row.End())
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
func (i *incident) forgetAt() ingest.Millis { return max(i.row.ResolvedAt, i.overAt) + retention }

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
		i.row = Incident{Tenant: t.name, ID: first.id, Kind: Fault, OpenedAt: first.row.StartsAt}
		t.incidents[first.id] = i
	}
	return i
}
