package wire

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Mapping says how JSON of a shape of its own is read as events.
type Mapping struct {
	// Event is what an item is: alert, change, maintenance or sample. Required.
	Event string `json:"event"`
	// Items is the JSON Pointer (RFC 6901) of the list of items. Default: the body is a list of
	// them, or one.
	Items string `json:"items,omitempty"`
	// Time is how instants are written, where a field does not say otherwise: rfc3339, unix (seconds,
	// a fraction allowed) or unix_ms. Default: rfc3339.
	Time string `json:"time,omitempty"`
	// Fields say where the fields of an event come from, by name: those of [MappedFields], and
	// for alerts labels.NAME and annotations.NAME too. Required.
	Fields map[string]Field `json:"fields"`
}

// Field says where one field of an event comes from: From or Constant, not both.
type Field struct {
	// From is the JSON Pointer of the value in the item. A number or a boolean counts as its
	// text; null counts as nothing there. For labels and annotations as a whole it points to
	// an object.
	From string `json:"from,omitempty"`
	// Constant is the value itself.
	Constant string `json:"constant,omitempty"`
	// Default is the value where From finds nothing. For an instant it is an instant, or
	// received_at. Default: an item without a field that its event needs is a dead letter.
	Default string `json:"default,omitempty"`
	// Values turn what was found into what is meant: {"P1": "critical"}. What is not among them
	// stays as it is, except for status and cancelled, whose values are fixed.
	Values map[string]string `json:"values,omitempty"`
	// Time is how this instant is written. Default: the mapping's.
	Time string `json:"time,omitempty"`
}

// The events that a mapping can make, and the times that it can read.
const (
	MappedAlert       = "alert"
	MappedChange      = "change"
	MappedMaintenance = "maintenance"
	MappedSample      = "sample"

	TimeRFC3339    = "rfc3339"
	TimeUnix       = "unix"
	TimeUnixMillis = "unix_ms"

	// ReceivedAt is the default of an instant that stands for when the delivery was received.
	ReceivedAt = "received_at"
)

// mapped is a field that a mapping can fill.
type mapped struct {
	name     string
	required bool // the mapping must say where it comes from
	instant  bool
}

// mappedFields are those of each event. An alert that nothing is said of starts when it was received.
var mappedFields = map[string][]mapped{
	MappedAlert: {{name: "status", required: true}, {name: "fingerprint"}, {name: "starts_at", instant: true}, {name: "ends_at", instant: true},
		{name: "generator_url"}, {name: "labels"}, {name: "annotations"}},
	MappedChange: {{name: "id", required: true}, {name: "kind"}, {name: "service", required: true}, {name: "started_at", required: true, instant: true},
		{name: "finished_at", instant: true}, {name: "outcome"}, {name: "version"}, {name: "author"}, {name: "title"}, {name: "url"}},
	MappedMaintenance: {{name: "id", required: true}, {name: "service", required: true}, {name: "from", required: true, instant: true},
		{name: "to", required: true, instant: true}, {name: "cancelled"}, {name: "reason"}, {name: "author"}, {name: "url"}},
	MappedSample: {{name: "service", required: true}, {name: "sli"}, {name: "good", required: true}, {name: "total", required: true},
		{name: "at", required: true, instant: true}},
}

// MappedFields returns the names of the fields that a mapping of an event can fill, none for an unknown
// event.
func MappedFields(event string) []string {
	var names []string
	for _, f := range mappedFields[event] {
		names = append(names, f.name)
	}
	return names
}

// Problem is one thing that is wrong with a mapping.
type Problem struct {
	Field string // among Fields; "" is the mapping itself
	Text  string // says where: `fields.status: missing`
}

// Check says all that is wrong with a mapping.
func (m Mapping) Check() []Problem {
	fields, known := mappedFields[m.Event]
	if !known {
		return []Problem{{"", fmt.Sprintf("event: %q is none of alert, change, maintenance, sample", m.Event)}}
	}
	var c problems
	c.pointer("items", m.Items)
	c.time("time", m.Time)
	for _, f := range fields {
		if _, there := m.Fields[f.name]; f.required && !there {
			c.add("fields.%s: missing; every %s needs it", f.name, m.Event)
		}
	}
	if m.Event == MappedAlert && !m.namesAlerts() {
		c.add("fields: no labels; an alert needs labels, or at least one labels.NAME")
	}
	for _, name := range slices.Sorted(maps.Keys(m.Fields)) {
		c.field = name
		m.checkField(&c, fields, name)
	}
	return c.all
}

// problems gathers what is wrong.
type problems struct {
	field string // at hand
	all   []Problem
}

func (c *problems) add(format string, args ...any) {
	c.all = append(c.all, Problem{c.field, fmt.Sprintf(format, args...)})
}

func (c *problems) pointer(at, text string) {
	if _, err := parsePointer(text); err != nil {
		c.add("%s: %s", at, err)
	}
}

func (c *problems) time(at, format string) {
	switch format {
	case "", TimeRFC3339, TimeUnix, TimeUnixMillis:
	default:
		c.add("%s: %q is none of rfc3339, unix, unix_ms", at, format)
	}
}

func (m Mapping) namesAlerts() bool {
	for name := range m.Fields {
		if name == "labels" || strings.HasPrefix(name, "labels.") {
			return true
		}
	}
	return false
}

func (m Mapping) checkField(c *problems, fields []mapped, name string) {
	f, at := m.Fields[name], "fields."+name
	what := mapped{name: name}
	if i := slices.IndexFunc(fields, func(k mapped) bool { return k.name == name }); i >= 0 {
		what = fields[i]
	} else if m.Event != MappedAlert || !isPartOf("labels.", name) && !isPartOf("annotations.", name) {
		c.add("%s: not a field of %s", at, article(m.Event))
		return
	}
	c.pointer(at+".from", f.From)
	c.time(at+".time", f.Time)
	f.checkOrigin(c, at, name)
	f.checkValues(c, at, name)
	if what.instant {
		f.checkInstants(c, at)
	} else if f.Time != "" {
		c.add("%s.time: the field is no instant", at)
	}
}

func isPartOf(prefix, name string) bool { return strings.HasPrefix(name, prefix) && name != prefix }

// checkOrigin says whether it is clear where the field comes from.
func (f Field) checkOrigin(c *problems, at, name string) {
	switch whole := name == "labels" || name == "annotations"; {
	case f.From != "" && f.Constant != "":
		c.add("%s: from and constant; one of the two says where it comes from", at)
	case f.From == "" && f.Constant == "":
		c.add("%s: neither from nor constant", at)
	case whole && (f.From == "" || f.Default != "" || f.Values != nil):
		c.add("%s: takes from only, the pointer of an object; %s.NAME takes the rest", at, name)
	}
}

// fixed are the values that a field can have.
var fixed = map[string][]string{"status": {"firing", "resolved", "unknown"}, "cancelled": {"true", "false"}}

func (f Field) checkValues(c *problems, at, name string) {
	allowed := fixed[name]
	if allowed == nil {
		return
	}
	for _, v := range append(slices.Sorted(maps.Values(f.Values)), f.Default, f.Constant) {
		if v != "" && !slices.Contains(allowed, v) {
			c.add("%s: %q is none of %s", at, v, strings.Join(allowed, ", "))
		}
	}
}

// checkInstants says which instants of the mapping itself are none.
func (f Field) checkInstants(c *problems, at string) {
	for _, text := range []string{f.Default, f.Constant} {
		r := &reading{}
		if r.instant("", text); r.bad != "" && text != ReceivedAt {
			c.add("%s: %q is neither RFC 3339 nor received_at", at, text)
		}
	}
}
