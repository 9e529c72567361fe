package store

import (
	"cmp"
	"context"
	_ "embed" // the queries
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strconv"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/improve"
	"github.com/evenkeel/evenkeel/ingest"
	ingeststore "github.com/evenkeel/evenkeel/ingest/store"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/sla"
	slastore "github.com/evenkeel/evenkeel/sla/store"
)

var (
	//go:embed sql/episodes.sql
	episodesSQL string
	//go:embed sql/incidents.sql
	incidentsSQL string
	//go:embed sql/remembered.sql
	rememberedSQL string
)

// Reader reads the facts of reports. It holds no state and may be used by many
// goroutines at once.
type Reader struct {
	db       clickhouse.Querier
	arrivals *ingeststore.Reader
	levels   *slastore.Reader
}

var _ improve.Source = (*Reader)(nil)

// NewReader returns a reader of what db holds.
func NewReader(db clickhouse.Querier) *Reader {
	return &Reader{db: db, arrivals: ingeststore.NewReader(db), levels: slastore.NewReader(db)}
}

// History returns how far back the data goes. What arrived is kept for a time, what it told for ever.
func (r *Reader) History(ctx context.Context, tenant string, asOf ingest.Millis) (improve.History, error) {
	kept, err := r.arrivals.HistoryFrom(ctx, tenant, asOf)
	if err != nil {
		return improve.History{}, err
	}
	h := improve.History{From: kept, Kept: kept}
	var told ingest.Millis
	err = clickhouse.One(ctx, r.db, rememberedSQL, params(improve.Query{Tenant: tenant, AsOf: asOf}), (*int64)(&told))
	if err != nil {
		return h, fmt.Errorf("start of history: %w", err)
	}
	if told != 0 && (kept == 0 || told < kept) {
		h.From = told
	}
	return h, nil
}

// Intake returns what was received in the window, by sender.
func (r *Reader) Intake(ctx context.Context, q improve.Query) ([]improve.Intake, error) {
	rows, err := r.arrivals.Intake(ctx, ingeststore.ArrivalsQuery{Tenant: q.Tenant, From: q.From, To: q.To, AsOf: q.AsOf})
	if err != nil {
		return nil, err
	}
	intake := make([]improve.Intake, len(rows))
	for i, row := range rows {
		intake[i] = improve.Intake(row)
	}
	return intake, nil
}

// Incidents returns the incidents opened in the window as they stood at AsOf, oldest first,
// without those that live on in another.
func (r *Reader) Incidents(ctx context.Context, q improve.Query) ([]correlate.Incident, error) {
	all, err := clickhouse.All(ctx, r.db, incidentsSQL, params(q), scanIncident)
	if err != nil {
		return nil, fmt.Errorf("incidents of a report: %w", err)
	}
	for i := range all {
		all[i].Tenant = cmp.Or(q.Tenant, ingest.DefaultTenant)
	}
	return all, nil
}

func scanIncident(rows clickhouse.Rows, i *correlate.Incident) error {
	var kind, state, causes string
	var episodes, firing, unknown int64
	err := rows.Scan(&i.Partition, &i.Position, &i.Ordinal, (*int64)(&i.RecordedAt), &i.ID, &kind, &state, &i.Title, &i.Severity,
		(*int64)(&i.OpenedAt), (*int64)(&i.ResolvedAt), &i.Services, &episodes, &firing, &unknown, &causes)
	if err != nil {
		return err
	}
	i.Kind, i.State = correlate.IncidentKind(kind), correlate.IncidentState(state)
	i.Episodes, i.Firing, i.Unknown = int(episodes), int(firing), int(unknown)
	if err := json.Unmarshal([]byte(causes), &i.Causes); err != nil {
		return fmt.Errorf("causes of incident %s: %w", i.ID, err)
	}
	return nil
}

// Episodes yields the episodes that began in the window as they stood at AsOf, ordered by
// (source, fingerprint, starts_at), without holding them all.
func (r *Reader) Episodes(ctx context.Context, q improve.Query) iter.Seq2[improve.Episode, error] {
	return func(yield func(improve.Episode, error) bool) {
		for e, err := range clickhouse.Stream(ctx, r.db, episodesSQL, params(q), scanEpisode) {
			if err != nil {
				yield(e, fmt.Errorf("episodes of a report: %w", err))
				return
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

func scanEpisode(rows clickhouse.Rows, e *improve.Episode) error {
	var state string
	var ends, unknown ingest.Millis
	err := rows.Scan(&e.Source, &e.Fingerprint, (*int64)(&e.StartsAt), &state, (*int64)(&ends), (*int64)(&unknown), (*int64)(&e.FirstSeenAt),
		&e.AlertName, &e.Service, &e.Incident)
	e.State = correlate.EpisodeState(state)
	e.End = (&correlate.Episode{State: e.State, EndsAt: ends, UnknownSince: unknown}).End()
	return err
}

// Availability returns how every service and agreement did in the window.
func (r *Reader) Availability(ctx context.Context, q improve.Query, config sla.Config) ([]sla.Availability, error) {
	return r.levels.Availability(ctx, slastore.AvailabilityQuery{
		Tenant: q.Tenant, Agreement: sla.EveryAgreement, From: q.From, To: q.To, AsOf: q.AsOf, Config: config,
	})
}

// Segments returns the time that was neither up nor out of hours.
func (r *Reader) Segments(ctx context.Context, q improve.Query) ([]sla.Segment, error) {
	return r.levels.Segments(ctx, slastore.SegmentsQuery{
		Tenant: q.Tenant, Agreement: sla.EveryAgreement, From: q.From, To: q.To, AsOf: q.AsOf,
		Buckets: []sla.Bucket{sla.DownBucket, sla.DegradedBucket, sla.UnknownBucket, sla.MaintenanceBucket},
	})
}

// Notices returns the maintenance windows that were sent and take place in the window.
func (r *Reader) Notices(ctx context.Context, q improve.Query) ([]improve.Notice, error) {
	windows, err := r.levels.Windows(ctx, slastore.WindowsQuery{Tenant: q.Tenant, From: q.From, To: q.To, AsOf: q.AsOf})
	if err != nil {
		return nil, err
	}
	notices := make([]improve.Notice, len(windows))
	for i, w := range windows {
		notices[i] = improve.Notice{Service: w.Service, From: w.From, To: w.To, Given: w.Notice}
	}
	slices.SortStableFunc(notices, func(a, b improve.Notice) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.From, b.From))
	})
	return notices, nil
}

func params(q improve.Query) clickhouse.Params {
	return clickhouse.Params{
		"tenant":   cmp.Or(q.Tenant, ingest.DefaultTenant),
		"from_ms":  strconv.FormatInt(int64(q.From), 10),
		"to_ms":    strconv.FormatInt(int64(q.To), 10),
		"as_of_ms": strconv.FormatInt(int64(q.AsOf), 10),
	}
}
