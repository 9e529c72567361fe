package sla

import (
	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
)

// Config is what the levels need to know. It is part of the configuration record.
type Config struct {
	// Zone is the root zone, an IANA name: days and periods of services
	// without an agreement are cut in it. Default UTC.
	Zone string `json:"zone"`
	// Impact says what an episode means for its service; the first rule that
	// matches wins. Default: severity critical or page is down, severity
	// warning is degraded, everything else means nothing.
	Impact []ImpactRule `json:"impact,omitempty"`
	// Services of the catalogue that are measured, by name.
	Services []ServiceLevels `json:"services"`
	// Calendars by name.
	Calendars []Calendar `json:"calendars,omitempty"`
}

// ImpactRule says which state of its service an episode causes.
type ImpactRule struct {
	Matchers []correlate.Match `json:"matchers"` // all match
	State    State             `json:"state"`    // down, degraded or up (no impact)
}

// ServiceLevels is what is promised and planned for one service.
type ServiceLevels struct {
	Name        string        `json:"name"`
	Impact      []ImpactRule  `json:"impact,omitempty"` // before the root's
	Agreements  []Agreement   `json:"agreements,omitempty"`
	Maintenance []Maintenance `json:"maintenance,omitempty"`
}

// Agreement is a promise about a service.
type Agreement struct {
	Name      string  `json:"name"`
	Objective float64 `json:"objective"`          // as a ratio: 0.999
	Zone      string  `json:"zone,omitempty"`     // IANA; default the root's
	Window    string  `json:"window,omitempty"`   // month (default), week, day, quarter, year
	Calendar  string  `json:"calendar,omitempty"` // agreed service time; default always
	Policy    Policy  `json:"policy"`
}

// Policy says how each bucket counts. Nothing about it is a hidden constant.
type Policy struct {
	Preset         string  `json:"preset,omitempty"`       // name it was made from
	Maintenance    string  `json:"maintenance"`            // excluded | up | counts
	Unknown        string  `json:"unknown"`                // excluded | up | down
	DegradedWeight float64 `json:"degraded_weight"`        // 0: counts as up, 1: counts as down
	MinCoverage    float64 `json:"min_coverage,omitempty"` // below it the result is invalid, with the reason
}

// Maintenance is one planned window.
type Maintenance struct {
	From   int64  `json:"from_ms"`
	To     int64  `json:"to_ms"`
	Reason string `json:"reason,omitempty"`
}

// Calendar is a set of agreed service hours in a zone.
type Calendar struct {
	Name     string   `json:"name"`
	Zone     string   `json:"zone"`
	Hours    []Hours  `json:"hours"`
	Holidays []string `json:"holidays,omitempty"` // local dates, 2026-12-25
}

// Hours are the hours of some weekdays: local minutes since midnight.
type Hours struct {
	Weekdays []int `json:"weekdays"` // 0 Sunday .. 6 Saturday
	From     int   `json:"from"`
	To       int   `json:"to"`
}

// RestateDays is how far back late data and changes of configuration restate
// rows. What lies before, a little more than a quarter, stands as it was written.
const RestateDays = 100

// MaxSegment is the greatest length of a row: no local day is longer.
const MaxSegment = 26 * ingest.Hour
