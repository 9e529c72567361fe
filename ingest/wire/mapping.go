package wire

import (
	"errors"
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

// Check says all that is wrong with a mapping, a line each.
func (m Mapping) Check() error {
	fields, known := mappedFields[m.Event]
	if !known {
		return fmt.Errorf("event: %q is none of alert, change, maintenance, sample", m.Event)
	}
	errs := []error{checkPointer("items", m.Items), checkTime("time", m.Time)}
	for _, f := range fields {
		if _, there := m.Fields[f.name]; f.required && !there {
			errs = append(errs, fmt.Errorf("fields.%s: missing; every %s needs it", f.name, m.Event))
		}
	}
	if m.Event == MappedAlert && !m.namesAlerts() {
		errs = append(errs, errors.New("fields: no labels; an alert needs labels, or at least one labels.NAME"))
	}
	for _, name := range slices.Sorted(maps.Keys(m.Fields)) {
		errs = append(errs, m.checkField(fields, name))
	}
	return errors.Join(errs...)
}

func (m Mapping) namesAlerts() bool {
	for name := range m.Fields {
		if name == "labels" || strings.HasPrefix(name, "labels.") {
			return true
		}
	}
	return false
}

func (m Mapping) checkField(fields []mapped, name string) error {
	f, at := m.Fields[name], "fields."+name
	what := mapped{name: name}
	if i := slices.IndexFunc(fields, func(k mapped) bool { return k.name == name }); i >= 0 {
		what = fields[i]
	} else if m.Event != MappedAlert || !strings.HasPrefix(name, "labels.") && !strings.HasPrefix(name, "annotations.") || strings.HasSuffix(name, ".") {
		return fmt.Errorf("%s: not a field of %s", at, article(m.Event))
	}
	errs := []error{checkPointer(at+".from", f.From), checkTime(at+".time", f.Time), f.checkValues(at, name)}
	if what.instant {
		errs = append(errs, f.checkInstants(at))
	}
	switch whole := name == "labels" || name == "annotations"; {
	case f.From != "" && f.Constant != "":
		errs = append(errs, fmt.Errorf("%s: from and constant; one of the two says where it comes from", at))
	case f.From == "" && f.Constant == "":
		errs = append(errs, fmt.Errorf("%s: neither from nor constant", at))
	case whole && (f.From == "" || f.Default != "" || f.Values != nil):
		errs = append(errs, fmt.Errorf("%s: takes from only, the pointer of an object; %s.NAME takes the rest", at, name))
	case !what.instant && f.Time != "":
		errs = append(errs, fmt.Errorf("%s.time: the field is no instant", at))
	}
	return errors.Join(errs...)
}

// fixed are the values that a field can have.
var fixed = map[string][]string{"status": {"firing", "resolved", "unknown"}, "cancelled": {"true", "false"}}

func (f Field) checkValues(at, name string) error {
	allowed := fixed[name]
	if allowed == nil {
		return nil
	}
	var errs []error
	for _, v := range append(slices.Sorted(maps.Values(f.Values)), f.Default, f.Constant) {
		if v != "" && !slices.Contains(allowed, v) {
			errs = append(errs, fmt.Errorf("%s: %q is none of %s", at, v, strings.Join(allowed, ", ")))
		}
	}
	return errors.Join(errs...)
}

// checkInstants says which instants of the mapping itself are none.
func (f Field) checkInstants(at string) error {
	var errs []error
	for _, text := range []string{f.Default, f.Constant} {
		r := &reading{}
		if r.instant("", text); r.bad != "" && text != ReceivedAt {
			errs = append(errs, fmt.Errorf("%s: %q is neither RFC 3339 nor received_at", at, text))
		}
	}
	return errors.Join(errs...)
}

func checkTime(at, format string) error {
	switch format {
	case "", TimeRFC3339, TimeUnix, TimeUnixMillis:
		return nil
	}
	return fmt.Errorf("%s: %q is none of rfc3339, unix, unix_ms", at, format)
}

func checkPointer(at, pointer string) error {
	if _, err := parsePointer(pointer); err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	return nil
}
