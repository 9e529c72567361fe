package sla

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/ingest"
)

// EveryAgreement asks for a service itself and for each of its agreements.
const EveryAgreement = "*"

// Terms are all that a measurement under one agreement depends on.
type Terms struct {
	Service     string
	Agreement   string // "" is the service itself
	Objective   float64
	Zone        string
	Window      string // day, week, month, quarter, year
	Policy      Policy
	Hours       *Schedule // nil is always
	Maintenance Set       // that is planned: of the catalogue, and what was sent as far as the reader adds it
}

// Measure turns the milliseconds of a window, closed as of asOf, into availability.
func (t *Terms) Measure(window Interval, asOf ingest.Millis, m Matrix) Availability {
	a := Availability{
		Service: t.Service, Agreement: t.Agreement, From: window.From, To: window.To, AsOf: asOf,
		Zone: t.Zone, Policy: t.Policy, Matrix: m, Objective: t.Objective, Final: m.NotYet == 0,
	}
	c := t.Policy.count(m)
	a.Counted, a.Downtime = c.counted, c.down
	if agreed := c.known + c.unknown; agreed > 0 {
		a.Coverage = ratio(c.known, agreed)
	}
	a.judge(c)
	if t.Objective > 0 {
		a.spend(t.ahead(window, asOf))
	}
	return a
}

// judge sets the ratio, or the reason why there is none.
func (a *Availability) judge(c counted) {
	switch {
	case a.Matrix.NotYet == a.Matrix.Sum():
		a.Reason = "the window has not begun"
	case c.known == 0 && c.unknown > 0: // however the policy counts unknown time
		a.Reason = "nothing is known of the window"
	case c.counted == 0:
		a.Reason = "no time of the window counts"
	case a.Policy.MinCoverage > 0 && a.Coverage != nil && *a.Coverage < a.Policy.MinCoverage:
		a.Reason = "coverage " + percentOf(*a.Coverage) + " is below the " + percentOf(a.Policy.MinCoverage) + " that the policy asks for"
	default:
		a.Ratio = ratio(c.counted-c.down, c.counted)
	}
}

// spend sets the budget of the whole window, of which ahead milliseconds are
// still to come, and whether the objective is met.
func (a *Availability) spend(ahead int64) {
	objective := int64(math.Round(a.Objective * ratioScale))
	total := muldiv(a.Counted+ahead, max(0, ratioScale-objective), ratioScale)
	a.Budget = &Budget{Total: total, Spent: a.Downtime, Left: total - a.Downtime}
	if a.Ratio != nil {
		met := a.Downtime <= total
		a.Met = &met
	}
}

// ahead returns the milliseconds of window after asOf that will count: the
// agreed hours, without planned maintenance where the policy excludes it.
func (t *Terms) ahead(window Interval, asOf ingest.Millis) int64 {
	future := window.Clip(Interval{max(asOf, window.From), window.To})
	if future.Empty() {
		return 0
	}
	hours := Set{future}
	if t.Hours != nil {
		hours = t.Hours.Windows(future)
	}
	if t.Policy.Maintenance == Excluded {
		hours = hours.Subtract(t.Maintenance)
	}
	return hours.Length()
}

// ratio returns part/whole rounded down to nine decimals.
func ratio(part, whole int64) *float64 {
	r := float64(muldiv(part, ratioScale, whole)) / ratioScale
	return &r
}

// Terms returns the terms of the service itself and of each of its agreements, by
// service in the order of c, the service itself first. An invalid configuration is an error.
func (c Config) Terms() ([]Terms, error) {
	r, err := newResolver(c)
	if err != nil {
		return nil, err
	}
	var all []Terms
	for _, s := range c.Services {
		of, err := r.terms(s)
		if err != nil {
			return nil, fmt.Errorf("service %q: %w", s.Name, err)
		}
		all = append(all, of...)
	}
	return all, nil
}

// DefaultTerms returns the terms of a service or agreement that c does not name:
// the default policy, no objective, the root zone, always in hours.
func (c Config) DefaultTerms(service, agreement string) Terms {
	policy, _ := Preset("")
	return Terms{Service: service, Agreement: agreement, Zone: cmp.Or(c.Zone, DefaultZone), Window: WindowMonth, Policy: policy}
}

// resolver makes terms out of a configuration, each calendar once.
type resolver struct {
	config    Config
	schedules map[string]*Schedule
}

func newResolver(c Config) (*resolver, error) {
	if _, err := LoadZone(c.Zone); err != nil {
		return nil, err
	}
	r := &resolver{config: c, schedules: make(map[string]*Schedule, len(c.Calendars))}
	for _, calendar := range c.Calendars {
		s, err := NewSchedule(calendar, c.Zone)
		if err != nil {
			return nil, fmt.Errorf("calendar %q: %w", calendar.Name, err)
		}
		if r.schedules[calendar.Name] != nil {
			return nil, fmt.Errorf("calendar %q is there twice", calendar.Name)
		}
		r.schedules[calendar.Name] = s
	}
	return r, nil
}

func (r *resolver) terms(s ServiceLevels) ([]Terms, error) {
	own := r.config.DefaultTerms(s.Name, "")
	own.Maintenance = planned(s.Maintenance)
	all := []Terms{own}
	for _, a := range s.Agreements {
		t, err := r.agreement(own, a)
		if err != nil {
			return nil, fmt.Errorf("agreement %q: %w", a.Name, err)
		}
		if a.Name == EveryAgreement || slices.ContainsFunc(all, func(o Terms) bool { return o.Agreement == a.Name }) {
			return nil, fmt.Errorf("agreement %q has no name of its own", a.Name)
		}
		all = append(all, t)
	}
	return all, nil
}

func (r *resolver) agreement(own Terms, a Agreement) (Terms, error) {
	t := own
	t.Agreement, t.Objective, t.Policy = a.Name, a.Objective, a.Policy.Filled()
	t.Zone, t.Window = cmp.Or(a.Zone, own.Zone), cmp.Or(a.Window, WindowMonth)
	if _, err := LoadZone(t.Zone); err != nil {
		return t, err
	}
	if !(a.Objective >= 0 && a.Objective <= 1) {
		return t, fmt.Errorf("objective %v is not a ratio such as 0.999", a.Objective)
	}
	if !slices.Contains(windows, t.Window) {
		return t, fmt.Errorf("window %q is none of %s", t.Window, strings.Join(windows, ", "))
	}
	if t.Hours = r.schedules[a.Calendar]; t.Hours == nil && a.Calendar != "" {
		return t, fmt.Errorf("there is no calendar %q", a.Calendar)
	}
	return t, a.Policy.Validate()
}

// planned returns maintenance windows as one set: what overlaps counts once.
func planned(windows []Maintenance) Set {
	intervals := make([]Interval, len(windows))
	for i, w := range windows {
		intervals[i] = Interval{ingest.Millis(w.From), ingest.Millis(w.To)}
	}
	return Union(intervals...)
}
