package config

import (
	"go.yaml.in/yaml/v3"

	"github.com/evenkeel/evenkeel/ingest/wire"
)

// mappingKeys reads how JSON of a shape of its own becomes events.
func mappingKeys() reader[*wire.Mapping] {
	keys := object(
		key(spec{Name: "event", Required: true, Text: "what an item is"},
			oneOf(wire.MappedAlert, wire.MappedChange, wire.MappedMaintenance, wire.MappedSample), func(m *wire.Mapping) *string { return &m.Event }),
		key(spec{Name: "items", Default: "the body", Text: "the JSON Pointer of the list of items"},
			asText, func(m *wire.Mapping) *string { return &m.Items }),
		key(spec{Name: "time", Text: "how instants are written, where a field does not say otherwise; without it as in RFC 3339"},
			asTimeFormat, func(m *wire.Mapping) *string { return &m.Time }),
		key(spec{Name: "fields", Required: true, Text: "where each field of an event comes from, by its name: the JSON Pointer alone, or a mapping with the keys below"},
			byName("field", mappedField()), func(m *wire.Mapping) *map[string]wire.Field { return &m.Fields }),
	)
	return reader[*wire.Mapping]{keys.kind, keys.keys, func(d *decoder, n *yaml.Node, what string, into **wire.Mapping) {
		m, before := &wire.Mapping{}, len(d.errors)
		keys.read(d, n, what, m)
		if *into = m; len(d.errors) > before {
			return
		}
		for _, p := range m.Check() {
			d.errorf(placeOf(target(n), p.Field), "%s: %s", what, p.Text)
		}
	}}
}

// placeOf returns where a field of a mapping stands.
func placeOf(mapping *yaml.Node, field string) *yaml.Node {
	if field == "" {
		return mapping
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value != "fields" {
			continue
		}
		fields := target(mapping.Content[i+1])
		for j := 0; j+1 < len(fields.Content); j += 2 {
			if fields.Content[j].Value == field {
				return fields.Content[j]
			}
		}
	}
	return mapping
}

var asTimeFormat = oneOf(wire.TimeRFC3339, wire.TimeUnix, wire.TimeUnixMillis)

// mappedField reads a pointer, or a mapping that says more.
func mappedField() reader[wire.Field] {
	whole := object(
		key(spec{Name: "from", Text: "the JSON Pointer of the value in the item"},
			asText, func(f *wire.Field) *string { return &f.From }),
		key(spec{Name: "constant", Text: "the value itself, instead of from"},
			asText, func(f *wire.Field) *string { return &f.Constant }),
		key(spec{Name: "default", Text: "the value where from finds nothing; for an instant also received_at"},
			asText, func(f *wire.Field) *string { return &f.Default }),
		key(spec{Name: "values", Text: "what each value means: `{P1: critical}`; others stay as they are, but status must become firing, resolved or unknown"},
			byName("text", asText), func(f *wire.Field) *map[string]string { return &f.Values }),
		key(spec{Name: "time", Default: "the mapping's", Text: "how this instant is written"},
			asTimeFormat, func(f *wire.Field) *string { return &f.Time }),
	)
	return reader[wire.Field]{whole.kind, whole.keys, func(d *decoder, n *yaml.Node, what string, into *wire.Field) {
		if target(n).Kind == yaml.ScalarNode {
			asText.read(d, n, what, &into.From)
		} else {
			whole.read(d, n, what, into)
		}
	}}
}

// byName reads a mapping of any names. Values of numbers and booleans count as they are written.
func byName[V any](kind string, value reader[V]) reader[map[string]V] {
	return reader[map[string]V]{"mapping of " + kind, value.keys, func(d *decoder, n *yaml.Node, what string, into *map[string]V) {
		n, ok := d.enter(n)
		if !ok {
			return
		}
		if n.Kind != yaml.MappingNode {
			d.errorf(n, "%s: want a mapping of names, not %s", what, kindOf(n))
			return
		}
		*into = make(map[string]V, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			name := target(n.Content[i])
			if name.Kind != yaml.ScalarNode {
				d.errorf(name, "%s: a name is a word, not %s", what, kindOf(name))
				continue
			}
			if _, twice := (*into)[name.Value]; twice {
				d.errorf(name, "%s: %s stands here twice", what, name.Value)
				continue
			}
			var v V
			value.read(d, n.Content[i+1], what+"."+name.Value, &v)
			(*into)[name.Value] = v
		}
	}}
}
