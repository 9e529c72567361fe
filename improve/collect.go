package improve

import (
	"context"
	"fmt"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/sla"
)

// Facts are what a [Source] answered for one report.
type Facts struct {
	History   History
	Intake    []Intake             // of the period
	Incidents []correlate.Incident // since the trend or the period before begins, oldest first
	Alerts    *Tally
	Levels    []WindowLevels // of the period and the one before, of every agreement's window and of every week
	Segments  []sla.Segment  // what was not up, since the earliest of these windows begins
	Notices   []Notice       // of maintenance in the period
}

// WindowLevels is how everything did in one window.
type WindowLevels struct {
	Window Window
	Levels []sla.Availability // by (service, agreement)
}

// levels returns how everything did in w; false where nobody asked.
func (f *Facts) levels(w Window) ([]sla.Availability, bool) {
	for _, l := range f.Levels {
		if l.Window.From == w.From && l.Window.To == w.To {
			return l.Levels, true
		}
	}
	return nil, false
}

// Collect asks src for the facts of p.
func Collect(ctx context.Context, src Source, p Params) (*Facts, error) {
	f := &Facts{}
	var err error
	if f.History, err = src.History(ctx, p.Tenant, p.AsOf); err != nil {
		return nil, fmt.Errorf("read how far back the data goes: %w", err)
	}
	if f.Intake, err = src.Intake(ctx, p.query(p.Period.From, p.Period.To)); err != nil {
		return nil, fmt.Errorf("read what was received: %w", err)
	}
	if f.Incidents, err = src.Incidents(ctx, p.query(p.earliest(), p.Period.To)); err != nil {
		return nil, fmt.Errorf("read the incidents: %w", err)
	}
	if f.Alerts, err = collectAlerts(ctx, src, p); err != nil {
		return nil, err
	}
	if err := collectLevels(ctx, src, p, f); err != nil {
		return nil, err
	}
	if f.Notices, err = src.Notices(ctx, p.query(p.Period.From, p.Period.To)); err != nil {
		return nil, fmt.Errorf("read the maintenance windows: %w", err)
	}
	return f, nil
}

// collectAlerts counts episodes as they come, so that a flood of them need not fit in memory.
func collectAlerts(ctx context.Context, src Source, p Params) (*Tally, error) {
	tally := NewTally(p)
	for e, err := range src.Episodes(ctx, p.query(p.earliest(), p.Period.To)) {
		if err != nil {
			return nil, fmt.Errorf("read the episodes: %w", err)
		}
		tally.Add(e)
	}
	return tally, nil
}

func collectLevels(ctx context.Context, src Source, p Params, f *Facts) error {
	plan, err := p.plan()
	if err != nil {
		return err
	}
	windows := append([]Window{p.Period.Window}, p.weeks()...)
	if before := p.before(); before.Length() > 0 {
		windows = append(windows, before)
	}
	for _, l := range plan {
		windows = append(windows, l.window)
	}
	first := p.Period.From
	for _, w := range windows {
		first = min(first, w.From)
		if _, asked := f.levels(w); asked {
			continue
		}
		levels, err := src.Availability(ctx, Query{p.Tenant, w.From, w.To, p.AsOf}, p.Levels)
		if err != nil {
			return fmt.Errorf("read the availability: %w", err)
		}
		f.Levels = append(f.Levels, WindowLevels{w, levels})
	}
	// One millisecond more shows which outages had begun before the first window.
	if f.Segments, err = src.Segments(ctx, p.query(first-1, p.Period.To)); err != nil {
		return fmt.Errorf("read the outages: %w", err)
	}
	return nil
}

// query asks for [from, to) as far as it has passed.
func (p Params) query(from, to ingest.Millis) Query {
	return Query{Tenant: p.Tenant, From: from, To: max(from, min(to, p.AsOf)), AsOf: p.AsOf}
}

func (p Params) weeks() []Window { return p.Period.Weeks(WeeksOfTrend, p.AsOf) }

// elapsed returns the part of w that has passed.
func (p Params) elapsed(w Window) Window {
	w.To = max(w.From, min(w.To, p.AsOf))
	return w
}

// before returns the period before the report's, empty where there is none (1970).
func (p Params) before() Window {
	b, err := p.Period.Before()
	if err != nil {
		return Window{From: p.Period.From, To: p.Period.From, Zone: p.Period.Zone}
	}
	return b.Window
}

// earliest returns the first instant that incidents and episodes are counted from.
func (p Params) earliest() ingest.Millis {
	return min(p.weeks()[0].From, p.before().From)
}
