package store

import (
	"cmp"
	"context"
	_ "embed" // the queries
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
)

// The queries. Each stands in a file of its own, with what it answers.
var (
	//go:embed sql/incidents.sql
	incidentsSQL string
	//go:embed sql/incident.sql
	incidentSQL string
	//go:embed sql/merged.sql
	mergedSQL string
	//go:embed sql/episodes.sql
	episodesSQL string
	//go:embed sql/transitions.sql
	transitionsSQL string
)

// newest is an as_of after everything; a DateTime64 ends in 2299.
const newest = ingest.Millis(7_258_118_400_000) // 2200-01-01

// recordedBefore is how long before an incident's opening a step of its life may have
// been recorded: a sender's clock that runs ahead puts openings after their recording.
const recordedBefore = ingest.Day

// Reader reads incidents, episodes and transitions as they stood at an instant. It holds no
// state and may be used by many goroutines at once.
type Reader struct{ db clickhouse.Querier }

// NewReader returns a Reader on db.
func NewReader(db clickhouse.Querier) *Reader { return &Reader{db: db} }

// Incidents returns one page of the incidents that overlap a window, newest first.
func (r *Reader) Incidents(ctx context.Context, q IncidentQuery) (IncidentPage, error) {
	limit := min(cmp.Or(q.Limit, DefaultLimit), MaxLimit)
	p := params(q.Tenant, q.From, q.To, q.AsOf)
	p["state"], p["service"] = string(q.State), q.Service
	p["limit"] = strconv.Itoa(limit + 1)
	if err := q.resume(p); err != nil {
		return IncidentPage{}, err
	}
	all, err := clickhouse.All(ctx, r.db, incidentsSQL, p, scanIncident)
	if err != nil {
		return IncidentPage{}, fmt.Errorf("incidents: %w", err)
	}
	page := IncidentPage{Incidents: all}
	if len(all) > limit {
		last := all[limit-1]
		page.Incidents = all[:limit]
		page.Next = fmt.Sprintf("%d/%s", last.OpenedAt, last.ID)
	}
	return page, nil
}

// resume sets the parameters behind which the page begins.
func (q IncidentQuery) resume(p clickhouse.Params) error {
	p["after_ms"], p["after_id"] = ms(newest), ""
	if q.Cursor == "" {
		return nil
	}
	opened, id, ok := strings.Cut(q.Cursor, "/")
	if _, err := strconv.ParseInt(opened, 10, 64); err != nil || !ok {
		return fmt.Errorf("cursor %q is not one of a page before", q.Cursor)
	}
	p["after_ms"], p["after_id"] = opened, id
	return nil
}

// Incident returns one incident; an id that was merged away gives the one it lives on as
// (its ID then differs). ErrNotFound where there is none.
func (r *Reader) Incident(ctx context.Context, tenant, id string, asOf ingest.Millis) (correlate.Incident, error) {
	seen := map[string]bool{}
	for next := id; !seen[next]; {
		seen[next] = true
		p := params(tenant, 0, 0, asOf)
		p["id"] = next
		found, err := clickhouse.All(ctx, r.db, incidentSQL, p, scanIncident)
		if err != nil {
			return correlate.Incident{}, fmt.Errorf("incident %s: %w", id, err)
		}
		if len(found) == 0 {
			return correlate.Incident{}, fmt.Errorf("%w: %s", ErrNotFound, next)
		}
		if found[0].State != correlate.IncidentMerged {
			return found[0], nil
		}
		next = found[0].MergedInto
	}
	return correlate.Incident{}, fmt.Errorf("incident %s was merged in a circle", id)
}

// Episodes returns the episodes of an incident, a service or a window, oldest first.
func (r *Reader) Episodes(ctx context.Context, q EpisodeQuery) ([]correlate.Episode, error) {
	p := params(q.Tenant, q.From, q.To, q.AsOf)
	p["incident"], p["service"], p["limit"] = q.Incident, q.Service, strconv.Itoa(q.Limit)
	if q.Limit == 0 {
		p["limit"] = "18446744073709551615"
	}
	all, err := clickhouse.All(ctx, r.db, episodesSQL, p, scanEpisode)
	if err != nil {
		return nil, fmt.Errorf("episodes: %w", err)
	}
	return all, nil
}

// Transitions returns the steps of an incident's life and of what was merged into it, in the
// order in which they were recorded.
func (r *Reader) Transitions(ctx context.Context, tenant, incident string, asOf ingest.Millis) ([]correlate.Transition, error) {
	i, err := r.Incident(ctx, tenant, incident, asOf)
	if err != nil {
		return nil, err
	}
	p := params(tenant, max(0, i.OpenedAt-recordedBefore), 0, asOf)
	ids := []string{i.ID}
	for fresh := ids; len(fresh) > 0; {
		p["ids"] = clickhouse.Strings(fresh)
		merged, err := clickhouse.All(ctx, r.db, mergedSQL, p, func(rows clickhouse.Rows, id *string) error { return rows.Scan(id) })
		if err != nil {
			return nil, fmt.Errorf("what was merged into %s: %w", i.ID, err)
		}
		fresh = slices.DeleteFunc(merged, func(id string) bool { return slices.Contains(ids, id) })
		ids = append(ids, fresh...)
	}
	p["ids"] = clickhouse.Strings(ids)
	steps, err := clickhouse.All(ctx, r.db, transitionsSQL, p, scanTransition)
	if err != nil {
		return nil, fmt.Errorf("transitions of %s: %w", i.ID, err)
	}
	return steps, nil
}

func params(tenant string, from, to, asOf ingest.Millis) clickhouse.Params {
	return clickhouse.Params{
		"tenant":   cmp.Or(tenant, ingest.DefaultTenant),
		"from_ms":  ms(from),
		"to_ms":    ms(cmp.Or(to, cmp.Or(asOf, newest-1)+1)),
		"as_of_ms": ms(cmp.Or(asOf, newest)),
	}
}

func ms(m ingest.Millis) string { return strconv.FormatInt(int64(m), 10) }

func scanIncident(rows clickhouse.Rows, i *correlate.Incident) error {
	var kind, state, causes string
	var episodes, firing, unknown int64
	err := rows.Scan(&i.Partition, &i.Position, &i.Ordinal, (*int64)(&i.RecordedAt), &i.Tenant, &i.ID, &kind, &state, &i.MergedInto,
		&i.Title, &i.Severity, (*int64)(&i.OpenedAt), (*int64)(&i.ResolvedAt), &i.Services, &episodes, &firing, &unknown, &causes)
	if err != nil {
		return err
	}
	i.Kind, i.State = correlate.IncidentKind(kind), correlate.IncidentState(state)
	i.Episodes, i.Firing, i.Unknown = int(episodes), int(firing), int(unknown)
	return json.Unmarshal([]byte(causes), &i.Causes)
}

func scanEpisode(rows clickhouse.Rows, e *correlate.Episode) error {
	var state string
	var labels, annotations map[string]string
	var aliases []int64
	err := rows.Scan(&e.Partition, &e.Position, &e.Ordinal, (*int64)(&e.RecordedAt), &e.Tenant, &e.Source, &e.Fingerprint,
		(*int64)(&e.StartsAt), &state, (*int64)(&e.EndsAt), (*int64)(&e.UnknownSince), (*int64)(&e.FirstSeenAt), &e.Service, &e.Severity,
		&e.AlertName, &labels, &annotations, &e.GeneratorURL, &aliases, &e.Incident, &e.FirstIncident, &e.Reasons)
	e.State = correlate.EpisodeState(state)
	e.Labels, e.Annotations = ingest.LabelsOf(labels), ingest.LabelsOf(annotations)
	for _, a := range aliases {
		e.Aliases = append(e.Aliases, ingest.Millis(a))
	}
	return err
}

func scanTransition(rows clickhouse.Rows, t *correlate.Transition) error {
	var kind string
	var episode correlate.EpisodeKey
	err := rows.Scan(&t.Partition, &t.Position, &t.Ordinal, (*int64)(&t.RecordedAt), &t.Tenant, &t.Incident, &kind, (*int64)(&t.At),
		&episode.Source, &episode.Fingerprint, (*int64)(&episode.StartsAt), &t.Other, &t.Actor, &t.Reason)
	t.Kind = correlate.TransitionKind(kind)
	if episode != (correlate.EpisodeKey{}) {
		episode.Tenant = t.Tenant
		t.Episode = &episode
	}
	return err
}
