package ingest

// The paths that deliveries are posted to. They are part of a record: they tell
// its format, whatever way it came.
const (
	// PathAlertmanager takes Alertmanager's webhook (version 4), Grafana's (version 1) and
	// Alertmanager's event recorder in JSON, told apart by content.
	PathAlertmanager = "/api/v1/ingest/alertmanager"
	// PathAlerts takes alerts as Prometheus sends them to an Alertmanager (API v2).
	PathAlerts = "/api/v2/alerts"
	// PathChanges takes changes and maintenance windows.
	PathChanges = "/api/v1/ingest/changes"
	// PathSamples takes counts of good and of all requests.
	PathSamples = "/api/v1/ingest/samples"
	// PathCloudEvents takes CloudEvents in JSON, one or a batch, that carry any of the other formats.
	PathCloudEvents = "/api/v1/ingest/cloudevents"
	// PathMapped takes JSON of any shape, read by the mapping of the record's source.
	PathMapped = "/api/v1/ingest/mapped"
	// PathDetect takes any of these formats, told by content, and the event recorder's
	// protobuf beside them.
	PathDetect = "/api/v1/ingest"
	// PathProgress is that of records which say how far a stream was read. Evenkeel makes them itself:
	// nobody can post to it, and it is not among [Paths].
	PathProgress = "/api/v1/ingest/progress"
)

// Paths returns every path that deliveries are posted to.
func Paths() []string {
	return []string{PathAlertmanager, PathAlerts, PathChanges, PathSamples, PathCloudEvents, PathMapped, PathDetect}
}

// The sources of events whose sender names none: the kind of system that sends them. Whatever way
// alerts come, they share one, so that an alert that comes by two of them is one alert.
const (
	SourceOfAlerts  = "alertmanager" // and of what is said of how they belong together
	SourceOfChanges = "changes"      // and of maintenance windows
	SourceOfSamples = "samples"
)

// DefaultSource is the source of a delivery whose sender names none, by its path. It is "" where
// only the content tells: each event then has the default of its kind.
func DefaultSource(path string) string {
	switch path {
	case PathChanges:
		return SourceOfChanges
	case PathSamples:
		return SourceOfSamples
	case PathCloudEvents, PathDetect:
		return ""
	}
	return SourceOfAlerts // a mapping belongs to a source, and this is the one of who names none
}
