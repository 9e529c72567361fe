package ingest

// Event is one normalised observation out of a delivery. Exactly one of its
// pointers is set.
type Event struct {
	Tenant      string       `json:"tenant"`
	Source      string       `json:"source"`
	ReceivedAt  Millis       `json:"received_at"` // of the record that carried it; may lie before fold time
	Alert       *Alert       `json:"alert,omitempty"`
	Change      *Change      `json:"change,omitempty"`
	Maintenance *Maintenance `json:"maintenance,omitempty"`
	Sample      *Sample      `json:"sample,omitempty"`
	Link        *Link        `json:"link,omitempty"`
	Progress    *Progress    `json:"progress,omitempty"`
}

// Alert is one alert seen firing or resolved.
type Alert struct {
	Fingerprint string `json:"fingerprint"`        // lower-case hex of 16 digits from Alertmanager, else as sent
	Resolved    bool   `json:"resolved,omitempty"` // firing otherwise
	// Unknown says that the alert itself is about not seeing: from start to end its sender
	// does not know how the service is (Grafana's NoData and Error). It is never down.
	Unknown  bool   `json:"unknown,omitempty"`
	StartsAt Millis `json:"starts_at"`
	// Undated says that the sender gave no start: StartsAt is when the alert was received, or its end
	// where it has one. It is another one each time that the alert is sent, and means nothing then.
	Undated bool `json:"undated,omitempty"`
	// EndsAt is when it ended; 0 while firing, or where the sender gave none. With
	// EndsByTimeout it is there while firing, too.
	EndsAt Millis `json:"ends_at,omitempty"`
	// EndsByTimeout says that nobody saw the alert's condition end. While firing, the sender's
	// word holds until EndsAt, and from there on it is unknown unless the alert is sent again.
	// Of a resolved one, EndsAt is when the sender stopped looking.
	EndsByTimeout bool   `json:"ends_by_timeout,omitempty"`
	Labels        Labels `json:"labels"`
	Annotations   Labels `json:"annotations,omitempty"`
	GeneratorURL  string `json:"generator_url,omitempty"`
	Receiver      string `json:"receiver,omitempty"` // as configured: regexp escapes are taken off
	GroupKey      string `json:"group_key,omitempty"`
}

// Change is a deployment, a configuration change or another transition of a service.
type Change struct {
	ID         string `json:"id"`
	Kind       string `json:"kind"` // deployment, configuration or as sent
	Service    string `json:"service"`
	StartedAt  Millis `json:"started_at"`
	FinishedAt Millis `json:"finished_at,omitempty"` // 0 while it runs
	Outcome    string `json:"outcome,omitempty"`     // succeeded, failed, rolled_back or as sent; "" while it runs
	Version    string `json:"version,omitempty"`
	Author     string `json:"author,omitempty"`
	Title      string `json:"title,omitempty"`
	URL        string `json:"url,omitempty"`
}

// Maintenance is a planned window of one service, [From, To). Told again with the same ID, by the same
// tenant and source, it replaces what was told before.
type Maintenance struct {
	ID        string `json:"id"`
	Service   string `json:"service"`
	From      Millis `json:"from"`
	To        Millis `json:"to"`
	Cancelled bool   `json:"cancelled,omitempty"` // the window does not take place
	Reason    string `json:"reason,omitempty"`
	Author    string `json:"author,omitempty"`
	URL       string `json:"url,omitempty"`
}

// Sample counts requests of a service since the sample before it.
type Sample struct {
	Service string `json:"service"`
	SLI     string `json:"sli"`  // which indicator: availability, latency or as sent
	Good    Count  `json:"good"` // at most Total
	Total   Count  `json:"total"`
	At      Millis `json:"at"` // the end of what was counted
}

// LinkKind says what an event of an Alertmanager says of alerts beside that they fire.
type LinkKind string

// The kinds of links.
const (
	LinkGrouped   LinkKind = "grouped"   // an alert joined a group
	LinkNotified  LinkKind = "notified"  // a receiver was told of them
	LinkSilence   LinkKind = "silence"   // a silence was made or changed; no alerts
	LinkSilenced  LinkKind = "silenced"  // a silence keeps an alert quiet
	LinkInhibited LinkKind = "inhibited" // other alerts, its causes, keep an alert quiet
)

// Link is what an Alertmanager says of how alerts belong together. It opens and closes nothing.
type Link struct {
	Kind     LinkKind `json:"kind"`
	At       Millis   `json:"at"`                  // when the sender saw it
	Alerts   []string `json:"alerts,omitempty"`    // fingerprints of the alerts that it speaks of, as in Alert
	Causes   []string `json:"causes,omitempty"`    // fingerprints of those that inhibit them; of LinkInhibited only
	Rule     string   `json:"rule,omitempty"`      // name of the inhibition rule, where it has one
	Receiver string   `json:"receiver,omitempty"`  // of LinkGrouped and LinkNotified
	GroupKey string   `json:"group_key,omitempty"` // of LinkGrouped and LinkNotified
	Silence  Silence  `json:"silence,omitzero"`    // of LinkSilence and LinkSilenced
}

// Silence keeps alerts quiet that its matchers match.
type Silence struct {
	ID       string   `json:"id"`
	From     Millis   `json:"from"`
	To       Millis   `json:"to"`
	Author   string   `json:"author,omitempty"`
	Comment  string   `json:"comment,omitempty"`
	Matchers []string `json:"matchers,omitempty"` // each in Alertmanager's grammar
}

// Progress says that a stream was read: whatever its topics held at ReadTo that could be of the event's
// source lies in the journal before this. It is a sign of life of the source, also where nothing was in them.
type Progress struct {
	Stream string `json:"stream"` // name of the stream's configuration
	ReadTo Millis `json:"read_to"`
}

// DeadLetter is something that was not understood, kept with the reason.
type DeadLetter struct {
	Tenant     string
	Source     string
	Path       string
	ReceivedAt Millis
	Reason     string // says where and why: `alerts[3].startsAt: "yesterday" is not RFC 3339`
	Body       []byte // the part that was bad, at most 64 KiB
}

// MaxDeadLetterBytes is how much of a bad input is kept.
const MaxDeadLetterBytes = 64 << 10
