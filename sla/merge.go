package sla

import (
	"slices"

	"github.com/evenkeel/evenkeel/ingest"
)

// MergeSegments makes one sequence of segments of what the ledgers of several partitions say of
// one service under one agreement: parts are theirs, each in order of time without overlap. At each
// instant the service is in the worst state that any of them gives it: down, then unknown, then
// degraded, as within one ledger. A ledger without a segment there says nothing.
func MergeSegments(parts ...[]Segment) []Segment {
	var merged []Segment
	sweep(parts, segmentSpan, func(in Interval, at []*Segment) {
		next := *at[0]
		for _, s := range at[1:] {
			next.worsen(s)
		}
		next.From, next.To = in.From, in.To
		next.Open = openAt(in.To, at, func(s *Segment) (ingest.Millis, bool) { return s.To, s.Open })
		if last := len(merged) - 1; last >= 0 && merged[last].To == next.From &&
			merged[last].Bucket == next.Bucket && merged[last].State == next.State {
			merged[last].To, merged[last].Open = next.To, next.Open
			merged[last].StatedAt = max(merged[last].StatedAt, next.StatedAt)
			return
		}
		merged = append(merged, next)
	})
	return merged
}

// worsen makes s what it is where o says something else of the same time.
func (s *Segment) worsen(o *Segment) {
	s.StatedAt = max(s.StatedAt, o.StatedAt)
	if stateRank(o.State) > stateRank(s.State) {
		s.State = o.State
	}
	for _, b := range []Bucket{OutOfHoursBucket, MaintenanceBucket} { // ledgers differ here for as long as one knows a newer calendar
		if s.Bucket == b || o.Bucket == b {
			s.Bucket = b
			return
		}
	}
	s.Bucket = bucketOf(s.State)
}

// MergeStretches is [MergeSegments] for what the ledgers say of one service apart from agreements.
// Covered is what any of them has watched.
func MergeStretches(parts ...[]Stretch) []Stretch {
	var merged []Stretch
	covered := pick(parts, func(s Stretch) bool { return s.State == Covered })
	states := pick(parts, func(s Stretch) bool { return s.State != Covered })
	for _, layer := range [][][]Stretch{covered, states} {
		from := len(merged)
		sweep(layer, stretchSpan, func(in Interval, at []*Stretch) {
			next := *at[0]
			for _, s := range at[1:] {
				next.StatedAt = max(next.StatedAt, s.StatedAt)
				if stateRank(s.State) > stateRank(next.State) {
					next.State = s.State
				}
			}
			next.From, next.To = in.From, in.To
			next.Open = openAt(in.To, at, func(s *Stretch) (ingest.Millis, bool) { return s.To, s.Open })
			if last := len(merged) - 1; last >= from && merged[last].To == next.From && merged[last].State == next.State {
				merged[last].To, merged[last].Open = next.To, next.Open
				merged[last].StatedAt = max(merged[last].StatedAt, next.StatedAt)
				return
			}
			merged = append(merged, next)
		})
	}
	return merged
}

func pick(parts [][]Stretch, which func(Stretch) bool) [][]Stretch {
	picked := make([][]Stretch, len(parts))
	for i, part := range parts {
		for _, s := range part {
			if which(s) {
				picked[i] = append(picked[i], s)
			}
		}
		slices.SortFunc(picked[i], func(a, b Stretch) int { return int(a.From - b.From) })
	}
	return picked
}

func segmentSpan(s *Segment) Interval { return Interval{s.From, s.To} }
func stretchSpan(s *Stretch) Interval { return Interval{s.From, s.To} }

// sweep calls each for every longest interval in which the same spans of parts hold, with these, in
// order of time; not where none does. The spans of one part are in order and do not overlap.
func sweep[S any](parts [][]S, span func(*S) Interval, each func(Interval, []*S)) {
	var cuts []ingest.Millis
	for _, part := range parts {
		for i := range part {
			in := span(&part[i])
			cuts = append(cuts, in.From, in.To)
		}
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	next := make([]int, len(parts)) // the first span of each part that has not ended
	for k := 1; k < len(cuts); k++ {
		in := Interval{cuts[k-1], cuts[k]}
		var at []*S
		for p, part := range parts {
			for next[p] < len(part) && span(&part[next[p]]).To <= in.From {
				next[p]++
			}
			if next[p] < len(part) && span(&part[next[p]]).From <= in.From {
				at = append(at, &part[next[p]])
			}
		}
		if len(at) > 0 {
			each(in, at)
		}
	}
}

// openAt says whether what holds up to an instant goes on there: one of its parts ends
// there and is open.
func openAt[S any](to ingest.Millis, at []*S, end func(*S) (ingest.Millis, bool)) bool {
	return slices.ContainsFunc(at, func(s *S) bool {
		until, open := end(s)
		return open && until == to
	})
}

// stateRank orders states as the ledger does.
func stateRank(s State) rank {
	for r := rankUp; r <= rankDown; r++ {
		if r.state() == s {
			return r
		}
	}
	return rankUp
}

// bucketOf returns the bucket of a state within agreed time.
func bucketOf(s State) Bucket {
	switch s {
	case Unknown:
		return UnknownBucket
	case Down:
		return DownBucket
	case Degraded:
		return DegradedBucket
	}
	return UpBucket
}
