package correlate

import "github.com/evenkeel/evenkeel/ingest"

// Lateness is how far the deliveries of different alerts may be out of order, in
// received_at, without any effect on the final incidents.
const Lateness = 5 * ingest.Minute

// Defaults of [Config].
const (
	defaultCopyWindow   = 15 * ingest.Minute
	defaultStaleAfter   = 9 * ingest.Hour
	defaultForgetAfter  = 7 * ingest.Day
	defaultReopenWindow = 30 * ingest.Minute
)

// Grouping holds the settings of the search for what explains episodes together.
// Each zero means its default; all have a meaning that can be measured on recorded incidents.
type Grouping struct {
	// Span is how long after an incident's first episode others still join it as
	// symptoms of the same fault. Milliseconds. Default 15 min.
	Span int64 `json:"span_ms,omitempty"`
	// Delay is the mean time from an incident's first episode to the first one at
	// another service. Milliseconds. Default 2 min 30 s.
	Delay int64 `json:"delay_ms,omitempty"`
	// Burst is the mean time from the first episode of one alert name at a service to
	// the others of it there. Milliseconds. Default 40 s.
	Burst int64 `json:"burst_ms,omitempty"`
	// Background is how often one service begins to alert for a reason of its
	// own, per hour, when much goes on. Default 0.4.
	Background float64 `json:"background_per_hour,omitempty"`
	// Own is how many episodes an alert has at a service that feels a fault. Default 3.
	Own float64 `json:"own,omitempty"`
	// Spread is the share of a service's dependants that feel its faults. Default 0.7.
	Spread float64 `json:"spread,omitempty"`
	// Hops is how many steps of dependency are followed. Default 3.
	Hops int `json:"hops,omitempty"`
	// Shared is the share of those that share something (a host, a zone: what a
	// label names) which feel its faults. Default 0.6.
	Shared float64 `json:"shared,omitempty"`
}

// withDefaults returns c with every zero setting replaced.
func (c Config) withDefaults() Config {
	if len(c.ServiceLabels) == 0 {
		c.ServiceLabels = []string{"service", "deployment", "app", "job"}
	}
	setDefault(&c.CopyWindow, int64(defaultCopyWindow))
	setDefault(&c.StaleAfter, int64(defaultStaleAfter))
	setDefault(&c.ForgetAfter, int64(defaultForgetAfter))
	setDefault(&c.ReopenWindow, int64(defaultReopenWindow))
	c.Grouping = c.Grouping.withDefaults()
	c.Limits = c.Limits.withDefaults()
	return c
}

func (g Grouping) withDefaults() Grouping {
	setDefault(&g.Span, int64(15*ingest.Minute))
	setDefault(&g.Delay, int64(150*ingest.Second))
	setDefault(&g.Burst, int64(40*ingest.Second))
	setDefault(&g.Background, 0.4)
	setDefault(&g.Own, 3)
	setDefault(&g.Spread, 0.7)
	setDefault(&g.Hops, 3)
	setDefault(&g.Shared, 0.6)
	return g
}

// setDefault gives a setting its default where it has no usable value.
func setDefault[T int | int64 | float64](setting *T, value T) {
	if *setting <= 0 {
		*setting = value
	}
}
