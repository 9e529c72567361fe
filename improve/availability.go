package improve

import (
	"cmp"
	"slices"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/sla"
)

// composeAvailability says how each promise of the plan was kept.
func (c *composer) composeAvailability() Availability {
	a := Availability{Levels: []Level{}, Outages: []Outage{}, Lanes: c.lanes()}
	for _, row := range c.plan {
		level, outages := c.level(row)
		a.Levels = append(a.Levels, level)
		a.Outages = append(a.Outages, outages...)
		switch level.Standing {
		case Met:
			a.Met++
		case Missed:
			a.Missed++
		case NotProven:
			a.Unproven++
		}
	}
	slices.SortStableFunc(a.Levels, worstFirst)
	slices.SortStableFunc(a.Outages, func(x, y Outage) int {
		return cmp.Or(cmp.Compare(x.From, y.From), cmp.Compare(x.Service, y.Service), cmp.Compare(x.Agreement, y.Agreement))
	})
	a.Basis = c.basis(len(a.Levels), "services and agreements", "each row by its own policy")
	return a
}

// worstFirst orders levels by how much of the budget is spent, promises before the rest.
func worstFirst(a, b Level) int {
	rank := func(l Level) int {
		return slices.Index([]Standing{Missed, NotProven, Met, NoData, NoObjective}, l.Standing)
	}
	spent := func(l Level) float64 {
		if l.Spent == nil {
			return float64(l.Measured.Downtime)
		}
		return *l.Spent
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(spent(b), spent(a)),
		cmp.Compare(a.Service, b.Service), cmp.Compare(a.Agreement, b.Agreement), cmp.Compare(a.Basis.From, b.Basis.From))
}

// level returns one row of the table and its outages.
func (c *composer) level(row planned) (Level, []Outage) {
	levels, _ := c.f.levels(row.window)
	measured, ok := find(levels, row.service.Name, row.agreement)
	if !ok {
		measured = sla.Availability{
			Tenant: c.p.Tenant, Service: row.service.Name, Agreement: row.agreement,
			From: row.window.From, To: row.window.To, AsOf: c.p.AsOf, Zone: row.window.Zone, Reason: "nothing is known of the window",
		}
	}
	l := Level{
		Service: row.service.Name, Owner: row.service.Owner, Tier: row.service.Tier, Agreement: row.agreement,
		Partial: row.partial, Measured: measured, Standing: standing(measured),
	}
	outages := c.outages(row)
	l.Outages = len(outages)
	for _, o := range outages {
		l.Longest = max(l.Longest, LengthOf(o.From, o.To))
	}
	if b := measured.Budget; b != nil {
		l.Spent = ratio(Length(measured.Downtime), Length(b.Total))
	}
	l.Basis = Basis{Window: row.window, N: l.Outages, Of: "outages", Coverage: measured.Coverage, Policy: measured.Policy.String()}
	l.Trend = c.downtimeTrend(row)
	return l, outages
}

// standing says whether a promise was kept. Unknown time that the policy does not
// count as down could have been downtime: where it exceeds what is left of the
// budget, nothing is proven.
func standing(a sla.Availability) Standing {
	switch {
	case a.Ratio == nil:
		return NoData
	case a.Met == nil:
		return NoObjective
	case !*a.Met:
		return Missed
	case a.Policy.Unknown != sla.CountsDown && a.Matrix.Unknown > a.Budget.Left:
		return NotProven
	}
	return Met
}

// lanes returns the course of each service that was not up all the time.
func (c *composer) lanes() []Lane {
	lanes := []Lane{}
	for _, a := range c.base {
		if a.Agreement != "" {
			continue
		}
		lane := Lane{Service: a.Service, Down: Length(a.Matrix.Down), Unknown: unknownOf(a), Stretches: []Stretch{}}
		for _, s := range c.segments(a.Service, "") {
			if from, to := max(s.From, c.period.From), min(s.To, c.period.To); from < to {
				lane.Stretches = append(lane.Stretches, Stretch{s.Bucket, from, to})
			}
		}
		if len(lane.Stretches) > 0 {
			lanes = append(lanes, lane)
		}
	}
	slices.SortStableFunc(lanes, func(a, b Lane) int {
		return cmp.Or(cmp.Compare(b.Down, a.Down), cmp.Compare(b.Unknown, a.Unknown), cmp.Compare(a.Service, b.Service))
	})
	return lanes
}

// outages returns the times in which a level was down in its window.
func (c *composer) outages(row planned) []Outage {
	var outages []Outage
	end := min(row.window.To, c.p.AsOf)
	for _, s := range c.segments(row.service.Name, row.agreement) {
		from, to := max(s.From, row.window.From), min(s.To, end)
		if from >= to || s.Bucket != sla.DownBucket {
			continue
		}
		outages = append(outages, Outage{
			Service: row.service.Name, Agreement: row.agreement, From: from, To: to,
			Running: s.Open && s.To >= c.p.AsOf, Before: s.From < row.window.From, After: s.To > end && end < c.p.AsOf,
			Incidents: c.touching(row.service.Name, from, to),
		})
	}
	return outages
}

// segments returns what is stored of one service under one agreement.
func (c *composer) segments(service, agreement string) []sla.Segment {
	compare := func(s sla.Segment, key [2]string) int {
		return cmp.Or(cmp.Compare(s.Service, key[0]), cmp.Compare(s.Agreement, key[1]))
	}
	key := [2]string{service, agreement}
	from, _ := slices.BinarySearchFunc(c.f.Segments, key, compare)
	to := from
	for to < len(c.f.Segments) && compare(c.f.Segments[to], key) == 0 {
		to++
	}
	return c.f.Segments[from:to]
}

// touching returns the ids of the incidents of a service that overlap [from, to].
func (c *composer) touching(service string, from, to ingest.Millis) []string {
	ids := []string{}
	for _, i := range c.f.Incidents {
		if slices.Contains(i.Services, service) && overlaps(Window{From: from, To: to}, i.OpenedAt, i.ResolvedAt) {
			ids = append(ids, i.ID)
		}
	}
	return ids
}

// downtimeTrend asks whether a service's weekly downtime rises or falls.
func (c *composer) downtimeTrend(row planned) Trend {
	series := make([]float64, len(c.weeks))
	for k, w := range c.weeks {
		levels, _ := c.f.levels(w)
		a, ok := find(levels, row.service.Name, row.agreement)
		series[k] = missing
		if ok && a.Coverage != nil && *a.Coverage >= MinWeekCoverage && c.observed[k].Incidents != nil {
			series[k] = float64(a.Downtime) / 60_000
		}
	}
	return TrendOf(series, "minutes of downtime per week", LessIsBetter)
}
