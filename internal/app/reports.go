package app

import (
	"cmp"
	"context"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/improve"
	improvestore "github.com/evenkeel/evenkeel/improve/store"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/internal/partition"
)

// Reports makes reports out of a store, with the configuration that was in force
// at the instant that the report speaks from.
type Reports struct {
	db       clickhouse.Querier
	source   improve.Source
	linkBase string
}

// NewReports returns what makes reports out of db. Links to the evidence begin with
// linkBase; "" leaves them out.
func NewReports(db clickhouse.Querier, linkBase string) *Reports {
	return &Reports{db: db, source: improvestore.NewReader(db), linkBase: linkBase}
}

// Report composes a tenant's report of a period as it stood at asOf; "" is the default tenant.
func (r *Reports) Report(ctx context.Context, tenant string, p improve.Period, asOf ingest.Millis) (*improve.Report, error) {
	c, err := partition.ConfigurationAt(ctx, r.db, asOf)
	if err != nil {
		return nil, err
	}
	tenant = cmp.Or(tenant, ingest.DefaultTenant)
	return improve.Build(ctx, r.source, improve.Params{
		Tenant: tenant, Period: p, AsOf: asOf,
		Services: c.Correlation.Services, Levels: c.Levels, Heartbeats: heartbeatsOf(c.Correlation, tenant), LinkBase: r.linkBase,
	})
}

// heartbeatsOf names the sources of a tenant of which a resolve by timeout would be noticed. Where a stream that is
// read to its end is the sign of life, that says nothing of who writes to it.
func heartbeatsOf(c correlate.Config, tenant string) []string {
	var names []string
	for _, h := range c.Heartbeats {
		if cmp.Or(h.Tenant, ingest.DefaultTenant) == tenant && h.Stream == "" {
			names = append(names, h.Source)
		}
	}
	return names
}

// HistoryFrom returns when the first thing of a tenant was received that is remembered, 0 without any.
func (r *Reports) HistoryFrom(ctx context.Context, tenant string, asOf ingest.Millis) (ingest.Millis, error) {
	h, err := r.source.History(ctx, cmp.Or(tenant, ingest.DefaultTenant), asOf)
	return h.From, err
}
