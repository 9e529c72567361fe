package store_test

import (
	"testing"

	"github.com/evenkeel/evenkeel/ingest/store"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/internal/rig"
)

func TestTablesHaveTheColumnsThatGoListsForThem(t *testing.T) {
	db := rig.ClickHouse(t)
	if err := clickhouse.Check(t.Context(), db, store.Deliveries, store.Events, store.Changes, store.DeadLetters,
		store.Samples, store.Links, store.Maintenance); err != nil {
		t.Error(err)
	}
}
