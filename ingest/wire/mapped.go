package wire

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/ingest"
)

// compiled is a mapping whose pointers were read.
type compiled struct {
	event  string
	items  pointer
	fields map[string]origin
	labels []named // labels.NAME and annotations.NAME, sorted
	notes  []named
}

// origin is where a field comes from, its pointer read.
type origin struct {
	Field
	from pointer
	time string
}

type named struct {
	name string
	origin
}

// compile makes a mapping that was checked ready for use.
func (m Mapping) compile() *compiled {
	c := &compiled{event: m.Event, fields: map[string]origin{}}
	c.items, _ = parsePointer(m.Items)
	for _, name := range slices.Sorted(maps.Keys(m.Fields)) {
		f := origin{Field: m.Fields[name], time: m.Time}
		f.from, _ = parsePointer(f.From)
		if f.Time != "" {
			f.time = f.Time
		}
		if label, is := strings.CutPrefix(name, "labels."); is {
			c.labels = append(c.labels, named{label, f})
		} else if note, is := strings.CutPrefix(name, "annotations."); is {
			c.notes = append(c.notes, named{note, f})
		} else {
			c.fields[name] = f
		}
	}
	return c
}

// mapped reads JSON of any shape by the mapping of the record's source.
func (r *reading) mapped() error {
	m, known := r.config.mappings[source(r.rec)]
	if !known {
		return r.fail("the source %s has no mapping; sources[].mapping says how its JSON is read", strconv.Quote(short(source(r.rec))))
	}
	if err := r.whole(); err != nil {
		return err
	}
	items, found := m.items.find(r.in)
	if !found {
		return &syntaxError{0, "items: nothing at " + strconv.Quote(m.items.String())}
	}
	list := &scanner{in: r.in, at: items.at}
	switch kind := list.kind(); {
	case kind == "array":
		if err := list.array(func(i int) error { return r.mappedItem(m, list, "items["+strconv.Itoa(i)+"]") }); err != nil {
			return err
		}
	case kind == "object":
		if err := r.mappedItem(m, list, "item"); err != nil {
			return err
		}
	default:
		return &syntaxError{list.at, kind + " is neither an item nor an array of items"}
	}
	if len(r.out.Events) == 0 && len(r.out.Dead) > 0 {
		return &syntaxError{r.badAt, r.out.Dead[0].Reason}
	}
	return nil
}

// whole checks that the body is one JSON value.
func (r *reading) whole() error {
	if r.kind() == "nothing" {
		return r.unexpected("JSON")
	}
	if err := r.skip(); err != nil {
		return err
	}
	return r.end()
}

func (r *reading) mappedItem(m *compiled, list *scanner, path string) error {
	list.space()
	start := list.at
	raw, err := list.raw()
	if err != nil {
		return err
	}
	r.at = start + len(raw)
	return r.judge(path, start, func() error {
		if kind := (&scanner{in: raw}).kind(); kind != "object" {
			r.wrong(place{}, "%s is not an object", kind)
		}
		return nil
	}, func() {
		x := &item{reading: r, m: m, raw: raw}
		if event := x.event(); r.bad == "" {
			r.event(event)
		}
	})
}

// item is one item under way.
type item struct {
	*reading
	m   *compiled
	raw []byte

	stamped bool // an instant is when the item was received, for want of another
}

func (x *item) event() ingest.Event {
	switch x.m.event {
	case MappedAlert:
		return ingest.Event{Alert: x.alert()}
	case MappedChange:
		c := &ingest.Change{
			ID: x.text("id"), Kind: x.text("kind"), Service: x.text("service"), Outcome: x.text("outcome"), Version: x.text("version"),
			Author: x.text("author"), Title: x.text("title"), URL: x.text("url"),
			StartedAt: x.instant("started_at"), FinishedAt: x.instant("finished_at"),
		}
		x.checkChange(c)
		return ingest.Event{Change: c}
	case MappedMaintenance:
		m := &ingest.Maintenance{
			ID: x.text("id"), Service: x.text("service"), Reason: x.text("reason"), Author: x.text("author"), URL: x.text("url"),
			From: x.instant("from"), To: x.instant("to"), Cancelled: x.one("cancelled") == "true",
		}
		x.checkMaintenance(m)
		return ingest.Event{Maintenance: m}
	default:
		s := &ingest.Sample{
			Service: x.text("service"), SLI: x.text("sli"), At: x.instant("at"),
			Good: x.count("good", x.text("good")), Total: x.count("total", x.text("total")),
		}
		x.checkSample(s)
		return ingest.Event{Sample: s}
	}
}

func (x *item) alert() *ingest.Alert {
	a := alert{
		fingerprint: x.text("fingerprint"), generatorURL: x.text("generator_url"),
		labels: x.all("labels", x.m.labels), annotations: x.all("annotations", x.m.notes),
	}
	e := a.common(x.reading)
	e.StartsAt = x.instant("starts_at")
	e.Undated = e.StartsAt == 0 || x.stamped
	e.EndsAt = x.instant("ends_at")
	switch x.one("status") {
	case "resolved":
		e.Resolved = true
	case "unknown":
		e.Unknown, e.EndsAt = true, 0
	default:
		e.EndsAt = 0
	}
	if e.StartsAt == 0 {
		e.StartsAt = x.began(e)
	}
	if e.EndsAt != 0 && e.EndsAt < e.StartsAt {
		x.wrong(place{field: "ends_at"}, "%s lies before starts_at", e.EndsAt)
	}
	return e
}

// began is the start of an alert that names none: when it was received, or its end if that was before.
func (x *item) began(e *ingest.Alert) ingest.Millis {
	if e.EndsAt != 0 {
		return min(e.EndsAt, x.received())
	}
	return x.received()
}

// text returns the value of a field, "" where there is none.
func (x *item) text(name string) string {
	f, mapped := x.m.fields[name]
	if !mapped {
		return ""
	}
	return x.value(name, f)
}

func (x *item) value(name string, f origin) string {
	if f.Constant != "" {
		return f.Constant
	}
	text, found := x.at(name, f.from)
	if !found || text == "" {
		return f.Default
	}
	if meant, known := f.Values[text]; known {
		return meant
	}
	return text
}

// one returns the value of a field that can have a few values only.
func (x *item) one(name string) string {
	f, mapped := x.m.fields[name]
	text := x.text(name)
	if !mapped || slices.Contains(fixed[name], text) {
		return text
	}
	where := " at " + strconv.Quote(f.From)
	if text == "" {
		x.wrong(place{field: name}, "nothing%s", where)
	} else {
		x.wrong(place{field: name}, "%q%s is none of %s, and not among values", short(text), where, strings.Join(fixed[name], ", "))
	}
	return ""
}

// at returns the text of the scalar that a pointer points to.
func (x *item) at(name string, to pointer) (string, bool) {
	v, found := to.find(x.raw)
	if !found {
		return "", false
	}
	s := &scanner{in: x.raw, at: v.at}
	if kind := s.kind(); kind == "object" || kind == "array" {
		x.wrong(place{field: name}, "%s at %q is not a text, a number or a boolean", kind, to)
		return "", false
	}
	return x.scalar(place{field: name}, s)
}

// scalar takes a text, a number or a boolean of an item, which is known to be JSON. Null is none.
func (x *item) scalar(at place, s *scanner) (text string, found bool) {
	kind := s.kind()
	if kind == "string" {
		text, valid, _ := s.text()
		if !valid {
			x.wrong(at, "not valid UTF-8")
		}
		return text, true
	}
	raw, _ := s.raw()
	return string(raw), kind != "null"
}

// all returns labels: those of the object that the field as a whole points to, and over them
// those that were named.
func (x *item) all(name string, single []named) ingest.Labels {
	var ls ingest.Labels
	if f, mapped := x.m.fields[name]; mapped {
		ls = x.object(name, f.from)
	}
	for _, n := range single {
		if value := x.value(name+"."+n.name, n.origin); value != "" {
			ls = append(ls, ingest.Label{Name: n.name, Value: value})
		}
	}
	return sorted(ls)
}

// object returns the scalars of an object as labels. What nests deeper is left out: it is no label.
func (x *item) object(name string, at pointer) (ls ingest.Labels) {
	v, found := at.find(x.raw)
	if !found {
		return nil
	}
	s := &scanner{in: x.raw, at: v.at}
	if kind := s.kind(); kind != "object" {
		if kind != "null" {
			x.wrong(place{field: name}, "%s at %q is not an object", kind, at)
		}
		return nil
	}
	_ = s.object(func(label string) error { // the item is known to be JSON
		if kind := s.kind(); kind == "object" || kind == "array" || label == "" {
			x.warn(place{name, short(label)}, "%s is no label, ignored", kind)
			return s.skip()
		}
		if s.badName {
			x.wrong(place{field: name}, "the name %q is not valid UTF-8", short(label))
		}
		if text, found := x.scalar(place{name, label}, s); found {
			ls = append(ls, ingest.Label{Name: label, Value: text})
		}
		return nil
	})
	return ls
}

// instant returns the instant of a field, 0 where there is none.
func (x *item) instant(name string) ingest.Millis {
	f, mapped := x.m.fields[name]
	if !mapped {
		return 0
	}
	text, found := x.at(name, f.from)
	switch {
	case f.Constant != "":
		text, found = f.Constant, false
	case !found || text == "":
		text, found = f.Default, false
	}
	if text == ReceivedAt && !found {
		x.stamped = true
		return x.received()
	}
	if !found {
		return x.reading.instant(name, text) // of the configuration: RFC 3339
	}
	switch f.time {
	case TimeUnix:
		return x.epoch(name, text, time.Second)
	case TimeUnixMillis:
		return x.epoch(name, text, time.Millisecond)
	}
	return x.reading.instant(name, text)
}

// epoch reads an instant that is counted from 1970.
func (x *item) epoch(name, text string, unit time.Duration) ingest.Millis {
	n, isNumber := parseNumber(text)
	ms := n * float64(unit/time.Millisecond)
	if !isNumber {
		x.wrong(place{field: name}, "%q is not a number", short(text))
		return 0
	}
	if ms < 0 || ms >= float64(latest.UnixMilli()) {
		x.wrong(place{field: name}, "%q is not between 1970 and 2200", short(text))
		return 0
	}
	return ingest.Millis(ms)
}
