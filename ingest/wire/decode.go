package wire

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/evenkeel/evenkeel/ingest"
)

// unconfigured decodes where nothing is configured.
var unconfigured = Decoder{name: nameOf(Config{}), resolveTimeout: DefaultResolveTimeout, limits: DefaultLimits}

// Decode returns what a decoder without configuration reads: the events of a record and
// what in it was not understood.
func Decode(rec ingest.Record) (events []ingest.Event, dead []ingest.DeadLetter, err error) {
	d, err := unconfigured.Read(rec)
	return d.Events, d.Dead, err
}

// Unconfigured returns the decoder without configuration.
func Unconfigured() *Decoder { return &unconfigured }

// Read returns what a decoder without configuration reads.
func Read(rec ingest.Record) (ingest.Decoded, error) { return unconfigured.Read(rec) }

// Read returns the events of a record and what in it was not understood. A
// delivery that cannot be decoded at all is an [*Error]: its dead letter is [DeadLetter].
// A rejected record is one dead letter; a tick and a configuration hold neither.
func (c *Decoder) Read(rec ingest.Record) (ingest.Decoded, error) {
	switch rec.Kind {
	case ingest.KindDelivery:
	case ingest.KindRejected:
		return ingest.Decoded{Dead: []ingest.DeadLetter{DeadLetter(rec, nil)}}, nil
	default:
		return ingest.Decoded{}, nil
	}
	if d, taken := c.take(rec); taken {
		return d, nil
	}
	return c.read(rec, &window{})
}

// read decodes the body, and narrows when to the times of receipt at which the outcome is the same.
func (c *Decoder) read(rec ingest.Record, when *window) (ingest.Decoded, error) {
	r := &reading{scanner: scanner{in: rec.Body}, rec: rec, config: c, when: when}
	switch err := r.format(rec.Path); {
	case errors.Is(err, errTooMany):
		return ingest.Decoded{}, errorAt(rec.Body, 0, fmt.Sprintf("the delivery holds more than %d events; send less at once", c.limits.EventsPerDelivery))
	case err != nil:
		return ingest.Decoded{}, located(rec.Body, err)
	}
	return r.out, nil
}

// format reads the format, or one of the formats, that belong to a path.
func (r *reading) format(path string) error {
	switch path {
	case ingest.PathAlertmanager:
		return r.alertmanager()
	case ingest.PathAlerts:
		return r.alertsPosted()
	case ingest.PathChanges:
		return r.changes()
	case ingest.PathSamples:
		return r.samples()
	case ingest.PathCloudEvents:
		return r.cloudEvents()
	case ingest.PathMapped:
		return r.mapped()
	case ingest.PathDetect:
		return r.detect()
	case ingest.PathProgress:
		return r.progress()
	}
	return r.fail("no format is known for the path %q", path)
}

// reading is one Read under way.
type reading struct {
	scanner
	rec    ingest.Record
	config *Decoder
	when   *window
	out    ingest.Decoded
	item   string // path of the item at hand, "" in the delivery itself
	bad    string // what is wrong with it, the first thing only

	of       string     // the source of what is read where the record names none; "" is that of alerts
	badAt    int        // where the first dead letter's part begins
	instants [2]written // the last two that were read
	extras   []extra    // what only Grafana sends
	lately   *sameAgain // the alert before, where it is one that comes again
	nested   bool       // the data of a CloudEvent
	before   int        // events and dead letters of the delivery that are not in out: those around a CloudEvent's data
	full     bool       // the data of a CloudEvent went beyond the limit
}

// errTooMany ends the reading of a delivery: what is never kept is not read to its end, either.
var errTooMany = errors.New("too many events")

// tooMany says whether the delivery is beyond its limit. What could not be understood counts, too.
func (r *reading) tooMany() bool {
	return r.full || r.before+len(r.out.Events)+len(r.out.Dead) > r.config.limits.EventsPerDelivery
}

// A list of events begins at the length that the body lets expect.
const (
	usualAlertBytes = 600
	mostAtOnce      = 4096
)

// event adds one that was understood, unless it is beyond a limit.
func (r *reading) event(e ingest.Event) {
	if e.Alert != nil {
		if r.config.limits.allow(r, e.Alert); r.bad != "" {
			return
		}
	}
	e.Tenant, e.Source, e.ReceivedAt = tenant(r.rec), r.source(), r.rec.ReceivedAt
	if r.out.Events == nil {
		r.out.Events = make([]ingest.Event, 0, 1+min(len(r.in)/usualAlertBytes, mostAtOnce))
	}
	r.out.Events = append(r.out.Events, e)
}

// source is the source of what is read.
func (r *reading) source() string { return cmp.Or(r.rec.Source, r.of, ingest.SourceOfAlerts) }

// bury adds a dead letter for a part of the body.
func (r *reading) bury(from, to int) {
	if len(r.out.Dead) == 0 {
		r.badAt = from
	}
	dead := DeadLetter(r.rec, nil)
	dead.Source, dead.Reason, dead.Body = r.source(), r.bad, head(r.in[from:to:to])
	r.out.Dead = append(r.out.Dead, dead)
}

// place is a value's path below the item at hand, put together only when it is needed.
type place struct{ field, key string }

func (r *reading) path(at place) string {
	var parts []string
	for _, part := range []string{r.item, at.field, at.key} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ".")
}

// wrong notes what is wrong with the item at hand.
func (r *reading) wrong(at place, format string, args ...any) {
	if r.bad == "" {
		r.bad = r.path(at) + ": " + fmt.Sprintf(format, args...)
	}
}

// mostWarnings is how many warnings are kept; nobody reads more, and a sender can make millions.
const mostWarnings = 100

func (r *reading) warn(at place, format string, args ...any) {
	if len(r.out.Warnings) == mostWarnings {
		r.out.Unsaid++
		return
	}
	r.out.Warnings = append(r.out.Warnings, r.path(at)+": "+fmt.Sprintf(format, args...))
}

// warnAlso takes the warnings of another reading.
func (r *reading) warnAlso(other ingest.Decoded) {
	n := min(len(other.Warnings), mostWarnings-len(r.out.Warnings))
	r.out.Warnings = append(r.out.Warnings, other.Warnings[:n]...)
	r.out.Unsaid += len(other.Warnings) - n + other.Unsaid
}

// each takes one element of a list: read fills it from its object, give makes an
// event of it. Where anything was wrong, it is a dead letter instead. An element may hold
// others, which then are dead letters of their own.
func (r *reading) each(item string, read func() error, give func()) error {
	r.space()
	return r.judge(item, r.at, func() error {
		if kind := r.kind(); kind != "object" {
			r.wrong(place{}, "%s is not an object", kind)
			return r.skip()
		}
		return read()
	}, give)
}

// judge reads what stands at start and gives it where nothing of it was wrong. All events come this way:
// here it ends when there are too many.
func (r *reading) judge(item string, start int, read func() error, give func()) error {
	outer, outerBad := r.item, r.bad
	if outer != "" {
		item = outer + "." + item
	}
	r.item, r.bad = item, ""
	if err := read(); err != nil {
		return err
	}
	if r.bad == "" {
		give()
	}
	if r.bad != "" {
		r.bury(start, r.at)
	}
	if r.tooMany() {
		return errTooMany
	}
	r.item, r.bad = outer, outerBad
	return nil
}

// str takes a string into to; null leaves it alone, anything else is wrong.
func (r *reading) str(at place, to *string) error {
	switch kind := r.kind(); kind {
	case "string":
		text, valid, err := r.text()
		if !valid && err == nil {
			r.wrong(at, "not valid UTF-8")
		}
		*to = text
		return err
	case "null":
		return r.skip()
	default:
		r.wrong(at, "%s is not a string", kind)
		return r.skip()
	}
}

// strings takes an object of strings as labels; null is none.
func (r *reading) strings(field string, to *ingest.Labels) error {
	switch kind := r.kind(); kind {
	case "object":
	case "null":
		return r.skip()
	default:
		r.wrong(place{field: field}, "%s is not an object", kind)
		return r.skip()
	}
	ls := make(ingest.Labels, 0, 8)
	err := r.object(func(name string) error {
		if name == "" {
			r.wrong(place{field: field}, "a name is empty")
		}
		if r.badName {
			r.wrong(place{field: field}, "the name %q is not valid UTF-8", short(name))
		}
		if r.next() == 'n' { // not the same as a missing label to everyone
			r.wrong(place{field, name}, "null is not a string")
		}
		ls = append(ls, ingest.Label{Name: name})
		return r.str(place{field, name}, &ls[len(ls)-1].Value)
	})
	*to = sorted(ls)
	return err
}
