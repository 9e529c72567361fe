package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/sla"
)

// WindowsQuery asks for the maintenance windows that were sent and overlap [From, To), as known at AsOf.
type WindowsQuery struct {
	Tenant   string // "" is the default tenant
	From, To ingest.Millis
	AsOf     ingest.Millis
}

// Window is a maintenance window that was sent, as it was told last.
type Window struct {
	Source string
	ingest.Maintenance
	// Notice is when it was first told of as it is, of that service and for that time. What was told
	// in between and taken back does not count.
	Notice ingest.Millis
}

// Late says that the window was told, moved or taken up again after it had begun.
func (w *Window) Late() bool { return w.Notice > w.From }

// Windows returns windows that take place, ordered by source and id. The ledger counts the same ones: the table has what
// was news to it, in the order in which it was told.
func (r *Reader) Windows(ctx context.Context, q WindowsQuery) ([]Window, error) {
	s := scope{tenant: q.Tenant, from: q.From, to: q.To, asOf: q.AsOf}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("maintenance windows: %w", err)
	}
	var all []Window
	err := clickhouse.Each(ctx, r.db, windowsSQL, whole(s), func(rows clickhouse.Rows) error {
		var w Window
		err := rows.Scan(&w.Source, &w.ID, &w.Service, (*int64)(&w.From), (*int64)(&w.To), &w.Cancelled,
			&w.Reason, &w.Author, &w.URL, (*int64)(&w.Notice))
		if err != nil {
			return err
		}
		last := len(all) - 1
		if last < 0 || all[last].Source != w.Source || all[last].ID != w.ID {
			all = append(all, w)
			return nil
		}
		all[last] = w.after(&all[last])
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("maintenance windows: %w", err)
	}
	return slices.DeleteFunc(all, func(w Window) bool { return w.Cancelled || w.From >= q.To || w.To <= q.From }), nil
}

// after returns what is known of a window that was told of as w after it had been told of as before.
func (w *Window) after(before *Window) Window {
	next := *w
	if w.Service == before.Service && w.From == before.From && w.To == before.To && w.Cancelled == before.Cancelled {
		next.Notice = before.Notice
	}
	return next
}

// plan adds to terms the windows that were sent for the time that is still to come: what a budget excludes.
func (r *Reader) plan(ctx context.Context, s scope, terms map[termsKey]sla.Terms) error {
	if s.to <= s.asOf {
		return nil
	}
	windows, err := r.Windows(ctx, WindowsQuery{Tenant: s.tenant, From: max(s.from, s.asOf), To: s.to, AsOf: s.asOf})
	if err != nil {
		return err
	}
	sent := make(map[string][]sla.Interval)
	for _, w := range windows {
		sent[w.Service] = append(sent[w.Service], sla.Interval{From: w.From, To: w.To})
	}
	for key, t := range terms {
		if more := sent[key.service]; len(more) > 0 {
			t.Maintenance = t.Maintenance.Union(sla.Union(more...))
			terms[key] = t
		}
	}
	return nil
}
