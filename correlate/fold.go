package correlate

import "github.com/evenkeel/evenkeel/ingest"

// Grouping holds the settings of the scoring of links.
type Grouping struct{}

// Output is what a record changed, in order, without addresses: the owner of the
// partition gives each row its address and recorded_at.
type Output struct {
	Episodes    []Episode
	Transitions []Transition
	Incidents   []Incident
}

// Folder is the shape of the fold: one partition's state, owned by one goroutine.
//
// The order of calls for one record is Advance(fold time), then Configure or
// Apply for each of its events in order, then Flush.
type Folder interface {
	// Configure replaces the configuration from here on.
	Configure(Config) error
	// Advance moves fold time to now and fires what is due, in order of (due, key).
	Advance(now ingest.Millis)
	// NextTimer returns when something is due next; false where nothing waits.
	NextTimer() (ingest.Millis, bool)
	// Apply folds one event.
	Apply(ingest.Event)
	// Flush returns the current rows of all that changed since the last Flush:
	// one row an episode and one an incident, however often they changed.
	Flush() Output
	// Snapshot and Restore carry the whole state across a restart.
	Snapshot() ([]byte, error)
	Restore([]byte) error
}
