package correlate

import "github.com/evenkeel/evenkeel/ingest"

// Lateness is how far the deliveries of different alerts may be out of order, in
// received_at, without any effect on the final incidents.
const Lateness = 5 * ingest.Minute

// Defaults of [Config].
const (
	defaultCopyWindow   = 15 * ingest.Minute
	defaultStaleAfter   = 9 * ingest.Hour
	defaultReopenWindow = 30 * ingest.Minute
)

// Grouping holds the settings of the search for what explains episodes together.
// Each zero means its default; all have a meaning that can be measured on recorded incidents.
type Grouping struct {
	// Span is how long after an incident's first episode others still join it as
	// symptoms of the same fault. Milliseconds. Default 15 min.
	Span int64 `json:"span_ms,omitempty"`
	// Delay is the mean time from an incident's first episode to another one.
	// Milliseconds. Default 3 min.
	Delay int64 `json:"delay_ms,omitempty"`
	// Background is how often one service begins to alert for a reason of its
	// own, per hour. Default 0.2.
	Background float64 `json:"background_per_hour,omitempty"`
	// Own is how many episodes a fault makes at the service where it is. Default 6.
	Own float64 `json:"own,omitempty"`
	// Spread is the share of that which each service one step further up the
	// dependencies sees. Default 0.35.
	Spread float64 `json:"spread,omitempty"`
	// Hops is how many steps of dependency are followed. Default 3.
	Hops int `json:"hops,omitempty"`
	// Shared is how many episodes a fault of something that services share (what
	// a label names: a host, a zone) makes at each of them. Default 1.5.
	Shared float64 `json:"shared,omitempty"`
}

// withDefaults returns c with every zero setting replaced.
func (c Config) withDefaults() Config {
	if len(c.ServiceLabels) == 0 {
		c.ServiceLabels = []string{"service", "deployment", "app", "job"}
	}
	setDefault(&c.CopyWindow, int64(defaultCopyWindow))
	setDefault(&c.StaleAfter, int64(defaultStaleAfter))
	setDefault(&c.ReopenWindow, int64(defaultReopenWindow))
	c.Grouping = c.Grouping.withDefaults()
	return c
}

func (g Grouping) withDefaults() Grouping {
	setDefault(&g.Span, int64(15*ingest.Minute))
	setDefault(&g.Delay, int64(3*ingest.Minute))
	setDefault(&g.Background, 0.2)
	setDefault(&g.Own, 6)
	setDefault(&g.Spread, 0.35)
	setDefault(&g.Hops, 3)
	setDefault(&g.Shared, 1.5)
	return g
}

// setDefault gives a setting its default where it has no usable value.
func setDefault[T int | int64 | float64](setting *T, value T) {
	if *setting <= 0 {
		*setting = value
	}
}
