package correlate

// Service is an entry of the catalogue.
type Service struct {
	Name        string    `json:"name"`
	DisplayName string    `json:"display_name,omitempty"`
	Description string    `json:"description,omitempty"`
	Owner       string    `json:"owner"`
	Tier        int       `json:"tier,omitempty"` // 1 is the most important; 0 is not said
	DependsOn   []string  `json:"depends_on,omitempty"`
	Runbook     string    `json:"runbook,omitempty"`
	Matchers    [][]Match `json:"matchers,omitempty"` // any set of which all match; empty: by label
}

// Match is one matcher in Alertmanager's grammar, already parsed: Op is =, !=, =~ or !~.
type Match struct {
	Name  string `json:"name"`
	Op    string `json:"op"`
	Value string `json:"value"`
}

// Config is what the fold needs to know. It is part of the configuration record.
type Config struct {
	Services []Service `json:"services"`
	// ServiceLabels name an alert's service where no matchers do; the first
	// that is present wins. Default: service, deployment, app, job.
	ServiceLabels []string `json:"service_labels,omitempty"`
	// CopyWindow: a firing of a known, closed starts_at within it is a copy;
	// later it reopens the episode. Milliseconds of received_at. Default 15 min.
	CopyWindow int64 `json:"copy_window_ms,omitempty"`
	// StaleAfter: an open episode not seen for so long is unknown since it was
	// last seen. Default 9 h.
	StaleAfter int64 `json:"stale_after_ms,omitempty"`
	// ForgetAfter: an episode that was unknown for so long ends as unknown. Default 7 days.
	ForgetAfter int64 `json:"forget_after_ms,omitempty"`
	// ReopenWindow: an episode that belongs to an incident resolved less than
	// so long ago reopens it. Default 30 min.
	ReopenWindow int64 `json:"reopen_window_ms,omitempty"`
	// Heartbeats say how sources show that they are alive; at most one of a tenant's source.
	Heartbeats []Heartbeat `json:"heartbeats,omitempty"`
	// Grouping holds what the scoring of links can be set to.
	Grouping Grouping `json:"grouping"`
	// Limits bound how many distinct alerts are remembered.
	Limits Limits `json:"limits,omitzero"`
}
