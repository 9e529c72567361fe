package sla

import (
	"slices"

	"github.com/evenkeel/evenkeel/ingest"
)

// rank orders the states of a service: the worst of its episodes is its own.
// An outage that is known outranks one that may be.
type rank uint8

const (
	rankUp rank = iota
	rankDegraded
	rankUnknown
	rankDown
)

func (r rank) state() State {
	return [...]State{Up, Degraded, Unknown, Down}[r]
}

// step says how many episodes of each rank above up hold from an instant on.
type step struct {
	at ingest.Millis
	n  [3]int32
}

func (s *step) worst() rank {
	for r := rankDown; r > rankUp; r-- {
		if s.n[r-1] > 0 {
			return r
		}
	}
	return rankUp
}

// line counts the episodes of one service over time, as steps in ascending order,
// neighbours different. Counting makes every episode removable without a look at
// the others, so a change costs what lies inside of it, however many there are.
type line []step

// find returns the index of the step in force at t, -1 before the first.
func (l line) find(t ingest.Millis) int {
	k, found := slices.BinarySearchFunc(l, t, func(s step, t ingest.Millis) int {
		switch {
		case s.at < t:
			return -1
		case s.at > t:
			return 1
		}
		return 0
	})
	if found {
		return k
	}
	return k - 1
}

// at returns the worst rank at t.
func (l line) at(t ingest.Millis) rank {
	if k := l.find(t); k >= 0 {
		return l[k].worst()
	}
	return rankUp
}

// next returns the first step after t, or Forever.
func (l line) next(t ingest.Millis) ingest.Millis {
	if k := l.find(t) + 1; k < len(l) {
		return l[k].at
	}
	return Forever
}

// prev returns the last step before t, or 0.
func (l line) prev(t ingest.Millis) ingest.Millis {
	if k := l.find(t - 1); k >= 0 {
		return l[k].at
	}
	return 0
}

// changed returns the smallest interval outside of which adding delta episodes of
// rank r over i changes no rank; empty where it changes none at all.
func (l line) changed(i Interval, r rank, delta int32) Interval {
	var hull Interval
	for t, k := i.From, l.find(i.From); t < i.To; k++ {
		var s step
		if k >= 0 {
			s = l[k]
		}
		until := i.To
		if k+1 < len(l) {
			until = min(until, l[k+1].at)
		}
		before := s.worst()
		s.n[r-1] += delta
		if s.worst() != before {
			if hull.Empty() {
				hull.From = t
			}
			hull.To = until
		}
		t = until
	}
	return hull
}

// add adds delta episodes of rank r over i.
func (l *line) add(i Interval, r rank, delta int32) {
	if i.Empty() {
		return
	}
	from := l.cut(i.From)
	to := len(*l)
	if i.To != Forever {
		to = l.cut(i.To)
	}
	for k := from; k < to; k++ {
		(*l)[k].n[r-1] += delta
	}
	l.mend(to)
	l.mend(from)
}

// cut makes a step at t, where there is none yet, and returns its index.
func (l *line) cut(t ingest.Millis) int {
	k := l.find(t)
	if k >= 0 && (*l)[k].at == t {
		return k
	}
	s := step{at: t}
	if k >= 0 {
		s.n = (*l)[k].n
	}
	*l = slices.Insert(*l, k+1, s)
	return k + 1
}

// mend drops step k where it says the same as the one before it.
func (l *line) mend(k int) {
	if k >= len(*l) {
		return
	}
	var before [3]int32
	if k > 0 {
		before = (*l)[k-1].n
	}
	if (*l)[k].n == before {
		*l = slices.Delete(*l, k, k+1)
	}
}

// forget drops what lies before t; the counts at t stay.
func (l *line) forget(t ingest.Millis) {
	k := l.find(t)
	if k <= 0 {
		return
	}
	*l = append((*l)[:0], (*l)[k:]...)
	(*l)[0].at = t
	l.mend(0)
}
