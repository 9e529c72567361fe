package store_test

import (
	"testing"

	"github.com/evenkeel/evenkeel/ingest/store"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/internal/rig"
)

func TestTablesHaveTheColumnsThatGoListsForThem(t *testing.T) {
	db := rig.ClickHouse(t)
	for _, table := range []clickhouse.AnyTable{store.Deliveries, store.Events, store.Changes, store.DeadLetters} {
		if err := clickhouse.CheckTable(t.Context(), db, table); err != nil {
			t.Error(err)
		}
	}
}
