package apitest

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/evenkeel/evenkeel/correlate"
	correlatestore "github.com/evenkeel/evenkeel/correlate/store"
	"github.com/evenkeel/evenkeel/improve"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/api"
	"github.com/evenkeel/evenkeel/sla"
	slastore "github.com/evenkeel/evenkeel/sla/store"
)

// Site is a store in memory, of one tenant, whose name it does not look at. It answers as the real ones do, from what its fields
// hold; what was recorded after an as_of is not in the answer.
type Site struct {
	Now         ingest.Millis // the stored fold time
	Catalogue   api.Catalogue
	Before      api.Catalogue        // in force before Changed
	Changed     ingest.Millis        // when Catalogue came into force; 0: it always was
	Records     []correlate.Incident // newest opened_at first
	Members     []correlate.Episode  // oldest first
	Steps       []correlate.Transition
	Levels      []sla.Segment // ordered by service, agreement, from; up included
	Deployments []ingest.Change
	Letters     []ingest.DeadLetter
	History     ingest.Millis // of the first delivery
	Err         error         // what every read answers, where it is not nil
}

// Reads returns what API and pages read from.
func (s *Site) Reads() api.Reads {
	return api.Reads{
		Incidents: s, Levels: s, Arrivals: s, Reports: s,
		Catalogue:  s.catalogueAt,
		Current:    func() api.Catalogue { return s.Catalogue },
		StoredTime: func() ingest.Millis { return s.Now },
	}
}

func (s *Site) catalogueAt(_ context.Context, asOf ingest.Millis) (api.Catalogue, error) {
	if asOf < s.Changed {
		return s.Before, s.Err
	}
	return s.Catalogue, s.Err
}

// Incidents answers one page; its cursor is the number of incidents before it.
func (s *Site) Incidents(_ context.Context, q correlatestore.IncidentQuery) (correlatestore.IncidentPage, error) {
	var page correlatestore.IncidentPage
	skip, _ := strconv.Atoi(q.Cursor) // "" is none
	for _, i := range s.Records {
		if !matches(i, q) {
			continue
		}
		if skip--; skip >= 0 {
			continue
		}
		if len(page.Incidents) == cmp.Or(q.Limit, correlatestore.DefaultLimit) {
			before, _ := strconv.Atoi(q.Cursor)
			page.Next = strconv.Itoa(before + len(page.Incidents))
			break
		}
		page.Incidents = append(page.Incidents, i)
	}
	return page, s.Err
}

func matches(i correlate.Incident, q correlatestore.IncidentQuery) bool {
	switch {
	case q.AsOf != 0 && i.RecordedAt > q.AsOf,
		q.State == "" && i.State == correlate.IncidentMerged,
		q.State != "" && i.State != q.State,
		q.Service != "" && !slices.Contains(i.Services, q.Service),
		q.To != 0 && i.OpenedAt >= q.To,
		i.ResolvedAt != 0 && i.ResolvedAt < q.From:
		return false
	}
	return true
}

// Incident answers one incident, after redirects.
func (s *Site) Incident(ctx context.Context, tenant, id string, asOf ingest.Millis) (correlate.Incident, error) {
	for _, i := range s.Records {
		if i.ID != id || i.RecordedAt > asOf || s.Err != nil {
			continue
		}
		if i.MergedInto != "" {
			return s.Incident(ctx, tenant, i.MergedInto, asOf)
		}
		return i, nil
	}
	return correlate.Incident{}, cmp.Or(s.Err, correlatestore.ErrNotFound)
}

// Episodes answers the episodes of an incident, a service or a window.
func (s *Site) Episodes(_ context.Context, q correlatestore.EpisodeQuery) ([]correlate.Episode, error) {
	var list []correlate.Episode
	for _, e := range s.Members {
		switch {
		case q.Incident != "" && e.Incident != q.Incident,
			q.Service != "" && e.Service != q.Service,
			q.To != 0 && e.StartsAt >= q.To,
			q.AsOf != 0 && e.RecordedAt > q.AsOf,
			e.Over() && e.End() < q.From,
			q.Limit != 0 && len(list) == q.Limit:
			continue
		}
		list = append(list, e)
	}
	return list, s.Err
}

// Transitions answers the steps of an incident.
func (s *Site) Transitions(_ context.Context, _, incident string, asOf ingest.Millis) ([]correlate.Transition, error) {
	var list []correlate.Transition
	for _, t := range s.Steps {
		if (t.Incident == incident || t.Other == incident) && t.RecordedAt <= asOf {
			list = append(list, t)
		}
	}
	return list, s.Err
}

// Availability measures what the segments leave, with the terms of the query's configuration.
func (s *Site) Availability(ctx context.Context, q slastore.AvailabilityQuery) ([]sla.Availability, error) {
	terms, err := q.Config.Terms()
	if err != nil || s.Err != nil {
		return nil, cmp.Or(s.Err, err)
	}
	named := func(service, agreement string) bool {
		return slices.ContainsFunc(terms, func(t sla.Terms) bool { return t.Service == service && t.Agreement == agreement })
	}
	for _, seg := range s.Levels {
		if !named(seg.Service, seg.Agreement) {
			terms = append(terms, q.Config.DefaultTerms(seg.Service, seg.Agreement))
		}
	}
	for _, service := range q.Services {
		if !named(service, "") {
			terms = append(terms, q.Config.DefaultTerms(service, ""))
		}
	}
	var results []sla.Availability
	for _, t := range terms {
		if len(q.Services) > 0 && !slices.Contains(q.Services, t.Service) || q.Agreement != sla.EveryAgreement && q.Agreement != t.Agreement {
			continue
		}
		segments, _ := s.Segments(ctx, slastore.SegmentsQuery{
			Services: []string{t.Service}, Agreement: t.Agreement, From: q.From, To: q.To, AsOf: q.AsOf,
		})
		var m sla.Matrix
		for _, seg := range segments {
			if err := m.Add(seg.Bucket, seg.State, int64(seg.To-seg.From)); err != nil {
				return nil, err
			}
		}
		window := sla.Interval{From: q.From, To: q.To}
		if err := m.Close(window, q.AsOf); err != nil {
			return nil, err
		}
		a := t.Measure(window, q.AsOf, m)
		a.Tenant = cmp.Or(q.Tenant, ingest.DefaultTenant)
		results = append(results, a)
	}
	slices.SortFunc(results, func(a, b sla.Availability) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Agreement, b.Agreement))
	})
	return results, nil
}

// Segments answers the segments of a window, clipped.
func (s *Site) Segments(_ context.Context, q slastore.SegmentsQuery) ([]sla.Segment, error) {
	window := sla.Interval{From: q.From, To: min(q.To, q.AsOf)}
	var list []sla.Segment
	for _, seg := range s.Levels {
		clipped := window.Clip(sla.Interval{From: seg.From, To: seg.To})
		if clipped.Empty() || len(q.Services) > 0 && !slices.Contains(q.Services, seg.Service) ||
			q.Agreement != sla.EveryAgreement && q.Agreement != seg.Agreement ||
			len(q.Buckets) > 0 && !slices.Contains(q.Buckets, seg.Bucket) {
			continue
		}
		seg.From, seg.To, seg.Open = clipped.From, clipped.To, clipped.To == q.AsOf
		list = append(list, seg)
	}
	return list, s.Err
}

// Changes answers the changes of a window.
func (s *Site) Changes(_ context.Context, q api.ArrivalsQuery) ([]ingest.Change, error) {
	var list []ingest.Change
	for _, c := range s.Deployments {
		if (q.Service == "" || c.Service == q.Service) && c.StartedAt < q.To && (c.FinishedAt == 0 || c.FinishedAt > q.From) && len(list) < q.Limit {
			list = append(list, c)
		}
	}
	return list, s.Err
}

// DeadLetters answers the dead letters of a window.
func (s *Site) DeadLetters(_ context.Context, q api.ArrivalsQuery) ([]ingest.DeadLetter, error) {
	var list []ingest.DeadLetter
	for _, l := range s.Letters {
		if q.From <= l.ReceivedAt && l.ReceivedAt < q.To && len(list) < q.Limit {
			list = append(list, l)
		}
	}
	return list, s.Err
}

// Report answers an almost empty report: what it says is not the API's matter.
func (s *Site) Report(_ context.Context, tenant string, p improve.Period, asOf ingest.Millis) (*improve.Report, error) {
	if s.Err != nil {
		return nil, s.Err
	}
	return &improve.Report{Schema: improve.Schema, Tenant: tenant, Period: p, AsOf: asOf, Complete: asOf >= p.To}, nil
}

// HistoryFrom answers when the first delivery came.
func (s *Site) HistoryFrom(context.Context, string, ingest.Millis) (ingest.Millis, error) {
	return s.History, s.Err
}
