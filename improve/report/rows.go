package report

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/improve"
)

// The rows of the tables, as text: HTML and Markdown show the same words.

// tile is one figure of the first screen.
type tile struct{ Name, Value, Detail, Tone string }

// glance returns the figures of the first screen, what to trust them by first.
func glance(r *improve.Report) []tile {
	return []tile{dataTile(r), promiseTile(r), incidentTile(r), resolveTile(r), trendTile(r)}
}

func dataTile(r *improve.Report) tile {
	t := tile{Name: "Service time watched", Value: share(r.Quality.Coverage.Value, 2), Detail: improve.Plural(len(r.Quality.Caveats), "caveat") + ", see data quality"}
	if r.Quality.Coverage.Value == nil {
		t.Detail = r.Quality.Coverage.Reason + "; " + t.Detail
	}
	return t
}

func promiseTile(r *improve.Report) tile {
	a := &r.Availability
	judged := a.Met + a.Missed + a.Unproven
	t := tile{Name: "Objectives met", Value: fmt.Sprintf("%d of %d", a.Met, judged), Tone: "good"}
	var rest []string
	if a.Missed > 0 {
		rest = append(rest, fmt.Sprintf("%d missed", a.Missed))
		t.Tone = "bad"
	}
	if a.Unproven > 0 {
		rest = append(rest, fmt.Sprintf("%d not proven", a.Unproven))
	}
	switch {
	case judged == 0:
		t.Value, t.Tone, t.Detail = none, "", "no objective could be judged"
	case len(rest) == 0:
		t.Detail = "none missed"
	default:
		t.Detail = strings.Join(rest, ", ")
	}
	return t
}

func incidentTile(r *improve.Report) tile {
	t := tile{Name: "Incidents", Value: count(r.Incidents.Count), Detail: "all resolved"}
	switch {
	case r.Quality.HistoryFrom == 0:
		t.Value, t.Detail = none, "nothing was received"
	case r.Incidents.Count == 0:
		t.Detail = "none opened"
	case r.Incidents.Open > 0:
		t.Detail = count(r.Incidents.Open) + " not resolved"
	}
	return t
}

func resolveTile(r *improve.Report) tile {
	d := &r.Incidents.Resolve
	return tile{Name: "Median time to resolve", Value: length(d.Median), Detail: "n = " + count(d.N) + " resolved"}
}

func trendTile(r *improve.Report) tile {
	t := r.Weeks.Trend
	tone := map[improve.Verdict]string{improve.Improved: "good", improve.Worse: "bad"}[t.Verdict]
	return tile{Name: "Incidents a week", Value: string(t.Verdict), Detail: fmt.Sprintf("%s observed", improve.Plural(t.N, "week")), Tone: tone}
}

func sourceRows(q *improve.Quality) [][]string {
	var rows [][]string
	for _, s := range first(q.Sources, maxSources) {
		heartbeat := "not declared"
		switch {
		case s.Heartbeat:
			heartbeat = "declared"
		case !s.Alerts:
			heartbeat = "sends no alerts"
		}
		rows = append(rows, []string{said(s.Source), count(s.Deliveries), count(s.Rejected), count(s.Events), count(s.Copies), count(s.DeadLetters), heartbeat})
	}
	if q.Gone() {
		return [][]string{{"no longer kept", none, none, none, none, none, none}}
	}
	return append(rows, []string{"all", count(q.Deliveries), count(q.Rejected), count(q.Events), count(q.Copies), count(q.DeadLetters), none})
}

// coverageRows lists the services that were not watched all the time.
func coverageRows(q *improve.Quality) [][]string {
	var rows [][]string
	for _, s := range first(q.Services, maxServices) {
		if s.Unknown > 0 {
			rows = append(rows, []string{s.Service, share(s.Coverage.Value, 2), s.Unknown.String()})
		}
	}
	return rows
}

// policies returns the different policies of the levels shown, in order of appearance.
func policies(r *improve.Report) []string {
	var list []string
	for _, l := range first(r.Availability.Levels, maxLevels) {
		if !slices.Contains(list, l.Basis.Policy) {
			list = append(list, l.Basis.Policy)
		}
	}
	return list
}

// policyName names the policy at place i of the list.
func policyName(i int) string { return fmt.Sprintf("P%d", i+1) }

func levelRows(r *improve.Report) [][]string {
	named := policies(r)
	var rows [][]string
	for _, l := range first(r.Availability.Levels, maxLevels) {
		rows = append(rows, []string{
			service(l), objective(l), available(l), standing(l), improve.Length(l.Measured.Downtime).String(), count(l.Outages),
			l.Longest.String(), spent(l), share(l.Measured.Coverage, 2), levelWindow(l), policyName(slices.Index(named, l.Basis.Policy)),
		})
	}
	return rows
}

func levelWindow(l improve.Level) string {
	text := window(l.Basis.Window)
	if l.Partial != "" {
		text += " (" + l.Partial + ")"
	}
	return text
}

func outageRows(r *improve.Report) [][]string {
	var rows [][]string
	for _, o := range first(r.Availability.Outages, maxOutages) {
		rows = append(rows, []string{outageName(o), outageBegin(r, o), outageEnd(r, o), improve.LengthOf(o.From, o.To).String(), cmp.Or(strings.Join(o.Incidents, ", "), none)})
	}
	return rows
}

func outageName(o improve.Outage) string {
	if o.Agreement == "" {
		return o.Service
	}
	return o.Service + " / " + o.Agreement
}

func outageBegin(r *improve.Report, o improve.Outage) string {
	if o.Before {
		return r.Period.Local(o.From) + ", down before"
	}
	return r.Period.Local(o.From)
}

func outageEnd(r *improve.Report, o improve.Outage) string {
	switch {
	case o.Running:
		return "still down"
	case o.After:
		return r.Period.Local(o.To) + ", down after"
	}
	return r.Period.Local(o.To)
}

func incidentRows(r *improve.Report) [][]string {
	var rows [][]string
	for _, l := range r.Incidents.Longest {
		rows = append(rows, []string{l.ID, l.Title, said(l.Severity), r.Period.Local(l.OpenedAt), lasted(l), cmp.Or(strings.Join(l.Services, ", "), none), cmp.Or(l.Cause, none)})
	}
	return rows
}

func lasted(l improve.IncidentLine) string {
	if l.ResolvedAt == 0 {
		return l.Lasted.String() + " so far"
	}
	return l.Lasted.String()
}

func causeRows(s *improve.Incidents) [][]string {
	var rows [][]string
	for _, c := range s.Causes {
		rows = append(rows, []string{c.Kind + " " + c.Name, count(c.Count), c.Lasted.String()})
	}
	return rows
}

func perIncident(n *improve.Noise) string {
	if n.PerIncident == nil {
		return none
	}
	return number(*n.PerIncident, 1)
}

func alertRows(n *improve.Noise) [][]string {
	var rows [][]string
	for _, a := range n.ByName {
		rows = append(rows, []string{
			said(a.Name), count(a.Episodes), improve.Share(*a.Share.Value), count(a.Incidents), count(a.Short), count(a.Flaps), a.Firing.String(), verdict(a.Trend.Verdict),
		})
	}
	return rows
}

func weekRows(t *improve.WeekTrend) [][]string {
	var rows [][]string
	for _, w := range t.Weeks {
		value, bar := w.Reason, ""
		if w.Incidents != nil {
			value, bar = count(*w.Incidents), strings.Repeat("▪", min(*w.Incidents, 40))
		}
		rows = append(rows, []string{w.Name, w.Local(w.From)[:len("2006-01-02")], value, bar, share(w.Coverage, 2)})
	}
	return rows
}

// method says how the numbers are made.
func method(r *improve.Report) []string {
	return []string{
		"Unknown time is neither up nor down. An objective that the unknown time could have broken is called not proven.",
		"Availability is cut and never rounded up: 100 % means no downtime at all. Its windows are the agreements' own, in their own zones.",
		"An incident belongs to the window in which its oldest alert began. Its length runs from then to the end of its last alert.",
		fmt.Sprintf("Weeks are whole ISO weeks, Monday to Sunday in %s; one that was not observed, or of which less than %s of the service time was watched, is left out and not counted as zero.", r.Period.Zone, improve.Percent(improve.MinWeekCoverage, 0)),
		fmt.Sprintf("A verdict is a Mann-Kendall test at 5 %%, two-sided, with the Theil-Sen slope and Sen's interval, and needs %d observed weeks; in findings, trends of single services are held to a false discovery rate of 5 %% (Benjamini-Hochberg).", improve.MinWeeks),
		"Shares have Wilson intervals, rates exact Poisson ones, medians the ones of order statistics; all at 95 %.",
		"The report is made of rows recorded up to the instant it speaks from. The same rows give the same bytes.",
	}
}

// incidentLink returns the address of an incident's page, "" where it is not known or
// would lead anywhere but to a web server: to one that is named, or to the one that shows the report.
func incidentLink(r *improve.Report, id string) string {
	named := strings.HasPrefix(r.LinkBase, "https://") || strings.HasPrefix(r.LinkBase, "http://")
	if !named && !upwards(r.LinkBase) {
		return ""
	}
	return strings.TrimSuffix(r.LinkBase, "/") + "/incidents/" + url.PathEscape(id)
}

// upwards says whether a path leads up and nowhere else: .., ../.. and so on.
func upwards(base string) bool {
	for part := range strings.SplitSeq(base, "/") {
		if part != ".." {
			return false
		}
	}
	return true
}

// opens says where incidents are found whose ids are no links, or nothing where they are.
func opens(r *improve.Report, ids ...string) string {
	if len(ids) == 0 || incidentLink(r, ids[0]) != "" {
		return ""
	}
	return fmt.Sprintf("Evenkeel opens an incident by its id: the page of %s is /incidents/%s, its JSON /api/v1/incidents/%[2]s.", ids[0], url.PathEscape(ids[0]))
}

// evidenceIDs returns the incidents that findings name.
func evidenceIDs(r *improve.Report) []string {
	var ids []string
	for _, f := range r.Findings.List {
		ids = append(ids, f.Incidents...)
	}
	return ids
}

// longestIDs returns the incidents of the table of the longest.
func longestIDs(r *improve.Report) []string {
	var ids []string
	for _, l := range r.Incidents.Longest {
		ids = append(ids, l.ID)
	}
	return ids
}
