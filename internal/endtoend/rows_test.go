package endtoend

import (
	"cmp"
	"context"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/deploy"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/app"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/internal/clickhouse/engine"
	"github.com/evenkeel/evenkeel/internal/partition"
	"github.com/evenkeel/evenkeel/internal/rig"
	"github.com/evenkeel/evenkeel/sla"
	slastore "github.com/evenkeel/evenkeel/sla/store"
)

// leftovers is what a service that has stopped leaves: its rows, and a replay of its journal.
type leftovers struct {
	storage string
	config  string           // where rows are in a ClickHouse of one's own; "" with the engine inside
	db      *clickhouse.Conn // the service's rows
	engine  *engine.Engine
	replay  *partition.Replay
	batches []partition.Batch // the replay's rows
	levels  sla.Config        // of the journal's last configuration
	from    ingest.Millis     // received_at of the journal's first record
	records int
}

// openLeftovers opens the storage folder of a service that has stopped.
func openLeftovers(t *testing.T, storage string) *leftovers {
	t.Helper()
	e, err := engine.Start(t.Context(), engine.Options{
		Folder: filepath.Join(storage, "clickhouse"), Executable: rig.Binary(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Stop)
	l := &leftovers{storage: storage, engine: e}
	l.db = l.open(t, clickhouse.DefaultDatabase)
	return l
}

func (l *leftovers) open(t *testing.T, database string) *clickhouse.Conn {
	t.Helper()
	conn, err := clickhouse.Open(clickhouse.Options{DSN: l.engine.DSN(database)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// close lets go of the folder, so that a service can be started on it.
func (l *leftovers) close() {
	_ = l.db.Close()
	l.engine.Stop()
}

// fold replays the journal.
func (l *leftovers) fold(t *testing.T) {
	t.Helper()
	history := app.History{Storage: l.storage}
	skips, err := history.Skips(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l.replay = partition.NewReplay(0, skips...)
	var batch partition.Batch
	err = history.Each(t.Context(), func(rec ingest.Record) error {
		l.records++
		l.from = cmp.Or(l.from, rec.ReceivedAt)
		if rec.Kind == ingest.KindConfiguration {
			c, err := partition.ParseConfiguration(rec.Body)
			if err != nil {
				t.Fatal(err)
			}
			l.levels = c.Levels
		}
		batch.First, batch.Last = cmp.Or(batch.First, rec.Position), rec.Position
		batch.Rows.Append(l.replay.Apply(rec))
		if batch.Rows.Len() > 20_000 {
			l.batches, batch = append(l.batches, batch), partition.Batch{}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	l.batches = append(l.batches, batch)
}

// checkReplay compares the service's rows with those of a replay of its journal: in each table
// that has addresses, each row is to be in both exactly once, with all its columns.
func (l *leftovers) checkReplay(t *testing.T) {
	t.Helper()
	l.fold(t)
	l.storeReplay(t)
	counts := map[string]uint64{}
	for _, table := range addressedTables(t, l.db) {
		counts[table] = count(t, l.db, "SELECT count() FROM "+table)
		service, replayed := clickhouse.DefaultDatabase+"."+table, replayedDatabase+"."+table
		query(t, l.db, `SELECT toString(tuple(* EXCEPT side)) AS row, countIf(side = 1) AS live, countIf(side = 2) AS replayed
FROM (SELECT 1 AS side, * FROM `+service+` UNION ALL SELECT 2 AS side, * FROM `+replayed+`)
GROUP BY row HAVING live != 1 OR replayed != 1 ORDER BY row LIMIT 3`, nil, func(rows clickhouse.Rows) error {
			var row string
			var live, replayed uint64
			err := rows.Scan(&row, &live, &replayed)
			t.Errorf("%s: the service has this row %d times, the replay of its journal %d times: %s", table, live, replayed, row)
			return err
		})
	}
	t.Logf("equal to a replay of %d records: %v", l.records, counts)
	if len(counts) < 9 || counts["events"] == 0 || counts["incidents"] == 0 || counts["service_ledger"] == 0 {
		t.Error("too few tables or rows: the test compares nothing")
	}
}

const replayedDatabase = "replayed"

// storeReplay writes the replay's rows into a database of their own on the same engine.
func (l *leftovers) storeReplay(t *testing.T) {
	t.Helper()
	db := l.open(t, replayedDatabase)
	if _, err := clickhouse.Migrate(t.Context(), db, deploy.ClickHouse()); err != nil {
		t.Fatal(err)
	}
	w, err := clickhouse.NewWriter(db, clickhouse.WriterOptions{Registerer: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	store := &partition.ClickHouse{}
	store.Use(w)
	for _, b := range l.batches {
		if err := store.Write(t.Context(), b, false); err != nil {
			t.Fatal(err)
		}
	}
}

// addressedTables are those whose rows the fold made: all that have addresses, but for how far batches
// were stored.
func addressedTables(t *testing.T, db clickhouse.Querier) []string {
	t.Helper()
	var tables []string
	query(t, db, "SELECT table FROM system.columns WHERE database = currentDatabase() AND name = 'ordinal' AND table != 'positions' AND NOT endsWith(table, '_local') ORDER BY table", nil,
		func(rows clickhouse.Rows) error {
			tables = append(tables, "")
			return rows.Scan(&tables[len(tables)-1])
		})
	return tables
}

// checkAddresses finds a row that is there twice, in any table.
func checkAddresses(t *testing.T, db clickhouse.Querier) {
	t.Helper()
	for _, table := range addressedTables(t, db) {
		rows := count(t, db, "SELECT count() FROM "+table)
		if distinct := count(t, db, "SELECT uniqExact(partition, position, ordinal) FROM "+table); distinct != rows {
			t.Errorf("%s has %d rows at %d addresses", table, rows, distinct)
		}
	}
}

// ownersOf returns the partitions that the rows of a table are in, by what they are of.
func ownersOf(t *testing.T, db clickhouse.Querier, of, table string) map[string][]uint32 {
	t.Helper()
	owners := map[string][]uint32{}
	query(t, db, "SELECT "+of+" AS owned, groupUniqArray(partition) FROM "+table+" GROUP BY owned", nil, func(rows clickhouse.Rows) error {
		var owned string
		var in []uint32
		err := rows.Scan(&owned, &in)
		owners[owned] = in
		return err
	})
	return owners
}

// checkReconciled asks the ledger whether it holds what must never be.
func (l *leftovers) checkReconciled(t *testing.T) {
	t.Helper()
	asOf, err := partition.NewestStored(t.Context(), l.db)
	if err != nil {
		t.Fatal(err)
	}
	day := ingest.MillisIn(24 * time.Hour)
	found, err := slastore.NewReader(l.db).Reconcile(t.Context(), slastore.ReconcileQuery{
		From: (l.from/day - 1) * day, To: (asOf/day + 2) * day, AsOf: asOf, Config: l.levels,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range found {
		t.Errorf("the ledger does not reconcile: %+v", d)
	}
}

// checkReplayCommand compares the incidents that `evenkeel replay` writes with those
// in ClickHouse.
func (l *leftovers) checkReplayCommand(t *testing.T) {
	t.Helper()
	args := []string{"replay", "--storage.path=" + l.storage, "--incidents=-"}
	if l.config != "" {
		args = append(args, "--config.file="+l.config)
	}
	out := evenkeel(t, args...)
	type incident struct {
		ID         string
		OpenedAt   ingest.Millis `json:"opened_at"`
		ResolvedAt ingest.Millis `json:"resolved_at"`
		State      string
		Episodes   int
		Services   []string
	}
	var replayed, stored []incident
	for line := range strings.Lines(out) {
		var i incident
		if err := json.Unmarshal([]byte(line), &i); err != nil {
			t.Fatal(err)
		}
		replayed = append(replayed, i)
	}
	query(t, l.db, `SELECT id, toUnixTimestamp64Milli(opened_at), toUnixTimestamp64Milli(resolved_at), state, toInt64(episodes), services
FROM (SELECT * FROM incidents ORDER BY position DESC, ordinal DESC LIMIT 1 BY tenant, id) WHERE state != 'merged'`, nil,
		func(rows clickhouse.Rows) error {
			var i incident
			var opened, ended, episodes int64
			err := rows.Scan(&i.ID, &opened, &ended, &i.State, &episodes, &i.Services)
			i.OpenedAt, i.ResolvedAt, i.Episodes = ingest.Millis(opened), ingest.Millis(ended), int(episodes)
			stored = append(stored, i)
			return err
		})
	byID := func(a, b incident) int { return cmp.Compare(a.ID, b.ID) }
	slices.SortFunc(replayed, byID)
	slices.SortFunc(stored, byID)
	if diff := gocmp.Diff(replayed, stored); diff != "" || len(stored) == 0 {
		t.Errorf("the incidents of `evenkeel replay` (-) are not those in ClickHouse (+):\n%s", diff)
	}
	t.Logf("%d incidents as `evenkeel replay` gives them", len(stored))
}

// checkLoad compares what is there with what the senders were told. Among the deliveries, what was accepted is there
// exactly once for each time, and what may have landed at most once for each try; among the events, what says
// something new, once for however many times it was sent.
func (l *leftovers) checkLoad(t *testing.T, load *load) {
	t.Helper()
	rows := count(t, l.db, "SELECT count() FROM events")
	if addresses := count(t, l.db, "SELECT uniqExact(partition, position, ordinal) FROM events"); rows != addresses {
		t.Errorf("events has %d rows at %d addresses", rows, addresses)
	}
	events := l.sightings(t, "SELECT labels['test'], status, count() FROM events GROUP BY ALL")
	told := l.sightings(t, `SELECT JSONExtractString(alert, 'labels', 'test'), JSONExtractString(alert, 'status'), count()
FROM deliveries ARRAY JOIN JSONExtractArrayRaw(body, 'alerts') AS alert WHERE kind = 'delivery' GROUP BY ALL`)
	certain, lost := 0, 0
	for s, a := range load.seen {
		n, event := told[s], events[s]
		if n < a.accepted || n > a.accepted+a.unknown || event != min(n, 1) {
			if lost++; lost <= 5 {
				t.Errorf("%v was accepted %d times and may have been another %d times; it is in %d deliveries and %d events", s, a.accepted, a.unknown, n, event)
			}
		}
		if a.unknown == 0 {
			certain++
		}
		delete(told, s)
		delete(events, s)
	}
	for s := range told {
		t.Errorf("%v is there and was never sent", s)
	}
	for s := range events {
		t.Errorf("%v is an event and was never sent", s)
	}
	t.Logf("%d deliveries accepted, %d tries failed (%v); %d sightings sent, %d of them without an unknown try; %d rows in events; %d wrong",
		load.posts, load.failures, load.statuses, len(load.seen), certain, rows, lost)
	if certain == 0 {
		t.Error("no delivery was accepted at its first try: the test compares nothing")
	}
}

// sightings are how often each is in the rows of a query.
func (l *leftovers) sightings(t *testing.T, sql string) map[sighting]int {
	t.Helper()
	there := map[sighting]int{}
	query(t, l.db, sql, nil, func(rows clickhouse.Rows) error {
		var s sighting
		var n uint64
		err := rows.Scan(&s.test, &s.status, &n)
		there[s] = int(n)
		return err
	})
	return there
}

// count runs a query of one number.
func count(t *testing.T, db clickhouse.Querier, sql string) uint64 {
	t.Helper()
	var n uint64
	query(t, db, sql, nil, func(rows clickhouse.Rows) error { return rows.Scan(&n) })
	return n
}

// query calls each for every row.
func query(t *testing.T, db clickhouse.Querier, sql string, params clickhouse.Params, each func(clickhouse.Rows) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	rows, err := db.Query(ctx, sql, params)
	if err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			t.Fatalf("%v\n%s", err, sql)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
}
