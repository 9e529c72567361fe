package correlate

import "github.com/evenkeel/evenkeel/ingest"

// IncidentKind says what an incident is about.
type IncidentKind string

// The kinds of incidents.
const (
	Fault  IncidentKind = "fault"             // alerts fire
	Silent IncidentKind = "monitoring silent" // a source gives no sign of life; it has no episodes
)

// IncidentState is where an incident is in its life.
type IncidentState string

// The states of an incident.
//
//	open ──> resolved ──> closed
//	  ^          │
//	  └─reopened─┘          any ──> merged
const (
	IncidentOpen     IncidentState = "open"
	IncidentResolved IncidentState = "resolved" // every episode has ended
	IncidentClosed   IncidentState = "closed"   // resolved for longer than the reopen window
	IncidentMerged   IncidentState = "merged"   // lives on as MergedInto
)

// Cause is one probable cause of an incident. Exactly one of Service, Entity and Change is set.
type Cause struct {
	Service string  `json:"service,omitempty"`
	Entity  string  `json:"entity,omitempty"` // the value of a shared label: a node, a zone
	Change  string  `json:"change,omitempty"`
	Score   float64 `json:"score"` // 0 to 1
	Why     string  `json:"why"`
}

// Incident is a set of episodes with one probable cause, as it stands after a
// record. Each change is a new row; the greatest version is the current one.
type Incident struct {
	ingest.Address
	RecordedAt ingest.Millis `json:"recorded_at"`
	Tenant     string        `json:"tenant"`
	ID         string        `json:"id"` // from the partition and the episode with the oldest start
	Kind       IncidentKind  `json:"kind"`
	State      IncidentState `json:"state"`
	MergedInto string        `json:"merged_into,omitempty"`
	Title      string        `json:"title"`
	Severity   string        `json:"severity"`    // the worst of its episodes
	OpenedAt   ingest.Millis `json:"opened_at"`   // oldest starts_at; never changes for one id
	ResolvedAt ingest.Millis `json:"resolved_at"` // latest end; 0 while open
	Services   []string      `json:"services"`    // sorted
	Episodes   int           `json:"episodes"`
	Firing     int           `json:"firing"`  // of them
	Unknown    int           `json:"unknown"` // of them: not known whether they fire, or how they ended
	Causes     []Cause       `json:"probable_causes"`
}

// TransitionKind names a step in an incident's life.
type TransitionKind string

// The steps of an incident's life.
const (
	Opened   TransitionKind = "opened"
	Joined   TransitionKind = "joined" // an episode came in
	Left     TransitionKind = "left"   // an episode was moved to another incident
	Merged   TransitionKind = "merged" // this incident lives on as Other
	Settled  TransitionKind = "resolved"
	Reopened TransitionKind = "reopened"
	Closed   TransitionKind = "closed"
)

// Transition is one step in an incident's life: append-only, with reason and actor.
type Transition struct {
	ingest.Address
	RecordedAt ingest.Millis  `json:"recorded_at"`
	Tenant     string         `json:"tenant"`
	Incident   string         `json:"incident"`
	Kind       TransitionKind `json:"kind"`
	At         ingest.Millis  `json:"at"` // event time: when it happened, not when it was learned
	Episode    *EpisodeKey    `json:"episode,omitempty"`
	Other      string         `json:"other,omitempty"` // the other incident of left, joined and merged
	Actor      string         `json:"actor"`           // "evenkeel" or a person
	Reason     string         `json:"reason"`
}
