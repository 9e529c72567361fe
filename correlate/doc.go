// Package correlate folds events into episodes and episodes into incidents.
//
// It is a pure, deterministic fold: the same records give the same ids and the
// same rows. Time arrives in records. Incidents are decided in the order of event time (starts_at, then
// key), not of arrival: what comes late is put in its place and what followed
// is decided anew, so copies, retries and reordering within the allowed
// lateness end in the same incidents.
package correlate
