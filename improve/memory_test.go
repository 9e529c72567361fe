package improve_test

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/improve"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/sla"
)

// memory is a Source over plain values: the same answers as the store's, without one.
type memory struct {
	history   ingest.Millis // of the first thing received
	forgotten ingest.Millis // until when deliveries are no longer kept
	intake    []improve.Intake
	incidents []correlate.Incident
	episodes  []improve.Episode
	states    []sla.Segment // what was not up; Agreement is ignored: it holds for all of a service's
	notices   []improve.Notice
}

func (m *memory) Notices(_ context.Context, q improve.Query) ([]improve.Notice, error) {
	return slices.DeleteFunc(slices.Clone(m.notices), func(n improve.Notice) bool { return n.From >= q.To || n.To <= q.From }), nil
}

func (m *memory) History(context.Context, string, ingest.Millis) (improve.History, error) {
	return improve.History{From: m.history, Kept: max(m.history, m.forgotten)}, nil
}

func (m *memory) Intake(context.Context, improve.Query) ([]improve.Intake, error) {
	return m.intake, nil
}

func (m *memory) Incidents(_ context.Context, q improve.Query) ([]correlate.Incident, error) {
	var in []correlate.Incident
	for _, i := range m.incidents {
		if i.OpenedAt >= q.From && i.OpenedAt < q.To {
			in = append(in, i)
		}
	}
	slices.SortFunc(in, func(a, b correlate.Incident) int {
		return cmp.Or(cmp.Compare(a.OpenedAt, b.OpenedAt), cmp.Compare(a.ID, b.ID))
	})
	return in, nil
}

func (m *memory) Episodes(_ context.Context, q improve.Query) iter.Seq2[improve.Episode, error] {
	sorted := slices.Clone(m.episodes)
	slices.SortFunc(sorted, func(a, b improve.Episode) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Fingerprint, b.Fingerprint), cmp.Compare(a.StartsAt, b.StartsAt))
	})
	return func(yield func(improve.Episode, error) bool) {
		for _, e := range sorted {
			if e.StartsAt >= q.From && e.StartsAt < q.To && !yield(e, nil) {
				return
			}
		}
	}
}

func (m *memory) Availability(_ context.Context, q improve.Query, config sla.Config) ([]sla.Availability, error) {
	all, err := config.Terms()
	if err != nil {
		return nil, err
	}
	window := sla.Interval{From: q.From, To: q.To}
	var list []sla.Availability
	for _, t := range all {
		a, err := m.measure(t, window, q.AsOf)
		if err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b sla.Availability) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Agreement, b.Agreement))
	})
	return list, nil
}

func (m *memory) measure(t sla.Terms, window sla.Interval, asOf ingest.Millis) (sla.Availability, error) {
	watched := window.Clip(sla.Interval{From: m.history, To: asOf})
	var matrix sla.Matrix
	up := watched.Length()
	for _, s := range m.states {
		ms := sla.Interval{From: s.From, To: s.To}.Clip(watched).Length()
		if s.Service != t.Service || ms == 0 {
			continue
		}
		up -= ms
		if err := matrix.Add(s.Bucket, s.State, ms); err != nil {
			return sla.Availability{}, err
		}
	}
	if m.history == 0 {
		up = 0
	}
	if err := matrix.Add(sla.UpBucket, sla.Up, up); err != nil {
		return sla.Availability{}, err
	}
	if err := matrix.Close(window, asOf); err != nil {
		return sla.Availability{}, err
	}
	return t.Measure(window, asOf, matrix), nil
}

func (m *memory) Segments(_ context.Context, q improve.Query) ([]sla.Segment, error) {
	var list []sla.Segment
	for _, s := range m.states {
		i := sla.Interval{From: s.From, To: s.To}.Clip(sla.Interval{From: q.From, To: q.To})
		if i.Empty() {
			continue
		}
		s.Open = s.To >= q.AsOf
		s.From, s.To = i.From, i.To
		for _, agreement := range []string{"", "gold", "office"} {
			s.Agreement = agreement
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b sla.Segment) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Agreement, b.Agreement), cmp.Compare(a.From, b.From))
	})
	return list, nil
}
