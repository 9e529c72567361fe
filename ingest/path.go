package ingest

// The paths that deliveries are posted to. They are part of a record: they tell
// its format.
const (
	PathAlertmanager = "/api/v1/ingest/alertmanager"
	PathChanges      = "/api/v1/ingest/changes"
)

// DefaultSource is the source of a delivery whose sender names none: the kind of
// system that posts to its path.
func DefaultSource(path string) string {
	if path == PathChanges {
		return "changes"
	}
	return "alertmanager"
}
