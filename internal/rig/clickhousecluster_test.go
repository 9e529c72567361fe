package rig_test

import (
	"errors"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/internal/rig"
)

func TestShardsAreReadAsOneAndOneOfThemCanBeKilled(t *testing.T) {
	begun := time.Now()
	c := rig.ClickHouseShards(t, 2)
	t.Logf("usable after %s", time.Since(begun))
	all := c.Database(t)
	for i := range 2 {
		one := c.Open(t, all.Database(), i)
		if err := one.Exec(t.Context(), "INSERT INTO positions_local VALUES ({i:UInt32}, 1, 0, 0)", clickhouse.Params{"i": string(rune('0' + i))}); err != nil {
			t.Fatal(err)
		}
	}
	count := func() (n uint64, err error) {
		err = clickhouse.One(t.Context(), all, "SELECT count() FROM positions", nil, &n)
		return n, err
	}
	if n, err := count(); n != 2 || err != nil {
		t.Errorf("both shards have %d rows, %v", n, err)
	}
	c.Kill(t, 1)
	if n, err := count(); !errors.Is(err, clickhouse.ErrAway) {
		t.Errorf("without a shard there are %d rows, %v", n, err)
	}
	c.Restart(t, 1)
	if n, err := count(); n != 2 || err != nil {
		t.Errorf("after its restart both shards have %d rows, %v", n, err)
	}
}
