package improve

import (
	"fmt"
	"math"

	"github.com/evenkeel/evenkeel/correlate"
)

// MinWeekCoverage is the least share of the measured service time of a week that
// must have been watched for the week to count as observed.
const MinWeekCoverage = 0.8

var missing = math.NaN()

// composeWeeks counts the incidents of each week and asks whether they rise or fall.
func (c *composer) composeWeeks() WeekTrend {
	counts := make([]int, len(c.weeks))
	for _, i := range c.f.Incidents {
		if k := weekOf(c.weeks, i.OpenedAt); k >= 0 {
			counts[k]++
		}
	}
	var t WeekTrend
	series := make([]float64, len(c.weeks))
	for k, w := range c.weeks {
		week := c.week(w, counts[k])
		series[k] = missing
		if week.Incidents != nil {
			series[k] = float64(counts[k])
		}
		t.Weeks = append(t.Weeks, week)
	}
	t.Trend = TrendOf(series, "incidents per week", LessIsBetter)
	t.Line = lineOf(series)
	all := Window{From: c.weeks[0].From, To: c.weeks[len(c.weeks)-1].To, Zone: c.p.Period.Zone}
	t.Basis = Basis{Window: all, N: t.Trend.N, Of: "observed weeks", Coverage: meanCoverage(t.Weeks), Policy: "incidents by the week in which they opened; " + mergedOnce}
	return t
}

// lineOf returns the Theil-Sen line over the observed part of a series: it says
// nothing of the weeks before and after.
func lineOf(series []float64) *Line {
	sen := Sen(series)
	if math.IsNaN(sen.Slope) {
		return nil
	}
	l := &Line{First: -1}
	for k, v := range series {
		if math.IsNaN(v) {
			continue
		}
		if l.First < 0 {
			l.First = k
		}
		l.Last = k
	}
	l.Start, l.End = sen.Intercept+sen.Slope*float64(l.First), sen.Intercept+sen.Slope*float64(l.Last)
	return l
}

const mergedOnce = "merged incidents count once"

// week returns one week, without a count where it was not observed: a week before
// the first delivery had incidents too, only nobody here saw them.
func (c *composer) week(w Window, incidents int) Week {
	week := Week{Name: w.ISOWeek(), Window: w}
	levels, _ := c.f.levels(w)
	week.Coverage, _ = fleet(levels)
	switch {
	case c.f.History.From == 0:
		week.Reason = "nothing was ever received"
	case c.f.History.From > w.From && c.f.History.From >= w.To:
		week.Reason = "before the first delivery"
	case c.f.History.From > w.From:
		week.Reason = "the first delivery came in its course"
	case week.Coverage != nil && *week.Coverage < MinWeekCoverage:
		week.Reason = fmt.Sprintf("only %s of the service time was watched, less than %s", Percent(*week.Coverage, 0), Percent(MinWeekCoverage, 0))
	default:
		week.Incidents = &incidents
	}
	return week
}

func meanCoverage(weeks []Week) *float64 {
	sum, n := 0.0, 0
	for _, w := range weeks {
		if w.Incidents != nil && w.Coverage != nil {
			sum += *w.Coverage
			n++
		}
	}
	if n == 0 {
		return nil
	}
	sum /= float64(n)
	return &sum
}

// weeklyIncidents counts by week the incidents for which keep holds.
func (c *composer) weeklyIncidents(keep func(*correlate.Incident) bool) []float64 {
	counts := make([]float64, len(c.weeks))
	for k := range c.f.Incidents {
		if i := weekOf(c.weeks, c.f.Incidents[k].OpenedAt); i >= 0 && keep(&c.f.Incidents[k]) {
			counts[i]++
		}
	}
	return c.weekly(counts)
}
