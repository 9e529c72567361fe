package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/evenkeel/evenkeel/correlate"
	correlatestore "github.com/evenkeel/evenkeel/correlate/store"
	"github.com/evenkeel/evenkeel/ingest"
)

// Limits of lists.
const (
	DefaultLimit = 100
	MaxLimit     = 1000
)

// incidentStates are the values of the parameter state.
var incidentStates = []string{
	string(correlate.IncidentOpen), string(correlate.IncidentResolved),
	string(correlate.IncidentClosed), string(correlate.IncidentMerged),
}

// IncidentList is one page of incidents, newest first.
type IncidentList struct {
	AsOf      ingest.Millis        `json:"as_of"`
	From      ingest.Millis        `json:"from"` // null: without a beginning
	To        ingest.Millis        `json:"to"`   // null: up to as_of, included
	Incidents []correlate.Incident `json:"incidents"`
	Next      string               `json:"next_cursor,omitempty"` // absent on the last page
}

// Incident is one incident with all that it was made of.
type Incident struct {
	correlate.Incident
	AsOf ingest.Millis `json:"as_of"`
	// RedirectedFrom is the id that was asked for, where it was merged into this one.
	RedirectedFrom string                 `json:"redirected_from,omitempty"`
	Members        []correlate.Episode    `json:"episode_list"`
	Transitions    []correlate.Transition `json:"transitions"`
}

// incidentParams are the parameters of a list of incidents.
var incidentParams = []string{"state", "service", "from", "to", "as_of", "limit", "cursor"}

// ListIncidents returns one page of incidents, as its parameters ask for: state,
// service, from, to, as_of, limit and cursor.
func (r *Reads) ListIncidents(ctx context.Context, p *Params) (IncidentList, []string, error) {
	q := correlatestore.IncidentQuery{
		Tenant: r.tenant(), Service: p.Text("service"),
		State: correlate.IncidentState(p.OneOf("state", incidentStates...)),
		Limit: p.Limit(DefaultLimit, MaxLimit),
	}
	q.From, q.To = p.Window(0, 0)
	q.Cursor = resume(q.Tenant, p)
	asOf, warnings, err := r.AsOf(p)
	if err := errors.Join(p.Err(), err); err != nil {
		return IncidentList{}, nil, err
	}
	q.AsOf = asOf
	page, err := r.Incidents.Incidents(ctx, q)
	if err != nil {
		return IncidentList{}, nil, err
	}
	next, err := encodeCursor(q.Tenant, q.AsOf, page.Next)
	return IncidentList{AsOf: q.AsOf, From: q.From, To: q.To, Incidents: whole(page.Incidents), Next: next}, warnings, err
}

// OneIncident returns an incident with its episodes and transitions. An id that
// was merged away gives the incident that it lives on as.
func (r *Reads) OneIncident(ctx context.Context, id string, asOf ingest.Millis) (Incident, error) {
	incident, err := r.Incidents.Incident(ctx, r.tenant(), id, asOf)
	if errors.Is(err, correlatestore.ErrNotFound) {
		return Incident{}, &NotFoundError{Kind: "incident", Name: id, Hint: "none was recorded up to " + asOf.String()}
	}
	if err != nil {
		return Incident{}, err
	}
	members, err := r.Incidents.Episodes(ctx, correlatestore.EpisodeQuery{Tenant: r.tenant(), Incident: incident.ID, AsOf: asOf})
	if err != nil {
		return Incident{}, err
	}
	transitions, err := r.Incidents.Transitions(ctx, r.tenant(), incident.ID, asOf)
	if err != nil {
		return Incident{}, err
	}
	full := Incident{Incident: whole([]correlate.Incident{incident})[0], AsOf: asOf, Members: wholeEpisodes(members), Transitions: orEmpty(transitions)}
	if incident.ID != id {
		full.RedirectedFrom = id
	}
	return full, nil
}

func (a *API) incidents(ctx context.Context, r *http.Request) (answer, error) {
	list, warnings, err := a.reads.ListIncidents(ctx, ReadParams(r.URL.Query(), incidentParams...))
	return answer{list, warnings}, err
}

func (a *API) incident(ctx context.Context, r *http.Request) (answer, error) {
	p := ReadParams(r.URL.Query(), "as_of")
	asOf, warnings, err := a.reads.AsOf(p)
	if err := errors.Join(p.Err(), err); err != nil {
		return answer{}, err
	}
	incident, err := a.reads.OneIncident(ctx, r.PathValue("id"), asOf)
	if incident.RedirectedFrom != "" {
		warnings = append(warnings, "incident "+incident.RedirectedFrom+" was merged: this is "+incident.ID+", which it lives on as")
	}
	return answer{incident, warnings}, err
}

// whole makes lists within incidents [] in JSON where they are empty, not null.
func whole(incidents []correlate.Incident) []correlate.Incident {
	for k := range incidents {
		i := &incidents[k]
		i.Services, i.Causes = orEmpty(i.Services), orEmpty(i.Causes)
	}
	return orEmpty(incidents)
}

// wholeEpisodes does so with episodes.
func wholeEpisodes(episodes []correlate.Episode) []correlate.Episode {
	for k := range episodes {
		e := &episodes[k]
		e.Aliases, e.Reasons = orEmpty(e.Aliases), orEmpty(e.Reasons)
	}
	return orEmpty(episodes)
}

// orEmpty makes a list without entries [] in JSON, not null.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
