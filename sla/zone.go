package sla

import (
	"cmp"
	"fmt"
	"slices"
	"time"
	_ "time/tzdata" // the same zones on a machine that has none

	"github.com/evenkeel/evenkeel/ingest"
)

// DefaultZone is the root zone of whoever names none.
const DefaultZone = "UTC"

// LoadZone returns the IANA zone of that name; "" is UTC. "Local" is refused: it
// would mean something else on every machine.
func LoadZone(name string) (*time.Location, error) {
	name = cmp.Or(name, DefaultZone)
	loc, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, fmt.Errorf("zone %q is not an IANA zone name, such as Europe/Berlin", name)
	}
	return loc, nil
}

const day = int64(ingest.Day)

// MidnightAfter returns the first midnight of loc after t. Days are what lies
// between midnights: 23 or 25 hours where clocks change. Where clocks jump over
// midnight the day begins at the jump; where they go back over it, it begins at
// the midnight that comes first.
func MidnightAfter(t ingest.Millis, loc *time.Location) ingest.Millis {
	for {
		at := time.UnixMilli(int64(t)).In(loc)
		_, offset := at.Zone()
		shift := int64(offset) * 1000
		local := int64(t) + shift
		midnight := ingest.Millis(local - floorMod(local, day) + day - shift)
		_, end := at.ZoneBounds()
		if end.IsZero() || int64(midnight) < end.UnixMilli() {
			return midnight
		}
		if end.UnixMilli() <= int64(t) {
			// Past the zone's table Go computes changes from its rule, and on the last day of a leap year
			// gives an end that lies before the instant. No clock changes around a New Year.
			return midnight
		}
		change := ingest.Millis(end.UnixMilli())
		_, next := end.Zone()
		// The local day as it would have been counted on at the change, against
		// what the clock shows after it.
		if floorDiv(int64(change)+int64(next)*1000, day) > floorDiv(local, day) {
			return change
		}
		t = change
	}
}

func floorMod(a, b int64) int64 { return ((a % b) + b) % b }
func floorDiv(a, b int64) int64 { return (a - floorMod(a, b)) / b }

// Split cuts i at the midnights of loc.
func Split(i Interval, loc *time.Location) []Interval {
	var days []Interval
	for !i.Empty() {
		midnight := min(MidnightAfter(i.From, loc), i.To)
		days = append(days, Interval{i.From, midnight})
		i.From = midnight
	}
	return days
}

// startOfDate returns the first midnight that begins the local date, or, where
// the date was left out of the calendar, the one that begins the next.
func startOfDate(year int, month time.Month, dayOfMonth int, loc *time.Location) ingest.Millis {
	date := time.Date(year, month, dayOfMonth, 0, 0, 0, 0, time.UTC)
	t := ingest.Millis(date.Add(-48 * time.Hour).UnixMilli())
	for {
		t = MidnightAfter(t, loc)
		if !localDate(t, loc).Before(date) {
			return t
		}
	}
}

// localDate returns the date that clocks of loc show at t, as its UTC midnight.
func localDate(t ingest.Millis, loc *time.Location) time.Time {
	year, month, dayOfMonth := time.UnixMilli(int64(t)).In(loc).Date()
	return time.Date(year, month, dayOfMonth, 0, 0, 0, 0, time.UTC)
}

// zone keeps the consecutive midnights of one zone, found once: every
// service in it is cut at the same ones.
type zone struct {
	name  string
	loc   *time.Location
	marks []ingest.Millis
}

// cover makes m reach from a mark at or before from to one after to.
func (m *zone) cover(from, to ingest.Millis) {
	if len(m.marks) == 0 || m.marks[0] > from {
		last := from
		if len(m.marks) > 0 {
			last = m.marks[0]
		}
		// 26 hours before any instant there was a midnight.
		marks := []ingest.Millis{MidnightAfter(from-26*ingest.Hour, m.loc)}
		for next := marks[0]; ; marks = append(marks, next) {
			if next = MidnightAfter(next, m.loc); next >= last {
				break
			}
		}
		m.marks = append(marks, m.marks...)
	}
	for m.marks[len(m.marks)-1] <= to {
		m.marks = append(m.marks, MidnightAfter(m.marks[len(m.marks)-1], m.loc))
	}
}

// day returns the day that t lies in.
func (m *zone) day(t ingest.Millis) Interval {
	if len(m.marks) == 0 || t < m.marks[0] || t >= m.marks[len(m.marks)-1] {
		m.cover(t, t)
	}
	k, found := slices.BinarySearch(m.marks, t)
	if !found {
		k--
	}
	return Interval{m.marks[k], m.marks[k+1]}
}

// midnightFrom returns the first midnight at or after t.
func (m *zone) midnightFrom(t ingest.Millis) ingest.Millis {
	if d := m.day(t); d.From != t {
		return d.To
	}
	return t
}
