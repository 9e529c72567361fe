package improve

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// composeQuality says how far the rest of the report can be trusted.
func (c *composer) composeQuality() Quality {
	t := c.f.Alerts
	q := Quality{
		HistoryFrom: c.f.History.From, Late: t.late, Timeouts: t.unknown, Unassigned: t.services[""],
		Uncatalogued: c.uncatalogued(), Sources: []SourceQuality{}, Services: c.serviceCoverage(), Unknown: c.unknown, LateWindows: c.lateWindows(),
		Coverage: Ratio{Value: c.coverage},
	}
	q.GoneUntil = c.f.History.GoneUntil(c.period)
	if c.coverage == nil {
		q.Coverage.Reason = "no service is measured"
	}
	for _, in := range c.f.Intake {
		q.Deliveries += in.Deliveries
		q.Rejected += in.Rejected
		q.Events += in.Events
		q.Copies += in.Copies
		q.DeadLetters += in.DeadLetters
		q.Sources = append(q.Sources, SourceQuality{Intake: in, Alerts: t.sources[in.Source], Heartbeat: slices.Contains(c.p.Heartbeats, in.Source)})
	}
	of := "events"
	if q.GoneUntil != 0 {
		of = "events that are still kept"
	}
	q.Basis = c.basis(q.Events, of, "by when they were received; a copy is an event that says what an earlier one of its alert had said")
	q.Caveats = c.caveats(&q)
	return q
}

// uncatalogued returns the services that alerts name and the catalogue does not.
func (c *composer) uncatalogued() []string {
	known := map[string]bool{"": true}
	for _, row := range c.plan {
		known[row.service.Name] = true
	}
	names := slices.Sorted(maps.Keys(c.f.Alerts.services))
	return append([]string{}, slices.DeleteFunc(names, func(n string) bool { return known[n] })...)
}

// lateWindows returns the service of each maintenance window that was told of when it had begun.
func (c *composer) lateWindows() []string {
	late := []string{}
	for _, n := range c.f.Notices {
		if n.Late() {
			late = append(late, n.Service)
		}
	}
	return late
}

// serviceCoverage returns how much of the period each service was watched, least first.
func (c *composer) serviceCoverage() []ServiceCoverage {
	list := []ServiceCoverage{}
	for _, a := range c.base {
		if a.Agreement != "" {
			continue
		}
		s := ServiceCoverage{Service: a.Service, Elapsed: Length(a.Matrix.Sum() - a.Matrix.NotYet), Unknown: unknownOf(a)}
		if s.Coverage.Value = ratio(s.Elapsed-s.Unknown, s.Elapsed); s.Coverage.Value == nil {
			s.Coverage.Reason = "the period has not begun"
		}
		list = append(list, s)
	}
	slices.SortStableFunc(list, func(a, b ServiceCoverage) int {
		return cmp.Or(cmp.Compare(b.Unknown, a.Unknown), cmp.Compare(a.Service, b.Service))
	})
	return list
}

// caveats returns what a reader must know before believing the rest, gravest first.
func (c *composer) caveats(q *Quality) []string {
	caveats := []string{}
	add := func(when bool, format string, args ...any) {
		if when {
			caveats = append(caveats, fmt.Sprintf(format, args...))
		}
	}
	add(q.HistoryFrom == 0, "Nothing was ever received: an empty report is not a good one.")
	add(q.Gone(), "What was received in the period is no longer kept: deliveries, copies and dead letters cannot be counted any more.")
	add(q.GoneUntil != 0 && !q.Gone(), "What was received before %s is no longer kept: deliveries, copies and dead letters are counted from then on.", c.local(q.GoneUntil))
	add(q.HistoryFrom != 0 && q.GoneUntil == 0 && q.Deliveries == 0, "Nothing was received in the period.")
	add(q.HistoryFrom > c.period.From, "The first delivery came at %s: what lies before it is unknown.", c.local(q.HistoryFrom))
	add(c.p.AsOf < c.p.Period.To, "The period had not ended at %s, the instant this report speaks from.", c.local(c.p.AsOf))
	if silent := q.withoutHeartbeat(); len(silent) > 0 {
		add(true, "No heartbeat declared for %s: a resolve by timeout cannot be told from a true one, and counts as recovered.", strings.Join(silent, ", "))
	}
	add(c.coverage != nil && q.Unknown > 0, "%s of service time is unknown: neither up nor down. %s was watched.", q.Unknown, c.percentOrNone())
	add(q.Timeouts > 0, "%s ended in silence: when they really ended is not known.", Plural(q.Timeouts, "episode"))
	add(q.Unassigned > 0, "%s named no service and count in no availability.", Plural(q.Unassigned, "episode"))
	add(len(q.Uncatalogued) > 0, "Alerts name services that the catalogue does not have: %s.", listed(q.Uncatalogued, 8))
	add(q.DeadLetters+q.Rejected > 0, "%s could not be understood and %s refused as undecodable.", Plural(q.DeadLetters, "record"), wasPlural(q.Rejected, "delivery", "deliveries"))
	add(len(q.LateWindows) > 0, "%s told or changed after they had begun: time that had passed became maintenance, of %s.",
		wasPlural(len(q.LateWindows), "maintenance window", "maintenance windows"), listed(slices.Compact(slices.Clone(q.LateWindows)), 8))
	add(q.Late > 0, "%s first seen more than %s after they began.", wasPlural(q.Late, "episode", "episodes"), LateAfter)
	return caveats
}

func (q *Quality) withoutHeartbeat() []string {
	var names []string
	for _, s := range q.Sources {
		if s.Alerts && !s.Heartbeat {
			names = append(names, cmp.Or(s.Source, "the unnamed source"))
		}
	}
	return names
}

func (c *composer) percentOrNone() string {
	if c.coverage == nil {
		return "None"
	}
	return Percent(*c.coverage, 2)
}
