package improve

import (
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/sla"
)

// Window is a half-open interval of time, cut in a zone.
type Window struct {
	From ingest.Millis `json:"from"`
	To   ingest.Millis `json:"to"`
	Zone string        `json:"zone"` // IANA name
}

// Length returns how long w is.
func (w Window) Length() Length { return LengthOf(w.From, w.To) }

// Contains says whether at lies in w.
func (w Window) Contains(at ingest.Millis) bool { return w.From <= at && at < w.To }

// Location returns the zone of w, UTC where it is none that is known here.
func (w Window) Location() *time.Location {
	loc, err := sla.LoadZone(w.Zone)
	if err != nil {
		return time.UTC
	}
	return loc
}

// Period is the calendar period that a report is about: a month, or a quarter, a
// year, a week or a day.
type Period struct {
	Name string `json:"name"` // 2026-10, 2026-Q4, 2026, 2026-W43, 2026-10-05
	Window
}

// ParsePeriod reads a period's name, in an IANA zone ("" is UTC).
func ParsePeriod(name, zone string) (Period, error) {
	i, err := sla.Period(name, zone)
	if err != nil {
		return Period{}, err
	}
	if zone == "" {
		zone = sla.DefaultZone
	}
	return Period{Name: name, Window: Window{From: i.From, To: i.To, Zone: zone}}, nil
}

// Before returns the period of the same kind that ends where p begins.
func (p Period) Before() (Period, error) {
	i, name, err := sla.WindowAt(p.Kind(), p.From-1, p.Location())
	if err != nil {
		return Period{}, fmt.Errorf("the period before %s: %w", p.Name, err)
	}
	return Period{Name: name, Window: Window{From: i.From, To: i.To, Zone: p.Zone}}, nil
}

// Kind returns what p is: a day, week, month, quarter or year, as in [sla.WindowAt].
func (p Period) Kind() string {
	for _, kind := range []string{sla.WindowMonth, sla.WindowQuarter, sla.WindowYear, sla.WindowWeek, sla.WindowDay} {
		if _, name, err := sla.WindowAt(kind, p.From, p.Location()); err == nil && name == p.Name {
			return kind
		}
	}
	return ""
}

// WeeksOfTrend is how many whole weeks a report looks back on.
const WeeksOfTrend = 13

// Weeks returns the n consecutive whole ISO weeks, Monday to Sunday in the
// period's zone, the last of which ends in the period: its Sunday is one of the
// period's days. While the period runs, a week that asOf has not reached the end
// of is not whole, and the last is the last that is. Oldest first.
func (p Period) Weeks(n int, asOf ingest.Millis) []Window {
	end := min(p.To, max(asOf, p.From))
	loc := p.Location()
	weeks := make([]Window, n)
	to := weekOfInstant(end, loc).From
	for i := n - 1; i >= 0; i-- {
		w := weekOfInstant(to-1, loc)
		weeks[i] = Window{From: w.From, To: w.To, Zone: p.Zone}
		to = w.From
	}
	return weeks
}

func weekOfInstant(at ingest.Millis, loc *time.Location) sla.Interval {
	at = max(at, 8*ingest.Day) // before January 1970 there is nothing
	w, _, err := sla.WindowAt(sla.WindowWeek, at, loc)
	if err != nil { // a week of an instant after 1970 and before 2199 has a name
		return sla.Interval{From: at, To: at}
	}
	return w
}

// ISOWeek names the week that begins at w.From, such as 2026-W43.
func (w Window) ISOWeek() string {
	year, week := w.From.Time().In(w.Location()).ISOWeek()
	return fmt.Sprintf("%04d-W%02d", year, week)
}
