package web

import (
	"cmp"
	"context"
	"errors"
	"hash/fnv"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/api"
)

// incidentPage is one incident.
type incidentPage struct {
	ID, Title, State, LastedVerb string
	Severity                     severity
	Lasted                       length
	Episodes                     string
	Firing, Unknown              int
	RedirectedFrom               string
	EpisodesBasis                string
	Members                      []episodeRow
	Causes                       []cause
	Opened, Recorded             instant
	Resolved                     *instant
	Services                     []link
	JSON                         string
	TimelineBasis                string
	Timeline                     []step
}

type episodeRow struct {
	ID, Name, State, Summary string
	Version                  string
	Severity                 severity
	Service                  link
	Starts, Ends, FirstSeen  instant
	Lasted                   length
	Reasons                  []string
	Labels, Annotations      ingest.Labels
	Aliases                  []instant
	FirstIncident            *link // where it differs from this one
	Source, Fingerprint      string
	Generator                string
}

// step is a line of the timeline.
type step struct {
	Kind, What, Who, Reason string
	At                      instant
	Other                   *link
}

func (p *Pages) incident(ctx context.Context, r *http.Request) (made, error) {
	params := api.ReadParams(r.URL.Query(), "as_of", "from")
	asOf, warnings, err := p.reads.AsOf(params)
	if err := errors.Join(params.Err(), err); err != nil {
		return made{}, err
	}
	found, err := p.reads.OneIncident(ctx, r.PathValue("id"), asOf)
	if err != nil {
		return made{}, err
	}
	if found.RedirectedFrom != "" {
		to := without(r.URL.Query(), "from")
		to.Set("from", found.RedirectedFrom)
		return made{redirectTo: incidentHref(found.ID) + "?" + to.Encode()}, nil
	}
	body := p.incidentBody(found)
	body.RedirectedFrom = params.Text("from")
	return made{
		view: "incident", title: body.Title, asOf: asOf, live: params.Text("as_of") == "", warnings: warnings, body: body,
	}, nil
}

func (p *Pages) incidentBody(i api.Incident) incidentPage {
	body := incidentPage{
		ID: i.ID, Title: title(i.Incident), State: string(i.State), LastedVerb: verb(i.State),
		Severity: severityOf(i.Severity), Lasted: lasted(i.OpenedAt, i.ResolvedAt, i.AsOf),
		Episodes: episodesOf(i.Incident), Firing: i.Firing, Unknown: i.Unknown,
		EpisodesBasis: "n = " + grouped(int64(len(i.Members))) + ", oldest first",
		Opened:        p.instant(i.OpenedAt), Recorded: p.instant(i.RecordedAt), Services: serviceLinks(i.Services),
		JSON:          "/api/v1/incidents/" + url.PathEscape(i.ID),
		TimelineBasis: "n = " + grouped(int64(len(i.Transitions))) + ", oldest first",
		Timeline:      p.timeline(i),
	}
	if i.ResolvedAt != 0 {
		at := p.instant(i.ResolvedAt)
		body.Resolved = &at
	}
	for _, c := range i.Causes {
		body.Causes = append(body.Causes, causeOf(c))
	}
	for _, e := range i.Members {
		body.Members = append(body.Members, p.episodeRow(e, i))
	}
	return body
}

func (p *Pages) episodeRow(e correlate.Episode, in api.Incident) episodeRow {
	row := episodeRow{
		ID: episodeID(e.EpisodeKey), Name: cmp.Or(e.AlertName, "alert without a name"), State: string(e.State),
		Version:  strconv.FormatUint(e.Version(), 10),
		Severity: severityOf(e.Severity), Service: serviceLink(e.Service),
		Summary: cmp.Or(e.Annotations.Get("summary"), e.Annotations.Get("description"), e.Annotations.Get("message")),
		Starts:  p.instant(e.StartsAt), Ends: p.until(e.StartsAt, e.End()), FirstSeen: p.instant(e.FirstSeenAt),
		Lasted: lasted(e.StartsAt, e.End(), in.AsOf), Reasons: e.Reasons,
		Labels: e.Labels, Annotations: e.Annotations,
		Source: e.Source, Fingerprint: e.Fingerprint, Generator: e.GeneratorURL,
	}
	for _, at := range e.Aliases {
		row.Aliases = append(row.Aliases, p.instant(at))
	}
	if e.FirstIncident != "" && e.FirstIncident != in.ID {
		row.FirstIncident = &link{e.FirstIncident, incidentHref(e.FirstIncident)}
	}
	return row
}

// episodeID is a name for an episode that is fit for an HTML id, whatever its fingerprint holds.
func episodeID(k correlate.EpisodeKey) string {
	h := fnv.New64a()
	for _, part := range []string{k.Tenant, k.Source, k.Fingerprint, k.StartsAt.String()} {
		_, _ = h.Write([]byte(part + "\x00")) // never fails
	}
	return "e-" + strconv.FormatUint(h.Sum64(), 16)
}

// stepNames puts the kinds of transitions into words.
var stepNames = map[correlate.TransitionKind]string{
	correlate.Opened: "Opened", correlate.Joined: "Episode joined", correlate.Left: "Episode moved away",
	correlate.Merged: "Merged", correlate.Settled: "Resolved", correlate.Reopened: "Reopened", correlate.Closed: "Closed",
}

// mostJoined is how many episodes in a row are told of one by one: a flood would
// hide what happened between.
const mostJoined = 4

// timeline returns the steps by when they happened. Of a run of episodes that
// joined, those beyond a few are told of in one line.
func (p *Pages) timeline(i api.Incident) []step {
	transitions := slices.Clone(i.Transitions)
	slices.SortStableFunc(transitions, func(a, b correlate.Transition) int { return cmp.Compare(a.At, b.At) })
	names := map[correlate.EpisodeKey]string{}
	for _, e := range i.Members {
		names[e.EpisodeKey] = cmp.Or(e.AlertName, e.Fingerprint)
	}
	var steps []step
	for len(transitions) > 0 {
		run := 0
		for run < len(transitions) && transitions[run].Kind == correlate.Joined && transitions[run].Other == "" {
			run++
		}
		shown := max(1, run)
		if run > mostJoined+1 {
			shown = mostJoined
		}
		for _, t := range transitions[:shown] {
			steps = append(steps, p.step(t, i.ID, names))
		}
		if rest := run - shown; rest > 0 {
			last := transitions[run-1]
			steps = append(steps, step{
				Kind: "joined", At: p.instant(last.At), What: count(rest, "more episode joined", "more episodes joined"),
				Reason: "up to this moment; each is among the episodes, with its reasons",
			})
		}
		transitions = transitions[max(run, shown):]
	}
	return steps
}

func (p *Pages) step(t correlate.Transition, incident string, names map[correlate.EpisodeKey]string) step {
	s := step{Kind: string(t.Kind), At: p.instant(t.At), What: cmp.Or(stepNames[t.Kind], string(t.Kind)), Who: t.Actor, Reason: t.Reason}
	if t.Episode != nil {
		s.What += ": " + cmp.Or(names[*t.Episode], t.Episode.Fingerprint)
	}
	if t.Incident != incident { // of one that was merged into this
		s.Other = &link{t.Incident, incidentHref(t.Incident)}
	}
	if t.Other != "" {
		s.Other = &link{t.Other, incidentHref(t.Other)}
	}
	return s
}
