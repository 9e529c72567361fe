package app

import (
	"cmp"
	"context"

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
	return improve.Build(ctx, r.source, improve.Params{
		Tenant: cmp.Or(tenant, ingest.DefaultTenant), Period: p, AsOf: asOf,
		Services: c.Correlation.Services, Levels: c.Levels, LinkBase: r.linkBase,
	})
}

// HistoryFrom returns when the first thing of a tenant was received that is remembered, 0 without any.
func (r *Reports) HistoryFrom(ctx context.Context, tenant string, asOf ingest.Millis) (ingest.Millis, error) {
	h, err := r.source.History(ctx, cmp.Or(tenant, ingest.DefaultTenant), asOf)
	return h.From, err
}
