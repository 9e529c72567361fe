package ingest

// Event is one normalised observation out of a delivery. Exactly one of its
// pointers is set.
type Event struct {
	Tenant     string
	Source     string
	ReceivedAt Millis // of the record that carried it; may lie before fold time
	Alert      *Alert
	Change     *Change
}

// Alert is one alert seen firing or resolved.
type Alert struct {
	Fingerprint  string // lower-case hex of 16 digits from Alertmanager, else as sent
	Resolved     bool   // firing otherwise
	StartsAt     Millis
	EndsAt       Millis // 0 while firing, or where the sender gave none
	Labels       Labels
	Annotations  Labels
	GeneratorURL string
	Receiver     string // as configured: regexp escapes are taken off
	GroupKey     string
}

// Change is a deployment, a configuration change or another transition of a service.
type Change struct {
	ID         string
	Kind       string // deployment, configuration, maintenance or as sent
	Service    string
	StartedAt  Millis
	FinishedAt Millis // 0 while it runs
	Outcome    string // succeeded, failed, rolled_back or as sent; "" while it runs
	Version    string
	Author     string
	Title      string
	URL        string
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
