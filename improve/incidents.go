package improve

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
)

// Lists in a report are cut to these lengths; the counts beside them are whole.
const (
	maxIncidents = 10
	maxCauses    = 10
	maxAlerts    = 20
)

// composeIncidents sums up the incidents that opened in the period.
func (c *composer) composeIncidents() Incidents {
	in := c.opened(c.period)
	s := Incidents{Count: len(in), Longest: []IncidentLine{}}
	s.Basis = c.basis(len(in), "incidents", "incidents that opened in the window; "+mergedOnce)
	s.BySeverity = bySeverity(in)
	s.Causes = capped(causes(in), maxCauses)
	s.Resolve = c.durations(in)
	s.Open = s.Resolve.NotResolved
	lines := make([]IncidentLine, 0, len(in))
	for _, i := range in {
		lines = append(lines, c.line(i))
	}
	slices.SortStableFunc(lines, func(a, b IncidentLine) int {
		return cmp.Or(cmp.Compare(b.Lasted, a.Lasted), cmp.Compare(a.OpenedAt, b.OpenedAt), cmp.Compare(a.ID, b.ID))
	})
	s.Longest = capped(lines, maxIncidents)
	s.Change, s.ChangeNote = c.change(len(in))
	return s
}

// opened returns the incidents that opened in w, oldest first.
func (c *composer) opened(w Window) []correlate.Incident {
	var in []correlate.Incident
	for _, i := range c.f.Incidents {
		if w.Contains(i.OpenedAt) {
			in = append(in, i)
		}
	}
	return in
}

// severities are the usual names, worst first; others follow in their own order.
var severities = []string{"critical", "page", "emergency", "fatal", "error", "major", "high", "warning", "minor", "medium", "low", "info", "none"}

func bySeverity(in []correlate.Incident) []SeverityCount {
	counts := map[string]int{}
	for _, i := range in {
		counts[i.Severity]++
	}
	rank := func(s string) int {
		if k := slices.Index(severities, strings.ToLower(s)); k >= 0 {
			return k
		}
		return len(severities)
	}
	list := []SeverityCount{}
	for _, s := range slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b))
	}) {
		list = append(list, SeverityCount{s, counts[s]})
	}
	return list
}

// durations sums up how long incidents lasted from their first alert to their last end.
func (c *composer) durations(in []correlate.Incident) Durations {
	var lasted []Length
	d := Durations{}
	for _, i := range in {
		if i.ResolvedAt == 0 {
			d.NotResolved++
			continue
		}
		if i.Unknown > 0 { // it ended, nobody knows when
			d.UnknownEnd++
			continue
		}
		lasted = append(lasted, LengthOf(i.OpenedAt, i.ResolvedAt))
	}
	slices.Sort(lasted)
	d.N = len(lasted)
	if d.N == 0 {
		return d
	}
	middle := (lasted[(d.N-1)/2] + lasted[d.N/2]) / 2
	d.Median, d.Longest = &middle, &lasted[d.N-1]
	if low, high, ok := medianRanks(d.N); ok {
		d.MedianInterval = &LengthRange{lasted[low], lasted[high]}
	}
	if d.N >= 10 {
		d.P90 = &lasted[int(math.Ceil(0.9*float64(d.N)))-1]
	}
	return d
}

func (c *composer) line(i correlate.Incident) IncidentLine {
	l := IncidentLine{
		ID: i.ID, Title: i.Title, Severity: i.Severity, State: string(i.State), OpenedAt: i.OpenedAt, ResolvedAt: i.ResolvedAt,
		Lasted: LengthOf(i.OpenedAt, cmp.Or(i.ResolvedAt, c.p.AsOf)), Services: append([]string{}, i.Services...), Episodes: i.Episodes,
	}
	if kind, name, ok := bestCause(i); ok {
		l.Cause = kind + " " + name
	}
	return l
}

// bestCause returns what an incident's best probable cause is.
func bestCause(i correlate.Incident) (kind, name string, ok bool) {
	if len(i.Causes) == 0 {
		return "", "", false
	}
	switch cause := i.Causes[0]; {
	case cause.Service != "":
		return "service", cause.Service, true
	case cause.Entity != "":
		return "entity", cause.Entity, true
	case cause.Change != "":
		return "change", cause.Change, true
	}
	return "", "", false
}

// causes counts how often each thing was the best probable cause, most often first.
func causes(in []correlate.Incident) []CauseCount {
	byKey := map[[2]string]*CauseCount{}
	for _, i := range in {
		kind, name, ok := bestCause(i)
		if !ok {
			continue
		}
		c := byKey[[2]string{kind, name}]
		if c == nil {
			c = &CauseCount{Kind: kind, Name: name}
			byKey[[2]string{kind, name}] = c
		}
		c.Count++
		c.Incidents = append(c.Incidents, i.ID)
		if i.ResolvedAt != 0 && i.Unknown == 0 {
			c.Lasted += LengthOf(i.OpenedAt, i.ResolvedAt)
		}
	}
	list := []CauseCount{}
	for _, c := range byKey {
		list = append(list, *c)
	}
	slices.SortFunc(list, func(a, b CauseCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(b.Lasted, a.Lasted), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
	return list
}

const week = 7 * ingest.Day

// change compares how often incidents opened with the period before.
func (c *composer) change(now int) (*RateComparison, string) {
	before := c.p.before()
	exposed, exposedBefore := c.exposure(c.p.Period.Window), c.exposure(before)
	switch {
	case exposed < Length(week):
		return nil, "less than a week of this period was observed"
	case exposedBefore < Length(week):
		return nil, "less than a week of the period before was observed"
	}
	a := Count{now, weeksIn(exposed)}
	b := Count{len(c.opened(before)), weeksIn(exposedBefore)}
	value, interval := RateRatio(a, b)
	cmp := &RateComparison{
		Now:    rateOf(c.basis(a.N, "incidents", "incidents over observed weeks"), a),
		Before: rateOf(Basis{Window: before, N: b.N, Of: "incidents", Policy: "incidents over observed weeks"}, b),
		P:      RateRatioP(a, b),
		Method: "exact conditional test of two Poisson rates; it takes incidents to be independent of one another",
	}
	if levels, ok := c.f.levels(before); ok {
		cmp.Before.Basis.Coverage, _ = fleet(levels)
	}
	if !math.IsNaN(value) {
		cmp.Ratio = &value
	}
	cmp.Interval = Bounds{Low: interval.Low}
	if !math.IsInf(interval.High, 1) {
		cmp.Interval.High = &interval.High
	}
	return cmp, ""
}

func weeksIn(l Length) float64 { return float64(l) / float64(week) }

func rateOf(b Basis, c Count) Rate {
	perWeek := float64(c.N) / c.Exposure
	return Rate{Basis: b, PerWeek: perWeek, Weeks: c.Exposure, Interval: RateInterval(c.N, c.Exposure)}
}
