package sla

import "github.com/evenkeel/evenkeel/ingest"

// agreed keeps the windows of a schedule, found once for all services that
// share it.
type agreed struct {
	key      string // the calendar's content
	calendar Calendar
	schedule *Schedule
	span     Interval // what set is complete for
	set      Set
}

// reach makes a complete for d and the instant before it.
func (a *agreed) reach(d Interval) {
	d.From--
	if a.span.Empty() {
		a.span, a.set = d, a.schedule.Windows(d)
		return
	}
	if d.To > a.span.To {
		for _, i := range a.schedule.Windows(Interval{a.span.To, d.To}) {
			a.set = a.set.append(i)
		}
		a.span.To = d.To
	}
	if d.From < a.span.From {
		a.set = a.schedule.Windows(Interval{d.From, a.span.From}).Union(a.set)
		a.span.From = d.From
	}
}

// contains says whether t is agreed time.
func (a *agreed) contains(t ingest.Millis, z *zone) bool {
	a.reach(z.day(t))
	return a.set.Contains(t)
}

// next returns the first opening or closing after t within its day, or something
// later than the day.
func (a *agreed) next(t ingest.Millis, z *zone) ingest.Millis {
	a.reach(z.day(t))
	return a.set.next(t)
}

// prev returns the last opening or closing before t within the day of the instant
// before it, or something earlier than the day.
func (a *agreed) prev(t ingest.Millis, z *zone) ingest.Millis {
	a.reach(z.day(t - 1))
	return a.set.prev(t)
}
