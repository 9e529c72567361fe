package wire

import (
	"fmt"

	"github.com/evenkeel/evenkeel/ingest"
)

// DefaultChangeKind is the kind of a change that names none.
const DefaultChangeKind = "deployment"

// changes reads one change or an array of them. In an array a bad change is a
// dead letter; where nothing could be used at all the sender is told with an error.
func (d *decoder) changes() error {
	if err := d.changeList(); err != nil {
		return err
	}
	if err := d.end(); err != nil {
		return err
	}
	if len(d.out.Events) == 0 && len(d.out.Dead) > 0 {
		return &syntaxError{d.badAt, d.out.Dead[0].Reason}
	}
	return nil
}

func (d *decoder) changeList() error {
	switch kind := d.kind(); kind {
	case "array":
		return d.array(func(i int) error { return d.changeItem(fmt.Sprintf("changes[%d]", i)) })
	case "object":
		return d.changeItem("change")
	case "nothing":
		return d.unexpected("a change or an array of changes")
	default:
		return d.fail("%s is neither a change nor an array of changes", kind)
	}
}

func (d *decoder) changeItem(path string) error {
	var c change
	return d.each(path, func() error { return d.change(&c) }, func() {
		if event := c.event(d); d.bad == "" {
			d.event(ingest.Event{Change: event})
		}
	})
}

// change is one change as sent.
type change struct {
	ingest.Change
	startedAt, finishedAt string
}

func (d *decoder) change(c *change) error {
	fields := map[string]*string{
		"id": &c.ID, "kind": &c.Kind, "service": &c.Service,
		"started_at": &c.startedAt, "finished_at": &c.finishedAt, "outcome": &c.Outcome,
		"version": &c.Version, "author": &c.Author, "title": &c.Title, "url": &c.URL,
	}
	return d.object(func(name string) error {
		if to, known := fields[name]; known {
			return d.str(place{field: name}, to)
		}
		d.warn(place{field: short(name)}, "not a field of a change, ignored")
		return d.skip()
	})
}

func (c *change) event(d *decoder) *ingest.Change {
	e := c.Change
	e.StartedAt = d.instant("started_at", c.startedAt)
	e.FinishedAt = d.instant("finished_at", c.finishedAt)
	if e.Kind == "" {
		e.Kind = DefaultChangeKind
	}
	switch {
	case e.ID == "":
		d.wrong(place{field: "id"}, "missing")
	case e.Service == "":
		d.wrong(place{field: "service"}, "missing")
	case e.StartedAt == 0:
		d.wrong(place{field: "started_at"}, "missing")
	case e.FinishedAt != 0 && e.FinishedAt < e.StartedAt:
		d.wrong(place{field: "finished_at"}, "%s lies before started_at", c.finishedAt)
	}
	return &e
}
