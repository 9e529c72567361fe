package config

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/evenkeel/evenkeel/sla"
)

// policy reads the name of a preset, or a mapping of fields on top of one.
func policy() reader[sla.Policy] {
	name := scalar("preset", parsePreset)
	fields := policyKeys()
	return reader[sla.Policy]{"preset or mapping", fields.keys, func(d *decoder, n *yaml.Node, what string, into *sla.Policy) {
		if target(n).Kind == yaml.MappingNode {
			*into = basePolicy(target(n))
			fields.read(d, n, what, into)
			return
		}
		name.read(d, n, what, into)
	}}
}

// basePolicy is the preset that a mapping names, or the default: the fields of
// the mapping then change it, wherever the preset stands among them.
func basePolicy(n *yaml.Node) sla.Policy {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == "preset" {
			if p, err := parsePreset(target(n.Content[i+1]).Value); err == nil {
				return p
			}
		}
	}
	return defaultPolicy()
}

func policyKeys() reader[sla.Policy] {
	return object(
		key(Key{Name: "preset", Text: "the preset that the other keys change"},
			convert(scalar("preset", parsePreset), func(p sla.Policy) string { return p.Preset }), func(p *sla.Policy) *string { return &p.Preset }),
		key(Key{Name: "maintenance", Default: "the preset's", Text: "what planned maintenance counts as; counts means as what it was"},
			oneOf("excluded", "up", "counts"), func(p *sla.Policy) *string { return &p.Maintenance }),
		key(Key{Name: "unknown", Default: "the preset's", Text: "what unknown time counts as"},
			oneOf("excluded", "up", "down"), func(p *sla.Policy) *string { return &p.Unknown }),
		key(Key{Name: "degraded_weight", Default: "the preset's", Text: "how much of degraded time counts as down"},
			asRatio, func(p *sla.Policy) *float64 { return &p.DegradedWeight }),
		key(Key{Name: "min_coverage", Default: "the preset's", Text: "the share of the window that must be known; below it there is no result"},
			asRatio, func(p *sla.Policy) *float64 { return &p.MinCoverage }),
	)
}

func parsePreset(name string) (sla.Policy, error) {
	for _, p := range presets() {
		if p.Preset == name {
			return p, nil
		}
	}
	return sla.Policy{}, fmt.Errorf("%q is not a preset; %s", name, suggest(name, presetNames()))
}

func presetNames() []string {
	var names []string
	for _, p := range presets() {
		names = append(names, p.Preset)
	}
	slices.Sort(names)
	return names
}
