package sla

import (
	"cmp"
	"slices"

	"github.com/evenkeel/evenkeel/ingest"
)

// Interval is the half-open time [From, To).
type Interval struct {
	From ingest.Millis `json:"from"`
	To   ingest.Millis `json:"to"`
}

// Forever is the end of what has not ended.
const Forever = ingest.Millis(1<<63 - 1)

// Empty says whether no instant lies in i; a reversed interval is empty.
func (i Interval) Empty() bool { return i.From >= i.To }

// Length returns the milliseconds in i, 0 where it is empty.
func (i Interval) Length() int64 { return max(0, int64(i.To)-int64(i.From)) }

// Contains says whether t lies in i.
func (i Interval) Contains(t ingest.Millis) bool { return i.From <= t && t < i.To }

// Clip returns the part of i that lies in w; it may be empty.
func (i Interval) Clip(w Interval) Interval {
	return Interval{max(i.From, w.From), min(i.To, w.To)}
}

// Minus returns the parts of i that do not lie in o, in order: none, one or two.
func (i Interval) Minus(o Interval) []Interval {
	if o = o.Clip(i); o.Empty() {
		return nonEmpty(i)
	}
	return nonEmpty(Interval{i.From, o.From}, Interval{o.To, i.To})
}

func nonEmpty(intervals ...Interval) []Interval {
	return slices.DeleteFunc(intervals, Interval.Empty)
}

// Set is a set of instants as intervals in ascending order that neither overlap
// nor touch. The zero value is empty.
type Set []Interval

// Union returns the instants that lie in any of the intervals, which may come in
// any order, overlap, touch and be empty. It sorts: n log n.
func Union(intervals ...Interval) Set {
	sorted := nonEmpty(slices.Clone(intervals)...)
	slices.SortFunc(sorted, func(a, b Interval) int { return cmp.Compare(a.From, b.From) })
	var s Set
	for _, i := range sorted {
		s = s.append(i)
	}
	return s
}

// append adds i, which begins no earlier than the last interval of s.
func (s Set) append(i Interval) Set {
	if last := len(s) - 1; last >= 0 && i.From <= s[last].To {
		s[last].To = max(s[last].To, i.To)
		return s
	}
	return append(s, i)
}

// Union returns the instants that lie in s or in o.
func (s Set) Union(o Set) Set { return Union(slices.Concat(s, o)...) }

// Intersect returns the instants that lie in both s and o, in one pass.
func (s Set) Intersect(o Set) Set {
	var both Set
	for a, b := 0, 0; a < len(s) && b < len(o); {
		if i := s[a].Clip(o[b]); !i.Empty() {
			both = append(both, i)
		}
		if s[a].To < o[b].To {
			a++
		} else {
			b++
		}
	}
	return both
}

// Subtract returns the instants that lie in s and not in o, in one pass.
func (s Set) Subtract(o Set) Set {
	var rest Set
	for _, i := range s {
		for len(o) > 0 && o[0].To <= i.From {
			o = o[1:]
		}
		for k := 0; k < len(o) && o[k].From < i.To; k++ {
			if before := (Interval{i.From, o[k].From}); !before.Empty() {
				rest = append(rest, before)
			}
			i.From = o[k].To
		}
		if !i.Empty() {
			rest = append(rest, i)
		}
	}
	return rest
}

// Clip returns the instants of s that lie in w.
func (s Set) Clip(w Interval) Set {
	var in Set
	for k := s.after(w.From); k < len(s) && s[k].From < w.To; k++ {
		if i := s[k].Clip(w); !i.Empty() {
			in = append(in, i)
		}
	}
	return in
}

// Length returns the milliseconds in s.
func (s Set) Length() int64 {
	var n int64
	for _, i := range s {
		n += i.Length()
	}
	return n
}

// Contains says whether t lies in s.
func (s Set) Contains(t ingest.Millis) bool {
	k := s.after(t)
	return k < len(s) && s[k].From <= t
}

// after returns the index of the first interval that ends after t.
func (s Set) after(t ingest.Millis) int {
	k, _ := slices.BinarySearchFunc(s, t, func(i Interval, t ingest.Millis) int {
		if i.To <= t {
			return -1
		}
		return 1
	})
	return k
}

// next returns the smallest bound of s after t, or Forever.
func (s Set) next(t ingest.Millis) ingest.Millis {
	k := s.after(t)
	switch {
	case k == len(s):
		return Forever
	case s[k].From > t:
		return s[k].From
	}
	return s[k].To
}

// prev returns the largest bound of s before t, or 0.
func (s Set) prev(t ingest.Millis) ingest.Millis {
	k := s.after(t - 1) // the interval that holds t-1, or the first one after it
	switch {
	case k < len(s) && s[k].From < t:
		return s[k].From
	case k > 0:
		return s[k-1].To
	}
	return 0
}
