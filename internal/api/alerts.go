package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/evenkeel/evenkeel/correlate"
	correlatestore "github.com/evenkeel/evenkeel/correlate/store"
	"github.com/evenkeel/evenkeel/ingest"
)

var episodeStates = []string{string(correlate.Firing), string(correlate.Resolved), string(correlate.Unknown)}

// AlertList is the episodes of a window, oldest first.
type AlertList struct {
	AsOf     ingest.Millis       `json:"as_of"`
	From     ingest.Millis       `json:"from"` // null: only what fires at as_of
	To       ingest.Millis       `json:"to"`   // null: up to as_of, included
	Episodes []correlate.Episode `json:"episodes"`
}

// maxEpisodes is how many episodes are read to choose from.
const maxEpisodes = 100_000

// ListAlerts returns episodes. With from or to: those that overlap the window,
// in any state; without: those that have not ended at as_of.
func (r *Reads) ListAlerts(ctx context.Context, p *Params) (AlertList, []string, error) {
	state := correlate.EpisodeState(p.OneOf("state", episodeStates...))
	limit := p.Limit(MaxLimit, 10*MaxLimit)
	from, to := p.Window(0, 0)
	asOf, warnings, err := r.AsOf(p)
	if err := errors.Join(p.Err(), err); err != nil {
		return AlertList{}, nil, err
	}
	q := correlatestore.EpisodeQuery{
		Tenant: r.tenant(), Service: p.Text("service"), Incident: p.Text("incident"),
		From: from, To: to, AsOf: asOf, Limit: maxEpisodes,
	}
	running := from == 0 && to == 0
	if running {
		q.From = asOf
	}
	episodes, err := r.Incidents.Episodes(ctx, q)
	if err != nil {
		return AlertList{}, nil, err
	}
	if len(episodes) == maxEpisodes {
		warnings = append(warnings, fmt.Sprintf("only the oldest %d episodes of the window were looked at: ask for a shorter one", maxEpisodes))
	}
	list := AlertList{AsOf: asOf, From: from, To: to, Episodes: []correlate.Episode{}}
	for _, e := range episodes {
		if state != "" && e.State != state || running && e.State == correlate.Resolved {
			continue
		}
		if len(list.Episodes) == limit {
			warnings = append(warnings, fmt.Sprintf("there are more than the %d listed: narrow the window or raise limit", limit))
			break
		}
		list.Episodes = append(list.Episodes, e)
	}
	list.Episodes = wholeEpisodes(list.Episodes)
	return list, warnings, nil
}

func (a *API) alerts(ctx context.Context, r *http.Request) (answer, error) {
	p := ReadParams(r.URL.Query(), "state", "service", "incident", "from", "to", "as_of", "limit")
	list, warnings, err := a.reads.ListAlerts(ctx, p)
	return answer{list, warnings}, err
}
