package config

import (
	"fmt"

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
		key(spec{Name: "preset", Default: sla.DefaultPreset, Text: "the preset that the other keys change"},
			convert(scalar("preset", parsePreset), func(p sla.Policy) string { return p.Preset }), func(p *sla.Policy) *string { return &p.Preset }),
		key(spec{Name: "maintenance", Default: "the preset's", Text: "what planned maintenance counts as; counts means as what it was"},
			oneOf(sla.Excluded, sla.CountsUp, sla.CountsState), func(p *sla.Policy) *string { return &p.Maintenance }),
		key(spec{Name: "unknown", Default: "the preset's", Text: "what unknown time counts as"},
			oneOf(sla.Excluded, sla.CountsUp, sla.CountsDown), func(p *sla.Policy) *string { return &p.Unknown }),
		key(spec{Name: "degraded_weight", Default: "the preset's", Text: "how much of degraded time counts as down"},
			asRatio, func(p *sla.Policy) *float64 { return &p.DegradedWeight }),
		key(spec{Name: "min_coverage", Default: "the preset's", Text: "the share of the window that must be known; below it there is no result"},
			asRatio, func(p *sla.Policy) *float64 { return &p.MinCoverage }),
	)
}

func parsePreset(name string) (sla.Policy, error) {
	p, ok := sla.Preset(name)
	if !ok || name == "" {
		return sla.Policy{}, fmt.Errorf("%q is not a preset; %s", name, suggest(name, sla.Presets()))
	}
	return p, nil
}

func defaultPolicy() sla.Policy {
	p, _ := sla.Preset(sla.DefaultPreset)
	return p
}
