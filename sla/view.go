package sla

import "github.com/evenkeel/evenkeel/ingest"

// cell is what a row says of its time: a bucket and the state under it, or, in
// the ledger, a state alone. The zero cell has no row.
type cell struct {
	bucket Bucket
	state  State
}

// layer says what a view shows.
type layer uint8

const (
	layerStates   layer = iota // the ledger's down, degraded and unknown
	layerCovered               // the ledger's covered
	layerSegments              // the segments of an agreement
)

// view is a function from instants to cells that is constant between cuts: what
// one service's episodes, coverage, hours and maintenance come to. Its rows are the
// longest intervals of one cell within one day.
type view struct {
	layer       layer
	line        line
	since       ingest.Millis // when it was first configured
	cover       Set
	zone        *zone
	hours       *agreed // nil is always
	maintenance Set     // of the catalogue
	sent        line    // how many windows that were sent hold
	// open is the time whose rows may be written: from the oldest day that is
	// not closed to the end of the current one.
	open Interval
}

// known returns the state at t, and whether the service was watched then. An
// episode before the service was first configured is evidence of itself; once it was,
// only the time that it was configured counts.
func (v *view) known(t ingest.Millis) (State, bool) {
	r := v.line.at(t)
	if v.cover.Contains(t) || r != rankUp && t < v.since {
		return r.state(), true
	}
	return Unknown, false
}

func (v *view) at(t ingest.Millis) cell {
	state, watched := v.known(t)
	switch v.layer {
	case layerCovered:
		if watched {
			return cell{state: Covered}
		}
		return cell{}
	case layerStates:
		if watched && state != Up {
			return cell{state: state}
		}
		return cell{}
	}
	if !watched && !v.has(v.zone.day(t)) {
		return cell{}
	}
	return cell{v.bucket(t, state), state}
}

func (v *view) bucket(t ingest.Millis, state State) Bucket {
	switch {
	case v.hours != nil && !v.hours.contains(t, v.zone):
		return OutOfHoursBucket
	case v.maintenance.Contains(t) || v.sent.at(t) == inWindow:
		return MaintenanceBucket
	case state == Unknown:
		return UnknownBucket
	case state == Down:
		return DownBucket
	case state == Degraded:
		return DegradedBucket
	}
	return UpBucket
}

// has says whether any time of a day was watched: other days have no rows.
func (v *view) has(d Interval) bool {
	if v.covers(d) {
		return true
	}
	for t := d.From; t < min(d.To, v.since); t = v.line.next(t) {
		if v.line.at(t) != rankUp {
			return true
		}
	}
	return false
}

func (v *view) covers(d Interval) bool {
	k := v.cover.after(d.From)
	return k < len(v.cover) && v.cover[k].From < d.To
}

// follows says whether episodes may change what v shows at t: they do not change
// coverage once there was some. Without it, the covered row of a day would be
// sought through all the steps of the day.
func (v *view) follows(t ingest.Millis) bool { return v.layer != layerCovered || t < v.since }

// next returns the first cut after t; midnights are cuts.
func (v *view) next(t ingest.Millis) ingest.Millis {
	cut := min(v.cover.next(t), v.zone.day(t).To)
	if t < v.since {
		cut = min(cut, v.since)
	}
	if v.follows(t) {
		cut = min(cut, v.line.next(t))
	}
	if v.layer == layerSegments {
		cut = min(cut, v.maintenance.next(t), v.sent.next(t))
		if v.hours != nil {
			cut = min(cut, v.hours.next(t, v.zone))
		}
	}
	return cut
}

// prev returns the last cut before t; midnights are cuts.
func (v *view) prev(t ingest.Millis) ingest.Millis {
	cut := max(v.cover.prev(t), v.zone.day(t-1).From)
	if t > v.since {
		cut = max(cut, v.since)
	}
	if v.follows(t - 1) {
		cut = max(cut, v.line.prev(t))
	}
	if v.layer == layerSegments {
		cut = max(cut, v.maintenance.prev(t), v.sent.prev(t))
		if v.hours != nil {
			cut = max(cut, v.hours.prev(t, v.zone))
		}
	}
	return cut
}

// end returns where the row that holds t ends.
func (v *view) end(t ingest.Millis) ingest.Millis {
	midnight, c := v.zone.day(t).To, v.at(t)
	n := v.next(t)
	for n < midnight && v.at(n) == c {
		n = v.next(n)
	}
	return n
}

// begin returns where the row that holds the instant before t begins.
func (v *view) begin(t ingest.Millis) ingest.Millis {
	midnight, c := v.zone.day(t-1).From, v.at(t-1)
	n := v.prev(t)
	for n > midnight && v.at(n-1) == c {
		n = v.prev(n)
	}
	return n
}

// around returns the time of all rows that a change within i may touch: those in it,
// and those that end or begin where it does. Its bounds are bounds of rows
// before the change and after it.
func (v *view) around(i Interval) Interval {
	if i = i.Clip(v.open); i.Empty() || !v.follows(i.From) {
		return Interval{}
	}
	if v.layer == layerSegments { // a day without coverage may get or lose all of its rows
		if first := v.zone.day(i.From); !v.covers(first) {
			i.From = first.From
		}
		if last := v.zone.day(i.To - 1); !v.covers(last) {
			i.To = last.To
		}
	}
	if i.From != v.zone.day(i.From).From {
		i.From = v.begin(i.From)
	}
	if i.To != v.zone.day(i.To).From {
		i.To = v.end(i.To)
	}
	return i.Clip(v.open)
}

// rows calls yield for each row within i, whose bounds are bounds of rows.
func (v *view) rows(i Interval, yield func(cell, Interval)) {
	i = i.Clip(v.open)
	if i.Empty() {
		return
	}
	first := v.since
	if len(v.line) > 0 {
		first = min(first, v.line[0].at)
	}
	for t := max(i.From, v.zone.day(first).From); t < i.To; {
		to := v.end(t)
		if c := v.at(t); c != (cell{}) {
			yield(c, Interval{t, min(to, i.To)})
		}
		t = to
	}
}
