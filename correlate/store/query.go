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

// EpisodeQuery asks for the episodes that overlap [From, To), oldest first.
// Empty fields do not restrict.
type EpisodeQuery struct {
	Tenant   string
	Incident string
	Service  string
	From     ingest.Millis
	To       ingest.Millis // 0 means up to AsOf, included
	AsOf     ingest.Millis // 0 means the newest there is
	Limit    int           // 0 means all
}

// WindowQuery asks about what started in [From, To), as known at AsOf.
type WindowQuery struct {
	Tenant string
	From   ingest.Millis
	To     ingest.Millis
	AsOf   ingest.Millis // 0 means the newest there is
}

// WeekCount is how much started in one week. Weeks are seven days counted
// back from WindowQuery.To; only whole ones are listed, oldest first, empty
// ones included.
type WeekCount struct {
	From      ingest.Millis
	To        ingest.Millis
	Incidents int // merged ones are not counted
	Episodes  int
}

// AlertCount is how often one alert name of one service fired, most first.
type AlertCount struct {
	AlertName string
	Service   string
	Episodes  int
	Firing    ingest.Millis // summed length of its ended episodes
	Short     int           // ended within five minutes
	Incidents int           // different incidents it was in
}

// ServiceCount is how many incidents touched a service, most first.
type ServiceCount struct {
	Service   string
	Incidents int
	Episodes  int
}
