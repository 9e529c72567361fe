package improve

import (
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/sla"
)

// Schema names the form of a report's JSON. Fields are added under the same name;
// a change of meaning makes a new one.
const Schema = "evenkeel.report/v1"

// Report is everything that a period's report says, in the order in which it is
// said. HTML, Markdown and JSON are three renderings of this one value.
type Report struct {
	Schema       string        `json:"schema"`
	Tenant       string        `json:"tenant"`
	Period       Period        `json:"period"`
	AsOf         ingest.Millis `json:"as_of"`    // what was recorded later is not in it
	Complete     bool          `json:"complete"` // the period had ended by AsOf
	LinkBase     string        `json:"link_base,omitempty"`
	Quality      Quality       `json:"data_quality"`
	Findings     Findings      `json:"findings"`
	Availability Availability  `json:"availability"`
	Incidents    Incidents     `json:"incidents"`
	Noise        Noise         `json:"noise"`
	Weeks        WeekTrend     `json:"weeks"`
}

// Basis is what a number rests on; no number stands in a report without one.
type Basis struct {
	Window
	N        int      `json:"n"`
	Of       string   `json:"of"`       // what n counts
	Coverage *float64 `json:"coverage"` // share of the window's service time that was watched; null where nobody knows
	Policy   string   `json:"policy"`   // what was counted how, in words
}

// Ratio is a share with its interval, or the reason why there is none.
type Ratio struct {
	Value    *float64  `json:"value"`
	Interval *Interval `json:"interval,omitempty"`
	Reason   string    `json:"reason,omitempty"` // set where Value is null
}

// Quality says how far the rest can be trusted. It comes first.
type Quality struct {
	Basis        Basis             `json:"basis"`
	HistoryFrom  ingest.Millis     `json:"history_from"` // of the first thing received that is remembered; null without any
	GoneUntil    ingest.Millis     `json:"gone_until"`   // what was received in the period before this is no longer kept and not counted; null where all is kept
	Deliveries   int               `json:"deliveries"`
	Rejected     int               `json:"rejected_deliveries"` // refused as undecodable
	Events       int               `json:"events"`
	Copies       int               `json:"copies"` // events that said again what an earlier one had said: repeats, retries, HA peers
	DeadLetters  int               `json:"dead_letters"`
	Late         int               `json:"late_episodes"`         // first seen more than LateAfter after they began
	Unassigned   int               `json:"unassigned_episodes"`   // of no service: they count in no availability
	Uncatalogued []string          `json:"uncatalogued_services"` // named by alerts, absent from the catalogue
	Timeouts     int               `json:"unknown_episodes"`      // whose sender fell silent: their end is not known
	LateWindows  []string          `json:"late_maintenance"`      // services of maintenance windows that were told, or changed, after they had begun, one each
	Sources      []SourceQuality   `json:"sources"`
	Services     []ServiceCoverage `json:"services"`
	Coverage     Ratio             `json:"coverage"` // of all measured service time
	Unknown      Length            `json:"unknown_ms"`
	Caveats      []string          `json:"caveats"` // what a reader must know before believing the rest
}

// Gone says that nothing of what was received in the period is kept: its counts say nothing.
func (q *Quality) Gone() bool { return q.GoneUntil != 0 && q.GoneUntil >= q.Basis.To }

// SourceQuality is what one sender delivered.
type SourceQuality struct {
	Intake
	Alerts    bool `json:"sends_alerts"` // episodes of the period came from it
	Heartbeat bool `json:"heartbeat_declared"`
}

// ServiceCoverage is how much of the elapsed window a service was watched.
type ServiceCoverage struct {
	Service  string `json:"service"`
	Elapsed  Length `json:"elapsed_ms"`
	Unknown  Length `json:"unknown_ms"`
	Coverage Ratio  `json:"coverage"`
}

// Availability is how the period's promises were kept.
type Availability struct {
	Basis    Basis    `json:"basis"`
	Levels   []Level  `json:"levels"`
	Outages  []Outage `json:"outages"` // every one, oldest first
	Lanes    []Lane   `json:"lanes"`   // the course of each service that was not up all the time, most downtime first
	Met      int      `json:"objectives_met"`
	Missed   int      `json:"objectives_missed"`
	Unproven int      `json:"objectives_not_proven"`
}

// Standing says whether a promise was kept.
type Standing string

// The standings of a promise. A running window is judged on what has passed.
const (
	Met         Standing = "met"
	Missed      Standing = "missed"
	NotProven   Standing = "not proven" // met on what is known, but the unknown time is larger than the budget that is left
	NoObjective Standing = "no objective"
	NoData      Standing = "no data"
)

// Level is the availability of one service under one agreement in one window.
type Level struct {
	Service   string           `json:"service"`
	Owner     string           `json:"owner"`
	Tier      int              `json:"tier"`      // 0 is not said
	Agreement string           `json:"agreement"` // "" is the service without one: always in hours, root zone
	Basis     Basis            `json:"basis"`
	Partial   string           `json:"partial,omitempty"` // why the window is not a whole one of the agreement
	Standing  Standing         `json:"standing"`
	Measured  sla.Availability `json:"measured"`
	Outages   int              `json:"outages"`
	Longest   Length           `json:"longest_outage_ms"`
	Spent     *float64         `json:"budget_spent"` // downtime over budget; null without a budget
	Trend     Trend            `json:"trend"`        // minutes of downtime per week
}

// Lane is the course of one service through the period, always in hours and
// whatever was promised.
type Lane struct {
	Service   string    `json:"service"`
	Down      Length    `json:"down_ms"`
	Unknown   Length    `json:"unknown_ms"`
	Stretches []Stretch `json:"stretches"` // what was not up, oldest first; the rest was
}

// Stretch is a time in which a service was not up.
type Stretch struct {
	Bucket sla.Bucket    `json:"bucket"`
	From   ingest.Millis `json:"from"`
	To     ingest.Millis `json:"to"`
}

// Outage is one unbroken time in which a service was down in its agreed hours.
type Outage struct {
	Service   string        `json:"service"`
	Agreement string        `json:"agreement"`
	From      ingest.Millis `json:"from"`
	To        ingest.Millis `json:"to"`
	Running   bool          `json:"running"`      // had not ended by AsOf
	Before    bool          `json:"began_before"` // the window: the part inside counts
	After     bool          `json:"ended_after"`  // the window
	Incidents []string      `json:"incidents"`    // that touched the service then
}

// Incidents is what the period's incidents were.
type Incidents struct {
	Basis      Basis           `json:"basis"`
	Count      int             `json:"count"` // opened in the period; merged ones count once
	Open       int             `json:"open"`  // of them, not resolved by AsOf
	BySeverity []SeverityCount `json:"by_severity"`
	Resolve    Durations       `json:"time_to_resolve"`
	Longest    []IncidentLine  `json:"longest"` // at most ten
	Causes     []CauseCount    `json:"causes"`  // best probable cause of each, most incidents first, at most ten
	Change     *RateComparison `json:"change"`  // against the period before; null where that was not observed
	ChangeNote string          `json:"change_note,omitempty"`
}

// SeverityCount is how many incidents had a severity as their worst.
type SeverityCount struct {
	Severity string `json:"severity"` // "" is not said
	Count    int    `json:"count"`
}

// Durations sums up lengths of time, each with its n.
type Durations struct {
	N              int          `json:"n"`
	NotResolved    int          `json:"not_resolved"` // left out: their length is not known yet, so the figures are too low
	UnknownEnd     int          `json:"unknown_end"`  // left out: nobody saw how all of their alerts ended
	Median         *Length      `json:"median_ms"`
	MedianInterval *LengthRange `json:"median_interval"` // by order statistics, free of any distribution; null under 6
	P90            *Length      `json:"p90_ms"`          // nearest rank; null under 10
	Longest        *Length      `json:"longest_ms"`
}

// IncidentLine is one incident of a list.
type IncidentLine struct {
	ID         string        `json:"id"`
	Title      string        `json:"title"`
	Severity   string        `json:"severity"`
	State      string        `json:"state"`
	OpenedAt   ingest.Millis `json:"opened_at"`
	ResolvedAt ingest.Millis `json:"resolved_at"`
	Lasted     Length        `json:"lasted_ms"` // up to AsOf where it is open
	Services   []string      `json:"services"`
	Episodes   int           `json:"episodes"`
	Cause      string        `json:"cause"`
}

// CauseCount is how often one thing was the best probable cause.
type CauseCount struct {
	Kind      string   `json:"kind"` // service, entity or change
	Name      string   `json:"name"`
	Count     int      `json:"count"`
	Lasted    Length   `json:"lasted_ms"` // summed length of its resolved incidents
	Incidents []string `json:"incidents"` // oldest first
}

// LengthRange is an interval of lengths at [Confidence].
type LengthRange struct {
	Low  Length `json:"low_ms"`
	High Length `json:"high_ms"`
}

// RateComparison compares how often something happened in two windows of
// different length. It is no verdict: two windows are two numbers.
type RateComparison struct {
	Now      Rate     `json:"now"`
	Before   Rate     `json:"before"`
	Ratio    *float64 `json:"ratio"`    // rate now over rate before; null where nothing happened before
	Interval Bounds   `json:"interval"` // exact
	P        float64  `json:"p"`        // two-sided, exact, given independent events
	Method   string   `json:"method"`
}

// Bounds is an interval whose high end may be without bound, then null.
type Bounds struct {
	Low  float64  `json:"low"`
	High *float64 `json:"high"`
}

// Rate is a count over the time in which it could have been seen.
type Rate struct {
	Basis    Basis    `json:"basis"`
	Weeks    float64  `json:"observed_weeks"`
	PerWeek  float64  `json:"per_week"`
	Interval Interval `json:"interval"` // exact (Garwood)
}

// Noise is what the period's alerts were like.
type Noise struct {
	Basis          Basis       `json:"basis"`
	Episodes       int         `json:"episodes"`              // that began in the period
	Alerts         int         `json:"alerts"`                // different fingerprints
	Incidents      int         `json:"incidents"`             // different incidents that they are in
	PerIncident    *float64    `json:"episodes_per_incident"` // of those that are in one
	Ended          int         `json:"ended_episodes"`
	Short          int         `json:"short_episodes"` // resolved within ShortEpisode
	ShortShare     Ratio       `json:"short_share"`
	Flaps          int         `json:"flaps"` // began within FlapGap of the same alert's last end
	FlapShare      Ratio       `json:"flap_share"`
	FlappingAlerts int         `json:"flapping_alerts"` // fingerprints with at least one flap
	ByName         []AlertLine `json:"by_name"`         // most episodes first, at most twenty
	Names          int         `json:"names"`           // how many names there are in all
	NotKnown       []string    `json:"not_known"`       // what the data cannot say
}

// AlertLine is one alert name.
type AlertLine struct {
	Name      string   `json:"name"`
	Episodes  int      `json:"episodes"`
	Share     Ratio    `json:"share"` // of all episodes of the period
	Alerts    int      `json:"alerts"`
	Incidents int      `json:"incidents"`
	Ended     int      `json:"ended_episodes"`
	Short     int      `json:"short_episodes"`
	Flaps     int      `json:"flaps"`
	Firing    Length   `json:"firing_ms"` // summed over its ended episodes
	Services  []string `json:"services"`
	Trend     Trend    `json:"trend"` // episodes per week
}

// WeekTrend is the number of incidents a week and where it goes.
type WeekTrend struct {
	Basis Basis  `json:"basis"`
	Weeks []Week `json:"weeks"` // oldest first
	Trend Trend  `json:"trend"`
	Line  *Line  `json:"line"` // the Theil-Sen line; null without a slope
}

// Line is a straight line from one week of a list to another, by their places in it.
type Line struct {
	First int     `json:"first"`
	Last  int     `json:"last"`
	Start float64 `json:"start"` // incidents at First
	End   float64 `json:"end"`
}

// Week is one ISO week.
type Week struct {
	Name string `json:"name"` // 2026-W43
	Window
	Incidents *int     `json:"incidents"` // null where the week was not observed
	Reason    string   `json:"reason,omitempty"`
	Coverage  *float64 `json:"coverage"`
}

// Findings are the statements that matter, best first.
type Findings struct {
	Ranking string    `json:"ranking"` // by what they are ranked
	List    []Finding `json:"list"`
	Note    string    `json:"note,omitempty"` // why there are fewer than five
}

// Finding is one ranked statement, with verdict, interval, n and next action.
type Finding struct {
	Rank      int      `json:"rank"`
	Kind      string   `json:"kind"`
	Subject   string   `json:"subject"`
	Statement string   `json:"statement"`
	Basis     Basis    `json:"basis"`
	Trend     Trend    `json:"trend"` // of what the statement is about, week by week
	Action    string   `json:"next_action"`
	Incidents []string `json:"incidents"`                // evidence: at most ten ids, the newest, in the order in which they opened
	More      int      `json:"more_incidents,omitempty"` // older ones left out of Incidents
}
