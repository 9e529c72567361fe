package clickhouse_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/deploy"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/internal/rig"
)

// row is what the tests write into the table positions, as if a fold had made it.
type row struct{ clickhouse.Address }

func addressOf(r *row) clickhouse.Address { return r.Address }

var positions = clickhouse.Table[row]{Name: "positions", Address: addressOf, Columns: []clickhouse.Column[row]{
	clickhouse.Instant("fold_time", func(*row) int64 { return 0 }),
}}

// steps is another table: no row of it replaces another, and none is ever taken away.
var steps = clickhouse.Table[row]{Name: "transitions", Address: addressOf}

// batch is a batch of n rows for each of its positions.
func batch(first, last uint64, n int) clickhouse.Batch {
	var rows []row
	for position := first; position <= last; position++ {
		for ordinal := range n {
			rows = append(rows, row{clickhouse.Address{Partition: 1, Position: position, Ordinal: uint32(ordinal)}})
		}
	}
	return clickhouse.Batch{Partition: 1, First: first, Last: last, Tables: []clickhouse.TableRows{steps.Rows(rows)}}
}

func writer(t *testing.T, c *clickhouse.Conn, log *slog.Logger) *clickhouse.Writer {
	t.Helper()
	w, err := clickhouse.NewWriter(c, clickhouse.WriterOptions{Logger: log, Timeout: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// wantOnce asks all servers for the rows of the batches.
func wantOnce(t *testing.T, c *clickhouse.Conn, want uint64) {
	t.Helper()
	var rows, addresses uint64
	err := clickhouse.One(t.Context(), c, "SELECT count(), uniqExact(partition, position, ordinal) FROM transitions", nil, &rows, &addresses)
	if err != nil || rows != want || addresses != want {
		t.Errorf("there are %d rows at %d addresses, %v; want %d of each", rows, addresses, err, want)
	}
}

func TestStartOnAClusterWhoseSchemaStandsNeedsNoStatementOnEveryServer(t *testing.T) {
	c := rig.ClickHouseShards(t, 2) // which has no ON CLUSTER
	conn := c.Database(t)
	if applied, err := clickhouse.Migrate(t.Context(), conn, deploy.ClickHouse()); err != nil || len(applied) > 0 {
		t.Errorf("applied %v, %v", applied, err)
	}
	if err := clickhouse.Check(t.Context(), conn, positions); err != nil {
		t.Error(err)
	}
}

func TestRowsThatOnlyAnotherServerHasAreNotInsertedAgain(t *testing.T) {
	c := rig.ClickHouseShards(t, 2)
	for _, name := range []string{rig.ClusterName, rig.OneShard} {
		t.Run(name, func(t *testing.T) {
			first := c.Database(t)
			second := c.Open(t, first.Database(), 1)
			all := batch(1, 10, 4)
			part := batch(1, 6, 4)
			part.Last = all.Last // what came of an insert that was cut off
			if err := writer(t, second, nil).Insert(t.Context(), part, false); err != nil {
				t.Fatal(err)
			}
			if err := writer(t, c.OpenAs(t, first.Database(), name, ""), nil).Insert(t.Context(), all, true); err != nil {
				t.Fatal(err)
			}
			wantOnce(t, first, 40)
			var here uint64
			if err := clickhouse.One(t.Context(), first, "SELECT count() FROM transitions_local", nil, &here); err != nil || here != 16 {
				t.Errorf("the first server has %d rows, %v; want those that the second had not", here, err)
			}
		})
	}
}

func TestWhoeverMayLoseRowsWithOneReplicaIsTold(t *testing.T) {
	c := rig.ClickHouseShards(t, 2)
	database := c.Database(t).Database()
	for _, test := range []struct {
		cluster, settings string
		want              uint64
	}{
		{rig.OneShard, "", 2},
		{rig.OneShard, "?insert_quorum=1", 2},
		{rig.OneShard, "?insert_quorum=2", 0},
		{rig.OneShard, "?insert_quorum=auto", 0},
		{rig.ClusterName, "", 0}, // no shard has a second replica
		{"", "", 0},
	} {
		got, err := c.OpenAs(t, database, test.cluster, test.settings).LoneReplicas(t.Context())
		if err != nil || got != test.want {
			t.Errorf("cluster %q with %q: %d, %v, want %d", test.cluster, test.settings, got, err, test.want)
		}
	}
}

func TestRecoveryWaitsForTheServerThatIsDown(t *testing.T) {
	c := rig.ClickHouseShards(t, 2)
	database := c.Database(t).Database()
	// Where a server's profile says so, its queries pass over servers that are down: never those of ours.
	conn := c.OpenAs(t, database, rig.ClusterName, "?skip_unavailable_shards=1")
	second := c.Open(t, database, 1)
	if err := writer(t, second, nil).Insert(t.Context(), batch(1, 10, 4), false); err != nil {
		t.Fatal(err)
	}
	c.Kill(t, 1)
	log := &rig.LogBuffer{}
	w := writer(t, conn, slog.New(slog.NewTextHandler(log, nil)))
	done := make(chan error, 1)
	go func() { done <- w.Insert(t.Context(), batch(1, 10, 4), true) }()
	waited := time.Now()
	for strings.Count(log.String(), "Insert failed, it is tried again") < 3 && time.Since(waited) < 30*time.Second {
		time.Sleep(20 * time.Millisecond)
	}
	if !strings.Contains(log.String(), "recover: ") || !strings.Contains(log.String(), "ClickHouse is away") {
		t.Errorf("the log does not say what is waited for:\n%s", log)
	}
	// Inserts whose outcome is known go on meanwhile.
	if err := writer(t, conn, nil).Insert(t.Context(), batch(11, 20, 4), false); err != nil {
		t.Error(err)
	}
	c.Restart(t, 1)
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Error("the recovery does not go on when the server is back")
	}
	wantOnce(t, conn, 80)
}

// Batches are written by way of two servers, one of which is killed again and again: whatever became of an
// insert, the rows are there once, on one server or the other.
func TestRowsAreThereOnceWhicheverServerIsKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	c := rig.ClickHouseShards(t, 2)
	conn := c.Open(t, c.Database(t).Database())
	log := &rig.LogBuffer{}
	w := writer(t, conn, slog.New(slog.NewTextHandler(log, nil)))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var written uint64
	var failed error
	var writing sync.WaitGroup
	writing.Go(func() {
		for ctx.Err() == nil && failed == nil {
			failed = w.Insert(t.Context(), batch(written+1, written+20, 50), false)
			written += 20
		}
	})
	const kills = 8
	for i := range kills {
		time.Sleep(time.Duration(150+i*37) * time.Millisecond)
		c.Kill(t, i%2)
		time.Sleep(300 * time.Millisecond)
		c.Restart(t, i%2)
	}
	stop()
	writing.Wait()
	if failed != nil {
		t.Fatal(failed)
	}
	again := strings.Count(log.String(), "it is tried again")
	t.Logf("%d kills, %d tries failed, %d rows", kills, again, written*50)
	if again == 0 {
		t.Error("no kill hit an insert: the test tests nothing")
	}
	wantOnce(t, conn, written*50)
}

// Nothing of an insert that begins after a server went is unknown, so nothing is to be asked of that server: another
// one takes the batch at once, although connections to the one that went lie idle.
func TestInsertThatBeginsWithoutAServerGoesToAnother(t *testing.T) {
	c := rig.ClickHouseShards(t, 2)
	conn := c.Open(t, c.Database(t).Database())
	log := &rig.LogBuffer{}
	w := writer(t, conn, slog.New(slog.NewTextHandler(log, nil)))
	if err := w.Insert(t.Context(), batch(1, 10, 4), false); err != nil {
		t.Fatal(err)
	}
	c.Kill(t, 0)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := w.Insert(ctx, batch(11, 20, 4), false); err != nil {
		t.Errorf("%v\n%s", err, log)
	}
	c.Restart(t, 0)
	wantOnce(t, conn, 80)
}
