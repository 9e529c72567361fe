package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/improve"
)

var (
	//go:embed templates/report.html
	page string
	//go:embed templates/style.css
	style string
)

// HTML writes r as one HTML page that needs nothing else: no script, no font, no
// image from anywhere.
func HTML(w io.Writer, r *improve.Report) error {
	t, err := template.New("report").Funcs(functions).Parse(strings.Replace(page, "/* style */\n", style, 1))
	if err != nil {
		return fmt.Errorf("parse the report's page: %w", err)
	}
	var out bytes.Buffer // nothing is written of a page that fails half way
	if err := t.Execute(&out, newView(r)); err != nil {
		return fmt.Errorf("render the report as HTML: %w", err)
	}
	if _, err := w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("render the report as HTML: %w", err)
	}
	return nil
}

var functions = template.FuncMap{
	"basis": basis, "change": change, "count": count, "evidence": evidence, "length": length, "median": median, "objective": objective,
	"perIncident": perIncident, "plural": improve.Plural, "ratio": ratio, "resolved": resolved, "said": said, "verdict": verdict,
	"window": window, "inc": func(i int) int { return i + 1 }, "tone": verdictTone, "tight": tight,
}

// quantity is a number with its unit, a length of time in two units, or an equation.
var quantity = regexp.MustCompile(`\d (?:%|(?:ms|s|min|h|d)\b)(?: \d\d (?:s|min|h)\b)?|\b[np] [=<] \d`)

// tight keeps a number and its unit on one line.
func tight(s string) string {
	return quantity.ReplaceAllStringFunc(s, func(q string) string { return strings.ReplaceAll(q, " ", "\u00a0") })
}

func verdictTone(v improve.Verdict) string {
	return map[improve.Verdict]string{improve.Improved: "good", improve.Worse: "bad"}[v]
}

// view is what the page shows: the report, and its tables and charts made ready.
type view struct {
	R         *improve.Report
	Title     string
	Window    string
	AsOf      string
	Glance    []tile
	Sources   table
	Coverage  table
	Findings  []finding
	Opens     string // where the evidence is found whose ids are no links
	Levels    table
	Policies  []string
	Outages   table
	Lanes     lanes
	Longest   table
	Causes    table
	Alerts    table
	WeekTable table
	Charts    []weekChart // for a wide and for a narrow screen
	Method    []string
}

// finding is a finding with links to its evidence.
type finding struct {
	improve.Finding
	Links []cell
}

// table is one table of the page.
type table struct {
	Caption string
	Class   string // cards: each row is a card of its own on a narrow screen
	Columns []column
	Rows    [][]cell
	Note    string
}

type column struct {
	Name  string
	Class string
}

// cell is one cell. Href makes it a link; Meter draws how much of a budget is spent.
type cell struct {
	Text   string
	Detail string
	Href   string
	Tone   string
	Links  []cell
	Meter  *meter
}

func newView(r *improve.Report) *view {
	return &view{
		R: r, Title: "Service report, " + r.Period.Title(), Window: window(r.Period.Window),
		AsOf: r.Period.Local(r.AsOf) + " " + r.Period.Zone, Glance: glance(r), Findings: findings(r), Opens: opens(r, evidenceIDs(r)...), Policies: policies(r),
		Sources: sourceTable(r), Coverage: coverageTable(r), Levels: levelTable(r), Outages: outageTable(r), Lanes: newLanes(r),
		Longest: incidentTable(r), Causes: causeTable(r), Alerts: alertTable(r), WeekTable: weekTable(r),
		Charts: []weekChart{newWeekChart(&r.Weeks, "wide", 760), newWeekChart(&r.Weeks, "narrow", 360)}, Method: method(r),
	}
}

func findings(r *improve.Report) []finding {
	var list []finding
	for _, f := range r.Findings.List {
		list = append(list, finding{f, links(r, f.Incidents)})
	}
	return list
}

func links(r *improve.Report, ids []string) []cell {
	var list []cell
	for _, id := range ids {
		list = append(list, cell{Text: id, Href: incidentLink(r, id)})
	}
	return list
}

// columns reads "Name" as a column of text and "Name:class" as one with a class.
func columns(names ...string) []column {
	var list []column
	for _, n := range names {
		name, class, _ := strings.Cut(n, ":")
		list = append(list, column{name, class})
	}
	return list
}

// cells takes rows of text as they are.
func cells(rows [][]string) [][]cell {
	var list [][]cell
	for _, row := range rows {
		var line []cell
		for _, text := range row {
			line = append(line, cell{Text: text})
		}
		list = append(list, line)
	}
	return list
}

func sourceTable(r *improve.Report) table {
	return table{
		Caption: "What was received, by source", Class: "cards",
		Columns: columns("Source", "Deliveries:n", "Refused:n", "Events:n", "Copies:n", "Dead letters:n", "Heartbeat"),
		Rows:    cells(sourceRows(&r.Quality)), Note: more(len(r.Quality.Sources), maxSources, "sources"),
	}
}

func coverageTable(r *improve.Report) table {
	return table{
		Caption: "Services that were not watched all the time, least watched first",
		Columns: columns("Service", "Coverage:n", "Unknown time:n"), Rows: cells(coverageRows(&r.Quality)),
	}
}

func levelTable(r *improve.Report) table {
	t := table{
		Caption: "Availability against objectives, worst first", Class: "cards",
		Columns: columns("Service", "Objective:n", "Available:n", "Standing:w", "Downtime:n", "Outages:n", "Longest:n", "Budget spent:n", "Coverage:n", "Window:w"),
		Rows:    cells(levelRows(r)), Note: more(len(r.Availability.Levels), maxLevels, "rows"),
	}
	for i, l := range first(r.Availability.Levels, maxLevels) {
		row := t.Rows[i][:10]
		policy := t.Rows[i][10].Text
		t.Rows[i] = row
		row[0].Detail = keeper(l)
		row[2].Detail = l.Measured.Reason
		row[3].Tone = map[improve.Standing]string{improve.Met: "good", improve.Missed: "bad", improve.NotProven: "warn"}[l.Standing]
		row[7].Meter = newMeter(l)
		if l.Basis.Window == r.Period.Window && l.Partial == "" {
			row[9] = cell{Text: "period", Detail: "policy " + policy}
		} else {
			row[9] = cell{Text: l.Basis.Local(l.Basis.From), Detail: strings.TrimPrefix(levelWindow(l), l.Basis.Local(l.Basis.From)+" ") + ", policy " + policy}
		}
	}
	return t
}

func outageTable(r *improve.Report) table {
	t := table{
		Caption: "Outages, oldest first", Class: "cards", Columns: columns("Service", "From:w", "To:w", "Length:n", "Incidents"),
		Rows: cells(outageRows(r)), Note: more(len(r.Availability.Outages), maxOutages, "outages"),
	}
	for i, o := range first(r.Availability.Outages, maxOutages) {
		if len(o.Incidents) > 0 {
			t.Rows[i][4] = cell{Links: links(r, o.Incidents)}
		}
	}
	return t
}

func incidentTable(r *improve.Report) table {
	t := table{
		Caption: "The longest incidents", Class: "cards", Note: opens(r, longestIDs(r)...),
		Columns: columns("Incident", "Title", "Severity", "Opened:w", "Lasted:n", "Services", "Best probable cause"), Rows: cells(incidentRows(r)),
	}
	for i, l := range r.Incidents.Longest {
		t.Rows[i][0].Href = incidentLink(r, l.ID)
	}
	return t
}

func causeTable(r *improve.Report) table {
	return table{
		Caption: "Best probable causes, most incidents first", Columns: columns("Cause", "Incidents:n", "Open together:n"), Rows: cells(causeRows(&r.Incidents)),
	}
}

func alertTable(r *improve.Report) table {
	t := table{
		Caption: "Alerts by name, most episodes first", Class: "cards",
		Columns: columns("Alert", "Episodes:n", "Share:n", "Incidents:n", "Short:n", "Flaps:n", "Firing:n", "Trend over the weeks"),
		Rows:    cells(alertRows(&r.Noise)), Note: more(r.Noise.Names, len(r.Noise.ByName), "alert names"),
	}
	for i, a := range r.Noise.ByName {
		t.Rows[i][0].Detail = strings.Join(a.Services, ", ")
		t.Rows[i][7].Tone = verdictTone(a.Trend.Verdict)
		t.Rows[i][7].Detail = "n = " + improve.Plural(a.Trend.N, "week")
	}
	return t
}

func weekTable(r *improve.Report) table {
	t := table{Caption: "The weeks in numbers", Columns: columns("Week", "Begins", "Incidents:n", "Coverage:n"), Rows: cells(weekRows(&r.Weeks))}
	for i := range t.Rows {
		t.Rows[i] = slices.Delete(t.Rows[i], 3, 4) // the bar is the chart's
	}
	return t
}
