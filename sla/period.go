package sla

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/evenkeel/evenkeel/ingest"
)

var periodForm = regexp.MustCompile(`^(\d{4})(?:-(?:Q([1-4])|W(\d{2})|(\d{2})(?:-(\d{2}))?))?$`)

// Period returns the calendar period of that name in an IANA zone: 2026 is a
// year, 2026-Q4 a quarter, 2026-10 a month, 2026-W43 an ISO week (Monday to Sunday),
// 2026-10-05 a day. "" is UTC.
func Period(name, zone string) (Interval, error) {
	loc, err := LoadZone(zone)
	if err != nil {
		return Interval{}, err
	}
	m := periodForm.FindStringSubmatch(name)
	if m == nil {
		return Interval{}, fmt.Errorf("period %q is none of 2026, 2026-Q4, 2026-10, 2026-W43, 2026-10-05", name)
	}
	year, first, months, days, err := periodParts(m)
	if err != nil {
		return Interval{}, fmt.Errorf("period %q: %w", name, err)
	}
	from := startOfDate(year, first.Month(), first.Day(), loc)
	end := first.AddDate(0, months, days)
	return Interval{from, startOfDate(end.Year(), end.Month(), end.Day(), loc)}, nil
}

// periodParts returns the first date of a period and how many months and days it has.
func periodParts(m []string) (year int, first time.Time, months, days int, err error) {
	number := func(s string) int { n, _ := strconv.Atoi(s); return n } // digits, or "" for 0
	year = number(m[1])
	if year < 1970 || year > 2199 {
		return year, first, 0, 0, fmt.Errorf("the year lies outside of 1970 to 2199")
	}
	date := func(month, dayOfMonth int) time.Time {
		return time.Date(year, time.Month(month), dayOfMonth, 0, 0, 0, 0, time.UTC)
	}
	switch {
	case m[2] != "":
		return year, date(3*number(m[2])-2, 1), 3, 0, nil
	case m[3] != "":
		first, err = monday(year, number(m[3]))
		return first.Year(), first, 0, 7, err
	case m[4] == "":
		return year, date(1, 1), 12, 0, nil
	case number(m[4]) < 1 || number(m[4]) > 12:
		return year, first, 0, 0, fmt.Errorf("there is no month %s", m[4])
	case m[5] == "":
		return year, date(number(m[4]), 1), 1, 0, nil
	}
	first = date(number(m[4]), number(m[5]))
	if first.Day() != number(m[5]) {
		return year, first, 0, 0, fmt.Errorf("the month has no day %s", m[5])
	}
	return year, first, 0, 1, nil
}

// monday returns the first date of an ISO week: week 1 holds 4 January.
func monday(year, week int) (time.Time, error) {
	fourth := time.Date(year, time.January, 4, 0, 0, 0, 0, time.UTC)
	sinceMonday := (int(fourth.Weekday()) + 6) % 7
	first := fourth.AddDate(0, 0, 7*(week-1)-sinceMonday)
	if y, w := first.ISOWeek(); y != year || w != week {
		return first, fmt.Errorf("the year has no week %d", week)
	}
	return first, nil
}

// Windows of agreements.
const (
	WindowDay     = "day"
	WindowWeek    = "week"
	WindowMonth   = "month" // the default
	WindowQuarter = "quarter"
	WindowYear    = "year"
)

var windows = []string{WindowDay, WindowWeek, WindowMonth, WindowQuarter, WindowYear}

// WindowAt returns the calendar day, week, month, quarter or year in loc that
// holds t, and its name as [Period] reads it.
func WindowAt(window string, t ingest.Millis, loc *time.Location) (Interval, string, error) {
	date := localDate(t, loc)
	var name string
	switch window {
	case WindowDay:
		name = date.Format("2006-01-02")
	case WindowWeek:
		year, week := date.ISOWeek()
		name = fmt.Sprintf("%04d-W%02d", year, week)
	case WindowMonth, "":
		name = date.Format("2006-01")
	case WindowQuarter:
		name = fmt.Sprintf("%04d-Q%d", date.Year(), (int(date.Month())+2)/3)
	case WindowYear:
		name = date.Format("2006")
	default:
		return Interval{}, "", fmt.Errorf("window %q is none of day, week, month, quarter, year", window)
	}
	i, err := Period(name, loc.String())
	return i, name, err
}
