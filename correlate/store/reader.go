package store

import (
	"context"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
)

// Reader reads incidents, episodes and transitions as they stood at an instant.
type Reader struct{ db clickhouse.Querier }

// NewReader returns a Reader on db.
func NewReader(db clickhouse.Querier) *Reader { return &Reader{db: db} }

// reads is the list of what Reader offers.
type reads interface {
	// Incidents returns one page of the incidents that overlap a window, newest first.
	Incidents(ctx context.Context, q IncidentQuery) (IncidentPage, error)
	// Incident returns one incident; an id that was merged away gives the one it
	// lives on as (its ID then differs). ErrNotFound where there is none.
	Incident(ctx context.Context, tenant, id string, asOf ingest.Millis) (correlate.Incident, error)
	// Episodes returns the episodes of an incident, a service or a window, oldest first.
	Episodes(ctx context.Context, q EpisodeQuery) ([]correlate.Episode, error)
	// Transitions returns the steps of an incident's life and of what was merged
	// into it, in the order in which they were recorded.
	Transitions(ctx context.Context, tenant, incident string, asOf ingest.Millis) ([]correlate.Transition, error)
	// Weeks counts incidents and episodes of the whole weeks that end at q.To.
	Weeks(ctx context.Context, q WindowQuery) ([]WeekCount, error)
	// NoisiestAlerts counts episodes by alert name and service, most first.
	NoisiestAlerts(ctx context.Context, q WindowQuery, limit int) ([]AlertCount, error)
	// BusiestServices counts incidents by service, most first.
	BusiestServices(ctx context.Context, q WindowQuery, limit int) ([]ServiceCount, error)
}
