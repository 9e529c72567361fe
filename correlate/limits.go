package correlate

import (
	"fmt"

	"github.com/evenkeel/evenkeel/ingest"
)

// Limits bound how many distinct alerts are remembered: those that are open or unknown, and those that
// ended not long ago. One more is refused until others are forgotten; those that are known go on.
// 0 is the default.
type Limits struct {
	AlertsPerSource int `json:"alerts_per_source,omitempty"` // default 100 000
	AlertsPerTenant int `json:"alerts_per_tenant,omitempty"` // default 200 000
}

// DefaultLimits are above what sites have at once, and what memory and time bear.
var DefaultLimits = Limits{AlertsPerSource: 100_000, AlertsPerTenant: 200_000}

func (l Limits) withDefaults() Limits {
	setDefault(&l.AlertsPerSource, DefaultLimits.AlertsPerSource)
	setDefault(&l.AlertsPerTenant, DefaultLimits.AlertsPerTenant)
	return l
}

// full says why no alert of a source is taken that is not known yet; "" where one is.
func (t *tenant) full(source string) string {
	limits := t.fold.config.Limits
	if n := t.kept[source]; n >= limits.AlertsPerSource {
		return fmt.Sprintf("source %q has %d distinct alerts open or just ended, and alerts_per_source allows %d: this new one is not counted", source, n, limits.AlertsPerSource)
	}
	if n := len(t.alerts); n >= limits.AlertsPerTenant {
		return fmt.Sprintf("tenant %q has %d distinct alerts open or just ended, and alerts_per_tenant allows %d: this new one is not counted", t.name, n, limits.AlertsPerTenant)
	}
	return ""
}

// mostAhead is how long before its start a change or an alert may be told. What begins further ahead is a
// mistake of its sender's, and would be remembered until it begins: for ever, nearly.
const mostAhead = 366 * ingest.Day

// tooFarAhead says why nothing is taken that begins too long after it was received; "" where it does not.
func tooFarAhead(what, name, field string, starts, received ingest.Millis) string {
	if starts-received <= mostAhead {
		return ""
	}
	return fmt.Sprintf("%s %q: %s %s lies more than %d days after it was received: it is not counted", what, name, field, starts, mostAhead/ingest.Day)
}

// keep remembers an alert.
func (t *tenant) keep(key alertKey, a *alert) {
	t.alerts[key] = a
	t.kept[key.source]++
}

// drop is the opposite of keep.
func (t *tenant) drop(key alertKey) {
	delete(t.alerts, key)
	if t.kept[key.source]--; t.kept[key.source] == 0 {
		delete(t.kept, key.source)
	}
}
