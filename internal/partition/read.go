package partition

import (
	"context"
	_ "embed" // the query
	"errors"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
)

//go:embed sql/newest.sql
var newestSQL string

// ErrEmpty says that nothing was stored up to the instant asked for.
var ErrEmpty = errors.New("nothing was stored yet")

// ConfigurationAt reads the configuration that was in force at an instant. Who asks
// again and again keeps a [Configurations].
func ConfigurationAt(ctx context.Context, db clickhouse.Querier, asOf ingest.Millis) (Configuration, error) {
	return NewConfigurations(db).At(ctx, asOf)
}

// NewestStored reads the newest fold time up to which every partition of which anything is stored
// is stored, or ErrEmpty.
func NewestStored(ctx context.Context, db clickhouse.Querier) (ingest.Millis, error) {
	newest, _, err := newestOf(ctx, db)
	return newest, err
}

// NewestStoredOf is NewestStored for a journal of so many partitions: ErrEmpty until something is
// stored of each.
func NewestStoredOf(ctx context.Context, db clickhouse.Querier, partitions uint32) (ingest.Millis, error) {
	newest, known, err := newestOf(ctx, db)
	if err == nil && known < partitions {
		err = ErrEmpty
	}
	return newest, err
}

func newestOf(ctx context.Context, db clickhouse.Querier) (at ingest.Millis, partitions uint32, err error) {
	var newest int64
	err = one(ctx, db, newestSQL, nil, &newest, &partitions)
	if err == nil && newest <= 0 {
		err = ErrEmpty
	}
	return ingest.Millis(newest), partitions, err
}

// one reads the only row of a query, or ErrEmpty where there is none.
func one(ctx context.Context, db clickhouse.Querier, sql string, params clickhouse.Params, into ...any) error {
	err := clickhouse.One(ctx, db, sql, params, into...)
	if errors.Is(err, clickhouse.ErrNoRow) {
		return ErrEmpty
	}
	return err
}
