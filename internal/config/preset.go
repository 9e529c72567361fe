package config

import "github.com/evenkeel/evenkeel/sla"

func defaultPolicy() sla.Policy { return presets()[0] }

func presets() []sla.Policy {
	return []sla.Policy{{Preset: "itil", Maintenance: "excluded", Unknown: "excluded"}}
}
