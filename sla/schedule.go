package sla

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/ingest"
)

// Schedule is a calendar made ready: it knows which instants are agreed time.
//
// An instant is agreed time where the local clock shows a time within the hours
// of its weekday, on a date that is no holiday. So 01:30 to 03:30 has 60 minutes on the
// day when clocks go from 2 to 3, and 180 on the day when they go back.
//
// A Schedule is not changed by its methods and may be shared.
type Schedule struct {
	loc      *time.Location
	weekdays [7][]minutes // sorted, disjoint, not touching
	holidays map[string]bool
}

// minutes is a half-open range of local minutes since midnight.
type minutes struct{ from, to int }

const minutesADay = 24 * 60

// NewSchedule makes c ready. rootZone is its zone where it names none.
func NewSchedule(c Calendar, rootZone string) (*Schedule, error) {
	loc, err := LoadZone(cmp.Or(c.Zone, rootZone))
	if err != nil {
		return nil, err
	}
	s := &Schedule{loc: loc, holidays: make(map[string]bool, len(c.Holidays))}
	for _, h := range c.Hours {
		if h.From < 0 || h.To > minutesADay || h.From >= h.To {
			return nil, fmt.Errorf("hours from minute %d to %d are not within one day; write hours over midnight as two entries", h.From, h.To)
		}
		for _, weekday := range h.Weekdays {
			if weekday < 0 || weekday > 6 {
				return nil, fmt.Errorf("weekday %d is none of 0 (Sunday) to 6 (Saturday)", weekday)
			}
			s.weekdays[weekday] = append(s.weekdays[weekday], minutes{h.From, h.To})
		}
	}
	for i := range s.weekdays {
		s.weekdays[i] = merge(s.weekdays[i])
	}
	for _, date := range c.Holidays {
		if _, err := time.Parse(time.DateOnly, date); err != nil {
			return nil, fmt.Errorf("holiday %q is not a date such as 2026-12-25", date)
		}
		s.holidays[date] = true
	}
	return s, nil
}

func merge(ranges []minutes) []minutes {
	slices.SortFunc(ranges, func(a, b minutes) int { return cmp.Compare(a.from, b.from) })
	var merged []minutes
	for _, r := range ranges {
		if last := len(merged) - 1; last >= 0 && r.from <= merged[last].to {
			merged[last].to = max(merged[last].to, r.to)
		} else {
			merged = append(merged, r)
		}
	}
	return merged
}

// Windows returns the agreed time within w.
func (s *Schedule) Windows(w Interval) Set {
	var set Set
	for t := w.From; t < w.To; {
		// Within one local date and one offset, the clock runs evenly.
		at := time.UnixMilli(int64(t)).In(s.loc)
		_, offset := at.Zone()
		shift := ingest.Millis(offset) * ingest.Second
		midnight := ingest.Millis(floorDiv(int64(t+shift), day)*day) - shift
		even := Interval{t, midnight + ingest.Day}
		if _, end := at.ZoneBounds(); !end.IsZero() {
			even.To = min(even.To, ingest.Millis(end.UnixMilli()))
		}
		for _, m := range s.hours(at) {
			agreed := Interval{midnight + ingest.Millis(m.from)*ingest.Minute, midnight + ingest.Millis(m.to)*ingest.Minute}
			if agreed = agreed.Clip(even).Clip(w); !agreed.Empty() {
				set = set.append(agreed)
			}
		}
		t = even.To
	}
	return set
}

// hours returns the agreed minutes of the local date of at.
func (s *Schedule) hours(at time.Time) []minutes {
	if len(s.holidays) > 0 && s.holidays[at.Format(time.DateOnly)] {
		return nil
	}
	return s.weekdays[at.Weekday()]
}

// searchLimit is how far a schedule is looked through for agreed time: more
// than any run of holidays.
const searchLimit = 5 * 366 * ingest.Day

// Between returns the agreed milliseconds in [from, to); 0 where to lies before from.
func (s *Schedule) Between(from, to ingest.Millis) int64 {
	return s.Windows(Interval{from, to}).Length()
}

// Add returns the last instant until which no more than budget milliseconds of
// agreed time have passed since t: a budget that is used up exactly at closing
// time is due at the next opening, as in Zammad. False where the agreed
// time of the next five years does not suffice.
func (s *Schedule) Add(t ingest.Millis, budget int64) (ingest.Millis, bool) {
	for from := t; from < t+searchLimit; from += 31 * ingest.Day {
		for _, i := range s.Windows(Interval{from, from + 31*ingest.Day}) {
			if budget < i.Length() {
				return i.From + ingest.Millis(budget), true
			}
			budget -= i.Length()
		}
	}
	return 0, false
}

// AddDays returns the same time of day n working days later, or earlier where n is
// negative. A working day is a date that has agreed hours. False where five years do
// not hold so many.
func (s *Schedule) AddDays(t ingest.Millis, n int) (ingest.Millis, bool) {
	step := 1
	if n < 0 {
		step, n = -1, -n
	}
	at := time.UnixMilli(int64(t)).In(s.loc)
	limit := int(searchLimit / ingest.Day)
	for range limit {
		if n == 0 {
			return ingest.Millis(at.UnixMilli()), true
		}
		if at = at.AddDate(0, 0, step); len(s.hours(at)) > 0 {
			n--
		}
	}
	return 0, false
}
