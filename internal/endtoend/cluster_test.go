package endtoend

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/internal/partition"
	"github.com/evenkeel/evenkeel/internal/rig"
)

// clusterPartitions is how many the journal of the tests has. Each tenant is one domain.
const clusterPartitions = 3

// One of two replicas is killed in the middle of a storm, and comes back: whoever folds a partition
// then goes on with the same incidents, every row is there once, and all is as if one fold had seen the same
// deliveries alone.
func TestAKilledReplicaLeavesTheIncidentsAsTheyWere(t *testing.T) {
	broker := rig.Kafka(t)
	dsn := rig.Database(t)
	config := clusterConfig(t, broker, dsn, rig.Shared(t, "data/storms/busy/catalogue.yml"))
	records := recorded(t, "data/storms/busy/deliveries.jsonl.gz")
	if testing.Short() {
		records = records[:150]
	}
	ports, storages := []int{rig.FreePort(t), rig.FreePort(t)}, []string{t.TempDir(), t.TempDir()}
	replicas := []*server{serveOn(t, config, storages[0], ports[0]), serveOn(t, config, storages[1], ports[1])}

	tenants := []string{"blue", "green"}
	progress, sent := postStorm(t, replicas, tenants, records)
	third := len(tenants) * len(records) / 3
	for range third {
		<-progress
	}
	victim := newDice(t).IntN(2)
	replicas[victim].Kill()
	t.Logf("replica %d was killed after %d deliveries", victim, third)
	for range third {
		<-progress
	}
	begin(t, config, storages[victim], ports[victim])
	sent()
	checkStorm(t, connect(t, dsn), tenants, records)
}

// postStorm begins to post the whole storm as each of the tenants, its deliveries in turns to both replicas; where
// one is gone, the other takes them. Every delivery that was accepted is told on the channel, and the function
// returns when all were.
func postStorm(t *testing.T, replicas []*server, tenants []string, records []ingest.Record) (progress <-chan int, wait func()) {
	t.Helper()
	var senders sync.WaitGroup
	accepted := make(chan int, len(tenants)*len(records))
	for _, tenant := range tenants {
		senders.Go(func() {
			for i, rec := range records {
				postAnywhere(t, replicas, i, tenant, rec)
				accepted <- i
			}
		})
	}
	return accepted, senders.Wait
}

// checkStorm waits until what postStorm posted is stored, and compares it with what one fold alone makes of it: every
// row is there once.
func checkStorm(t *testing.T, conn *clickhouse.Conn, tenants []string, records []ingest.Record) {
	t.Helper()
	sent := uint64(len(tenants) * len(records))
	eventually(t, 90*time.Second, "everything is stored", func() bool {
		// A try whose answer was lost with the killed replica may be there as well.
		return count(t, conn, "SELECT countIf(kind = 'delivery' AND tenant IN ('blue', 'green') AND NOT copy) FROM deliveries") >= sent
	})
	waitSettled(t, conn)
	checkAddresses(t, conn)
	for _, tenant := range tenants { // whatever was sent twice
		want := map[string]bool{}
		for _, rec := range records {
			want[string(rec.Body)] = true
		}
		query(t, conn, "SELECT DISTINCT body FROM deliveries WHERE kind = 'delivery' AND tenant = {tenant:String}", clickhouse.Params{"tenant": tenant},
			func(rows clickhouse.Rows) error {
				var body string
				err := rows.Scan(&body)
				delete(want, body)
				return err
			})
		if len(want) > 0 {
			t.Errorf("tenant %s: %d deliveries were accepted and are not there", tenant, len(want))
		}
	}
	owners := ownersOf(t, conn, "tenant", "incidents")
	for _, tenant := range tenants {
		if len(owners[tenant]) != 1 {
			t.Fatalf("the incidents of tenant %s are of partitions %v, want one", tenant, owners[tenant])
		}
		id := owners[tenant][0]
		want, got := standalone(t, conn, id, tenant), storedIncidents(t, conn, tenant)
		if diff := cmp.Diff(want, got); diff != "" || len(got) < 5 {
			t.Errorf("tenant %s, partition %d: %d incidents (-one fold alone +the cluster):\n%s", tenant, id, len(got), diff)
		}
		t.Logf("tenant %s: partition %d, %d incidents as one fold alone gives them", tenant, id, len(got))
	}
}

// clusterConfig configures a replica: a journal in Kafka, rows in the ClickHouse at dsn. More are further lines
// of the section clickhouse.
func clusterConfig(t *testing.T, k *rig.KafkaCluster, dsn, catalogue string, more ...string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	return writeFile(t, "evenkeel.yml", fmt.Sprintf(`
catalogue: [%s]
journal:
  kafka: {brokers: ["%s"], partitions: %d, replication: 1, session_timeout: 6s}
clickhouse:
  dsn: clickhouse://%s@%s
  password_file: %s
  database: %s
  %s
`, catalogue, strings.Join(k.Addresses(), `", "`), clusterPartitions, u.User.Username(), u.Host, writeFile(t, "password", password), strings.TrimPrefix(u.Path, "/"), strings.Join(more, "\n  ")))
}

// postAnywhere posts a delivery until one of the replicas has accepted it, beginning with the n-th.
func postAnywhere(t *testing.T, replicas []*server, n int, tenant string, rec ingest.Record) {
	for try := n; t.Context().Err() == nil; try++ {
		if status := postAs(t.Context(), replicas[try%len(replicas)].url+rec.Path, tenant, rec.Body); status == http.StatusOK {
			return
		}
		pause(t.Context(), 50*time.Millisecond)
	}
}

// postAs returns the status, 0 where no answer came.
func postAs(ctx context.Context, url, tenant string, body []byte) int {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(string(body)))
	if err != nil {
		return 0
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Scope-OrgID", tenant)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// waitSettled returns when every partition is stored up to a time after now: then each has
// decided what it had put off.
func waitSettled(t *testing.T, db clickhouse.Querier) {
	t.Helper()
	after := ingest.MillisOf(time.Now()) + 5*ingest.Minute/60
	eventually(t, 90*time.Second, "every partition has gone on", func() bool {
		at, err := partition.NewestStored(t.Context(), db)
		return err == nil && at > after
	})
}

// outcome is an incident without its id, which names its partition.
type outcome struct {
	Episodes []string // by source, fingerprint and start
	State    correlate.IncidentState
	Opened   ingest.Millis
	Services []string
}

// standalone folds what a partition was given, alone, as the only partition of a journal.
func standalone(t *testing.T, db clickhouse.Querier, id uint32, tenant string) []outcome {
	t.Helper()
	replay := partition.NewReplay(0)
	var end ingest.Millis
	query(t, db, fmt.Sprintf("SELECT toUnixTimestamp64Milli(max(fold_time)) FROM positions WHERE partition = %d", id), nil,
		func(rows clickhouse.Rows) error { return rows.Scan((*int64)(&end)) })
	records, err := partition.NewArchive(db).Records(t.Context(), id, 0, 1<<40)
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range records {
		rec.Position, rec.Route = 0, nil
		replay.Apply(rec)
	}
	replay.Apply(ingest.Record{Kind: ingest.KindTick, ReceivedAt: end})
	members := map[string][]string{}
	for _, e := range replay.Episodes() {
		if e.Tenant == tenant {
			members[e.Incident] = append(members[e.Incident], episodeName(e.Source, e.Fingerprint, e.StartsAt))
		}
	}
	var all []outcome
	for _, i := range replay.Incidents() {
		if i.Tenant == tenant && i.State != correlate.IncidentMerged {
			all = append(all, outcome{members[i.ID], i.State, i.OpenedAt, i.Services})
		}
	}
	return inOrder(all)
}

// storedIncidents reads the incidents of a tenant as they stand.
func storedIncidents(t *testing.T, db clickhouse.Querier, tenant string) []outcome {
	t.Helper()
	members := map[string][]string{}
	query(t, db, `SELECT source, fingerprint, toUnixTimestamp64Milli(starts_at), incident FROM
(SELECT * FROM episodes WHERE tenant = {tenant:String} ORDER BY position DESC, ordinal DESC LIMIT 1 BY source, fingerprint, starts_at)`,
		clickhouse.Params{"tenant": tenant}, func(rows clickhouse.Rows) error {
			var source, fingerprint, incident string
			var starts int64
			err := rows.Scan(&source, &fingerprint, &starts, &incident)
			members[incident] = append(members[incident], episodeName(source, fingerprint, ingest.Millis(starts)))
			return err
		})
	found := map[string]outcome{}
	query(t, db, `SELECT id, state, toUnixTimestamp64Milli(opened_at), services FROM
(SELECT * FROM incidents WHERE tenant = {tenant:String} ORDER BY position DESC, ordinal DESC LIMIT 1 BY id) WHERE state != 'merged'`,
		clickhouse.Params{"tenant": tenant}, func(rows clickhouse.Rows) error {
			var id, state string
			var opened int64
			var services []string
			err := rows.Scan(&id, &state, &opened, &services)
			found[id] = outcome{members[id], correlate.IncidentState(state), ingest.Millis(opened), services}
			return err
		})
	return inOrder(slices.Collect(maps.Values(found)))
}

func episodeName(source, fingerprint string, starts ingest.Millis) string {
	return fmt.Sprintf("%s/%s/%s", source, fingerprint, starts)
}

func inOrder(all []outcome) []outcome {
	for i := range all {
		slices.Sort(all[i].Episodes)
	}
	slices.SortFunc(all, func(a, b outcome) int { return slices.Compare(a.Episodes, b.Episodes) })
	return all
}
