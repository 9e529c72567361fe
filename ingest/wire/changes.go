package wire

import "github.com/evenkeel/evenkeel/ingest"

// DefaultChangeKind is the kind of a change that names none.
const DefaultChangeKind = "deployment"

// maintenanceKind is the kind of what is no change but a planned window.
const maintenanceKind = "maintenance"

// changes reads changes and maintenance windows: a list of them, or one.
func (r *reading) changes() error {
	r.of = ingest.SourceOfChanges
	return r.list("change", "changes", func(item string) error {
		var c change
		return r.each(item, func() error { return r.change(&c) }, func() {
			if event := c.event(r); r.bad == "" {
				r.event(event)
			}
		})
	})
}

// change is one change or maintenance window as sent.
type change struct {
	ingest.Change
	startedAt, finishedAt string
	from, to, reason      string
	cancelled             bool
	unknown               []string // names of fields that are none
}

func (r *reading) change(c *change) error {
	fields := map[string]*string{
		"id": &c.ID, "kind": &c.Kind, "service": &c.Service,
		"started_at": &c.startedAt, "finished_at": &c.finishedAt, "outcome": &c.Outcome,
		"version": &c.Version, "author": &c.Author, "title": &c.Title, "url": &c.URL,
		"from": &c.from, "to": &c.to, "reason": &c.reason,
	}
	return r.object(func(name string) error {
		at := place{field: name}
		if to, known := fields[name]; known {
			return r.str(at, to)
		}
		if name == "cancelled" {
			return r.boolean(at, &c.cancelled)
		}
		c.unknown = append(c.unknown, short(name))
		return r.skip()
	})
}

// event gives what was sent its meaning: its kind says whether it is a change or a window.
func (c *change) event(r *reading) ingest.Event {
	if c.Kind == maintenanceKind {
		return ingest.Event{Maintenance: c.maintenance(r)}
	}
	return ingest.Event{Change: c.change(r)}
}

func (c *change) change(r *reading) *ingest.Change {
	if c.cancelled {
		c.unknown = append(c.unknown, "cancelled")
	}
	c.ignored(r, "a change", []sent{{"from", c.from}, {"to", c.to}, {"reason", c.reason}})
	e := c.Change
	e.StartedAt, e.FinishedAt = r.instant("started_at", c.startedAt), r.instant("finished_at", c.finishedAt)
	r.checkChange(&e)
	return &e
}

func (c *change) maintenance(r *reading) *ingest.Maintenance {
	c.ignored(r, "a maintenance window", []sent{{"started_at", c.startedAt}, {"finished_at", c.finishedAt},
		{"outcome", c.Outcome}, {"version", c.Version}, {"title", c.Title}})
	e := &ingest.Maintenance{
		ID: c.ID, Service: c.Service, Cancelled: c.cancelled, Reason: c.reason, Author: c.Author, URL: c.URL,
		From: r.instant("from", c.from), To: r.instant("to", c.to),
	}
	r.checkMaintenance(e)
	return e
}

// sent is a field with what was sent in it.
type sent struct{ name, value string }

// ignored tells the sender of fields that what it sent does not have.
func (c *change) ignored(r *reading, what string, foreign []sent) {
	for _, f := range foreign {
		if f.value != "" {
			c.unknown = append(c.unknown, f.name)
		}
	}
	for _, name := range c.unknown {
		r.warn(place{field: name}, "not a field of %s, ignored", what)
	}
}
