package store

import (
	"errors"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
)

// ErrNotFound says that no such incident was recorded up to the instant asked for.
var ErrNotFound = errors.New("no such incident")

// IncidentQuery asks for the incidents that overlap [From, To): opened before To
// and not resolved before From. Empty fields do not restrict.
type IncidentQuery struct {
	Tenant  string
	From    ingest.Millis
	To      ingest.Millis // 0 means up to AsOf, included
	AsOf    ingest.Millis // 0 means the newest there is
	State   correlate.IncidentState
	Service string
	Limit   int    // 0 means DefaultLimit; at most MaxLimit
	Cursor  string // IncidentPage.Next of the page before
}

// Limits of a page.
const (
	DefaultLimit = 100
	MaxLimit     = 10_000
)

// IncidentPage is one page of incidents, newest opened_at first. Merged incidents
// are not listed, except where State asks for them.
type IncidentPage struct {
	Incidents []correlate.Incident
	Next      string // cursor of the next page; "" where this is the last
}

// EpisodeQuery asks for the episodes that overlap [From, To), oldest first: those that
// started before To and had not ended before From. Empty fields do not restrict.
type EpisodeQuery struct {
	Tenant   string
	Incident string
	Service  string
	From     ingest.Millis
	To       ingest.Millis // 0 means up to AsOf, included
	AsOf     ingest.Millis // 0 means the newest there is
	Limit    int           // 0 means all
}
