package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/sla"
)

// SegmentsQuery asks for the segments in [From, To) as known at AsOf.
type SegmentsQuery struct {
	Tenant    string       // "" is the default tenant
	Services  []string     // empty: all
	Agreement string       // "" is the service itself; sla.EveryAgreement is that and every agreement
	Buckets   []sla.Bucket // empty: all; down alone is what a list of outages wants
	From, To  ingest.Millis
	AsOf      ingest.Millis
}

// Segments returns what the signed rows leave, clipped to [From, min(To, AsOf)) and
// joined where bucket and state go on, ordered by service, agreement, from. What several partitions
// say of one service is merged.
func (r *Reader) Segments(ctx context.Context, q SegmentsQuery) ([]sla.Segment, error) {
	s := scope{q.Tenant, q.Services, q.From, q.To, q.AsOf}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("segments: %w", err)
	}
	past := s.past()
	if past.Empty() {
		return nil, nil
	}
	params := s.params()
	params["to_ms"] = number(past.To + 1) // one more, to see whether it goes on
	params["every_agreement"] = flag(q.Agreement == sla.EveryAgreement)
	params["agreement"] = q.Agreement
	several, err := r.several(ctx, len(q.Buckets) > 0)
	if err != nil {
		return nil, fmt.Errorf("segments: %w", err)
	}
	params["every_bucket"] = flag(several || len(q.Buckets) == 0)
	params["buckets"] = words(q.Buckets)
	var told parts[termsKey, sla.Segment]
	err = clickhouse.Each(ctx, r.db, segmentsSQL, params, func(rows clickhouse.Rows) error {
		next := sla.Segment{Tenant: params["tenant"]}
		var partition uint32
		var bucket, state string
		var from, to, stated int64
		if err := rows.Scan(&next.Service, &next.Agreement, &partition, &bucket, &state, &from, &to, &stated); err != nil {
			return err
		}
		in := sla.Interval{From: ingest.Millis(from), To: ingest.Millis(to)}.Clip(past)
		next.Bucket, next.State, next.From, next.To = sla.Bucket(bucket), sla.State(state), in.From, in.To
		next.StatedAt, next.Open = ingest.Millis(stated), s.open(ingest.Millis(to))
		part := told.part(termsKey{next.Service, next.Agreement}, partition)
		*part = joinSegment(*part, next)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("segments: %w", err)
	}
	return told.merge(sla.MergeSegments, func(s sla.Segment) bool {
		return len(q.Buckets) == 0 || slices.Contains(q.Buckets, s.Bucket)
	}), nil
}

// words writes named strings as a parameter of type Array(String).
func words[S ~string](values []S) string {
	plain := make([]string, len(values))
	for i, v := range values {
		plain[i] = string(v)
	}
	return clickhouse.Strings(plain)
}

// joinSegment appends next, or lengthens the last segment where next goes on with it.
func joinSegment(segments []sla.Segment, next sla.Segment) []sla.Segment {
	if len(segments) > 0 {
		last := &segments[len(segments)-1]
		if last.Service == next.Service && last.Agreement == next.Agreement && last.Bucket == next.Bucket &&
			last.State == next.State && last.To == next.From {
			last.To, last.Open, last.StatedAt = next.To, next.Open, max(last.StatedAt, next.StatedAt)
			return segments
		}
	}
	if next.From == next.To { // begins where the window ends
		return segments
	}
	return append(segments, next)
}

// StretchesQuery asks for the ledger in [From, To) as known at AsOf.
type StretchesQuery struct {
	Tenant   string      // "" is the default tenant
	Services []string    // empty: all
	States   []sla.State // empty: all, covered included
	From, To ingest.Millis
	AsOf     ingest.Millis
}

// Stretches returns the ledger, clipped to [From, min(To, AsOf)) and joined where
// a state goes on, ordered by service, state, from. What several partitions say of one service
// is merged.
func (r *Reader) Stretches(ctx context.Context, q StretchesQuery) ([]sla.Stretch, error) {
	s := scope{q.Tenant, q.Services, q.From, q.To, q.AsOf}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	past := s.past()
	if past.Empty() {
		return nil, nil
	}
	params := s.params()
	params["to_ms"] = number(past.To + 1) // one more, to see whether it goes on
	several, err := r.several(ctx, len(q.States) > 0)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	params["every_state"] = flag(several || len(q.States) == 0)
	params["states"] = words(q.States)
	var told parts[string, sla.Stretch]
	err = clickhouse.Each(ctx, r.db, stretchesSQL, params, func(rows clickhouse.Rows) error {
		next := sla.Stretch{Tenant: params["tenant"]}
		var partition uint32
		var state string
		var from, to, stated int64
		if err := rows.Scan(&next.Service, &partition, &state, &from, &to, &stated); err != nil {
			return err
		}
		in := sla.Interval{From: ingest.Millis(from), To: ingest.Millis(to)}.Clip(past)
		next.State, next.From, next.To = sla.State(state), in.From, in.To
		next.StatedAt, next.Open = ingest.Millis(stated), s.open(ingest.Millis(to))
		part := told.part(next.Service, partition)
		*part = joinStretch(*part, next)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	return told.merge(mergeStretches, func(s sla.Stretch) bool {
		return len(q.States) == 0 || slices.Contains(q.States, s.State)
	}), nil
}

// mergeStretches keeps the order of what one partition says: by state, then time.
func mergeStretches(parts ...[]sla.Stretch) []sla.Stretch {
	merged := sla.MergeStretches(parts...)
	slices.SortFunc(merged, func(a, b sla.Stretch) int { return cmp.Or(cmp.Compare(a.State, b.State), cmp.Compare(a.From, b.From)) })
	return merged
}

// joinStretch appends next, or lengthens the last stretch where next goes on with it.
func joinStretch(stretches []sla.Stretch, next sla.Stretch) []sla.Stretch {
	if len(stretches) > 0 {
		last := &stretches[len(stretches)-1]
		if last.Service == next.Service && last.State == next.State && last.To == next.From {
			last.To, last.Open, last.StatedAt = next.To, next.Open, max(last.StatedAt, next.StatedAt)
			return stretches
		}
	}
	if next.From == next.To { // begins where the window ends
		return stretches
	}
	return append(stretches, next)
}

// Running returns the outages that run at asOf: what is down, degraded or unknown
// then, each from its beginning (at most sla.RestateDays before), ordered by
// service. What becomes worse at asOf itself does not run any more as what it was; where another
// partition says so, that is seen a millisecond later. The tenant "" is the default one.
func (r *Reader) Running(ctx context.Context, tenant string, asOf ingest.Millis) ([]sla.Stretch, error) {
	states := []sla.State{sla.Down, sla.Degraded, sla.Unknown}
	now, err := r.Stretches(ctx, StretchesQuery{Tenant: tenant, States: states, From: asOf - 1, To: asOf, AsOf: asOf})
	if err != nil || len(now) == 0 {
		return nil, err
	}
	services := make([]string, len(now))
	for i, s := range now {
		services[i] = s.Service
	}
	all, err := r.Stretches(ctx, StretchesQuery{
		Tenant: tenant, Services: services, States: states,
		From: max(0, asOf-sla.RestateDays*ingest.Day), To: asOf, AsOf: asOf,
	})
	if err != nil {
		return nil, err
	}
	running := slices.DeleteFunc(all, func(s sla.Stretch) bool { return !s.Open || s.To != asOf })
	slices.SortFunc(running, func(a, b sla.Stretch) int { return cmp.Compare(a.Service, b.Service) })
	return running, nil
}
