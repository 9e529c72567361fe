package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/sla"
	slastore "github.com/evenkeel/evenkeel/sla/store"
)

// Window is the half-open window that numbers are about.
type Window struct {
	From ingest.Millis `json:"from"`
	To   ingest.Millis `json:"to"`
	Zone string        `json:"zone"` // in which it was cut
	Name string        `json:"name"` // 2026-11, or "" where it was given by its ends
}

// Level is availability with the outages that it was made of.
type Level struct {
	sla.Availability
	// Outages is how many separate outages there were: unbroken stretches in the bucket down.
	Outages int `json:"outages"`
	// Intervals are all stretches that were not up, oldest first, where they were asked for.
	Intervals []sla.Segment `json:"intervals,omitempty"`
}

// LevelList is the availability of services in one window.
type LevelList struct {
	AsOf   ingest.Millis `json:"as_of"`
	Window Window        `json:"window"`
	Levels []Level       `json:"levels"`
}

// LevelQuery asks for availability.
type LevelQuery struct {
	Services  []string // empty: all
	Agreement string   // "" is the service itself; sla.EveryAgreement is that and all
	Window    Window
	AsOf      ingest.Millis
	Intervals bool
}

// MeasureLevels returns the availability that q asks for, ordered by service, then
// agreement, by what was agreed at q.AsOf.
func (r *Reads) MeasureLevels(ctx context.Context, q LevelQuery) ([]Level, error) {
	catalogue, err := r.Catalogue(ctx, q.AsOf)
	if err != nil {
		return nil, err
	}
	return r.measure(ctx, q, catalogue)
}

func (r *Reads) measure(ctx context.Context, q LevelQuery, agreed Catalogue) ([]Level, error) {
	measured, err := r.Levels.Availability(ctx, slastore.AvailabilityQuery{
		Tenant: r.tenant(), Services: q.Services, Agreement: q.Agreement,
		From: q.Window.From, To: q.Window.To, AsOf: q.AsOf, Config: agreed.Levels,
	})
	if err != nil {
		return nil, err
	}
	buckets := []sla.Bucket{sla.DownBucket}
	if q.Intervals {
		buckets = nil // all: what lies between them is unknown
	}
	segments, err := r.Levels.Segments(ctx, slastore.SegmentsQuery{
		Tenant: r.tenant(), Services: q.Services, Agreement: q.Agreement, Buckets: buckets,
		From: q.Window.From, To: q.Window.To, AsOf: q.AsOf,
	})
	if err != nil {
		return nil, err
	}
	return join(measured, segments, q.Intervals), nil
}

// join gives each measurement its segments, which are ordered by service, agreement
// and from.
func join(measured []sla.Availability, segments []sla.Segment, intervals bool) []Level {
	type key struct{ service, agreement string }
	of := map[key][]sla.Segment{}
	for _, s := range segments {
		k := key{s.Service, s.Agreement}
		of[k] = append(of[k], s)
	}
	levels := make([]Level, len(measured))
	for i, m := range measured {
		own := of[key{m.Service, m.Agreement}]
		levels[i].Availability = m
		for _, s := range own {
			if s.Bucket == sla.DownBucket {
				levels[i].Outages++
			}
		}
		if intervals {
			levels[i].Intervals = notUp(m, own)
		}
	}
	return levels
}

// notUp returns the segments that are not up, and those that no row tells of as
// unknown: with the time that was up and that is not yet they fill the window.
func notUp(m sla.Availability, segments []sla.Segment) []sla.Segment {
	var list []sla.Segment
	at, end := m.From, min(m.To, m.AsOf)
	gap := func(to ingest.Millis) {
		if at < to {
			list = joined(list, sla.Segment{
				Tenant: m.Tenant, Service: m.Service, Agreement: m.Agreement, Bucket: sla.UnknownBucket, State: sla.Unknown,
				From: at, To: to, Open: to == m.AsOf,
			})
		}
	}
	for _, s := range segments {
		gap(s.From)
		if s.Bucket != sla.UpBucket {
			list = joined(list, s)
		}
		at = max(at, s.To)
	}
	gap(end)
	return list
}

// joined appends s to list: what goes on without a change is one segment.
func joined(list []sla.Segment, s sla.Segment) []sla.Segment {
	if n := len(list); n > 0 {
		last := &list[n-1]
		if last.To == s.From && last.Bucket == s.Bucket && last.State == s.State {
			last.To, last.Open, last.StatedAt = s.To, s.Open, max(last.StatedAt, s.StatedAt)
			return list
		}
	}
	return append(list, s)
}

// ReadWindow returns the window that period, or from and to, ask for. Without any it
// is the calendar month that asOf lies in, in the catalogue's zone; with from alone it
// ends at asOf.
func (c Catalogue) ReadWindow(p *Params, asOf ingest.Millis) Window {
	zone, loc := c.Zone()
	if name := p.Text("period"); name != "" {
		if p.Text("from") != "" || p.Text("to") != "" {
			p.reject("period", "stands beside from or to: give one or the other")
		}
		if tooFar(name, asOf) {
			p.reject("period", "lies in the future: nothing of it can be known")
			return Window{}
		}
		window, err := sla.Period(name, zone)
		if err != nil {
			p.reject("period", "is none of 2026, 2026-Q4, 2026-10, 2026-W43, 2026-10-05")
		}
		return Window{window.From, window.To, zone, name}
	}
	if p.Text("from") == "" {
		if p.Text("to") != "" {
			p.reject("to", "needs a from: a window without a beginning has no availability")
		}
		month, name, _ := sla.WindowAt(sla.WindowMonth, asOf, loc) // a known window
		return Window{month.From, month.To, zone, name}
	}
	from, to := p.Window(0, asOf)
	switch {
	case from == 0:
		p.reject("from", "is the beginning of 1970: give a later instant")
	case to > asOf+farthest:
		p.reject("to", "lies more than two years after "+asOf.String()+": nothing of it can be known")
	}
	return Window{from, to, zone, ""}
}

// farthest is how far beyond as_of a window may end: a year's agreement reaches that far.
// What lies beyond would be one bucket, not yet, of any length one likes.
const farthest = 2 * 366 * ingest.Day

// tooFar says whether a period's name begins with a year that lies too far after asOf.
func tooFar(period string, asOf ingest.Millis) bool {
	year, _, _ := strings.Cut(period, "-")
	n, err := strconv.Atoi(year)
	return err == nil && n > asOf.Time().Year()+1
}

func (a *API) availability(ctx context.Context, r *http.Request) (answer, error) {
	p := ReadParams(r.URL.Query(), "service", "agreement", "period", "from", "to", "as_of", "intervals")
	asOf, warnings, err := a.reads.AsOf(p)
	if err != nil {
		return answer{}, errors.Join(p.Err(), err)
	}
	catalogue, err := a.reads.Catalogue(ctx, asOf)
	if err != nil {
		return answer{}, errors.Join(p.Err(), err)
	}
	q := LevelQuery{
		Agreement: sla.EveryAgreement, Window: catalogue.ReadWindow(p, asOf), AsOf: asOf, Intervals: p.Flag("intervals"),
	}
	if service := p.Text("service"); service != "" {
		q.Services = []string{service}
	}
	if p.Has("agreement") {
		q.Agreement = p.Text("agreement")
	}
	if err := p.Err(); err != nil {
		return answer{}, err
	}
	levels, err := a.reads.measure(ctx, q, catalogue)
	if err != nil {
		return answer{}, err
	}
	if err := catalogue.mustKnow(q, levels); err != nil {
		return answer{}, err
	}
	return answer{LevelList{asOf, q.Window, orEmpty(levels)}, warnings}, nil
}

// mustKnow keeps a misspelt service or agreement from being answered as unknown.
func (c Catalogue) mustKnow(q LevelQuery, levels []Level) error {
	for _, name := range q.Services {
		if !c.known(name, levels) {
			return &NotFoundError{Kind: "service", Name: name,
				Hint: "neither the catalogue nor the ledger of this window names it; /api/v1/services lists what is known"}
		}
	}
	if q.Agreement != "" && q.Agreement != sla.EveryAgreement && len(levels) == 0 {
		return &NotFoundError{Kind: "agreement", Name: q.Agreement, Hint: "/api/v1/services lists what is agreed"}
	}
	return nil
}

// known says whether the catalogue names a service or anything was ever seen of it.
func (c Catalogue) known(name string, levels []Level) bool {
	if _, ok := c.Service(name); ok {
		return true
	}
	for _, l := range levels {
		if l.Service == name && l.seen() {
			return true
		}
	}
	return false
}

// seen says whether any row told of the window: what no row covers is unknown.
func (l Level) seen() bool {
	b := l.Matrix.Buckets
	return b.Up+b.Degraded+b.Down+b.Maintenance+b.OutOfHours > 0 || len(l.Intervals) > 0
}
