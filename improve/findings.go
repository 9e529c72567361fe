package improve

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/correlate"
)

// MaxFindings is how many findings a report has at most: what a meeting can act on.
const MaxFindings = 5

// The kinds of findings. The first seven come first, in this order.
const (
	FindingMissed        = "objective missed"
	FindingUnproven      = "objective not proven"
	FindingRising        = "rising trend"
	FindingCause         = "recurring cause"
	FindingConcentration = "concentrated downtime"
	FindingNoise         = "noisy alert"
	FindingImproved      = "improvement"
	FindingBudget        = "budget nearly spent"
	FindingBlind         = "blind spot"
)

const ranking = "first the largest of each of these: objectives missed, objectives not proven, rising trends, recurring causes, " +
	"concentrated downtime, noisy alerts, improvements; then the second largest of each, with budgets nearly spent and blind spots; and so on"

// What makes something worth a finding. Below these it is not said.
const (
	minCause        = 3    // incidents with the same best cause
	minNoise        = 10   // episodes of one alert name
	minNoiseShare   = 0.10 // of all episodes
	minConcentrated = 0.5  // of all downtime, in at least three services
	minSpent        = 0.75 // of a budget
	minUnassigned   = 0.05 // of all episodes
	sameStory       = 0.8  // of a cause's incidents hold one noisy alert alone: that is told there
)

// composeFindings ranks what the rest of the report found: the largest of every kind in the
// order of kinds, then the second largest of every kind, and so on. The two lesser
// kinds join in the second round. Fewer than five is said, and not filled up.
func (c *composer) composeFindings(r *Report) Findings {
	kinds := [][]Finding{
		c.missed(r), c.unproven(r), c.trending(r, Worse), c.recurring(r), c.concentrated(r), c.noisy(r), c.trending(r, Improved),
	}
	lesser := [][]Finding{c.nearlySpent(r), c.blind(r)}
	f := Findings{Ranking: ranking, List: []Finding{}}
	left := 0
	for _, kind := range append(slices.Clone(kinds), lesser...) {
		left += len(kind)
	}
	for round := 0; len(f.List) < min(left, MaxFindings); round++ {
		for _, kind := range kinds {
			f.add(kind, round)
		}
		for _, kind := range lesser {
			f.add(kind, round-1)
		}
	}
	if len(f.List) < MaxFindings {
		f.Note = fewer(len(f.List))
	}
	return f
}

// add ranks the finding at a place of its kind next, where there is one and room for it.
func (f *Findings) add(kind []Finding, place int) {
	if place < 0 || place >= len(kind) || len(f.List) == MaxFindings {
		return
	}
	next := kind[place]
	next.Rank = len(f.List) + 1
	f.List = append(f.List, next)
}

func fewer(n int) string {
	if n == 0 {
		return "Nothing in the data of this period is a finding. Read the data quality before taking that for good news."
	}
	return fmt.Sprintf("Only %s holds in the data of this period; nothing was added to make it %d.", Plural(n, "finding"), MaxFindings)
}

// evidence sets the incidents that a finding rests on, out of ids in the order in
// which they opened: the newest, since they are the ones that people remember.
func (f *Finding) evidence(ids []string) {
	f.More = max(0, len(ids)-maxIncidents)
	f.Incidents = append([]string{}, ids[f.More:]...)
}

// inOrder returns each of ids once, in the order in which the incidents opened.
func (c *composer) inOrder(ids []string) []string {
	wanted := map[string]bool{}
	for _, id := range ids {
		wanted[id] = true
	}
	var ordered []string
	for _, i := range c.f.Incidents {
		if wanted[i.ID] {
			ordered = append(ordered, i.ID)
		}
	}
	return ordered
}

// levelsOf returns the levels of one standing, worst first.
func levelsOf(r *Report, standing Standing) []Level {
	return slices.DeleteFunc(slices.Clone(r.Availability.Levels), func(l Level) bool { return l.Standing != standing })
}

func (c *composer) levelFinding(kind string, l Level, r *Report) Finding {
	f := Finding{Kind: kind, Subject: l.Service, Basis: l.Basis, Trend: l.Trend}
	var ids []string
	for _, o := range r.Availability.Outages {
		if o.Service == l.Service && o.Agreement == l.Agreement && l.Basis.Contains(o.From) {
			ids = append(ids, o.Incidents...)
		}
	}
	f.evidence(c.inOrder(ids))
	return f
}

func (c *composer) missed(r *Report) []Finding {
	var list []Finding
	for _, l := range levelsOf(r, Missed) {
		f := c.levelFinding(FindingMissed, l, r)
		m := &l.Measured
		f.Statement = fmt.Sprintf("%s missed its objective of %s%s: %s %% available, down %s in %s%s.",
			l.Service, l.Objective(), l.under(), m.Percent(l.Decimals()), Length(m.Downtime), Plural(l.Outages, "outage"), l.overspent())
		f.Action = l.missedAction()
		list = append(list, f)
	}
	return list
}

// overspent says how the downtime compares with the budget.
func (l *Level) overspent() string {
	if l.Spent == nil {
		return ", where the objective allows none"
	}
	if *l.Spent < 1.05 {
		return fmt.Sprintf(", just over the budget of %s", Length(l.Measured.Budget.Total))
	}
	return fmt.Sprintf(", %.1f times the budget of %s", *l.Spent, Length(l.Measured.Budget.Total))
}

// missedAction says where to begin, by asking whether one outage made the difference.
func (l *Level) missedAction() string {
	owner := cmp.Or(l.Owner, "its owner")
	over := Length(l.Measured.Downtime - l.Measured.Budget.Total)
	if l.Outages > 1 && l.Longest >= over && l.Measured.Budget.Total > 0 {
		return fmt.Sprintf("Review the longest outage (%s) with %s: without it the objective would have held.", l.Longest, owner)
	}
	if l.Outages > 1 {
		return fmt.Sprintf("Review all %d outages with %s: no single one explains the miss, so look for what they share.", l.Outages, owner)
	}
	return fmt.Sprintf("Review the outage with %s: what would have halved it, and what would have prevented it.", owner)
}

func (c *composer) unproven(r *Report) []Finding {
	var list []Finding
	for _, l := range levelsOf(r, NotProven) {
		f := c.levelFinding(FindingUnproven, l, r)
		f.Statement = fmt.Sprintf("%s cannot be shown to have kept its objective of %s%s: %s is unknown, and only %s of the budget is left.",
			l.Service, l.Objective(), l.under(), Length(l.Measured.Matrix.Unknown), Length(l.Measured.Budget.Left))
		f.Action = "Close the gap in monitoring: declare a heartbeat for its source, and find out what silenced it."
		list = append(list, f)
	}
	return list
}

func (c *composer) nearlySpent(r *Report) []Finding {
	var list []Finding
	for _, l := range levelsOf(r, Met) {
		if l.Spent == nil || *l.Spent < minSpent {
			continue
		}
		f := c.levelFinding(FindingBudget, l, r)
		f.Statement = fmt.Sprintf("%s kept its objective of %s%s, but spent %s of its budget: down %s in %s.",
			l.Service, l.Objective(), l.under(), Percent(*l.Spent, 0), Length(l.Measured.Downtime), Plural(l.Outages, "outage"))
		f.Action = "Hold risky changes to it until the cause of its longest outage (" + l.Longest.String() + ") is dealt with."
		list = append(list, f)
	}
	return list
}

// trending returns the trends with a verdict: of all incidents, and of each service's. Many
// services are tested at once, so one in twenty would seem to move by chance; the
// false discovery rate is held at 1-Confidence instead.
func (c *composer) trending(r *Report, verdict Verdict) []Finding {
	var list []Finding
	if r.Weeks.Trend.Verdict == verdict {
		list = append(list, c.trendFinding("all services", "", r.Weeks.Trend, c.since(func(*correlate.Incident) bool { return true })))
	}
	var names []string
	var trends []Trend
	for _, row := range c.services() {
		has := func(i *correlate.Incident) bool { return slices.Contains(i.Services, row) }
		t := TrendOf(c.weeklyIncidents(has), "incidents per week", LessIsBetter)
		// Below one a week on average a trend could hardly show, and every test more
		// makes the others less believable.
		if t.P != nil && len(c.since(has)) >= len(c.weeks) {
			names, trends = append(names, row), append(trends, t)
		}
	}
	keep := discoveries(trends)
	var some []Finding
	for k, t := range trends {
		if keep[k] && t.Verdict == verdict {
			has := func(i *correlate.Incident) bool { return slices.Contains(i.Services, names[k]) }
			some = append(some, c.trendFinding(names[k], " that touched "+names[k], t, c.since(has)))
		}
	}
	slices.SortStableFunc(some, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(*a.Trend.P, *b.Trend.P), cmp.Compare(a.Subject, b.Subject))
	})
	return append(list, some...)
}

func (c *composer) trendFinding(subject, which string, t Trend, ids []string) Finding {
	f := Finding{Kind: FindingRising, Subject: subject, Trend: t}
	f.Basis = c.weeklyBasis(t.N, "observed weeks", "incidents by the week in which they opened; "+mergedOnce)
	word := "rise"
	f.Action = "Find what changed before the rise began: new services, new rules, more load, or one cause that comes again."
	if t.Verdict == Improved {
		f.Kind, word = FindingImproved, "fall"
		f.Action = "Write down what was done, so that it is kept, and check again next month that it holds."
	}
	f.Statement = fmt.Sprintf("Incidents%s %s: about %.1f a week %s every week, over %s.",
		which, word, math.Abs(*t.Effect), map[string]string{"rise": "more", "fall": "fewer"}[word], Plural(t.N, "observed week"))
	f.evidence(ids)
	return f
}

// services returns the names of all services that had incidents, sorted.
func (c *composer) services() []string {
	var names []string
	for _, i := range c.f.Incidents {
		names = append(names, i.Services...)
	}
	return slices.Compact(slices.Sorted(slices.Values(names)))
}

// since returns the ids of the incidents of the weeks for which keep holds.
func (c *composer) since(keep func(*correlate.Incident) bool) []string {
	var ids []string
	for k := range c.f.Incidents {
		if i := &c.f.Incidents[k]; weekOf(c.weeks, i.OpenedAt) >= 0 && keep(i) {
			ids = append(ids, i.ID)
		}
	}
	return ids
}

func (c *composer) recurring(r *Report) []Finding {
	opened := c.opened(c.period)
	var list []Finding
	for _, cause := range causes(opened) {
		if cause.Count < minCause || c.isNoise(r, cause) {
			continue
		}
		share := WilsonInterval(cause.Count, len(opened))
		f := Finding{Kind: FindingCause, Subject: cause.Name}
		f.Basis = c.basis(len(opened), "incidents", "incidents that opened in the window, each by its best probable cause; "+mergedOnce)
		f.Statement = fmt.Sprintf("%s %s was the best probable cause of %d of %d incidents (%s; 95 %% interval %s to %s), open for %s together.",
			titled(cause.Kind), cause.Name, cause.Count, len(opened), Share(float64(cause.Count)/float64(len(opened))), Share(share.Low), Share(share.High), cause.Lasted)
		f.Action = "Open a problem for it: read what these incidents share, name the cause, and set a date for the fix."
		f.Trend = TrendOf(c.weeklyIncidents(func(i *correlate.Incident) bool {
			kind, name, ok := bestCause(*i)
			return ok && kind == cause.Kind && name == cause.Name
		}), "incidents with this cause per week", LessIsBetter)
		f.evidence(cause.Incidents)
		list = append(list, f)
	}
	return list
}

// isNoise says whether nearly all incidents of a cause hold one noisy alert and nothing
// else: the two findings would tell one story twice.
func (c *composer) isNoise(r *Report, cause CauseCount) bool {
	for _, a := range r.Noise.ByName {
		if !isNoisy(a) {
			continue
		}
		alone := 0
		for _, id := range cause.Incidents {
			if c.f.Alerts.incidents[id] == (holds{a.Name, false}) {
				alone++
			}
		}
		if float64(alone) >= sameStory*float64(cause.Count) {
			return true
		}
	}
	return false
}

func isNoisy(a AlertLine) bool { return a.Episodes >= minNoise && *a.Share.Value >= minNoiseShare }

func titled(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// concentrated returns the service that carried most of all downtime. One that
// missed its objective has said so already.
func (c *composer) concentrated(r *Report) []Finding {
	var total, most Length
	var carrier string
	down := 0
	for _, a := range c.base {
		if a.Agreement != "" || a.Matrix.Down == 0 {
			continue
		}
		down++
		total += Length(a.Matrix.Down)
		if Length(a.Matrix.Down) > most {
			most, carrier = Length(a.Matrix.Down), a.Service
		}
	}
	missed := slices.ContainsFunc(r.Availability.Levels, func(l Level) bool { return l.Service == carrier && l.Standing == Missed })
	if down < 3 || missed || float64(most) < minConcentrated*float64(total) {
		return nil
	}
	f := Finding{Kind: FindingConcentration, Subject: carrier}
	f.Basis = c.basis(down, "services that were down", "time down in each service, always in hours, without planned maintenance")
	f.Statement = fmt.Sprintf("%s carried %s of all downtime: %s of %s, over %s that were down at all.",
		carrier, Share(float64(most)/float64(total)), most, total, Plural(down, "service"))
	f.Action = "Work on this service first: nothing done elsewhere can save as much."
	f.Trend = c.downtimeTrend(planned{service: correlate.Service{Name: carrier}})
	f.evidence(c.incidentsOf(carrier))
	return []Finding{f}
}

func (c *composer) incidentsOf(service string) []string {
	var ids []string
	for _, i := range c.opened(c.period) {
		if slices.Contains(i.Services, service) {
			ids = append(ids, i.ID)
		}
	}
	return ids
}

func (c *composer) noisy(r *Report) []Finding {
	var list []Finding
	for _, a := range r.Noise.ByName {
		if !isNoisy(a) {
			continue
		}
		f := Finding{Kind: FindingNoise, Subject: a.Name, Basis: r.Noise.Basis, Trend: a.Trend}
		f.Statement = fmt.Sprintf("%s made %d of %d episodes (%s; 95 %% interval %s to %s), in %s: %d were short, %d flaps.",
			cmp.Or(a.Name, "An alert without a name"), a.Episodes, r.Noise.Episodes, Share(*a.Share.Value), Share(a.Share.Interval.Low), Share(a.Share.Interval.High),
			Plural(a.Incidents, "incident"), a.Short, a.Flaps)
		f.Action = noiseAction(a)
		f.evidence(c.inOrder(c.f.Alerts.incidentsOf(a.Name)))
		list = append(list, f)
	}
	return list
}

// noiseAction says what would quieten an alert, by what most of its episodes are.
func noiseAction(a AlertLine) string {
	switch {
	case 2*a.Flaps >= a.Episodes:
		return "Give it hysteresis (keep_firing_for, or a lower threshold to resolve): most of its episodes begin soon after the last one ended."
	case a.Ended > 0 && 2*a.Short >= a.Ended:
		return fmt.Sprintf("Lengthen its \"for\": most of its episodes are over within %s, before anybody could act.", ShortEpisode)
	case a.Incidents > 0 && a.Episodes >= 5*a.Incidents:
		return "Alert on the symptom once instead of on each instance: many of its episodes belong to the same incident."
	}
	return "Ask of its last ten episodes which needed a person; what needs none is a ticket or a chart, not an alert."
}

func (c *composer) blind(r *Report) []Finding {
	n := r.Quality.Unassigned
	if r.Noise.Episodes == 0 || n < minNoise || float64(n) < minUnassigned*float64(r.Noise.Episodes) {
		return nil
	}
	share := WilsonInterval(n, r.Noise.Episodes)
	f := Finding{Kind: FindingBlind, Subject: "alerts of no service", Basis: r.Noise.Basis}
	f.Statement = fmt.Sprintf("%d of %d episodes (%s; 95 %% interval %s to %s) belong to no service: they count in no availability.",
		n, r.Noise.Episodes, Share(float64(n)/float64(r.Noise.Episodes)), Share(share.Low), Share(share.High))
	f.Action = "Add a service label or matchers for: " + listed(c.f.Alerts.unassignedNames(), 5) + "."
	f.Trend = TrendOf(c.weekly(c.f.Alerts.unassignedWeekly), "episodes of no service per week", LessIsBetter)
	f.evidence(nil)
	return []Finding{f}
}

// weeklyBasis says what a number of the weeks rests on.
func (c *composer) weeklyBasis(n int, of, policy string) Basis {
	w := Window{From: c.weeks[0].From, To: c.weeks[len(c.weeks)-1].To, Zone: c.p.Period.Zone}
	return Basis{Window: w, N: n, Of: of, Coverage: meanCoverage(c.observed), Policy: policy}
}
