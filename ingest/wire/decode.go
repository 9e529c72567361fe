package wire

import (
	"fmt"
	"strings"

	"github.com/evenkeel/evenkeel/ingest"
)

// Delivery is what a record holds, decoded.
type Delivery struct {
	Events []ingest.Event
	Dead   []ingest.DeadLetter
	// Truncated is how many alerts the sender says that it left out.
	Truncated int
	// Warnings tell the sender what was ignored, each with its path.
	Warnings []string
}

// unconfigured decodes where nothing is configured.
var unconfigured = Decoder{resolveTimeout: DefaultResolveTimeout}

// Decode returns what a decoder without configuration reads: the events of a record and
// what in it was not understood.
func Decode(rec ingest.Record) (events []ingest.Event, dead []ingest.DeadLetter, err error) {
	d, err := unconfigured.Read(rec)
	return d.Events, d.Dead, err
}

// Read returns what a decoder without configuration reads.
func Read(rec ingest.Record) (Delivery, error) { return unconfigured.Read(rec) }

// Read returns the events of a record and what in it was not understood. A
// delivery that cannot be decoded at all is an [*Error]: its dead letter is [DeadLetter].
// A rejected record is one dead letter; a tick and a configuration hold neither.
func (c *Decoder) Read(rec ingest.Record) (Delivery, error) {
	switch rec.Kind {
	case ingest.KindDelivery:
	case ingest.KindRejected:
		return Delivery{Dead: []ingest.DeadLetter{DeadLetter(rec, nil)}}, nil
	default:
		return Delivery{}, nil
	}
	d := &decoder{scanner: scanner{in: rec.Body}, rec: rec}
	var err error
	switch rec.Path {
	case ingest.PathAlertmanager:
		err = d.webhook()
	case ingest.PathChanges:
		err = d.changes()
	default:
		err = errorAt(rec.Body, 0, fmt.Sprintf("no format is known for the path %q", rec.Path))
	}
	if err != nil {
		return Delivery{}, located(rec.Body, err)
	}
	return d.out, nil
}

// decoder is one Read under way.
type decoder struct {
	scanner
	rec  ingest.Record
	out  Delivery
	item string // path of the alert or change at hand, "" in the delivery itself
	bad  string // what is wrong with it, the first thing only

	badAt int // where the first dead letter's part begins
}

// event adds one that was understood.
func (d *decoder) event(e ingest.Event) {
	e.Tenant, e.Source, e.ReceivedAt = tenant(d.rec), source(d.rec), d.rec.ReceivedAt
	d.out.Events = append(d.out.Events, e)
}

// bury adds a dead letter for a part of the body.
func (d *decoder) bury(from, to int) {
	if len(d.out.Dead) == 0 {
		d.badAt = from
	}
	dead := DeadLetter(d.rec, nil)
	dead.Reason, dead.Body = d.bad, head(d.in[from:to:to])
	d.out.Dead = append(d.out.Dead, dead)
}

// place is a value's path below the item at hand, put together only when it is needed.
type place struct{ field, key string }

func (d *decoder) path(at place) string {
	var parts []string
	for _, part := range []string{d.item, at.field, at.key} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ".")
}

// wrong notes what is wrong with the item at hand.
func (d *decoder) wrong(at place, format string, args ...any) {
	if d.bad == "" {
		d.bad = d.path(at) + ": " + fmt.Sprintf(format, args...)
	}
}

func (d *decoder) warn(at place, format string, args ...any) {
	d.out.Warnings = append(d.out.Warnings, d.path(at)+": "+fmt.Sprintf(format, args...))
}

// each takes one element of a list: read fills it from its object, give makes an
// event of it. Where anything was wrong, it is a dead letter instead.
func (d *decoder) each(item string, read func() error, give func()) error {
	d.item, d.bad = item, ""
	d.space()
	start := d.at
	if kind := d.kind(); kind != "object" {
		d.wrong(place{}, "%s is not an object", kind)
		if err := d.skip(); err != nil {
			return err
		}
	} else if err := read(); err != nil {
		return err
	}
	if d.bad == "" {
		give()
	}
	if d.bad != "" {
		d.bury(start, d.at)
	}
	d.item = ""
	return nil
}

// str takes a string into to; null leaves it alone, anything else is wrong.
func (d *decoder) str(at place, to *string) error {
	switch kind := d.kind(); kind {
	case "string":
		text, valid, err := d.text()
		if !valid && err == nil {
			d.wrong(at, "not valid UTF-8")
		}
		*to = text
		return err
	case "null":
		return d.skip()
	default:
		d.wrong(at, "%s is not a string", kind)
		return d.skip()
	}
}

// strings takes an object of strings as labels; null is none.
func (d *decoder) strings(field string, to *ingest.Labels) error {
	switch kind := d.kind(); kind {
	case "object":
	case "null":
		return d.skip()
	default:
		d.wrong(place{field: field}, "%s is not an object", kind)
		return d.skip()
	}
	ls := make(ingest.Labels, 0, 8)
	err := d.object(func(name string) error {
		if name == "" {
			d.wrong(place{field: field}, "a name is empty")
		}
		if d.next() == 'n' { // not the same as a missing label to everyone
			d.wrong(place{field, name}, "null is not a string")
		}
		ls = append(ls, ingest.Label{Name: name})
		return d.str(place{field, name}, &ls[len(ls)-1].Value)
	})
	*to = sorted(ls)
	return err
}
