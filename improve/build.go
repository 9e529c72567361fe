package improve

import (
	"context"
	"fmt"
	"iter"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/sla"
)

// Query asks for what happened in [From, To), as it was known at AsOf.
type Query struct {
	Tenant string
	From   ingest.Millis
	To     ingest.Millis
	AsOf   ingest.Millis
}

// Source is what a report reads. Every answer is in a full, stable order and is
// a function of the query: what was recorded after AsOf is not in it.
type Source interface {
	// History returns how far back the data goes.
	History(ctx context.Context, tenant string, asOf ingest.Millis) (History, error)
	// Intake returns what was received in the window, by sender, as far as it is kept.
	Intake(ctx context.Context, q Query) ([]Intake, error)
	// Incidents returns the incidents opened in the window, oldest first, without
	// those that live on in another.
	Incidents(ctx context.Context, q Query) ([]correlate.Incident, error)
	// Episodes yields the episodes that began in the window, ordered by (source,
	// fingerprint, starts_at). An error ends the sequence.
	Episodes(ctx context.Context, q Query) iter.Seq2[Episode, error]
	// Availability returns how every service, and every agreement of it, did in the
	// window, ordered by (service, agreement).
	Availability(ctx context.Context, q Query, config sla.Config) ([]sla.Availability, error)
	// Segments returns the time of every service, and of every agreement of it, that
	// was neither up nor out of hours, clipped to the window and ordered by (service, agreement, from).
	Segments(ctx context.Context, q Query) ([]sla.Segment, error)
	// Notices returns the maintenance windows that were sent, take place and overlap the window, ordered by
	// (service, from).
	Notices(ctx context.Context, q Query) ([]Notice, error)
}

// Notice is of a maintenance window that was sent.
type Notice struct {
	Service string
	From    ingest.Millis
	To      ingest.Millis
	Given   ingest.Millis // when it was told for the time that it has
}

// Late says that some of its time had passed when it was told: what had happened then became maintenance.
func (n Notice) Late() bool { return n.Given > n.From }

// History is how far back the data of a tenant goes. What arrived is kept for a time
// only, what it told (episodes, incidents, availability) for ever.
type History struct {
	From ingest.Millis // of the first thing received that is remembered; 0 where nothing was ever received
	Kept ingest.Millis // of the first delivery that is still kept; 0 where none is
}

// GoneUntil returns until when what was received in w is no longer kept: the end of w where
// nothing of it is, 0 where all is.
func (h History) GoneUntil(w Window) ingest.Millis {
	kept := h.Kept
	if kept == 0 {
		kept = w.To
	}
	if h.From == 0 || h.From >= w.To || kept <= max(h.From, w.From) {
		return 0
	}
	return min(kept, w.To)
}

// Intake is what one sender delivered in a window.
type Intake struct {
	Source      string        `json:"source"`
	Deliveries  int           `json:"deliveries"`
	Rejected    int           `json:"rejected_deliveries"` // refused as undecodable
	Events      int           `json:"events"`
	Copies      int           `json:"copies"` // events that said again what an earlier one of the same alert had said
	DeadLetters int           `json:"dead_letters"`
	First       ingest.Millis `json:"first_received_at"`
	Last        ingest.Millis `json:"last_received_at"`
}

// Episode is what a report needs to know of an episode.
type Episode struct {
	Source      string
	Fingerprint string
	StartsAt    ingest.Millis
	End         ingest.Millis // 0 while it fires
	State       correlate.EpisodeState
	FirstSeenAt ingest.Millis
	AlertName   string
	Service     string
	Incident    string
}

// Params are what a report is about and how it counts.
type Params struct {
	Tenant   string
	Period   Period        // of [ParsePeriod]
	AsOf     ingest.Millis // the instant that the report speaks from; the fold time, not the clock
	Services []correlate.Service
	Levels   sla.Config
	// Heartbeats names the sources whose silence would be noticed: a declared
	// heartbeat tells a true resolve from a timeout. Empty: none is declared.
	Heartbeats []string
	// LinkBase is the URL of the pages, without a slash at its end, for links to
	// the evidence; where the pages themselves show the report it is their path from
	// there, such as "..". Empty: ids are printed without links.
	LinkBase string
}

// Build reads the facts of p.Period from src and composes its report.
func Build(ctx context.Context, src Source, p Params) (*Report, error) {
	if p.AsOf == 0 {
		return nil, fmt.Errorf("report %s: no instant to speak from (as of)", p.Period.Name)
	}
	if p.AsOf <= p.Period.From {
		return nil, fmt.Errorf("report %s: the period begins at %s, after %s, the instant the report speaks from", p.Period.Name, p.Period.From, p.AsOf)
	}
	facts, err := Collect(ctx, src, p)
	if err != nil {
		return nil, fmt.Errorf("report %s: %w", p.Period.Name, err)
	}
	report, err := Compose(facts, p)
	if err != nil {
		return nil, fmt.Errorf("report %s: %w", p.Period.Name, err)
	}
	return report, nil
}
