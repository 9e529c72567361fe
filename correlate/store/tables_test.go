package store_test

import (
	"testing"

	"github.com/evenkeel/evenkeel/correlate/store"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/internal/rig"
)

func TestTablesHaveTheColumnsThatGoListsForThem(t *testing.T) {
	db := rig.ClickHouse(t)
	if err := clickhouse.Check(t.Context(), db, store.Episodes, store.Transitions, store.Incidents); err != nil {
		t.Error(err)
	}
}
