package correlate

import "github.com/evenkeel/evenkeel/ingest"

// EpisodeKey names an episode: one firing of one alert.
type EpisodeKey struct {
	Tenant      string        `json:"tenant"`
	Source      string        `json:"source"`
	Fingerprint string        `json:"fingerprint"`
	StartsAt    ingest.Millis `json:"starts_at"`
}

// EpisodeState says what is known of an episode now.
type EpisodeState string

// The states of an episode.
const (
	Firing   EpisodeState = "firing"
	Resolved EpisodeState = "resolved"
	Unknown  EpisodeState = "unknown" // whether it fires is not known since UnknownSince
)

// Episode is one firing of an alert as it stands after a record. Each change is a
// new row; the row with the greatest version is the current one.
type Episode struct {
	ingest.Address
	RecordedAt ingest.Millis `json:"recorded_at"`
	EpisodeKey
	State         EpisodeState    `json:"state"`
	EndsAt        ingest.Millis   `json:"ends_at"`       // 0 while it is open; of an unknown one: until when it is not known
	UnknownSince  ingest.Millis   `json:"unknown_since"` // 0 unless unknown
	FirstSeenAt   ingest.Millis   `json:"first_seen_at"` // received_at of the first delivery that showed it
	Service       string          `json:"service"`       // "" where neither matchers nor labels name one
	Severity      string          `json:"severity"`      // the label's value
	AlertName     string          `json:"alertname"`
	Labels        ingest.Labels   `json:"labels"`
	Annotations   ingest.Labels   `json:"annotations"`
	GeneratorURL  string          `json:"generator_url"`
	Aliases       []ingest.Millis `json:"aliases"`        // other starts_at seen while it was open
	Incident      string          `json:"incident"`       // where it is now, after redirects
	FirstIncident string          `json:"first_incident"` // where people first saw it
	Reasons       []string        `json:"reasons"`        // why it is in its incident, in words
}

// Over tells whether the episode has ended: by a resolve, or as unknown, when nothing more will be
// heard of it.
func (e *Episode) Over() bool { return e.EndsAt != 0 }

// End returns when the episode stopped being known to fire: EndsAt,
// UnknownSince, or 0 while it fires.
func (e *Episode) End() ingest.Millis {
	if e.State == Unknown {
		return e.UnknownSince
	}
	return e.EndsAt
}
