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
	kept      map[string]int // how many of them, by source
	incidents map[string]*incident
	line      *line
	sources   map[string]*source
	past      past // what is forgotten

	tidyAt   ingest.Millis // when it is looked through for what is of no use any more
	settleAt ingest.Millis // when decisions that were put off are made; 0 where none are
	waiting  int           // episodes that came since the last decision
	unranked []*incident   // whose causes are ranked with it

	touched          bool // see Fold.touched
	touches          int  // how often the row of an episode changed
	changedEpisodes  []*episode
	changedIncidents []*incident
	changedBeats     []*beat
}

func newTenant(f *Fold, name string) *tenant {
	t := &tenant{
		fold: f, name: name,
		alerts: map[alertKey]*alert{}, kept: map[string]int{}, incidents: map[string]*incident{}, sources: map[string]*source{},
		line: newLine(f.model), tidyAt: f.now + ingest.Day,
	}
	t.watchTidy()
	return t
}

// touch says that e's row changed, and with it its incident's.
func (t *tenant) touch(e *episode) {
	t.touches++
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

// change takes in a change of a service, or says why not.
func (t *tenant) change(received ingest.Millis, c ingest.Change) (refused string) {
	if refused := tooFarAhead("change", c.ID, "started_at", c.StartedAt, received); refused != "" {
		return refused
	}
	t.line.insertChange(c)
	for _, i := range t.incidents {
		if after := i.row.OpenedAt - c.StartedAt; after >= -lookBack && after <= changeReach+lookBack {
			t.rerank(i)
		}
	}
	return ""
}

// rerank ranks the causes of i anew where what they are ranked by may have changed, and
// shows it where that makes a difference.
func (t *tenant) rerank(i *incident) {
	if i.rank || len(i.members) == 0 {
		return // it is ranked when it is shown, or not any more
	}
	if causes := t.causes(i); !slices.Equal(causes, i.row.Causes) {
		i.row.Causes = causes
		t.touchIncident(i)
	}
}

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
		if a.open != nil {
			t.watch(a.open)
		}
	}
	for _, i := range t.incidents {
		t.watchIncident(i)
	}
	for _, s := range t.sources {
		if s.beat != nil {
			t.watchBeat(s.beat)
		}
	}
	t.watchTidy()
	if t.settleAt != 0 {
		t.fold.timers.push(timer{due: t.settleAt, kind: timerSettle, tenant: t})
	}
}
