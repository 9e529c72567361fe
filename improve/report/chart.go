package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/improve"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/sla"
)

// px writes a coordinate with one decimal, always the same way.
func px(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }

// rect is a rectangle with what it stands for.
type rect struct{ X, Y, W, H, Class, Title string }

// mark is a text at a place.
type mark struct{ X, Y, Text, Class string }

// weekChart is the number of incidents of each week as bars, with the
// Theil-Sen line through them.
type weekChart struct {
	Class         string
	W, H          string
	Left, Right   string
	Title, Desc   string
	Grid          []mark // horizontal lines, Text is the value
	Bars, Unknown []rect
	Values, Weeks []mark
	Line          *segment
}

type segment struct{ X1, Y1, X2, Y2 string }

// plot turns weeks and counts into coordinates.
type plot struct {
	left, right, top, bottom float64
	weeks                    int
	most                     float64
}

func (p plot) step() float64        { return (p.right - p.left) / float64(p.weeks) }
func (p plot) centre(i int) float64 { return p.left + (float64(i)+0.5)*p.step() }
func (p plot) y(v float64) float64  { return p.bottom - max(v, 0)/p.most*(p.bottom-p.top) }

func newWeekChart(t *improve.WeekTrend, class string, width float64) weekChart {
	p := plot{left: 34, right: width - 8, top: 22, bottom: 196, weeks: len(t.Weeks), most: ceiling(t)}
	c := weekChart{Class: class, W: px(width), H: "228", Left: px(p.left), Right: px(p.right), Title: "Incidents a week", Desc: describe(t)}
	for v := 0.0; v <= p.most; v += p.most / 4 {
		c.Grid = append(c.Grid, mark{X: px(p.left - 6), Y: px(p.y(v)), Text: strconv.FormatFloat(v, 'f', -1, 64)})
	}
	for i, w := range t.Weeks {
		c.add(p, i, w, class == "narrow")
	}
	if t.Line != nil {
		c.Line = &segment{px(p.centre(t.Line.First)), px(p.y(t.Line.Start)), px(p.centre(t.Line.Last)), px(p.y(t.Line.End))}
		if c.Line.Y1 == c.Line.Y2 && t.Line.First == t.Line.Last {
			c.Line = nil
		}
	}
	return c
}

// ceiling returns the top of the scale: a multiple of four at or above every count and the
// line, so that the grid stands at whole numbers.
func ceiling(t *improve.WeekTrend) float64 {
	most := 4
	for _, w := range t.Weeks {
		if w.Incidents != nil {
			most = max(most, *w.Incidents)
		}
	}
	if t.Line != nil {
		most = max(most, int(math.Ceil(max(t.Line.Start, t.Line.End))))
	}
	step := 4
	for most/step > 12 {
		step *= 5
	}
	return float64((most + step - 1) / step * step)
}

// add draws one week.
func (c *weekChart) add(p plot, i int, w improve.Week, narrow bool) {
	wide := p.step() * 0.64
	x := px(p.centre(i) - wide/2)
	if w.Incidents == nil {
		c.Unknown = append(c.Unknown, rect{x, px(p.top), px(wide), px(p.bottom - p.top), "unknown", w.Name + ": " + w.Reason})
		c.Values = append(c.Values, mark{px(p.centre(i)), px(p.bottom - 6), "?", ""})
	} else {
		y := p.y(float64(*w.Incidents))
		c.Bars = append(c.Bars, rect{x, px(y), px(wide), px(p.bottom - y), "bar", w.Name + ": " + improve.Plural(*w.Incidents, "incident")})
		c.Values = append(c.Values, mark{px(p.centre(i)), px(y - 5), strconv.Itoa(*w.Incidents), ""})
	}
	if !narrow || i%3 == 0 {
		c.Weeks = append(c.Weeks, mark{px(p.centre(i)), px(p.bottom + 17), w.Name[len("2026-"):], ""})
	}
}

// describe says in words what the chart shows, for those who hear it.
func describe(t *improve.WeekTrend) string {
	var parts []string
	for _, w := range t.Weeks {
		if w.Incidents == nil {
			parts = append(parts, w.Name+" not observed")
		} else {
			parts = append(parts, fmt.Sprintf("%s %d", w.Name, *w.Incidents))
		}
	}
	return strings.Join(parts, ", ") + ". Verdict: " + string(t.Trend.Verdict) + "."
}

// meter is how much of a budget is spent, on a scale from nothing to twice the budget.
type meter struct {
	Width string // of the bar, of 100
	Class string
	Title string
}

func newMeter(l improve.Level) *meter {
	if l.Spent == nil {
		return nil
	}
	m := meter{Width: px(50 * min(2, *l.Spent)), Class: "good", Title: improve.Percent(*l.Spent, 0) + " of the budget; the mark is all of it"}
	switch {
	case *l.Spent > 1:
		m.Class = "bad"
	case *l.Spent >= 0.75:
		m.Class = "warn"
	}
	if *l.Spent > 2 {
		m.Title += ", the bar ends at twice"
	}
	return &m
}

// lanes are the courses of the services through the period, on one scale.
type lanes struct {
	List  []lane
	Days  []mark // X in hundredths of the width
	Note  string
	Quiet int // services that were up all the time
}

type lane struct {
	Service string
	Summary string
	Rects   []rect
}

// laneScale is the width of a lane in its own units, leastMark the narrowest mark
// that can still be seen: an outage of a minute in a month must not vanish.
const (
	laneScale = 1000.0
	leastMark = 3.0
)

func newLanes(r *improve.Report) lanes {
	all := r.Availability.Lanes
	l := lanes{Note: more(len(all), maxLanes, "services"), Days: days(r), Quiet: len(r.Quality.Services) - len(all)}
	for _, a := range first(all, maxLanes) {
		l.List = append(l.List, newLane(r, a))
	}
	return l
}

func newLane(r *improve.Report, a improve.Lane) lane {
	w := r.Period.Window
	x := func(at ingest.Millis) float64 { return laneScale * float64(at-w.From) / float64(w.Length()) }
	l := lane{Service: a.Service, Summary: summary(a)}
	l.Rects = append(l.Rects, rect{"0", "0", px(x(min(w.To, r.AsOf))), "16", "up", ""})
	for _, s := range a.Stretches {
		wide := max(leastMark, x(s.To)-x(s.From))
		left := min(x(s.From), laneScale-wide)
		y, h := heights(s.Bucket)
		title := fmt.Sprintf("%s %s to %s (%s)", s.Bucket, w.Local(s.From), w.Local(s.To), improve.LengthOf(s.From, s.To))
		l.Rects = append(l.Rects, rect{px(left), y, px(wide), h, string(s.Bucket), title})
		if s.Bucket == sla.UnknownBucket {
			l.Rects = append(l.Rects, rect{px(left), "6", px(wide), "4", "notch", title})
		}
	}
	return l
}

// heights tells the buckets apart without colour; unknown time is full, too, with a
// notch along its middle.
func heights(b sla.Bucket) (y, h string) {
	switch b {
	case sla.DegradedBucket:
		return "9", "7"
	case sla.MaintenanceBucket:
		return "5.5", "5"
	}
	return "0", "16"
}

func summary(a improve.Lane) string {
	var lengths = map[sla.Bucket]improve.Length{}
	for _, s := range a.Stretches {
		lengths[s.Bucket] += improve.LengthOf(s.From, s.To)
	}
	var parts []string
	for _, b := range []sla.Bucket{sla.DownBucket, sla.DegradedBucket, sla.UnknownBucket, sla.MaintenanceBucket} {
		if lengths[b] > 0 {
			parts = append(parts, strings.ReplaceAll(string(b), "_", " ")+" "+lengths[b].String())
		}
	}
	return strings.Join(parts, ", ")
}

// days marks the scale: days of a month, else nothing but its ends.
func days(r *improve.Report) []mark {
	from, loc := r.Period.From.Time().In(r.Period.Location()), r.Period.Location()
	if r.Period.Kind() != sla.WindowMonth {
		end := (r.Period.To - 1).Time().In(loc)
		return []mark{{X: "0", Text: from.Format("2 Jan 2006")}, {X: "100", Text: end.Format("2 Jan 2006"), Class: "end"}}
	}
	var marks []mark
	for _, d := range []int{1, 8, 15, 22, 29} {
		day := from.AddDate(0, 0, d-1)
		at := ingest.MillisOf(day)
		if at < r.Period.To { // February has no 29th
			marks = append(marks, mark{X: px(100 * float64(at-r.Period.From) / float64(r.Period.Length())), Text: day.Format("2 Jan")})
		}
	}
	if len(marks) == 5 {
		marks[4].Class = "last" // no room for it on a narrow screen
	}
	return marks
}
