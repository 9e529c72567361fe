package report

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/improve"
)

// none is what stands where there is no number.
const none = "–"

// count writes n with narrow spaces between thousands.
func count(n int) string {
	digits := strconv.Itoa(n)
	var out strings.Builder
	for i, c := range digits {
		if rest := len(digits) - i; i > 0 && rest%3 == 0 && digits[i-1] != '-' {
			out.WriteRune('\u202f')
		}
		out.WriteRune(c)
	}
	return out.String()
}

// number writes v with so many decimals and a true minus sign.
func number(v float64, decimals int) string {
	text := strconv.FormatFloat(v, 'f', decimals, 64)
	if strings.Trim(text, "-0.") == "" {
		text = strings.TrimPrefix(text, "-") // no minus nought
	}
	return strings.Replace(text, "-", "−", 1)
}

// signed writes v with its sign.
func signed(v float64, decimals int) string {
	text := number(v, decimals)
	if v > 0 && strings.Trim(text, "0.") != "" {
		return "+" + text
	}
	return text
}

// share writes a ratio as a percentage, or none.
func share(r *float64, decimals int) string {
	if r == nil {
		return none
	}
	return improve.Percent(*r, decimals)
}

// ratio writes a share of counts with its interval, or why there is none.
func ratio(r improve.Ratio) string {
	if r.Value == nil {
		return none + " (" + r.Reason + ")"
	}
	return fmt.Sprintf("%s (95 %% interval %s to %s)", improve.Share(*r.Value), improve.Share(r.Interval.Low), improve.Share(r.Interval.High))
}

func length(l *improve.Length) string {
	if l == nil {
		return none
	}
	return l.String()
}

// window writes a window in its own zone.
func window(w improve.Window) string {
	return fmt.Sprintf("%s to %s %s", w.Local(w.From), w.Local(w.To), w.Zone)
}

// basis writes what a number rests on.
func basis(b improve.Basis) string {
	coverage := "coverage not known"
	if b.Coverage != nil {
		coverage = "coverage " + improve.Percent(*b.Coverage, 2)
	}
	return fmt.Sprintf("%s · %s: n = %s · %s · %s", window(b.Window), b.Of, count(b.N), coverage, b.Policy)
}

// objective writes the promise, or none.
func objective(l improve.Level) string {
	if l.Measured.Objective == 0 {
		return none
	}
	return l.Objective()
}

// available writes an availability, cut and never rounded up, or why there is none.
func available(l improve.Level) string {
	if l.Measured.Ratio == nil {
		return none
	}
	return l.Measured.Percent(l.Decimals()) + " %"
}

// standing writes how a promise stands, with a sign of its own for those who see no colour.
func standing(l improve.Level) string {
	sign := map[improve.Standing]string{
		improve.Met: "✓", improve.Missed: "✗", improve.NotProven: "?", improve.NoData: none, improve.NoObjective: none,
	}[l.Standing]
	text := sign + " " + string(l.Standing)
	if l.Standing == improve.Met && !l.Measured.Final {
		text += " so far"
	}
	return text
}

// spent writes how much of the budget is gone.
func spent(l improve.Level) string {
	switch {
	case l.Measured.Budget == nil:
		return none
	case l.Spent == nil:
		return "no budget"
	case *l.Spent > 1 && *l.Spent < 1.01:
		return "> 100 %" // cut it would read as if it had just sufficed
	}
	return improve.Percent(*l.Spent, 0)
}

// verdict writes a verdict with a sign of its own.
func verdict(v improve.Verdict) string {
	sign := map[improve.Verdict]string{improve.Improved: "▼", improve.Worse: "▲", improve.NoEvidence: "◆", improve.TooLittleData: "◇"}[v]
	return sign + " " + string(v)
}

// evidence writes what a verdict rests on.
func evidence(t improve.Trend) string {
	text := t.Metric
	if t.Effect != nil {
		text += fmt.Sprintf(": %s from one week to the next", signed(*t.Effect, 2))
	}
	if t.Interval != nil {
		text += fmt.Sprintf(" (95 %% interval %s to %s)", signed(t.Interval.Low, 2), signed(t.Interval.High, 2))
	}
	parts := []string{text}
	if t.P != nil {
		parts = append(parts, "p "+pvalue(*t.P))
	}
	parts = append(parts, fmt.Sprintf("n = %d weeks", t.N))
	return strings.Join(append(parts, t.Notes...), " · ")
}

// pvalue writes p with two figures, and never as 0.
func pvalue(p float64) string {
	switch {
	case p < 0.001:
		return "< 0.001"
	case p >= 0.1:
		return "= " + number(p, 2)
	}
	return "= " + number(p, 3)
}

// change writes how the rate of incidents compares with the period before.
func change(c *improve.RateComparison) string {
	text := fmt.Sprintf("%s a week now, %s before", perWeek(c.Now), perWeek(c.Before))
	high := "without bound"
	if c.Interval.High != nil {
		high = number(*c.Interval.High, 2)
	}
	value := "not defined, as there were none before"
	if c.Ratio != nil {
		value = number(*c.Ratio, 2)
	}
	return fmt.Sprintf("%s: ratio %s (95 %% interval %s to %s), p %s", text, value, number(c.Interval.Low, 2), high, pvalue(c.P))
}

func perWeek(r improve.Rate) string {
	return fmt.Sprintf("%s (%s in %s weeks)", number(r.PerWeek, 2), count(r.Basis.N), number(math.Round(r.Weeks*100)/100, 2))
}

// service names a level: its service, with the agreement where there is one.
func service(l improve.Level) string {
	if l.Agreement == "" {
		return l.Service
	}
	return l.Service + " / " + l.Agreement
}

// keeper names who owns a service, and its tier.
func keeper(l improve.Level) string {
	parts := []string{cmp.Or(l.Owner, "no owner")}
	if l.Tier > 0 {
		parts = append(parts, fmt.Sprintf("tier %d", l.Tier))
	}
	return strings.Join(parts, " · ")
}

// said writes what a label says, or that it says nothing.
func said(s string) string { return cmp.Or(s, "not said") }

// median writes a median with its interval.
func median(d improve.Durations) string {
	if d.Median == nil {
		return none
	}
	if d.MedianInterval == nil {
		return d.Median.String()
	}
	return fmt.Sprintf("%s (95 %% interval %s to %s)", d.Median, d.MedianInterval.Low, d.MedianInterval.High)
}

// resolved says how many incidents the times to resolve leave out.
func resolved(d improve.Durations) string {
	text := "n = " + count(d.N) + " resolved"
	if d.NotResolved > 0 {
		text += fmt.Sprintf("; %s not resolved and left out, so these times are too short", count(d.NotResolved))
	}
	if d.UnknownEnd > 0 {
		text += fmt.Sprintf("; of %s nobody knows when they ended, and they are left out", count(d.UnknownEnd))
	}
	return text
}

// Rows that a table shows; the JSON has all.
const (
	maxLevels   = 40
	maxLanes    = 25
	maxOutages  = 40
	maxSources  = 20
	maxServices = 20
)

// first returns at most n of list.
func first[T any](list []T, n int) []T { return list[:min(n, len(list))] }

// more says how many rows are not shown, or nothing.
func more(all, shown int, what string) string {
	if all <= shown {
		return ""
	}
	return fmt.Sprintf("%s more %s are in the JSON of this report.", count(all-shown), what)
}
