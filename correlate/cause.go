package correlate

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/evenkeel/evenkeel/ingest"
)

const (
	causesShown = 5
	causeSample = 200 // members looked at, oldest first
	// Alerts that a fault makes at the service where it is, and at one that feels it:
	// their ratio tells the one from the other.
	alertsAtRoot    = 6.0
	alertsElsewhere = 2.2

	// causeTemper flattens the scores: episodes of one fault are not as
	// independent as the model has them.
	causeTemper = 4.0
)

// suspect is a root with what speaks for it.
type suspect struct {
	root    *root
	worth   float64
	covered int
	own     int // of them, felt at the root itself
	sites   int
	expects expectation
	last    *root // site of the member counted last
}

// causes ranks what i is probably about, best first.
func (t *tenant) causes(i *incident) []Cause {
	suspects := t.suspects(i)
	if len(suspects) == 0 {
		return nil
	}
	total := 0.0
	for _, s := range suspects {
		total += math.Exp((s.worth - suspects[0].worth) / causeTemper)
	}
	var causes []Cause
	for _, s := range suspects {
		score := math.Exp((s.worth-suspects[0].worth)/causeTemper) / total
		if score < 0.01 || len(causes) == causesShown {
			break
		}
		causes = append(causes, t.cause(s, i, score))
		if c := t.line.changeBefore(s.root, i.first.at); c != nil && len(causes) < causesShown {
			age := float64(i.first.at-c.StartedAt) / float64(changeReach)
			causes = append(causes, Cause{
				Change: c.ID, Score: round(score * (1 - age)),
				Why: fmt.Sprintf("%s of %s began %s before the first alert", c.Kind, c.Service, lasting(i.first.at-c.StartedAt)),
			})
		}
	}
	slices.SortStableFunc(causes, func(a, b Cause) int { return cmp.Compare(b.Score, a.Score) })
	return causes
}

// suspects returns every service and shared thing that covers members of i, the
// likeliest first.
func (t *tenant) suspects(i *incident) []suspect {
	members := i.members[:min(len(i.members), causeSample)]
	cell := t.line.cellOf(i.first)
	bySite := slices.Clone(members)
	slices.SortStableFunc(bySite, func(a, b *episode) int { return compareRoots(a.site.rootKey, b.site.rootKey) })
	m := t.line.model
	var all []suspect
	t.line.run++
	for _, e := range bySite {
		for _, c := range e.covers {
			if c.root.kind == rootAlert {
				continue
			}
			if c.root.run != t.line.run {
				c.root.run, c.root.slot = t.line.run, int32(len(all))
				all = append(all, suspect{root: c.root, expects: t.line.expects(c.root, cell)})
			}
			s := &all[c.root.slot]
			s.covered++
			switch {
			case s.last == e.site:
				s.worth += m.another(0)
			case e.site == s.root:
				s.worth += m.first(e.at - i.first.at)
			default:
				s.worth += m.onset(c.share, e.at-i.first.at) + m.further
			}
			if s.last != e.site {
				s.last = e.site
				s.sites++
			}
			if e.site == s.root {
				s.own++
			}
			s.worth += s.expects.tells
		}
	}
	catalogued := slices.ContainsFunc(all, func(s suspect) bool { return s.root.kind == rootService })
	all = slices.DeleteFunc(all, func(s suspect) bool {
		// What is shared by one service alone, a pod, is that service's own.
		alone := s.root.kind == rootShared && s.sites < 2 && catalogued
		return alone || s.expects.none || s.covered < min(2, len(members))
	})
	for j := range all {
		s := &all[j]
		if s.root.kind == rootService {
			s.worth += atRoot(s.own)
		}
		s.worth += t.line.prior(s.root, i.first.at) + s.expects.size(s.sites)
	}
	slices.SortFunc(all, func(a, b suspect) int {
		return cmp.Or(cmp.Compare(b.worth, a.worth), compareRoots(a.root.rootKey, b.root.rootKey))
	})
	return all
}

// first is the weight of the first alert of a service in which a fault is: it
// comes sooner than those of services that depend on it.
func (m *model) first(after ingest.Millis) float64 {
	return m.burst.delayed(after) - m.background
}

// atRoot is what n alerts at a service tell of the fault being there rather than in
// something that it depends on: faults make more alerts where they are.
func atRoot(n int) float64 {
	if n == 0 {
		return logSilent
	}
	return float64(n)*math.Log(alertsAtRoot/alertsElsewhere) - (alertsAtRoot - alertsElsewhere)
}

// cause puts a suspect into words.
func (t *tenant) cause(s suspect, i *incident, score float64) Cause {
	looked := min(len(i.members), causeSample)
	share := fmt.Sprintf("%d of %d alerts", s.covered, looked)
	if s.root.kind == rootService {
		why := fmt.Sprintf("of %d alerts %d are there and %d at services that depend on it", looked, s.own, s.covered-s.own)
		return Cause{Service: s.root.name, Score: round(score), Why: why}
	}
	return Cause{Entity: s.root.value, Score: round(score), Why: fmt.Sprintf("%s have %s=%q", share, s.root.name, s.root.value)}
}

// round keeps three decimals: more would only pretend.
func round(x float64) float64 { return math.Round(x*1000) / 1000 }
