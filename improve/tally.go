package improve

import (
	"cmp"
	"maps"
	"slices"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
)

// What makes an episode noteworthy. The report states these lengths wherever it uses them.
const (
	// ShortEpisode: an episode that was resolved within it is short.
	ShortEpisode Length = 5 * 60_000
	// FlapGap: an episode that begins within it of the same alert's last end is a flap.
	FlapGap Length = 30 * 60_000
	// LateAfter: an episode first seen later than that after its start is late.
	LateAfter Length = 5 * 60_000
)

// Tally counts episodes one by one. They come ordered by (source, fingerprint,
// starts_at), so that the end before the next start is at hand.
type Tally struct {
	period     Window
	weeks      []Window
	names      map[string]*nameTally
	incidents  map[string]holds // what each incident holds of the period
	services   map[string]int   // episodes of the period by service
	sources    map[string]bool  // that episodes of the period came from
	alerts     int
	flapping   int
	late       int
	unknown    int
	alone      int            // episodes of the period in no incident
	unassigned map[string]int // episodes of the period without a service, by alert name

	unassignedWeekly []float64

	last      Episode // the one before
	counted   bool    // its alert was counted
	flapsHere bool    // its alert was counted as flapping
}

type nameTally struct {
	episodes, alerts, short, flaps, ended int
	firing                                Length
	incidents, services                   map[string]bool
	weekly                                []float64
}

// holds is an alert name of an incident, and whether there are others in it.
type holds struct {
	name   string
	others bool
}

// NewTally returns a tally for the report of p.
func NewTally(p Params) *Tally {
	return &Tally{
		period: p.elapsed(p.Period.Window), weeks: p.weeks(),
		names: map[string]*nameTally{}, incidents: map[string]holds{}, services: map[string]int{}, sources: map[string]bool{}, unassigned: map[string]int{},
		unassignedWeekly: make([]float64, len(p.weeks())),
	}
}

// Add counts one episode.
func (t *Tally) Add(e Episode) {
	if t.last.Source != e.Source || t.last.Fingerprint != e.Fingerprint {
		t.counted, t.flapsHere = false, false
		t.last = Episode{}
	}
	n := t.name(e.AlertName)
	if i := weekOf(t.weeks, e.StartsAt); i >= 0 {
		n.weekly[i]++
		if e.Service == "" {
			t.unassignedWeekly[i]++
		}
	}
	if t.period.Contains(e.StartsAt) {
		t.addOfPeriod(e, n)
	}
	t.last = e
}

func (t *Tally) name(alert string) *nameTally {
	n := t.names[alert]
	if n == nil {
		n = &nameTally{incidents: map[string]bool{}, services: map[string]bool{}, weekly: make([]float64, len(t.weeks))}
		t.names[alert] = n
	}
	return n
}

func (t *Tally) addOfPeriod(e Episode, n *nameTally) {
	n.episodes++
	t.services[e.Service]++
	t.sources[e.Source] = true
	if e.Service == "" {
		t.unassigned[e.AlertName]++
	} else {
		n.services[e.Service] = true
	}
	if e.Incident == "" {
		t.alone++
	} else {
		before, known := t.incidents[e.Incident]
		t.incidents[e.Incident] = holds{e.AlertName, known && (before.others || before.name != e.AlertName)}
		n.incidents[e.Incident] = true
	}
	if !t.counted {
		t.counted = true
		t.alerts++
		n.alerts++
	}
	if Length(e.FirstSeenAt-e.StartsAt) > LateAfter {
		t.late++
	}
	t.addLength(e, n)
	if t.last.End != 0 && e.StartsAt >= t.last.End && LengthOf(t.last.End, e.StartsAt) <= FlapGap {
		n.flaps++
		if !t.flapsHere {
			t.flapsHere = true
			t.flapping++
		}
	}
}

func (t *Tally) addLength(e Episode, n *nameTally) {
	if e.State == correlate.Unknown {
		t.unknown++
	}
	if e.End == 0 {
		return
	}
	n.ended++
	n.firing += LengthOf(e.StartsAt, e.End)
	if e.State == correlate.Resolved && LengthOf(e.StartsAt, e.End) < ShortEpisode {
		n.short++
	}
}

// weekOf returns the index of the week that holds at, or -1.
func weekOf(weeks []Window, at ingest.Millis) int {
	return slices.IndexFunc(weeks, func(w Window) bool { return w.Contains(at) })
}

// sum returns the counts of all names together.
func (t *Tally) sum() (all nameTally) {
	for _, n := range t.names {
		all.episodes += n.episodes
		all.short += n.short
		all.flaps += n.flaps
		all.ended += n.ended
	}
	return all
}

// byEpisodes returns the names that fired in the period, most episodes first.
func (t *Tally) byEpisodes() []string {
	names := slices.Collect(maps.Keys(t.names))
	names = slices.DeleteFunc(names, func(n string) bool { return t.names[n].episodes == 0 })
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(t.names[b].episodes, t.names[a].episodes), cmp.Compare(a, b))
	})
	return names
}

// incidentsOf returns the incidents that an alert name of the period was in.
func (t *Tally) incidentsOf(name string) []string {
	return slices.Sorted(maps.Keys(t.names[name].incidents))
}

// unassignedNames returns the alert names without a service, most episodes first.
func (t *Tally) unassignedNames() []string {
	return slices.SortedFunc(maps.Keys(t.unassigned), func(a, b string) int {
		return cmp.Or(cmp.Compare(t.unassigned[b], t.unassigned[a]), cmp.Compare(a, b))
	})
}
