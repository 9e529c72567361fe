package wire

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/evenkeel/evenkeel/ingest"
)

// DefaultResolveTimeout is how long an alert without an end is taken to fire after it was
// sent, as in Alertmanager.
const DefaultResolveTimeout = 5 * ingest.Minute

// Config is all that decoding depends on beside the record. It is part of the journal's
// configuration records, so that a replay decodes as the first time.
type Config struct {
	// ResolveTimeout is how long an alert of Alertmanager's API v2 that names no end fires
	// after it was received, in milliseconds. Default 5 minutes.
	ResolveTimeout ingest.Millis `json:"resolve_timeout,omitempty"`
	// Limits bound what one delivery may bring in.
	Limits Limits `json:"limits,omitzero"`
	// Mappings say, by name of source, how JSON of its own shape is read.
	Mappings map[string]Mapping `json:"mappings,omitempty"`
}

// Decoder decodes records by one configuration. It may be used by many goroutines at once. What it
// remembers saves work and changes nothing: labels and texts of events may be shared among them.
type Decoder struct {
	name           string // tells its configuration from others
	resolveTimeout ingest.Millis
	limits         Limits
	memo           *memo                // nil: nothing is remembered
	mappings       map[string]*compiled // by source
}

// New checks the configuration and returns its decoder. All that is wrong is said at once.
func New(c Config) (*Decoder, error) {
	d := &Decoder{name: nameOf(c), resolveTimeout: c.ResolveTimeout, mappings: map[string]*compiled{}, memo: newMemo()}
	if d.resolveTimeout == 0 {
		d.resolveTimeout = DefaultResolveTimeout
	}
	limits, err := c.Limits.fill()
	d.limits = limits
	errs := []error{err}
	if d.resolveTimeout < 0 {
		errs = append(errs, fmt.Errorf("resolve_timeout: %d ms is negative", c.ResolveTimeout))
	}
	for _, source := range slices.Sorted(maps.Keys(c.Mappings)) {
		problems := c.Mappings[source].Check()
		for _, p := range problems {
			errs = append(errs, fmt.Errorf("mapping of source %q: %s", source, p.Text))
		}
		if len(problems) == 0 {
			d.mappings[source] = c.Mappings[source].compile()
		}
	}
	return d, errors.Join(errs...)
}
