package improve

import (
	"slices"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/sla"
)

// Compose makes the report of p from its facts. It is pure, and f is not changed.
func Compose(f *Facts, p Params) (*Report, error) {
	plan, err := p.plan()
	if err != nil {
		return nil, err
	}
	c := composer{f: f, p: p, plan: plan, period: p.elapsed(p.Period.Window), weeks: p.weeks()}
	c.base, _ = f.levels(p.Period.Window)
	c.coverage, c.unknown = fleet(c.base)
	r := &Report{
		Schema: Schema, Tenant: p.Tenant, Period: p.Period, AsOf: p.AsOf,
		Complete: p.AsOf >= p.Period.To, LinkBase: p.LinkBase,
	}
	r.Weeks = c.composeWeeks()
	c.observed = r.Weeks.Weeks
	r.Availability = c.composeAvailability()
	r.Incidents = c.composeIncidents()
	r.Noise = c.composeNoise()
	r.Quality = c.composeQuality()
	r.Findings = c.composeFindings(r)
	return r, nil
}

// composer holds what the parts of one report share.
type composer struct {
	f        *Facts
	p        Params
	plan     []planned
	period   Window             // as far as it has passed
	weeks    []Window           // of the trend
	observed []Week             // the same weeks, with what is known of each
	base     []sla.Availability // of the whole period
	coverage *float64           // of all measured service time of the period
	unknown  Length
}

// basis says what a number of the whole period rests on.
func (c *composer) basis(n int, of, policy string) Basis {
	return Basis{Window: c.period, N: n, Of: of, Coverage: c.coverage, Policy: policy}
}

// fleet returns the share of all services' elapsed time whose state is known, and
// the length of the rest.
func fleet(levels []sla.Availability) (coverage *float64, unknown Length) {
	var elapsed Length
	for _, l := range levels {
		if l.Agreement == "" {
			elapsed += Length(l.Matrix.Sum() - l.Matrix.NotYet)
			unknown += unknownOf(l)
		}
	}
	return ratio(elapsed-unknown, elapsed), unknown
}

// unknownOf returns the time whose state is unknown, whatever bucket it lies in.
func unknownOf(a sla.Availability) Length {
	return Length(a.Matrix.Unknown + a.Matrix.InMaintenance.Unknown + a.Matrix.OutsideHours.Unknown)
}

// exposure returns how much of w had passed and lies after the first delivery: the
// time in which something could have been seen.
func (c *composer) exposure(w Window) Length {
	w = c.p.elapsed(w)
	if c.f.History.From == 0 || c.f.History.From >= w.To {
		return 0
	}
	return LengthOf(max(w.From, c.f.History.From), w.To)
}

// weekly returns counts by week as a series in which a week that was not observed is missing.
func (c *composer) weekly(counts []float64) []float64 {
	series := slices.Clone(counts)
	for i, w := range c.observed {
		if w.Incidents == nil {
			series[i] = missing
		}
	}
	return series
}

// ratio returns part in whole, or nil where there is no whole.
func ratio(part, whole Length) *float64 {
	if whole <= 0 {
		return nil
	}
	v := float64(part) / float64(whole)
	return &v
}

// capped returns at most n of list.
func capped[T any](list []T, n int) []T { return list[:min(n, len(list))] }

// overlaps says whether [from, to) and w have time in common; to 0 has not ended.
func overlaps(w Window, from, to ingest.Millis) bool {
	return from < w.To && (to == 0 || to > w.From)
}
