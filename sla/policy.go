package sla

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// How a policy counts maintenance or unknown time.
const (
	Excluded    = "excluded" // it is in neither numerator nor denominator
	CountsUp    = "up"       // it counts as up
	CountsDown  = "down"     // unknown only: it counts as down
	CountsState = "counts"   // maintenance only: it counts as the state under it
)

// presets are what well-known tools and contracts do. They differ, and none is
// right: the point is that a number names the one it was made with.
var presets = []Policy{
	// Agreed service time without planned downtime; what was not watched is not
	// judged; a degraded service is delivered. (ITIL 4, Availability management.)
	{Preset: "itil", Maintenance: Excluded, Unknown: Excluded},
	// Icinga DB's SLA function: downtimes count as up, pending and unknown
	// time shortens the window.
	{Preset: "icinga", Maintenance: CountsUp, Unknown: Excluded},
	// Zabbix: excluded downtimes leave the calculation; a service without a
	// problem is up, also where nothing was received.
	{Preset: "zabbix", Maintenance: Excluded, Unknown: CountsUp},
	// Google Cloud's agreements: downtime is what the errors show, announced
	// maintenance included; what cannot be shown does not count against it.
	{Preset: "gcp", Maintenance: CountsState, Unknown: CountsUp},
	// Amazon's agreements: unavailability from maintenance is excluded; what is
	// not shown to be down is up.
	{Preset: "aws", Maintenance: Excluded, Unknown: CountsUp},
}

// DefaultPreset is the policy of whoever names none.
const DefaultPreset = "itil"

// Presets returns the names of the presets, sorted.
func Presets() []string {
	names := make([]string, len(presets))
	for i, p := range presets {
		names[i] = p.Preset
	}
	slices.Sort(names)
	return names
}

// Preset returns the policy of that name; false where there is none. The name
// "" gives the default.
func Preset(name string) (Policy, bool) {
	name = cmp.Or(name, DefaultPreset)
	i := slices.IndexFunc(presets, func(p Policy) bool { return p.Preset == name })
	if i < 0 {
		return Policy{}, false
	}
	return presets[i], true
}

// Filled returns p with what it leaves open taken from its preset.
func (p Policy) Filled() Policy {
	base, _ := Preset(p.Preset)
	p.Preset = cmp.Or(p.Preset, base.Preset)
	p.Maintenance = cmp.Or(p.Maintenance, base.Maintenance)
	p.Unknown = cmp.Or(p.Unknown, base.Unknown)
	p.DegradedWeight = cmp.Or(p.DegradedWeight, base.DegradedWeight)
	p.MinCoverage = cmp.Or(p.MinCoverage, base.MinCoverage)
	return p
}

// Validate says what is wrong with p, naming the value and what would be right.
func (p Policy) Validate() error {
	p, preset := p.Filled(), p.Preset
	switch _, ok := Preset(preset); {
	case !ok:
		return fmt.Errorf("preset %q is none of %s", preset, strings.Join(Presets(), ", "))
	case !slices.Contains([]string{Excluded, CountsUp, CountsState}, p.Maintenance):
		return fmt.Errorf("maintenance %q is none of excluded, up, counts", p.Maintenance)
	case !slices.Contains([]string{Excluded, CountsUp, CountsDown}, p.Unknown):
		return fmt.Errorf("unknown %q is none of excluded, up, down", p.Unknown)
	case !(p.DegradedWeight >= 0 && p.DegradedWeight <= 1):
		return fmt.Errorf("degraded_weight %v lies outside of 0 (as up) to 1 (as down)", p.DegradedWeight)
	case !(p.MinCoverage >= 0 && p.MinCoverage <= 1):
		return fmt.Errorf("min_coverage %v lies outside of 0 to 1", p.MinCoverage)
	}
	return nil
}

// String says in words how p counts.
func (p Policy) String() string {
	maintenance := map[string]string{Excluded: "is excluded", CountsUp: "counts as up", CountsState: "counts as what it was"}
	unknown := map[string]string{Excluded: "is excluded", CountsUp: "counts as up", CountsDown: "counts as down"}
	text := fmt.Sprintf("maintenance %s, unknown time %s, ", maintenance[p.Maintenance], unknown[p.Unknown])
	switch p.DegradedWeight {
	case 0:
		text += "degraded time counts as up"
	case 1:
		text += "degraded time counts as down"
	default:
		text += "degraded time counts " + percentOf(p.DegradedWeight) + " as down"
	}
	if p.MinCoverage > 0 {
		text += ", no result below a coverage of " + percentOf(p.MinCoverage)
	}
	if p.Preset != "" {
		text = p.Preset + ": " + text
	}
	return text
}

// percentOf writes a share with at most two decimals, cut.
func percentOf(share float64) string {
	return strconv.FormatFloat(math.Floor(share*1e4+1e-6)/100, 'f', -1, 64) + " %"
}

// counted is what a policy makes of a matrix, in milliseconds.
type counted struct {
	counted        int64 // the denominator
	down           int64 // of it, down, rounded up
	known, unknown int64 // of the agreed time, what coverage is made of
}

// count applies p: what is out of hours or not yet never counts.
func (p Policy) count(m Matrix) counted {
	s := States{Up: m.Up, Degraded: m.Degraded, Down: m.Down, Unknown: m.Unknown}
	var asUp int64
	switch p.Maintenance {
	case CountsUp:
		asUp = m.Maintenance
	case CountsState:
		under := m.InMaintenance
		s = States{s.Up + under.Up, s.Degraded + under.Degraded, s.Down + under.Down, s.Unknown + under.Unknown}
	}
	c := counted{known: s.Up + s.Degraded + s.Down + asUp, unknown: s.Unknown}
	c.counted = c.known
	c.down = s.Down + weigh(s.Degraded, p.DegradedWeight)
	switch p.Unknown {
	case CountsUp:
		c.counted += s.Unknown
	case CountsDown:
		c.counted += s.Unknown
		c.down += s.Unknown
	}
	return c
}

// weigh returns weight*ms rounded up; weights have six decimals.
func weigh(ms int64, weight float64) int64 {
	const scale = 1_000_000
	w := int64(math.Round(weight * scale))
	return ms - muldiv(ms, scale-w, scale)
}
