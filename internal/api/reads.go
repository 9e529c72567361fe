package api

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/correlate"
	correlatestore "github.com/evenkeel/evenkeel/correlate/store"
	"github.com/evenkeel/evenkeel/improve"
	"github.com/evenkeel/evenkeel/ingest"
	ingeststore "github.com/evenkeel/evenkeel/ingest/store"
	"github.com/evenkeel/evenkeel/sla"
	slastore "github.com/evenkeel/evenkeel/sla/store"
)

// Incidents is what is read of incidents and their alerts. correlate/store's Reader is one.
type Incidents interface {
	Incidents(ctx context.Context, q correlatestore.IncidentQuery) (correlatestore.IncidentPage, error)
	Incident(ctx context.Context, tenant, id string, asOf ingest.Millis) (correlate.Incident, error)
	Episodes(ctx context.Context, q correlatestore.EpisodeQuery) ([]correlate.Episode, error)
	Transitions(ctx context.Context, tenant, incident string, asOf ingest.Millis) ([]correlate.Transition, error)
}

// Levels is what is read of availability. sla/store's Reader is one.
type Levels interface {
	Availability(ctx context.Context, q slastore.AvailabilityQuery) ([]sla.Availability, error)
	Segments(ctx context.Context, q slastore.SegmentsQuery) ([]sla.Segment, error)
}

// ArrivalsQuery asks for what arrived in a window.
type ArrivalsQuery = ingeststore.ArrivalsQuery

// Arrivals is what is read of what came in. ingest/store's Reader is one.
type Arrivals interface {
	Changes(ctx context.Context, q ArrivalsQuery) ([]ingest.Change, error)
	DeadLetters(ctx context.Context, q ArrivalsQuery) ([]ingest.DeadLetter, error)
}

// Reports makes reports and says how far they can look back.
type Reports interface {
	// Report composes a tenant's report of a period as it stood at asOf.
	Report(ctx context.Context, tenant string, p improve.Period, asOf ingest.Millis) (*improve.Report, error)
	// HistoryFrom returns when the first thing of a tenant was received that is remembered, 0 without any.
	HistoryFrom(ctx context.Context, tenant string, asOf ingest.Millis) (ingest.Millis, error)
}

// Catalogue is what is configured: the services, and what is promised about them.
type Catalogue struct {
	Correlation correlate.Config
	Levels      sla.Config
}

// Zone returns the name of the root zone and the zone.
func (c Catalogue) Zone() (string, *time.Location) {
	loc, err := sla.LoadZone(c.Levels.Zone)
	if err != nil { // it was checked when it was loaded
		return sla.DefaultZone, time.UTC
	}
	return loc.String(), loc
}

// Service returns the entry of a name; false where the catalogue has none.
func (c Catalogue) Service(name string) (correlate.Service, bool) {
	for _, s := range c.Correlation.Services {
		if s.Name == name {
			return s, true
		}
	}
	return correlate.Service{}, false
}

// Agreements returns what is promised about a service.
func (c Catalogue) Agreements(service string) []sla.Agreement {
	for _, s := range c.Levels.Services {
		if s.Name == service {
			return s.Agreements
		}
	}
	return nil
}

// Reads answers the questions that the API and the pages ask, of one tenant. It holds no
// state of its own and may be used by many goroutines at once.
type Reads struct {
	Tenant    string // "" is the default tenant
	Incidents Incidents
	Levels    Levels
	Arrivals  Arrivals
	Reports   Reports
	// Catalogue returns the configuration that was in force at an instant: what every
	// answer as of then counts by. Before the first it is an error.
	Catalogue func(ctx context.Context, asOf ingest.Millis) (Catalogue, error)
	// Current returns the configuration as it was loaded last: pages write times in its zone.
	Current func() Catalogue
	// StoredTime returns the fold time up to which every row is stored: the
	// as_of of whoever names none. 0 before anything is stored.
	StoredTime func() ingest.Millis
}

// errStarting says that there is no instant to speak from yet.
var errStarting = errors.New("nothing is stored yet")

// AsOf returns the instant that an answer speaks from: the parameter as_of, by
// default the stored fold time. An instant after that is answered as of the
// stored fold time, with a warning: what it will look like is not known yet.
func (r *Reads) AsOf(p *Params) (asOf ingest.Millis, warnings []string, err error) {
	stored := r.StoredTime()
	if stored == 0 {
		return 0, nil, errStarting
	}
	asOf = p.Time("as_of", stored)
	if asOf == 0 {
		return 0, nil, badParam("as_of", p.Text("as_of"), "is the beginning of 1970: nothing was known then")
	}
	if asOf > stored {
		warnings = append(warnings, fmt.Sprintf("as_of %s lies after the stored fold time: answered as of %s", asOf, stored))
		asOf = stored
	}
	return asOf, warnings, nil
}
