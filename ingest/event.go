package ingest

// Event is one normalised observation out of a delivery. Exactly one of its
// pointers is set.
type Event struct {
	Tenant      string
	Source      string
	ReceivedAt  Millis // of the record that carried it; may lie before fold time
	Alert       *Alert
	Change      *Change
	Maintenance *Maintenance
	Sample      *Sample
	Link        *Link
}

// Alert is one alert seen firing or resolved.
type Alert struct {
	Fingerprint string // lower-case hex of 16 digits from Alertmanager, else as sent
	Resolved    bool   // firing otherwise
	// Unknown says that the alert itself is about not seeing: from start to end its sender
	// does not know how the service is (Grafana's NoData and Error). It is never down.
	Unknown  bool
	StartsAt Millis
	// EndsAt is when it ended; 0 while firing, or where the sender gave none. With
	// EndsByTimeout it is there while firing, too.
	EndsAt Millis
	// EndsByTimeout says that nobody saw the alert's condition end. While firing, the sender's
	// word holds until EndsAt, and from there on it is unknown unless the alert is sent again.
	// Of a resolved one, EndsAt is when the sender stopped looking.
	EndsByTimeout bool
	Labels        Labels
	Annotations   Labels
	GeneratorURL  string
	Receiver      string // as configured: regexp escapes are taken off
	GroupKey      string
}

// Change is a deployment, a configuration change or another transition of a service.
type Change struct {
	ID         string
	Kind       string // deployment, configuration or as sent
	Service    string
	StartedAt  Millis
	FinishedAt Millis // 0 while it runs
	Outcome    string // succeeded, failed, rolled_back or as sent; "" while it runs
	Version    string
	Author     string
	Title      string
	URL        string
}

// Maintenance is a planned window of one service, [From, To). Told again with the same ID it
// replaces what was told before; its first ReceivedAt is when notice of it was given.
type Maintenance struct {
	ID        string
	Service   string
	From      Millis
	To        Millis
	Cancelled bool // the window does not take place
	Reason    string
	Author    string
	URL       string
}

// Sample counts requests of a service since the sample before it.
type Sample struct {
	Service string
	SLI     string // which indicator: availability, latency or as sent
	Good    Count  // at most Total
	Total   Count
	At      Millis // the end of what was counted
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
	Kind     LinkKind
	At       Millis   // when the sender saw it
	Alerts   []string // fingerprints of the alerts that it speaks of, as in Alert
	Causes   []string // fingerprints of those that inhibit them; of LinkInhibited only
	Rule     string   // name of the inhibition rule, where it has one
	Receiver string   // of LinkGrouped and LinkNotified
	GroupKey string   // of LinkGrouped and LinkNotified
	Silence  Silence  // of LinkSilence and LinkSilenced
}

// Silence keeps alerts quiet that its matchers match.
type Silence struct {
	ID       string
	From     Millis
	To       Millis
	Author   string
	Comment  string
	Matchers []string // each in Alertmanager's grammar
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
