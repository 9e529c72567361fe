package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/evenkeel/evenkeel/improve"
)

// Markdown writes r as Markdown that reads well as it is.
func Markdown(w io.Writer, r *improve.Report) error {
	m := markdown{r: r}
	m.head()
	m.quality()
	m.findings()
	m.availability()
	m.incidents()
	m.noise()
	m.weeks()
	m.method()
	text := bytes.ReplaceAll(m.out.Bytes(), []byte("\n\n\n"), []byte("\n\n"))
	if _, err := w.Write(text); err != nil {
		return fmt.Errorf("render the report as Markdown: %w", err)
	}
	return nil
}

type markdown struct {
	r   *improve.Report
	out bytes.Buffer
}

// line writes one line. Its format is ours, its arguments are anybody's: they are escaped.
func (m *markdown) line(format string, args ...any) {
	for i, a := range args {
		if s, ok := a.(string); ok {
			args[i] = plain(s)
		}
	}
	fmt.Fprintf(&m.out, format+"\n", args...)
}

func (m *markdown) heading(text string) { m.line("\n## %s\n", text) }

// special are the characters that Markdown, or HTML within it, would read as markup.
var special = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;", "|", `\|`, "#", `\#`, "~", `\~`,
	"\r", " ", "\n", " ",
)

// plain takes the meaning of markup out of s.
func plain(s string) string { return special.Replace(s) }

// table writes a table whose columns are as wide as their widest cell.
func (m *markdown) table(head []string, rows [][]string) {
	width := make([]int, len(head))
	all := append([][]string{head}, rows...)
	for i, row := range all {
		cells := make([]string, len(row))
		for k, cell := range row {
			cells[k] = plain(cell)
			width[k] = max(width[k], len([]rune(cells[k])), 3)
		}
		all[i] = cells
	}
	for i, row := range all {
		for k, cell := range row {
			fmt.Fprintf(&m.out, "| %s%s ", cell, strings.Repeat(" ", width[k]-len([]rune(cell))))
		}
		m.out.WriteString("|\n")
		if i == 0 {
			for _, n := range width {
				m.out.WriteString("|" + strings.Repeat("-", n+2))
			}
			m.out.WriteString("|\n")
		}
	}
}

// note writes a line in italics after a blank one, or nothing.
func (m *markdown) note(text string) {
	if text != "" {
		m.line("\n_%s_", text)
	}
}

func (m *markdown) head() {
	r := m.r
	m.line("# Service report, %s\n", r.Period.Title())
	m.line("%s, as of %s. Tenant %s.", window(r.Period.Window), r.Period.Local(r.AsOf), r.Tenant)
	m.line("\n| | |\n|---|---|")
	for _, g := range glance(r) {
		m.line("| %s | **%s** %s |", g.Name, g.Value, g.Detail)
	}
}

func (m *markdown) quality() {
	q := &m.r.Quality
	m.heading("Data quality")
	for _, c := range q.Caveats {
		m.line("- %s", c)
	}
	if len(q.Caveats) == 0 {
		m.line("Nothing is known that would limit what follows.")
	}
	m.line("")
	m.table([]string{"Source", "Deliveries", "Refused", "Events", "Copies", "Dead letters", "Heartbeat"}, sourceRows(q))
	m.note(more(len(q.Sources), maxSources, "sources"))
	if rows := coverageRows(q); len(rows) > 0 {
		m.line("")
		m.table([]string{"Service", "Coverage", "Unknown time"}, rows)
	}
	m.note(basis(q.Basis))
}

func (m *markdown) findings() {
	f := &m.r.Findings
	m.heading("What matters")
	for _, x := range f.List {
		m.line("%d. **%s**  ", x.Rank, x.Statement)
		m.line("   Trend: %s. %s  ", verdict(x.Trend.Verdict), evidence(x.Trend))
		m.line("   Next: %s  ", x.Action)
		if len(x.Incidents) > 0 {
			fmt.Fprintf(&m.out, "   Evidence: %s  \n", m.links(x.Incidents, x.More))
		}
		m.line("   _%s · %s_\n", x.Kind, basis(x.Basis))
	}
	if f.Note != "" {
		m.line("%s", f.Note)
	}
	m.note(opens(m.r, evidenceIDs(m.r)...))
	m.note("Ranked: " + f.Ranking + ".")
}

// links writes incident ids, linked where the pages' address is known.
func (m *markdown) links(ids []string, more int) string {
	var parts []string
	for _, id := range ids {
		text := plain(id)
		if href := incidentLink(m.r, id); href != "" {
			text = "[" + text + "](<" + strings.NewReplacer("<", "%3C", ">", "%3E", "\n", "").Replace(href) + ">)"
		}
		parts = append(parts, text)
	}
	if more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(parts, ", ")
}

func (m *markdown) availability() {
	a := &m.r.Availability
	m.heading("Availability")
	if len(a.Levels) == 0 {
		m.line("The catalogue has no service, so nothing is measured.")
		return
	}
	m.table([]string{"Service", "Objective", "Available", "Standing", "Downtime", "Outages", "Longest", "Budget spent", "Coverage", "Window", "Policy"}, levelRows(m.r))
	m.note(more(len(a.Levels), maxLevels, "rows"))
	for i, p := range policies(m.r) {
		m.line("\n%s: %s", policyName(i), p)
	}
	if len(a.Outages) > 0 {
		m.line("\n### Outages\n")
		m.table([]string{"Service", "From", "To", "Length", "Incidents"}, outageRows(m.r))
		m.note(more(len(a.Outages), maxOutages, "outages"))
	}
	m.note(basis(a.Basis))
}

func (m *markdown) incidents() {
	s := &m.r.Incidents
	m.heading("Incidents")
	m.line("%s opened, %s of them not resolved.", improve.Plural(s.Count, "incident"), count(s.Open))
	for _, c := range s.BySeverity {
		m.line("- severity %s: %s", said(c.Severity), count(c.Count))
	}
	m.line("\nTime to resolve: median %s, P90 %s, longest %s (%s).", median(s.Resolve), length(s.Resolve.P90), length(s.Resolve.Longest), resolved(s.Resolve))
	if s.Change != nil {
		m.line("\nAgainst the period before: %s. %s.", change(s.Change), s.Change.Method)
	} else {
		m.line("\nAgainst the period before: no comparison, %s.", s.ChangeNote)
	}
	if len(s.Longest) > 0 {
		m.line("\n### Longest\n")
		m.table([]string{"Incident", "Title", "Severity", "Opened", "Lasted", "Services", "Best probable cause"}, incidentRows(m.r))
		m.note(opens(m.r, longestIDs(m.r)...))
	}
	if len(s.Causes) > 0 {
		m.line("\n### Best probable causes\n")
		m.table([]string{"Cause", "Incidents", "Open together"}, causeRows(s))
	}
	m.note(basis(s.Basis))
}

func (m *markdown) noise() {
	n := &m.r.Noise
	m.heading("Alert noise")
	m.line("%s of %s in %s: %s episodes per incident.", improve.Plural(n.Episodes, "episode"), improve.Plural(n.Alerts, "alert"), improve.Plural(n.Incidents, "incident"), perIncident(n))
	m.line("- short: %s of %s ended, %s", count(n.Short), count(n.Ended), ratio(n.ShortShare))
	m.line("- flaps: %s, %s; %s flapped", count(n.Flaps), ratio(n.FlapShare), improve.Plural(n.FlappingAlerts, "alert"))
	for _, text := range n.NotKnown {
		m.line("- not known: %s", text)
	}
	if len(n.ByName) > 0 {
		m.line("")
		m.table([]string{"Alert", "Episodes", "Share", "Incidents", "Short", "Flaps", "Firing", "Trend"}, alertRows(n))
		m.note(more(n.Names, len(n.ByName), "alert names"))
	}
	m.note(basis(n.Basis))
}

func (m *markdown) weeks() {
	t := &m.r.Weeks
	m.heading("Incidents a week")
	m.line("**%s.** %s.", verdict(t.Trend.Verdict), evidence(t.Trend))
	m.line("%s.\n", t.Trend.Method)
	m.table([]string{"Week", "Begins", "Incidents", "", "Coverage"}, weekRows(t))
	m.note(basis(t.Basis))
}

func (m *markdown) method() {
	m.heading("How the numbers are made")
	for _, text := range method(m.r) {
		m.line("- %s", text)
	}
}
